"""The examples in docstrings: every component has one, it runs, and it tells something.

docs/components.md sends its readers to them.
"""

import doctest
import importlib
import pkgutil
import re

import keras
import pytest

import custom_layers
from cookbook.pages.catalogue import components, index

MODULES = [
    info.name
    for info in pkgutil.walk_packages(custom_layers.__path__, "custom_layers.")
    if ".common" not in info.name
]


def components_by_module():
    """{module: names of the components in it}."""
    found = {}
    for entry in components():
        module = entry.file.removesuffix(".py").replace("/", ".")
        found.setdefault(module, []).append(entry.name)
    return found


def examples_of(module):
    """{name: the lines of its example, each with what it prints}."""
    tests = doctest.DocTestFinder().find(importlib.import_module(module))
    return {test.name.removeprefix(f"{module}."): test.examples for test in tests}


def prints_more_than_shapes(lines):
    """Whether a line of an example prints something that is not a shape."""
    asks_for_a_shape = re.compile(r"[._]shape\b")
    return any(line.want and not asks_for_a_shape.search(line.source) for line in lines)


@pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="examples call TensorFlow's methods"
)
@pytest.mark.parametrize("module", MODULES)
def test_examples_in_docstrings_run(module):
    result = doctest.testmod(importlib.import_module(module))
    assert result.failed == 0


@pytest.mark.one_backend
@pytest.mark.parametrize(("module", "names"), components_by_module().items())
def test_every_component_has_an_example_that_shows_what_it_is_for(module, names):
    examples = examples_of(module)
    for name in names:
        lines = examples.get(name, [])
        is_used = any(re.search(rf"\b{name}\(", line.source) for line in lines)
        assert is_used, f"the docstring of {name} lacks an example of it"
        assert prints_more_than_shapes(lines), (
            f"the example of {name} shows a shape: show what {name} is for"
        )


@pytest.mark.one_backend
@pytest.mark.parametrize(
    ("example", "expected"),
    [
        (">>> y = Dense(3)(x)\n", False),
        (">>> Dense(3)(x).shape\n(2, 3)\n", False),
        (">>> keras.ops.shape(Dense(3)(x))\n(2, 3)\n", False),
        (">>> Dense(3).compute_output_shape((2, 5))\n(2, 3)\n", False),
        (">>> y = Dense(3)(x)\n>>> y.shape, y[0].shape\n((2, 3), (3,))\n", False),
        (">>> y = Dense(3)(x)\n>>> y.shape\n(2, 3)\n>>> float(y[0])\n1.0\n", True),
        (">>> keras.ops.reshape(Dense(3)(x), 3)\n[1, 2, 3]\n", True),
    ],
)
def test_an_example_that_prints_shapes_only_is_told_from_others(example, expected):
    lines = doctest.DocTestParser().get_examples(example)
    assert prints_more_than_shapes(lines) == expected


@pytest.mark.one_backend
def test_every_component_stands_in_a_module_that_is_looked_at():
    assert set(components_by_module()) <= set(MODULES)


@pytest.mark.one_backend
def test_every_row_of_the_index_says_where_its_component_is_used():
    rows = [line for line in index().splitlines() if line.startswith("| ")]
    for row in rows:
        _, *cells, _ = re.split(r"(?<!\\)\|", row)
        assert len(cells) == 6, f"a cell of this row holds a bare |: {row}"
        assert cells[-1].strip(), f"nothing uses the component of this row: {row}"
    assert len(rows) == len(components()) + 1  # the names of the columns
