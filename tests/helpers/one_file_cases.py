"""Made-up packages for the one-file reader: what it must move, and what it refuses."""

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
