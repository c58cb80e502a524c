"""SequencePooling: a mean over tokens whose weights are learned."""

from typing import Any

import keras
from keras import ops

from ...common.checks import known_sizes
from ...common.inputs import as_booleans, as_floats
from ...common.types import Config, Initializer, Shape


@keras.saving.register_keras_serializable(package="keras_cookbook")
class SequencePooling(keras.layers.Layer):
    """Mean over the tokens of a sequence, weighted by a score of each token.

    p = softmax(x w)                    share of each token; the shares sum to 1
    y = sum over t of p[t] * x[t]

    A transformer that ends with it needs no class token: it learns which tokens tell
    the class. `shares` returns p, which shows where the network looks.

    Args:
        kernel_initializer: start values of w.

    Call: inputs x, mask (B, T) of the tokens that count.
    Input shape: (B, T, D). Output shape: (B, D).
    Raises: ValueError if D is not known.
    Keras has no such class. The paper adds a bias to the scores, which the softmax
        takes out again. A sequence without a token that counts becomes zeros.

    >>> layer = SequencePooling(kernel_initializer="ones")
    >>> x = keras.ops.array([[[0.0, 0.0], [5.0, 5.0]]])
    >>> y = layer(x)
    >>> [round(float(share), 3) for share in layer.shares(x)[0]]  # e^10 times as large
    [0.0, 1.0]
    >>> [round(float(value), 3) for value in y[0]]
    [5.0, 5.0]

    Paper: Hassani, Walton, Shah, Abuduweili, Li, Shi, "Escaping the big data paradigm
    with compact transformers", 2021. https://arxiv.org/abs/2104.05704
    """

    def __init__(
        self,
        kernel_initializer: Initializer = "glorot_uniform",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.input_spec = keras.layers.InputSpec(ndim=3)
        self.supports_masking = True

    def build(self, input_shape: Shape) -> None:
        (D,) = known_sizes(input_shape, [-1], self)
        self.kernel = self.add_weight((D, 1), self.kernel_initializer, name="kernel")

    def shares(self, inputs: Any, mask: Any = None) -> Any:
        """p, the share (B, T) that each token has in the mean, in float32 or wider."""
        x = as_floats(inputs, self.compute_dtype)
        scores = ops.matmul(x, ops.cast(self.kernel, x.dtype))  # B, T, 1
        dtype = keras.backend.standardize_dtype(x.dtype)
        scores = ops.cast(scores[..., 0], keras.backend.result_type(dtype, "float32"))
        mask = as_booleans(mask)
        if mask is None:
            return ops.softmax(scores, axis=-1)
        # A token that does not count gets no share, whatever its score is.
        highest = ops.max(ops.where(mask, scores, -1e9), axis=-1, keepdims=True)
        scores = ops.where(mask, scores - highest, 0.0)
        e = ops.where(mask, ops.exp(scores), 0.0)
        total = ops.sum(e, axis=-1, keepdims=True)
        return e / ops.maximum(total, 1e-12)

    def call(self, inputs, mask=None):
        x = as_floats(inputs, self.compute_dtype)
        mask = as_booleans(mask)
        if mask is not None:
            x = ops.where(mask[..., None], x, ops.zeros_like(x))
        p = ops.cast(self.shares(x, mask), x.dtype)
        y = ops.matmul(p[:, None, :], x)  # B, 1, D
        return y[:, 0]

    def compute_mask(self, inputs, mask=None) -> None:
        """None: the output has no tokens left that a mask could hide."""
        return None

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return (input_shape[0], input_shape[-1])

    def get_config(self) -> Config:
        return {
            **super().get_config(),
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
        }
