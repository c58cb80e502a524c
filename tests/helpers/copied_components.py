"""A pytest plugin: tests of components run on copies, and nothing of ours is imported.

`write_copies` makes a folder with a package custom_layers whose namespaces export
copied components, each from a file of its own. A run of pytest that finds this package
first, and loads this file by `-p copied_components`, tests the copies.
"""

import importlib
import importlib.machinery
import pkgutil
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGES = ("custom_layers", "cookbook", "recipes", "benchmarks")
# What the tests themselves need besides components: {module: names}.
OTHERS = {
    "custom_layers.common.private_keras": ["set_mask"],
    "cookbook.training.autotuning": ["switch_off_autotuning"],
}


def write_copies(folder, together=()):
    """Copies every component, and writes the namespaces that export the copies.

    together: tuples of components that share one file.
    """
    from cookbook.one_file.needs import gather, named
    from cookbook.one_file.source import Definition, find, source_of
    from cookbook.pages.catalogue import components
    from cookbook.takeaway.copying import copy, one_file

    entries = [e for e in components() if e.namespace.startswith("custom_layers")]
    groups = {name: group for group in together for name in group}
    modules = {}  # {group of components: the module that holds their copies}
    doors = {entry.namespace: [] for entry in entries}
    for entry in entries:
        group = groups.get(entry.name, (entry.name,))
        if group not in modules:
            # Dice and dice are one name on some systems.
            modules[group] = f"copy_{len(modules)}_{group[0]}"
            path = folder / "copies" / f"{modules[group]}.py"
            _write(path, copy(group, path))
    for door, lines in doors.items():
        source = source_of(door)
        for name in (*source.imports, *source.definitions):
            group = groups.get(name, (name,))
            meaning = find(door, name)
            is_new = group not in modules and not name.startswith("_")
            if is_new and isinstance(meaning, Definition):
                modules[group] = f"other_{name}"  # a second name of a component
                path = folder / "copies" / f"other_{name}.py"
                _write(path, one_file(gather([meaning]), path.stem) + "\n")
            if group in modules:
                lines.append(f"from copies.{modules[group]} import {name}")
        _write(folder.joinpath(*door.split("."), "__init__.py"), "\n".join(lines))
    _write(folder / "custom_layers" / "__init__.py", source_of("custom_layers").text)
    for module, names in OTHERS.items():
        found = gather(named(module, name) for name in names)
        path = folder.joinpath(*module.split(".")).with_suffix(".py")
        _write(path, one_file(found, "others"))
    return len(modules)


def _write(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


class OnlyCopies:
    """Imports our packages from the folder of copies, and refuses this checkout."""

    @staticmethod
    def find_spec(name, path=None, target=None):
        if name.split(".")[0] not in PACKAGES:
            return None
        spec = importlib.machinery.PathFinder.find_spec(name, path, target)
        if spec and ROOT in Path(spec.origin or ROOT).parents:
            raise ModuleNotFoundError(f"{name} is not a copy: {spec.origin}")
        return spec


def copied():
    """The copies, {name: object}, as `oracle.components` says it of the originals."""
    import custom_layers

    found = {}
    for info in pkgutil.walk_packages(custom_layers.__path__, "custom_layers."):
        for name, thing in vars(importlib.import_module(info.name)).items():
            if getattr(thing, "__module__", "").startswith("copies."):
                found[name] = thing
    return found


def pytest_configure(config):
    sys.meta_path.insert(0, OnlyCopies)
    import oracle

    oracle.components = copied


# The tests that compare a component with Keras's, by cases.
ORACLES = {
    "test_same_as_keras",
    "test_function_same_as_keras",
    "test_layer_same_as_keras",
    "test_same_draw_as_keras",
    "test_same_value_and_gradient_as_keras",
    "test_every_step_equals_keras",
    "test_a_hundred_steps_equal_keras",
}


def pytest_collection_modifyitems(items):
    """Leaves the contract, and one case of the oracle for each component."""
    copies = copied()
    kept = {}
    for item in items:
        name = item.originalname
        if name in ORACLES:
            kept.setdefault(_component_of(item, copies), item)
        elif item.path.stem == "test_contract":
            kept[item.nodeid] = item
    # Copies register under the names of their files.
    kept = [i for i in kept.values() if "registered_under" not in i.originalname]
    compared = sum(item.originalname in ORACLES for item in kept)
    assert compared >= 40, f"only {compared} components are compared with Keras's"
    items[:] = kept


def _component_of(item, copies):
    """The name of the component that a case is about."""
    for value in item.callspec.params.values():
        value = value[0] if isinstance(value, tuple) else value
        name = getattr(value, "name", value)
        if isinstance(name, str) and name in copies:
            return name
    return item.nodeid
