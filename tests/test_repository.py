"""The conventions, held by reading the sources."""

import ast
import collections
import doctest
import importlib
import pkgutil
import re
import subprocess
import sys
import time
from pathlib import Path

import keras
import pytest

import custom_layers
from cookbook.catalogue import components, index, recipes
from cookbook.results import table

ROOT = Path(__file__).parent.parent
PACKAGES = ("custom_layers", "cookbook", "recipes", "benchmarks", "tests")
FILES = [
    path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))
]
PRODUCT = [path for path in FILES if path.parent.name != "tests"]
COMPONENTS = [path for path in FILES if ROOT / "custom_layers" in path.parents]
MAY_IMPORT = {
    "custom_layers": {"custom_layers"},
    "cookbook": {"cookbook", "custom_layers"},
    "recipes": {"cookbook", "custom_layers"},
    "benchmarks": {"benchmarks", "cookbook", "custom_layers", "recipes"},
}
# A file of custom_layers leans on Keras and on its own family's folder, or on these.
SIBLINGS = {
    "custom_layers/transformer.py": [
        "custom_layers.attention",
        "custom_layers.positions",
    ]
}
BACKENDS = {"jax", "tensorflow", "torch"}
# What a component may build on: Keras's base classes, and containers of a cell.
BASES = {
    "Constraint",
    "Initializer",
    "InputSpec",
    "Layer",
    "LearningRateSchedule",
    "Loss",
    "Model",
    "Optimizer",
    "RNN",
    "Regularizer",
    "Wrapper",
}


def name_of(path):
    return str(path.relative_to(ROOT))


def tree(path):
    return ast.parse(path.read_text())


def imported(path):
    """(module, names or None) of every import of our own code."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, None, alias
        elif isinstance(node, ast.ImportFrom):
            yield "." * node.level + (node.module or ""), node.names, None


@pytest.mark.parametrize("path", FILES, ids=name_of)
def test_sizes_are_within_budget(path):
    lines = path.read_text().splitlines()
    assert len(lines) <= (160 if path.parent.name == "recipes" else 400)
    too_long = [line for line in lines if len(line) > 88 and "http" not in line]
    assert not too_long
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.FunctionDef):
            body = node.body[1:] if ast.get_docstring(node) else node.body
            length = node.end_lineno - body[0].lineno + 1 if body else 0
            assert length <= 40, f"{node.name} has {length} lines"


@pytest.mark.parametrize("path", PRODUCT, ids=name_of)
def test_imports_point_one_way_and_have_one_form(path):
    package = path.relative_to(ROOT).parts[0]
    for module, names, _ in imported(path):
        assert not module.startswith("."), "a relative import"
        top = module.split(".")[0]
        if top not in PACKAGES:
            continue
        if package == "benchmarks" and names is None:
            continue  # it discovers the components
        assert names is not None, f"import {module}: write from {module} import Name"
        assert all(alias.asname is None and alias.name != "*" for alias in names)
        assert top in MAY_IMPORT[package], f"{package} imports {top}"


@pytest.mark.parametrize("path", COMPONENTS, ids=name_of)
def test_a_family_can_be_copied_alone(path):
    family = ".".join(path.parent.relative_to(ROOT).parts)
    siblings = [*SIBLINGS.get(name_of(path), []), *[family] * ("." in family)]
    for module, _, _ in imported(path):
        is_standard = module.split(".")[0] in {"keras", *sys.stdlib_module_names}
        if family == "custom_layers.adversarial":  # its step is the backend's own
            is_standard |= module in BACKENDS
        is_sibling = any(module.startswith(sibling) for sibling in siblings)
        assert is_standard or is_sibling, f"imports {module}"


@pytest.mark.parametrize("path", COMPONENTS, ids=name_of)
def test_no_technique_of_keras_is_subclassed_or_called(path):
    own = {entry for entry in _public_names() if entry[0].isupper()}
    for node in ast.walk(tree(path)):
        text = ast.unparse(node) if isinstance(node, ast.Attribute) else ""
        family = text.rsplit(".", 1)[0]
        if family in ("keras.layers", "keras.losses", "keras.optimizers"):
            technique = text.rsplit(".", 1)[1]
            defined_here = {n.name for n in tree(path).body if hasattr(n, "name")}
            assert technique in BASES or technique not in own & defined_here, text
        if isinstance(node, ast.ClassDef):
            for base in map(ast.unparse, node.bases):
                if base.startswith("keras."):
                    assert base.rsplit(".", 1)[1] in BASES, f"{node.name}({base})"


def _public_names():
    names = collections.Counter()
    for path in PRODUCT:
        if path.relative_to(ROOT).parts[0] in ("custom_layers", "cookbook"):
            for node in tree(path).body:
                if hasattr(node, "name") and not node.name.startswith("_"):
                    names[node.name] += 1
    return names


def test_public_names_are_unique():
    twice = [n for n, count in _public_names().items() if count > 1 and n != "main"]
    assert not twice


@pytest.mark.parametrize("path", PRODUCT, ids=name_of)
def test_importing_does_nothing(path):
    """At top level: docstring, imports, definitions, constants, the main guard."""
    if path == ROOT / "custom_layers" / "__init__.py":
        return  # it imports the components, which registers them
    for node in tree(path).body:
        is_guard = isinstance(node, ast.If) and "__name__" in ast.unparse(node.test)
        is_setting = isinstance(node, ast.Expr) and (
            isinstance(node.value, ast.Constant)
            or ast.unparse(node).startswith("os.environ.setdefault")
        )
        definitions = (
            ast.Import,
            ast.ImportFrom,
            ast.FunctionDef,
            ast.ClassDef,
            ast.Assign,
            ast.AnnAssign,
        )
        assert isinstance(node, definitions) or is_guard or is_setting, node.lineno


@pytest.mark.parametrize("path", PRODUCT, ids=name_of)
def test_every_file_says_what_it_is_for(path):
    assert ast.get_docstring(tree(path))


def test_no_path_of_a_machine_stands_in_the_product():
    for path in FILES:
        text = path.read_text()
        for part in ("/work" + "/", "/root" + "/", "/home" + "/"):
            assert part not in text, path


def test_index_is_fresh():
    assert (ROOT / "INDEX.md").read_text() == index(), "run: python -m cookbook index"


def test_readme_shows_the_results_kept():
    assert table() in (ROOT / "README.md").read_text(), (
        "run: python -m cookbook results"
    )


def test_readme_shows_every_recipe():
    readme = (ROOT / "README.md").read_text()
    for entry in recipes():
        assert entry.name in readme, f"README's table lacks {entry.name}"


def test_list_answers_at_once_without_tensorflow():
    start = time.time()
    command = [sys.executable, "-X", "importtime", "-m", "cookbook", "list"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert time.time() - start < 2  # 0.2 s; slack for a busy machine
    assert "mnist_cnn" in done.stdout
    assert "BatchNormalization" in done.stdout
    for heavy in ("tensorflow", "keras", "numpy"):
        assert f" {heavy}\n" not in done.stderr


MODULES = [
    i.name for i in pkgutil.walk_packages(custom_layers.__path__, "custom_layers.")
]


@pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="examples print TensorFlow's repr"
)
@pytest.mark.parametrize("module", MODULES)
def test_examples_in_docstrings_run(module):
    result = doctest.testmod(importlib.import_module(module))
    assert result.failed == 0


@pytest.mark.parametrize("module", MODULES)
def test_every_technique_has_an_example_of_itself_which_doctest_finds(module):
    """INDEX.md names every technique and says that its docstring shows its use."""
    found = doctest.DocTestFinder().find(importlib.import_module(module))
    examples = {test.name: " ".join(e.source for e in test.examples) for test in found}
    for entry in components():
        if entry.file.removesuffix(".py").replace("/", ".") == module:
            own = examples.get(f"{module}.{entry.name}", "")
            used = re.search(rf"\b{entry.name}\(", own)
            assert used, f"the docstring of {entry.name} lacks an example"


def test_every_technique_stands_in_a_module_that_is_looked_at():
    files = {entry.file.removesuffix(".py").replace("/", ".") for entry in components()}
    assert files <= set(MODULES)
