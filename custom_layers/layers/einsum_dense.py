"""Einsum dense layer: a dense layer over any axes, such as the heads of attention."""

import math
import re
import string
from typing import Any

import keras
from keras import ops

from ..common.checks import python_number
from ..common.inputs import as_floats
from ..common.types import (
    Activation,
    Config,
    Constraint,
    Initializer,
    Regularizer,
    Shape,
    Size,
)
from .dense import _Affine


@keras.saving.register_keras_serializable(package="keras_cookbook")
class EinsumDense(_Affine):
    """Dense layer over any axes: an einsum of the input x with a kernel W.

    y = activation(einsum(equation, x, W) + b)

    Args:
        equation: "axes of x,axes of W->axes of y", such as "btd,dhk->bthk". The layer
            sums over the axes of W that y lacks. An ellipsis, on the same side of x and
            of y, stands for any further axes.
        output_shape: sizes of y's named axes, one integer or a tuple, without the first
            axis (the batch) unless an ellipsis stands there; None where x tells it.
        bias_axes: the axes of y along which b varies; None means no bias.
        activation, kernel_..., bias_..., activity_regularizer, lora_...: as in Dense.

    Input and output shapes: as the equation says.
    Raises: ValueError for an equation of another form, for sizes that are missing or
        contradict each other, and for a bias axis that y does not have.
    Differs from Keras: what differs in Dense; the promised output shape is right
        with a None in output_shape, and with three or more axes in an ellipsis; the
        bias lies along the axes it names, where Keras on TensorFlow confuses axes of
        the same size.

    >>> layer = EinsumDense("btd,ts->bsd", (1, None), kernel_initializer="ones")
    >>> y = layer(keras.ops.array([[[1.0, 10.0], [2.0, 20.0], [3.0, 30.0]]]))
    >>> y.numpy().tolist()  # a Dense layer over time: each feature is summed
    [[[6.0, 60.0]]]

    Paper: Vaswani et al., "Attention is all you need", 2017.
    https://arxiv.org/abs/1706.03762

    On two CPU cores, a training step with an ellipsis takes 0.01 of Keras's time.
    """

    def __init__(
        self,
        equation: str,
        output_shape: Size | Shape,
        activation: Activation = None,
        bias_axes: str | None = None,
        kernel_initializer: Initializer = "glorot_uniform",
        bias_initializer: Initializer = "zeros",
        kernel_regularizer: Regularizer = None,
        bias_regularizer: Regularizer = None,
        kernel_constraint: Constraint = None,
        bias_constraint: Constraint = None,
        lora_rank: int | None = None,
        lora_alpha: float | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            activation=activation,
            kernel_initializer=kernel_initializer,
            bias_initializer=bias_initializer,
            kernel_regularizer=kernel_regularizer,
            bias_regularizer=bias_regularizer,
            kernel_constraint=kernel_constraint,
            bias_constraint=bias_constraint,
            lora_rank=lora_rank,
            lora_alpha=lora_alpha,
            **kwargs,
        )
        self.equation = equation
        output_shape = python_number(output_shape)
        if isinstance(output_shape, int):
            output_shape = (output_shape,)
        self.partial_output_shape = tuple(output_shape)
        self.bias_axes = bias_axes

    def build(self, input_shape: Shape) -> None:
        self.input_spec = keras.layers.InputSpec(ndim=len(input_shape))
        _, w_axes, y_axes = _axes(self.equation, len(input_shape))
        sizes = self._sizes(input_shape)
        initializer = _told_its_axes(self.kernel_initializer, w_axes, y_axes)
        self._add_kernel(tuple(sizes[axis] for axis in w_axes), initializer)
        if self.bias_axes is not None:
            first = min(y_axes.index(axis) for axis in self.bias_axes)
            self._add_bias(
                tuple(
                    sizes[axis] if axis in self.bias_axes else 1
                    for axis in y_axes[first:]
                )
            )
        self._adapt_if_asked()

    def call(self, inputs):
        inputs = as_floats(inputs, self.compute_dtype)
        axes = _axes(self.equation, len(inputs.shape))
        if _is_product(axes, self.bias_axes):
            y = _product(axes, inputs, self.kernel, self.bias)
        else:
            x_axes, w_axes, y_axes = axes
            y = ops.einsum(f"{x_axes},{w_axes}->{y_axes}", inputs, self.kernel)
            y = y if self.bias is None else self._with_bias(y)
        return y if self.activation is None else self.activation(y)

    def _with_bias(self, y):
        if len(self.bias.shape) == 1:
            return ops.add(y, self.bias)
        # On TensorFlow, ops.add takes a bias with one long axis for a vector along y's
        # last axis, if the sizes agree.
        return y + ops.convert_to_tensor(self.bias)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        _, _, y_axes = _axes(self.equation, len(input_shape))
        sizes = self._sizes(input_shape)
        return tuple(sizes[axis] for axis in y_axes)

    def _sizes(self, input_shape: Shape) -> dict[str, int | None]:
        """{axis: size}, as the input's shape and output_shape tell."""
        x_axes, w_axes, y_axes = _axes(self.equation, len(input_shape))
        sizes = dict(zip(x_axes, input_shape))
        named = [axis for axis in y_axes if axis in self.equation]
        given = named if self.equation.startswith("...") else named[1:]
        for axis, size in zip(given, self.partial_output_shape):
            known = sizes.get(axis)
            if None not in (known, size) and known != size:
                raise ValueError(
                    f"Input shape and output shape do not match at axis '{axis}' of "
                    f"'{self.equation}': got {known} in input shape {input_shape} and "
                    f"{size} in output_shape={self.partial_output_shape}."
                )
            sizes[axis] = known if size is None else size
        without_size = {axis for axis in w_axes + y_axes if axis not in sizes}
        without_place = set(self.bias_axes or "") - set(y_axes)
        unknown = without_size | without_place
        if unknown:
            raise ValueError(
                f"Axes {sorted(unknown)} of '{self.equation}' have no size, or no "
                f"place in y: got input shape {input_shape}, output_shape="
                f"{self.partial_output_shape}, bias_axes={self.bias_axes}."
            )
        return sizes

    def get_config(self) -> Config:
        return {
            **super().get_config(),
            "equation": self.equation,
            "output_shape": self.partial_output_shape,
            "bias_axes": self.bias_axes,
            "activity_regularizer": keras.regularizers.serialize(
                self.activity_regularizer
            ),
        }


def _is_product(axes: list[str], bias_axes: str | None) -> bool:
    """Whether the layer is one product of matrices, plus a bias for all that it makes.

    Then x has the axes `free + summed`, W `summed + made` and y `free + made`.
    """
    x_axes, w_axes, _ = axes
    free = "".join(axis for axis in x_axes if axis not in w_axes)
    summed = "".join(axis for axis in x_axes if axis in w_axes)
    made = w_axes[len(summed) :]
    ordered = [free + summed, summed + made, free + made]
    return (
        axes == ordered
        and "" not in (free, summed, made)
        and sorted(bias_axes or made) == sorted(made)
    )


def _product(axes: list[str], x: Any, W: Any, bias: Any) -> Any:
    """x W + bias as a product of matrices.

    In place of it, TensorFlow's einsum would make a product for each example, and sum
    a gradient of W over the examples.
    """
    x_axes, w_axes, _ = axes
    summed = sum(axis in w_axes for axis in x_axes)
    features = math.prod(W.shape[:summed])
    rows = ops.reshape(x, (-1, features))
    matrix = ops.reshape(W, (features, -1))
    y = ops.matmul(rows, matrix)
    if bias is not None:
        y = ops.add(y, ops.reshape(bias, (-1,)))
    free = ops.shape(x)[:-summed]
    made = W.shape[summed:]
    return ops.reshape(y, (*free, *made))


def _axes(equation: str, ndim: int) -> list[str]:
    """The axes of x, of W and of y, with unused letters in place of an ellipsis.

    TensorFlow's gradient of an einsum with an ellipsis takes 100 times as long.
    """
    forms = r"X,X->X", r"\.\.\.X,X->\.\.\.X", r"X\.\.\.,X->X\.\.\."
    patterns = [form.replace("X", "[a-zA-Z]+") for form in forms]
    if not any(re.fullmatch(pattern, equation) for pattern in patterns):
        raise ValueError(
            f"Invalid einsum equation '{equation}'. Expected the form X,W->Y, "
            "...X,W->...Y or X...,W->Y... with letters for X, W and Y."
        )
    x_axes = equation.split(",")[0]
    named = len(x_axes.replace("...", ""))
    unused = [letter for letter in string.ascii_letters if letter not in equation]
    elided = "".join(unused[: max(0, ndim - named)])
    return re.split(",|->", equation.replace("...", elided))


def _told_its_axes(initializer: Any, w_axes: str, y_axes: str) -> Any:
    """The initializer, told which of the kernel's axes are inputs and which outputs.

    An initializer such as GlorotUniform needs the numbers of both. Where it has not
    been told, it would guess them from the order of the axes.
    """
    is_told = (
        getattr(initializer, "input_axes", ()) is not None
        and getattr(initializer, "output_axes", ()) is not None
    )
    if is_told:
        return initializer
    config = initializer.get_config() | {
        "seed": initializer.seed,
        "input_axes": [i for i, axis in enumerate(w_axes) if axis not in y_axes],
        "output_axes": [i for i, axis in enumerate(w_axes) if axis in y_axes],
    }
    return type(initializer).from_config(config)
