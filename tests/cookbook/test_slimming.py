"""Slimming: scripts lose what they never use, and compute the same."""

import ast
import importlib.util
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from cookbook.one_file.source import ROOT
from cookbook.slimming.closed_world.keras_names import SERIALIZATION, may_be_read
from cookbook.slimming.closed_world.program import Program
from cookbook.slimming.edits.changes import edited
from cookbook.slimming.slim import slimmed

CASES = {
    title: script.split("\n--- becomes\n")
    for part in Path(__file__)
    .with_name("slimming_cases.txt")
    .read_text()
    .split("\n=== ")[1:]
    for title, _, script in [part.partition("\n")]
}
TABLE = """
class A:
    def __init__(self, units, backwards=False, depth=1):
        self.text = f"{units} {backwards}"

class B:
    def __init__(self, units, backwards=False):
        self.text = f"{backwards} {units}"

KINDS = {"a": A, "b": B}
print([KINDS[name](3, backwards=True).text for name in "ab"])
"""
# Scripts in which nothing may go; {why: script}.
KEPT = {
    "the argument is passed by a call of a value": """
        def f(x, scale=None):
            return x if scale is None else x * scale

        def apply(function, x):
            return function(x, scale=2)

        print(apply(f, 3))
        """,
    "the function is given to somebody else": """
        import functools

        def f(x, scale=None):
            return x if scale is None else x * scale

        print(functools.partial(f, scale=2)(3))
        """,
    "keywords arrive in a dictionary whose content is not known": """
        import json

        def f(x, scale=None):
            return x if scale is None else x * scale

        print(f(2, **json.loads('{"scale": 3}')))
        """,
    "the attribute is set from outside": """
        class A:
            def __init__(self):
                self.scale = None

            def f(self, x):
                return x if self.scale is None else x * self.scale

        def change(a):
            a.scale = 3
            return a

        print(change(A()).f(2))
        """,
    "the attribute is found by its name": """
        class A:
            def __init__(self):
                self.scale = None
                self.size = 2

        print([getattr(A(), name) for name in ("scale", "size")])
        """,
    "the method is found by its name": """
        class A:
            def first(self):
                return 1

        print(getattr(A(), "first")())
        """,
    "Keras reads the attribute": """
        import keras

        class Layer(keras.layers.Layer):
            def __init__(self):
                super().__init__()
                self.supports_masking = True

            def call(self, x):
                return x

        print(Layer()(1))
        """,
    "a subclass sets another value": """
        class A:
            gates = 1

            def f(self):
                return 2 if self.gates > 1 else 3

        class B(A):
            gates = 4

        print(A().f(), B().f())
        """,
    "a function inside sets the name": """
        def f(x):
            state = None

            def g():
                nonlocal state
                state = x

            g()
            return 0 if state is None else state

        print(f(3))
        """,
    "a function inside reads the name later": """
        def f(x):
            state = None

            def g():
                return 0 if state is None else state

            state = x
            return g()

        print(f(3))
        """,
    "a type makes the object": """
        class A:
            def __init__(self, x, y=None):
                self.z = x if y is None else y

            def twin(self):
                return type(self)(self.z, y=5)

        print(A(3).twin().z)
        """,
    "a type with a name makes the object": """
        class A:
            def __init__(self, x, y=None):
                self.z = x if y is None else y

        def twin(a):
            options = {"y": 5}
            kind = type(a)
            return kind(a.z, **options)

        KINDS = {"a": A}
        print(twin(KINDS["a"](3)).z)
        """,
    "the argument of the recipe is what a reader sees": """
        def f(x, padding="same"):
            return x if padding == "same" else 2 * x

        print(f(3, padding="same"))
        """,
    "text in an f-string has no place of its own": """
        def f(x, scale=2):
            return f"{x * scale}"

        print(f(2))
        """,
    "a list that may be a layer's variable is tracked": """
        import keras

        class Layer(keras.layers.Layer):
            def __init__(self, inner):
                super().__init__()
                self.inner_layer = inner

            def call(self, x):
                return x

        print(Layer(3)(1))
        """,
}
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
keras.activations = types.SimpleNamespace(get=lambda x: x or (lambda y: y))
keras.initializers = types.SimpleNamespace(Initializer=object)
sys.modules["keras"] = keras
"""


def output(script: str) -> str:
    command = [sys.executable, "-S", "-c", KERAS + script]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def normal(script: str) -> str:
    """The script's code, whatever its layout; comments do not count."""
    return ast.unparse(ast.parse(script))


@pytest.mark.parametrize("name", CASES)
def test_what_goes(name):
    before, after = CASES[name]
    found = slimmed(before)
    assert normal(found) == normal(after)
    assert output(found) == output(before)


@pytest.mark.parametrize("name", KEPT)
def test_what_stays_because(name):
    script = textwrap.dedent(KEPT[name])
    assert normal(slimmed(script)) == normal(script)


def test_a_table_of_classes_loses_only_what_no_call_of_it_passes():
    found = slimmed(TABLE)
    assert "depth" not in found
    assert found.count("backwards=False") == 2
    assert output(found) == output(TABLE)


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
    assert edited("a\nb\nc", [first, second]) == "x\nx\nc"


def test_classes_are_looked_up_in_the_order_of_python():
    text = "class A: pass\nclass B(A): pass\nclass C(A): pass\nclass D(B, C): pass"
    scope: dict = {}
    exec(text, scope)
    expected = [base.__name__ for base in scope["D"].__mro__]
    assert [*Program(text).orders["D"], "object"] == expected


BASES = (
    "layers/layer.py",
    "layers/rnn/rnn.py",
    "layers/rnn/dropout_rnn_cell.py",
    "losses/loss.py",
    "metrics/metric.py",
    "optimizers/base_optimizer.py",
    "initializers/initializer.py",
    "callbacks/callback_list.py",
    "models/model.py",
    "models/functional.py",
    "trainers/*.py",
    "trainers/data_adapters/py_dataset_adapter.py",
    "backend/*/layer.py",
    "backend/*/trainer.py",
    "backend/*/optimizer.py",
)
# Keras reads these of other objects: of arrays, variables, modules and its own. It
# replaces an activation only where it is told to compute activations anew.
OF_OTHERS = """
_losses _run activation add backward bias binary_crossentropy cast
categorical_crossentropy cells count dense distribution expand_dims export function g
get_current_value grad gradient kernel kind locked lower mean mode momentum momentums
nesterov rank recurrent_kernel relu remove repeat run sparse_categorical_crossentropy
start stddev total transform true_positives uniform units update value values weight
"""


def test_what_keras_reads_of_our_classes_stays():
    keras_source = Path(importlib.util.find_spec("keras").origin).parent / "src"
    read = {
        name
        for pattern in BASES
        for path in keras_source.glob(pattern)
        for name in re.findall(r"\.([a-z_]\w*)", path.read_text())
    }
    ours = {
        node.attr if isinstance(node, ast.Attribute) else node.name
        for path in (ROOT / "custom_layers").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef)
        or (isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store))
    }
    kept = {name for name in read & ours if may_be_read(name) or name in SERIALIZATION}
    assert sorted(read & ours - kept) == sorted(OF_OTHERS.split())
