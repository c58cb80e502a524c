"""Runs recipes or their bundles with --quick, and says what each one computed.

    python quick_runs.py recipes FOLDER '[["mnist_cnn", {"filters": 8}]]'
    python quick_runs.py FOLDER_OF_BUNDLES FOLDER '[["mnist_cnn", {"filters": 8}]]'

The last line is a JSON list: for each run, the checksum of its weights or, if it has no
model, its figures. Bundles run in a process that can't import our packages. All
compute by the plain formulas: bundles have no fused pieces, which round differently.
"""

import hashlib
import importlib
import importlib.abc
import json
import sys
import types
from pathlib import Path

OURS = ("benchmarks", "cookbook", "custom_layers", "recipes")


class Blocked(importlib.abc.MetaPathFinder):
    """Refuses to import our packages."""

    def find_spec(self, name, path=None, target=None):
        if name.split(".")[0] in OURS:
            raise ImportError(f"a bundle imports {name}")


def never(*args):
    """In place of `can_fuse`, for all that asks whether it may fuse."""
    return False


def module_of(source, name):
    if source == "recipes":
        importlib.import_module("custom_layers")  # all its modules

        for imported in [*sys.modules.values()]:
            if hasattr(imported, "can_fuse"):
                imported.can_fuse = never
        return importlib.import_module(f"recipes.{name}")
    path = Path(source) / f"{name}.py"
    module = types.ModuleType(name)
    module.__file__ = str(path)
    sys.modules[name] = module  # dataclasses look their module up
    exec(compile(path.read_text(encoding="utf-8"), str(path), "exec"), vars(module))
    module.can_fuse = never
    return module


def computed(run):
    """The checksum of the weights, or the figures of a run without a model."""
    if run.model is None:
        return [float(value) for value in run.figures.values()]
    checksum = hashlib.sha256()
    for array in run.model.get_weights():
        checksum.update(array.tobytes())
    return checksum.hexdigest()


def main():
    source, folder, runs = sys.argv[1:]
    if source != "recipes":
        sys.meta_path.insert(0, Blocked())
    found = []
    for name, flags in json.loads(runs):
        module = module_of(source, name)
        sys.modules["keras"].backend.clear_session()  # a module may lack the name
        config = module.Config(quick=True, run_dir=Path(folder), **flags)
        found.append(computed(module.main(config)))
    print(json.dumps(found))


if __name__ == "__main__":
    main()
