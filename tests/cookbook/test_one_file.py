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
from one_file_cases import CASES, REFUSED


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
