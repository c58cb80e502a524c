"""Polynomial crossing: products of features, which a deep & cross network learns."""

from typing import Any

import keras
from keras import ops

from ..common.checks import known_sizes, number_from_zero, positive_integer
from ..common.initial_values import fresh
from ..common.inputs import as_floats
from ..common.types import Config, Initializer, Regularizer, Shape


@keras.saving.register_keras_serializable(package="keras_cookbook")
class PolynomialCrossing(keras.layers.Layer):
    """Cross layer of a deep & cross network: multiplies features by mixtures of others.

    y = x0 * (x W + diag_scale * x + b) + x, W = U V if it has a projection_dim

    x0 are the features of the network and x the output of the layer before. A stack of
    n such layers computes polynomials of x0 of degree n + 1.

    Args:
        projection_dim: columns of U and rows of V, at most half of the features; None
            means a full W.
        diag_scale: what is added to the diagonal of W, a number >= 0.
        use_bias: whether b is added.
        kernel_initializer, bias_initializer: start values of W, or U and V, and of b.
        kernel_regularizer, bias_regularizer: penalties on them.

    Call: layer([x0, x]).
    Input shapes: (B, ..., D) twice. Output shape: (B, ..., D). Its mask is that of x.
    Raises: ValueError for a projection_dim above D / 2, for anything but two tensors of
        the same D, and for a D that is unknown.
    Keras has no such class. TensorFlow Addons adds b behind the product with x0, and
    starts U and V alike; here both are as in the paper.

    The product of two features, which no sum of them is:

    >>> cross, x = PolynomialCrossing(), keras.ops.array([[3.0, 5.0]])
    >>> cross.build([(1, 2), (1, 2)])
    >>> _ = cross.kernel.assign([[0.0, 0.0], [1.0, 0.0]])
    >>> [float(y) for y in cross([x, x])[0]]  # 3 * 5 + 3, and 5
    [18.0, 5.0]

    Paper: Wang, Shivanna, Cheng, Jain, Lin, Hong, Chi, "DCN V2: improved deep & cross
    network and practical lessons for web-scale learning to rank systems", 2020.
    https://arxiv.org/abs/2008.13535
    """

    def __init__(
        self,
        projection_dim: int | None = None,
        diag_scale: float = 0.0,
        use_bias: bool = True,
        kernel_initializer: Initializer = "truncated_normal",
        bias_initializer: Initializer = "zeros",
        kernel_regularizer: Regularizer = None,
        bias_regularizer: Regularizer = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        if projection_dim is not None:
            projection_dim = positive_integer(projection_dim, "projection_dim")
        self.projection_dim = projection_dim
        self.diag_scale = number_from_zero(diag_scale, "diag_scale")
        self.use_bias = use_bias
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.bias_initializer = keras.initializers.get(bias_initializer)
        self.kernel_regularizer = keras.regularizers.get(kernel_regularizer)
        self.bias_regularizer = keras.regularizers.get(bias_regularizer)
        self.supports_masking = True

    def build(self, input_shape: Any) -> None:
        _, shape = _pair(input_shape)
        (D,) = known_sizes(shape, [-1], self)
        rank = self.projection_dim
        if rank is None:
            self.kernel = self._add_kernel("kernel", (D, D), self.kernel_initializer)
        elif rank > D / 2:
            raise ValueError(
                "`projection_dim` should be at most half of the number of features: a "
                f"full matrix takes less time. Received: projection_dim={rank}, "
                f"input_shape={input_shape}"
            )
        else:
            initializers = self.kernel_initializer, fresh(self.kernel_initializer)
            self.kernel_u = self._add_kernel("kernel_u", (D, rank), initializers[0])
            self.kernel_v = self._add_kernel("kernel_v", (rank, D), initializers[1])
        if self.use_bias:
            self.bias = self.add_weight(
                name="bias",
                shape=(D,),
                initializer=self.bias_initializer,
                regularizer=self.bias_regularizer,
            )

    def _add_kernel(self, name: str, shape: Shape, initializer: Initializer) -> Any:
        return self.add_weight(
            name=name,
            shape=shape,
            initializer=initializer,
            regularizer=self.kernel_regularizer,
        )

    def call(self, inputs):
        x0, x = as_floats(_pair(inputs), self.compute_dtype)
        if self.projection_dim is None:
            mixture = ops.matmul(x, self.kernel)
        else:
            mixture = ops.matmul(ops.matmul(x, self.kernel_u), self.kernel_v)
        if self.diag_scale:
            mixture = mixture + self.diag_scale * x
        if self.use_bias:
            mixture = ops.add(mixture, self.bias)
        return x0 * mixture + x

    def compute_mask(self, inputs, previous_mask=None):
        return None if previous_mask is None else previous_mask[1]

    def compute_output_shape(self, input_shape: Any) -> Shape:
        return tuple(_pair(input_shape)[1])

    def get_config(self) -> Config:
        return {
            **super().get_config(),
            "projection_dim": self.projection_dim,
            "diag_scale": self.diag_scale,
            "use_bias": self.use_bias,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
            "bias_initializer": keras.initializers.serialize(self.bias_initializer),
            "kernel_regularizer": keras.regularizers.serialize(self.kernel_regularizer),
            "bias_regularizer": keras.regularizers.serialize(self.bias_regularizer),
        }


def _pair(inputs: Any) -> Any:
    """The list [x0, x] of two tensors, or of their shapes.

    Raises: ValueError for anything else, and for other numbers of features.
    """
    is_pair = isinstance(inputs, list | tuple) and len(inputs) == 2
    shapes = [tuple(getattr(x, "shape", x)) for x in inputs] if is_pair else []
    if not is_pair or shapes[0][-1:] != shapes[1][-1:]:
        raise ValueError(
            "PolynomialCrossing takes a list [x0, x] of two tensors with the same "
            f"number of features. Received: {inputs}"
        )
    return list(inputs)
