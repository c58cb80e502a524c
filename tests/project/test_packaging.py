"""Packaging: what installing the project brings, with and without its extras."""

import ast
import re
import sys
import tomllib

import pytest

from sources import ROOT, tree

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
BACKENDS = {"jax", "tensorflow", "torch"}
# How a package is imported, where its name on PyPI differs.
IMPORTED_AS = {"scikit-learn": "sklearn", "pillow": "PIL", "griffelib": "griffe"}


def names(requirements):
    """The packages that requirements name, without their versions, as imported."""
    found = {re.split(r"[\[<>=]", line)[0].strip() for line in requirements}
    return {IMPORTED_AS.get(name, name.replace("-", "_")) for name in found}


def packages():
    """What setuptools finds with the arguments in pyproject.toml."""
    setuptools = pytest.importorskip("setuptools")  # newer Pythons come without it
    wanted = PROJECT["tool"]["setuptools"]["packages"]["find"]
    return setuptools.find_namespace_packages(str(ROOT), **wanted)


def imports(path):
    """(name of a package, node) of every absolute import in a file, lazy ones too."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name.split(".")[0], node
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield node.module.split(".")[0], node


def files_of(package):
    return sorted((ROOT / package).rglob("*.py"))


def test_the_library_alone_needs_keras_and_numpy():
    assert names(PROJECT["project"]["dependencies"]) == {"keras", "numpy"}


def test_the_wheel_holds_the_library_and_the_cookbook_and_nothing_else():
    assert {name.split(".")[0] for name in packages()} == {"cookbook", "custom_layers"}


def test_the_wheel_holds_every_file_of_both():
    """setuptools takes the Python files of its packages, and no other files."""
    folders = {ROOT.joinpath(*name.split(".")) for name in packages()}
    for package in ("cookbook", "custom_layers"):
        for path in (ROOT / package).rglob("*"):
            if path.is_file() and "__pycache__" not in path.parts:
                assert path.suffix == ".py", f"{path}: add it to package-data"
                assert path.parent in folders, path


@pytest.mark.parametrize("path", files_of("custom_layers"), ids=lambda p: p.stem)
def test_the_library_imports_a_backend_only_where_it_is_used(path):
    """So `import custom_layers` works with any one of the backends installed."""
    for package, node in imports(path):
        at_top = node in tree(path).body
        assert not (at_top and package in BACKENDS), f"line {node.lineno}: {package}"


def test_the_extras_have_all_that_recipes_and_the_cookbook_import():
    needed = {
        package
        for folder in ("cookbook", "recipes")
        for path in files_of(folder)
        for package, _ in imports(path)
    }
    needed -= {*sys.stdlib_module_names, "cookbook", "custom_layers", "recipes"}
    needed -= BACKENDS - {"tensorflow"}
    needed -= {"h5py"}  # Keras itself requires it
    needed -= {"IPython"}  # a notebook brings it
    extras = PROJECT["project"]["optional-dependencies"]
    wanted = (
        "recipes",
        "export",
        "takeaway",
        "demo",
        "search",
        "ray",
        "site",
        "minilm",
    )
    chosen = [package for extra in wanted for package in extras[extra]]
    known = names([*PROJECT["project"]["dependencies"], *chosen])
    assert needed <= known, needed - known


@pytest.mark.parametrize(
    ("file", "extras"),
    [
        ("requirements.txt", "recipes"),
        ("requirements-dev.txt", "recipes,dev"),
        ("requirements-backends.txt", "backends"),
        ("requirements-site.txt", "site"),
    ],
)
def test_the_requirements_name_extras_that_there_are(file, extras):
    lines = (ROOT / file).read_text(encoding="utf-8").splitlines()
    assert [line for line in lines if line[0] != "#"] == [f"-e .[{extras}]"]
    assert {*extras.split(",")} <= {*PROJECT["project"]["optional-dependencies"]}
