"""Recipes made of the parts of Keras, to compare them with ours."""

import contextlib
import importlib
import inspect
import sys
import types
from collections.abc import Iterator
from unittest import mock

from benchmarks.counterparts import find
from benchmarks.keras_blocks import BLOCKS

PACKAGES = ("recipes.", "cookbook.")
RECOGNIZES = "cookbook.data.augmentation"  # asks whether a layer is a RandomAffine
# Parts of Keras that can't take the place of ours in a recipe.
UNFIT = {"GlobalMaxPooling1D": "Keras's takes no mask"}


@contextlib.contextmanager
def keras_parts(recipe: str) -> Iterator[list[str]]:
    """Within it, the recipe is made of Keras's parts where Keras has the same name.

    Blocks of a transformer are assembled from Keras's layers. It yields the names of
    the parts that stay ours.
    """
    module = importlib.import_module(f"recipes.{recipe}")
    ours = _parts_of(module)
    with contextlib.ExitStack() as stack:
        for place in _places():
            for name in _parts_of(place):
                theirs = BLOCKS.get(name) or find(name)[1]
                if theirs is not None and name not in UNFIT:
                    stack.enter_context(mock.patch.object(place, name, theirs))
        yield sorted(set(ours) & set(_parts_of(module)))


def _places() -> list[types.ModuleType]:
    """Modules of recipes and of the cookbook, which may hold parts."""
    return [
        module
        for name, module in sys.modules.items()
        if name.startswith(PACKAGES) and module is not None and name != RECOGNIZES
    ]


def _parts_of(module: types.ModuleType) -> list[str]:
    """The names under which a module holds classes and functions of custom_layers."""
    return [
        name
        for name, thing in vars(module).items()
        if (inspect.isclass(thing) or inspect.isfunction(thing))
        and thing.__module__.startswith("custom_layers.")
    ]
