"""Embedding tables of an ONNX network in eight bits per number, for the web."""

from collections import Counter
from pathlib import Path

import numpy as np

LARGE = 100_000  # numbers from which on a table is worth it


def shrink_tables(path: Path) -> None:
    """Stores the large embedding tables of a network as whole numbers of 8 bits.

    table = scale * whole numbers from -127 to 127, with a scale for each column

    A table is four times smaller then, and a row that is looked up is multiplied by the
    scale.
    """
    import onnx

    model = onnx.load(path)
    graph = model.graph
    _merge_products(graph)
    tables = {each.name: each for each in graph.initializer}
    nodes = []
    for node in graph.node:
        table = tables.get(node.input[0]) if node.op_type == "Gather" else None
        if table is None or not _is_large(table):
            nodes.append(node)
        else:
            nodes += _scaled_rows(graph, node, table)
    del graph.node[:]
    graph.node.extend(nodes)
    _forget_unused(graph)
    onnx.checker.check_model(model)
    onnx.save(model, path)


def _merge_products(graph) -> None:
    """Makes one table of two whose rows of the same numbers are multiplied.

    A[i] * B[i] becomes (A * B)[i], half as large.
    """
    from onnx import numpy_helper

    tables = {each.name: each for each in graph.initializer}
    lookups = _lookups_used_once(graph, tables)

    for node in [*graph.node]:
        factors = [lookups[name] for name in node.input if name in lookups]
        if node.op_type != "Mul" or len(factors) != 2:
            continue

        first, second = factors
        if first.input[1] != second.input[1]:  # they look up other rows
            continue
        if first.attribute != second.attribute:
            continue

        a = numpy_helper.to_array(tables[first.input[0]])
        b = numpy_helper.to_array(tables[second.input[0]])
        name = f"{node.output[0]}_table"
        merged = numpy_helper.from_array(a * b, name)
        graph.initializer.append(merged)

        second.input[0] = name
        second.output[0] = node.output[0]
        graph.node.remove(first)
        graph.node.remove(node)


def _lookups_used_once(graph, tables) -> dict:
    """{name of rows that one node takes: the Gather that looks them up}"""
    uses = Counter[str]()
    for node in graph.node:
        uses.update(node.input)

    found = {}
    for node in graph.node:
        rows = node.output[0]
        is_lookup = node.op_type == "Gather"
        if is_lookup and node.input[0] in tables and uses[rows] == 1:
            found[rows] = node

    return found


def _is_large(table) -> bool:
    import onnx

    is_float = table.data_type == onnx.TensorProto.FLOAT
    return is_float and len(table.dims) == 2 and np.prod(table.dims) >= LARGE


def _scaled_rows(graph, node, table) -> list:
    """The nodes that take the place of a Gather: look up, make floats, multiply."""
    from onnx import TensorProto, helper, numpy_helper

    values = numpy_helper.to_array(table)
    scale = np.maximum(np.abs(values).max(0), 1e-12) / 127
    whole = np.round(values / scale).astype("int8")
    names = [f"{table.name}_{part}" for part in ("whole", "scale")]
    for name, array in zip(names, (whole, scale.astype("float32"))):
        if all(each.name != name for each in graph.initializer):
            graph.initializer.append(numpy_helper.from_array(array, name))
    (rows,) = node.output
    node.input[0] = names[0]
    node.output[0] = f"{rows}_whole"
    return [
        node,
        helper.make_node(
            "Cast", [f"{rows}_whole"], [f"{rows}_float"], to=TensorProto.FLOAT
        ),
        helper.make_node("Mul", [f"{rows}_float", names[1]], [rows]),
    ]


def _forget_unused(graph) -> None:
    """Removes the initializers that no node takes any more."""
    used = {name for node in graph.node for name in node.input}
    kept = [each for each in graph.initializer if each.name in used]
    del graph.initializer[:]
    graph.initializer.extend(kept)
