"""Slimming: scripts lose what they never use, and compute the same."""

import ast
import subprocess
import sys
import textwrap

import pytest

from cookbook.slimming.closed_world.program import Program
from cookbook.slimming.edits.changes import changed
from cookbook.slimming.slim import slimmed
from slim_scripts import CASES, KEPT

# Enough of Keras for the scripts above, which are run before and after.
KERAS = """
import sys, types

class Base:
    def __init__(self, **options):
        assert set(options) <= {"name", "dtype"}, options

    def add_weight(self, name, shape, regularizer=None):
        return [name, shape, regularizer]

    def __call__(self, x):
        if hasattr(self, "build"):
            self.build((1,))
        return self.call(x)

    def call(self, x):
        return sorted(self.__dict__)[:1] and x

keras = types.ModuleType("keras")
keras.layers = types.SimpleNamespace(Layer=Base)
keras.regularizers = types.SimpleNamespace(get=lambda x: x)
keras.initializers = types.SimpleNamespace(Initializer=object)
sys.modules["keras"] = keras
"""


def output(script: str) -> str:
    command = [sys.executable, "-S", "-c", KERAS + script]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def normal(script: str) -> str:
    """The script's code, whatever its layout; comments do not count."""
    return ast.unparse(ast.parse(script))


@pytest.mark.parametrize("name", [name for name, case in CASES.items() if case[1]])
def test_what_goes(name):
    before, after = map(textwrap.dedent, CASES[name])
    found = slimmed(before)
    assert normal(found) == normal(after)
    assert output(found) == output(before)


@pytest.mark.parametrize("name", KEPT)
def test_what_stays_because(name):
    script = textwrap.dedent(KEPT[name])
    assert normal(slimmed(script)) == normal(script)


def test_a_table_of_classes_loses_only_what_no_call_of_it_passes():
    before = textwrap.dedent(CASES["calls of a table reach all that it holds"][0])
    found = slimmed(before)
    assert "depth" not in found
    assert found.count("backwards=False") == 2
    assert output(found) == output(before)


def test_comments_and_docstrings_stay():
    script = textwrap.dedent(
        '''
        def f(x, scale=None, size=1):
            """The double.

            scale: of no use
              to anybody.
            size: how large.
            """
            # twice
            y = 2 * x  # y
            if scale is None:
                # once more
                text = """a
              b"""
            return y, text, size

        print(f(2, size=3))
        '''
    )
    found = slimmed(script)
    assert "# twice" in found
    assert "# y" in found
    assert "    # once more\n" in found
    assert 'text = """a\n      b"""' in found or 'text = """a\n  b"""' in found
    assert "scale" not in found
    assert "size: how large." in found
    assert output(found) == output(script)


def test_a_change_is_made_as_a_whole_or_not_at_all():
    from cookbook.one_file.rewrite import Edit

    first = [Edit((1, 0), (1, 1), "x"), Edit((2, 0), (2, 1), "x")]
    second = [Edit((3, 0), (3, 1), "y"), Edit((2, 0), (2, 1), "y")]
    assert changed("a\nb\nc", [first, second]) == "x\nx\nc"


def test_classes_are_looked_up_in_the_order_of_python():
    text = "class A: pass\nclass B(A): pass\nclass C(A): pass\nclass D(B, C): pass"
    scope: dict = {}
    exec(text, scope)
    expected = [base.__name__ for base in scope["D"].__mro__]
    assert [*Program(text).orders["D"], "object"] == expected
