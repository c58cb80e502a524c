"""Definitions that are moved into one file mean there what they meant in theirs."""

import ast
import importlib
import subprocess
import sys
import textwrap
import typing

import pytest

from cookbook.one_file import source
from cookbook.one_file.names import uses_of
from cookbook.one_file.needs import gather, named
from cookbook.one_file.rewrite import Edit, applied, fitted
from cookbook.one_file.source import Import, find, source_of
from cookbook.one_file.statements import CannotCopy
from cookbook.takeaway.copying import one_file

# {what holds: the files of a package, whose main.answer() says it in a value}
CASES = {
    "private names of two modules stay apart": {
        "one": "def _part(): return 1\ndef first(): return _part()\n",
        "two": "def _part(): return 2\ndef second(): return _part()\n",
        "main": """
            from .one import first
            from .two import second
            def answer(): return first(), second()
        """,
    },
    "classes and constants with one name stay apart, also in super(X, self)": {
        "one": """
            SIZE = 1
            class _Base:
                def size(self): return SIZE
            class One(_Base): pass
        """,
        "two": """
            SIZE = 2
            class _Base:
                def size(self): return SIZE
            class _Middle(_Base):
                def size(self): return 10 * super(_Middle, self).size()
            class Two(_Middle): pass
        """,
        "main": """
            from .one import One
            from .two import Two
            def answer(): return One().size(), Two().size()
        """,
    },
    "a definition and an import with one name stay apart": {
        "one": "from math import floor as ops\ndef one(): return ops(1.5)\n",
        "two": "def ops(x): return -x\ndef two(): return ops(1.5)\n",
        "main": """
            from .one import one
            from .two import two
            def answer(): return one(), two()
        """,
    },
    "what is asked for keeps its name, and imports give way": {
        "one": "from math import sqrt as answer\ndef root(): return answer(4)\n",
        "main": "from .one import root\ndef answer(): return root()\n",
    },
    "two imports with one name stay apart": {
        "one": "from math import floor as f\ndef one(): return f(1.5)\n",
        "two": "from math import ceil as f\ndef two(): return f(1.5)\n",
        "main": """
            from .one import one
            from .two import two
            def answer(): return one(), two()
        """,
    },
    "an import with two names gets one of them": {
        "one": "from math import floor as down\ndef one(): return down(1.5)\n",
        "main": """
            from math import floor
            from .one import one
            def answer(): return one(), floor(2.5)
        """,
    },
    "dotted imports share a name": {
        "one": "import os.path\ndef one(): return os.path.basename('a/b')\n",
        "main": """
            import os
            import os.path as places
            os.environ.setdefault("A_SETTING", "1")
            from .one import one
            def answer(): return one(), os.sep, places.dirname('a/b')
        """,
    },
    "imports inside functions go, and what they import comes along": {
        "one": "def one(): return 1\ndef nothing(): return None\n",
        "main": """
            from math import pi as one
            def only():
                from .one import one
            def answer():
                if one > 3:

                    from .one import one as found
                    from pack.one import nothing

                    return found(), nothing(), only(), one
        """.replace("one > 3", "True"),
    },
    "decorators come along, from modules too": {
        "tools": """
            import functools
            def twice(f):
                @functools.wraps(f)
                def inner(*arguments): return 2 * f(*arguments)
                return inner
        """,
        "main": """
            from . import tools
            from .tools import twice
            @tools.twice
            @twice
            def four(x): return x
            def answer(): return four(1)
        """,
    },
    "constants come along, also those that are assigned together": {
        "one": "LOW, HIGH = 1, (2 + 3)  # both\nTABLE = {LOW: HIGH}\n",
        "main": """
            from .one import HIGH, TABLE
            FACTOR: int = 2
            def answer(x=HIGH, *, y=TABLE): return x * FACTOR, y
        """,
    },
    "type hints come along, quoted ones too": {
        "one": "class _Shape: pass\n",
        "two": "class _Shape: pass\nclass Other(_Shape): pass\n",
        "main": """
            import typing
            from .one import _Shape
            from .two import Other
            Both = Other | None
            class Node:
                child: "Node | None" = None
                kind: typing.Literal["no", "names"] = "no"
            def hinted(a: _Shape, b: "list[_Shape]", c: Both) -> "Node":
                local: "Other" = b
                return local
            def answer():
                hints = typing.get_type_hints(hinted)
                return [str(hint).split(".")[-1][:4] for hint in hints.values()]
        """,
    },
    "names are found through doors": {
        "inner/__init__": """
            from . import deep
            from .deep import Thing, helper as public
        """,
        "inner/deep": "class Thing: size = 3\ndef helper(): return Thing.size\n",
        "door": "from .inner import Thing, public\n",
        "main": """
            from . import inner
            from .door import Thing, public
            def answer(): return Thing.size, public(), inner.deep.helper()
        """,
    },
    "a variable does not take the place of what it hides": {
        "one": "def size(): return 1\ndef keep(f): return f\n",
        "main": """
            from . import one
            def answer(size=5):
                keep = [one.size() for size in range(2)]
                return size, keep, one.keep(3)
        """,
    },
    "a builtin that one module hides is what it was in others": {
        "one": "def max(x): return 'mine'\ndef one(): return max(1)\n",
        "main": "from .one import one\ndef answer(): return one(), max(1, 2)\n",
    },
    "local names are not taken for those of the module": {
        "one": "from .two import *\n",  # nobody may look in here
        "main": """
            import contextlib
            from .one import a, b, c, d, e, f, g, h, i, j, k
            def answer(a=1, *b, c=2, **d):
                try: raise ValueError("e")
                except ValueError as e: text = str(e)
                with contextlib.nullcontext(3) as f: pass
                for g, (h, *i) in [(1, (2, 3))]: pass
                if any((j := x) > 1 for x in range(3)): pass
                match {"k": 1, "l": 2}:
                    case {"k": 1, **k}: pass
                def nested():
                    nonlocal text
                    text += "!"
                    return lambda h: (h, a, text)
                return a, b, c, d, f, g, h, i, j, k, nested()(0)
        """,
    },
    "a class body reads names of the module until it binds them": {
        "one": "size = 2\nstep = 3\nother = 4\n",
        "main": """
            from .one import other, size, step
            class Thing:
                other = 5
                others = [other for _ in range(2)]
                size = size
                steps = [step * i for i in range(size)]
                for own in steps: last = own
                @property
                def value(self): return self._value
                @value.setter
                def value(self, value): self._value = value + size
            def answer():
                thing = Thing()
                thing.value = 1
                return thing.value, Thing.size, Thing.others, Thing.last
        """,
    },
    "functions may call each other, and bases come before their subclasses": {
        "one": """
            def even(n): return n == 0 or odd(n - 1)
            def odd(n): return n > 0 and even(n - 1)
            class Base:
                def child(self): return Child()
            class Child(Base): made = even(4)
        """,
        "main": "from .one import Base\ndef answer(): return Base().child().made\n",
    },
    "bases come before their subclasses where modules import each other": {
        "one": """
            class Base: size = 1
            def make():
                from .two import Child
                return Child()
        """,
        "two": "from .one import Base\nclass Child(Base): pass\n",
        "main": "from .one import make\ndef answer(): return make().size\n",
    },
    "names are replaced behind other letters, in f-strings and in tabs": {
        "one": "def _x(): return 'ä'\ndef one(): return f'é {_x()!r:>5}' + _x()\n",
        "two": "def _x(): return 'ö'\ndef two():\n\treturn 'é', _x(), f'''\n {_x()}'''",
        "main": """
            from .one import one
            from .two import two
            def answer(): return one(), two()
        """,
    },
}

# {what a module may not do with a name: (its text, a part of the message)}
REFUSED = {
    "import all names": ("from math import *\n", "from math import *"),
    "delay its hints": ("from __future__ import annotations\n", "__future__"),
    "define it under a condition": ("if True:\n    X = 1\n", "line 1"),
    "import it under a condition": (
        "try:\n    import json as X\nexcept ImportError:\n    X = None\n",
        "line 1",
    ),
    "define it twice": ("X = 1\nX = 2\n", "line 2"),
    "add to it": ("X = 1\nX += 1\n", "line 2"),
    "change its object": ("X = []\nX.append(1)\n", "line 2"),
    "change a part of it": ("X = {}\nX['a'] = 1\n", "line 2"),
    "define two names by one value": ("X = Y = []\n", "line 1"),
    "unpack it": ("X, Y = divmod(7, 2)\n", "line 1"),
    "define it beside another": ("X = 1; Y = 2\n", "line 1"),
    "lack it": ("Y = 1\n", "X"),
    "assign to it from a function": ("def X():\n    global Y\n", "global Y"),
    "use a module as a value": (
        "from . import main\ndef X(): return main\n",
        "pack.main",
    ),
    "import a module of ours inside": (
        "def X():\n    import pack.main\n",
        "from MODULE",
    ),
    "give it two meanings": (
        "def X(a):\n if a: from .main import answer\n else: answer = 1\n",
        "answer",
    ),
    "hide it in a hint with escapes": (
        "def answer(): pass\ndef X(a: '\\x61nswer', b: answer): pass\n",
        "stands",
    ),
}


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A function that writes the files of a package `pack` for the reader."""
    monkeypatch.setattr(source, "ROOT", tmp_path)
    monkeypatch.setattr(source, "PACKAGES", ("pack",))
    monkeypatch.syspath_prepend(tmp_path)
    source_of.cache_clear()

    def write(files):
        for name, text in {"__init__": "", **files}.items():
            path = tmp_path / "pack" / f"{name}.py"
            path.parent.mkdir(exist_ok=True)
            path.write_text(textwrap.dedent(text).lstrip("\n"), encoding="utf-8")

    yield write
    source_of.cache_clear()
    for module in [name for name in sys.modules if name.split(".")[0] == "pack"]:
        del sys.modules[module]


def copy_of(name="answer"):
    return one_file(gather([named("pack.main", name)]), "mine") + "\n"


def run(text, name="answer"):
    module = {"__name__": "copied"}
    exec(compile(text, "copied", "exec"), module)
    return module[name]()


@pytest.mark.parametrize("case", CASES)
def test_the_copy_answers_as_the_package_does(case, package):
    package(CASES[case])
    text = copy_of()
    assert "pack" not in text
    if case.startswith("local names"):  # whose package cannot be imported
        found = run(text)
        assert found == (1, (), 2, {}, 3, 1, 2, [3], 2, {"l": 2}, (0, 1, "e!"))
        return
    assert run(text) == importlib.import_module("pack.main").answer()


@pytest.mark.parametrize("case", REFUSED)
def test_a_module_may_not(case, package):
    text, part = REFUSED[case]
    package({"one": text, "main": "from .one import X\ndef answer(): return X\n"})
    with pytest.raises(CannotCopy) as error:
        copy_of()
    assert part in str(error.value)


def test_what_is_not_used_may_be_anything(package):
    package({"main": "if 1:\n    X = 1\nY = 2\nY += 1\ndef answer(): return 5\n"})
    assert run(copy_of()) == 5


def test_exactly_what_is_used_comes_along(package):
    package(
        {
            "one": "import json\nimport math\nA = 1\nB = math.pi\nC = A\n",
            "main": "from .one import A, B, C\ndef answer(): return C\n",
        }
    )
    assert copy_of() == "A = 1\nC = A\n\n\ndef answer(): return C\n"


def test_a_caller_may_replace_what_names_mean(package):
    package({"main": "def size(): return 1\ndef answer(): return size()\n"})

    def other_find(module, name):
        return Import("builtins", "int") if name == "size" else find(module, name)

    text = one_file(gather([named("pack.main", "answer")], other_find), "mine")
    assert text == "def answer(): return int()"


def test_comments_around_and_inside_stay(package):
    text = """\
# Why.
# And why else.
SIZE = 1  # of it


# Before.
@staticmethod  # decorated
def answer():  # here
    # Inside.
    return SIZE
    # At the end.
"""
    package({"main": text + "\n\n# Of another.\nOTHER = 2\n"})
    assert copy_of() == text


def test_line_ends_of_windows_are_read(package, tmp_path):
    package({"main": ""})
    text = 'def answer():\r\n    """Two\r\n    lines."""\r\n    return 1\r\n'
    (tmp_path / "pack" / "main.py").write_bytes(b"\xef\xbb\xbf" + text.encode())
    assert copy_of() == text.replace("\r\n", "\n")


def test_empty_lines_of_imports_inside_functions_go(package):
    inside = "\n    from .one import x\n    from .one import (\n        y,\n    )\n\n"
    package(
        {
            "one": "def x(): return 1\ndef y(): return 2\n",
            "main": f'def answer():\n    """Text."""\n{inside}    return x() + y()\n',
        }
    )
    text = 'def answer():\n    """Text."""\n\n    return x() + y()\n'
    assert copy_of().endswith(text)


def test_files_with_clashes_are_clean_for_ruff(package, tmp_path):
    """Definitions in the form of the formatter keep it under longer names."""
    call = f"    return _check({', '.join(f'argument{i}' for i in range(6))})"
    assert 88 - len("_of_decoding") < len(call) <= 88
    part = f"""\
def _check(*arguments):
    return arguments


def NAME({", ".join(f"argument{i}" for i in range(6))}):
{call}
"""
    numpy = "import numpy as np\nfrom numpy import abs, Inf as x, array as Conv10D\n"
    package(
        {
            "of_decoding": part.replace("NAME", "one"),
            "two": part.replace("NAME", "two"),
            "main": numpy + "from math import floor as x_2\nimport os.path\n"
            "from numpy import Conv2D, conv1d, LONG, alpha, Long_name_of_a_class\n"
            "from .of_decoding import one\nfrom .two import two\n\n\n"
            "def answer():\n    return (\n        one,\n        two,\n        x_2,\n"
            "        os.path,\n        np,\n        abs,\n        x,\n"
            "        Conv10D,\n"
            "        Conv2D,\n        conv1d,\n        LONG,\n        alpha,\n"
            "        Long_name_of_a_class,\n    )\n",
        }
    )
    (tmp_path / "copy.py").write_text(copy_of(), encoding="utf-8")
    for words in (["check", "--select", "E,F,I"], ["format", "--check", "--diff"]):
        command = [sys.executable, "-m", "ruff", *words, "--isolated", "copy.py"]
        done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout


def test_a_long_line_is_divided_at_its_last_brackets():
    words = ", ".join(["word"] * 9)
    line = f"    value = call(')', {words})[{{}}]"
    assert fitted(line) == line  # which is short enough
    assert fitted(f"    return one('(', {words}), two({words}):") == (
        f"    return one('(', {words}), two(\n        {words}\n    ):"
    )
    name = "n" * 90
    assert fitted(f"    x = (1) + {name}") == f"    x = (1) + {name}"


def test_edits_do_not_disturb_each_other():
    text = "é = one + two\nthree\n"
    edits = [Edit((7, 5), (7, 8), "1"), Edit((7, 11), (8, 5), "2\n+ 3")]
    assert applied(edits, text, first_line=7) == "é = 1 + 2\n+ 3\n"


def test_a_name_says_whether_it_is_needed_at_once():
    text = """\
@a
def f(x: b = c) -> "d":
    return e
"""
    (function,) = ast.parse(text).body
    early = {use.name: use.is_early for use in uses_of(function)}
    assert early == {"a": True, "b": True, "c": True, "d": False, "e": False}
    assert typing.get_type_hints(uses_of)["node"] is ast.stmt
