"""Operations of TensorFlow that tf2onnx lacks, made of operations that ONNX has.

Importing this module tells tf2onnx about them. Their errors are a few 1e-7, as float32
rounds sums with 1: log(1 + x) of an x below 1e-7 is 0.
"""

from typing import Any

import numpy as np
from tf2onnx import utils
from tf2onnx.handler import tf_op


def _one_for(graph: Any, node: Any) -> str:
    """The name of a new constant 1 in the graph, of the type of the node's output."""
    dtype = utils.map_onnx_to_numpy_type(graph.get_dtype(node.output[0]))
    return graph.make_const(utils.make_name("one"), np.array(1, dtype)).output[0]


def _replace(graph: Any, node: Any, operation: str, inputs: list[str]) -> None:
    """Puts an operation of ONNX in the place of the node, with the node's output."""
    y = node.output[0]
    dtype, shape = graph.get_dtype(y), graph.get_shape(y)
    graph.remove_node(node.name)
    graph.make_node(operation, inputs, outputs=[y], shapes=[shape], dtypes=[dtype])


@tf_op("Erfc")
class Erfc:
    """y = 1 - erf(x), which the exact GELU of TensorFlow uses."""

    @classmethod
    def version_9(cls, graph: Any, node: Any, **_: Any) -> None:
        one = _one_for(graph, node)
        erf = graph.make_node("Erf", [node.input[0]]).output[0]
        _replace(graph, node, "Sub", [one, erf])


@tf_op("Expm1")
class Expm1:
    """y = exp(x) - 1, which CELU uses."""

    @classmethod
    def version_6(cls, graph: Any, node: Any, **_: Any) -> None:
        one = _one_for(graph, node)
        exp = graph.make_node("Exp", [node.input[0]]).output[0]
        _replace(graph, node, "Sub", [exp, one])


@tf_op("Log1p")
class Log1p:
    """y = log(1 + x), which softplus uses."""

    @classmethod
    def version_7(cls, graph: Any, node: Any, **_: Any) -> None:
        one = _one_for(graph, node)
        sum_ = graph.make_node("Add", [one, node.input[0]]).output[0]
        _replace(graph, node, "Log", [sum_])
