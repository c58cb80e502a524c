"""Mutants: a class or function with a mistake made on purpose, to test the tests.

A mutant is a change of the source text of one file, which is executed anew in
isolation; nothing of it reaches the real classes.
"""

import importlib.util
import sys
import types
from pathlib import Path

import keras
import pytest


def mutated(name, package, files, old="", new=""):
    """`name`, from the last of the files, with `old` replaced by `new` in that file.

    files: modules of the package, each after those that it imports.
    """
    patch = pytest.MonkeyPatch()
    patch.setattr(
        keras.saving, "register_keras_serializable", lambda package: lambda thing: thing
    )
    try:
        for file in files:
            full_name = f"{package}.{file}"
            text = Path(importlib.util.find_spec(full_name).origin).read_text()
            if file == files[-1] and old:
                assert text.count(old) >= 1, f"{file} does not hold {old!r}"
                text = text.replace(old, new)
            module = types.ModuleType(full_name)
            module.__package__ = package
            patch.setitem(sys.modules, full_name, module)
            exec(compile(text, file, "exec"), module.__dict__)
    finally:
        patch.undo()
    return vars(module)[name]
