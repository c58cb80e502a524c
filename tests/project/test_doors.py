"""Doors and arrows: where components are imported from, and what imports what."""

import ast
import collections
import importlib

import keras

import oracle
from sources import PRODUCT, ROOT, tree

NAMESPACES = (
    "activations",
    "callbacks",
    "constraints",
    "explanation",
    "generation",
    "initializers",
    "layers",
    "losses",
    "metrics",
    "models",
    "optimizers",
    "optimizers.schedules",
    "regularizers",
)


def test_every_technique_has_a_door_where_keras_has_its_own():
    """`from custom_layers.layers import LSTM`, as `from keras.layers import LSTM`."""
    doors = {n: importlib.import_module(f"custom_layers.{n}") for n in NAMESPACES}
    for name, thing in oracle.components().items():
        assert any(getattr(door, name, None) is thing for door in doors.values()), name
        theirs = oracle.keras_counterpart(name)
        for namespace in ("activations", "initializers", "layers", "losses"):
            if theirs and getattr(getattr(keras, namespace), name, None) is theirs:
                found = getattr(doors[namespace], name, None)
                assert found is thing, f"custom_layers.{namespace}.{name}"


def import_graph():
    """{module: modules of ours that it imports, at any level}."""
    modules = {
        ".".join(path.relative_to(ROOT).with_suffix("").parts): path for path in PRODUCT
    }
    edges = {}
    for module, path in modules.items():
        targets = set()
        package = module.split(".")[:-1]
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.ImportFrom):
                above = package[: len(package) - node.level + 1] if node.level else []
                target = ".".join([*above, *filter(None, [node.module])])
                names = [f"{target}.{alias.name}" for alias in node.names]
                targets |= {target, f"{target}.__init__", *names}
        edges[module] = targets & set(modules) - {module}
    return edges


def refuse_circles(edges):
    """Fails if a node of {node: nodes that it leads to} leads back to itself."""
    done = set()

    def visit(node, above):
        assert node not in above, " -> ".join([*above, node])
        if node not in done:
            for target in sorted(edges.get(node, ())):
                visit(target, [*above, node])
        done.add(node)

    for node in sorted(edges):
        visit(node, [])


def test_the_imports_have_no_circle():
    refuse_circles(import_graph())


def test_the_rooms_of_cookbook_have_no_circle():
    rooms = collections.defaultdict(set)
    for module, targets in import_graph().items():
        room = module.rpartition(".")[0]
        for target in targets:
            other = target.rpartition(".")[0]
            if room.startswith("cookbook.") and other.startswith("cookbook."):
                rooms[room] |= {other} - {room}
    refuse_circles(rooms)


def test_a_room_of_cookbook_has_at_most_eight_files():
    for path in (ROOT / "cookbook").rglob("__init__.py"):
        files = [file.name for file in path.parent.glob("[!_]*.py")]
        assert len(files) <= 8, f"{path.parent.name}: {files}"
