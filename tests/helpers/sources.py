"""The sources of this project, as the tests of its conventions read them."""

import ast
import functools
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("custom_layers", "cookbook", "recipes", "benchmarks", "tests")
FILES = [
    path for package in PACKAGES for path in sorted((ROOT / package).rglob("*.py"))
]
PRODUCT = [path for path in FILES if ROOT / "tests" not in path.parents]


@functools.cache
def tree(path):
    """The syntax tree of a file, which is read once for all tests."""
    return ast.parse(path.read_text(encoding="utf-8"))
