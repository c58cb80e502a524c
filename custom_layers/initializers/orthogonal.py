"""Orthogonal initializer."""

import math

import keras
from keras import ops

from ..common.checks import python_number
from ..common.types import Config, Seed
from .random_initializers import _RandomInitializer


@keras.saving.register_keras_serializable(package="keras_cookbook")
class Orthogonal(_RandomInitializer):
    """Orthogonal initializer: a random rotation, which keeps the length of a signal.

    Q R = A, A ~ N(0, 1)
    w = gain * Q * sign(diag(R)), which makes every rotation equally likely

    Args:
        gain: factor of the matrix.
        seed: integer or keras.random.SeedGenerator; None draws an integer.

    Call: (shape, dtype) -> weight of that shape. Seen as a matrix of the last axis by
        all others, it has orthonormal columns, or orthonormal rows where the rows are
        fewer.
    Raises: ValueError for a shape of fewer than two axes.

    >>> W = Orthogonal(seed=1)((2, 2))
    >>> y = keras.ops.array([[3.0, 4.0]]) @ W
    >>> round(float(keras.ops.norm(y)), 4)  # turned, but as long as before
    5.0

    Paper: Saxe, McClelland, Ganguli, "Exact solutions to the nonlinear dynamics of
    learning in deep linear neural networks", 2013. https://arxiv.org/abs/1312.6120
    """

    def __init__(self, gain: float = 1.0, seed: Seed = None) -> None:
        super().__init__(seed)
        self.gain = python_number(gain)

    def __call__(self, shape: tuple[int, ...], dtype: str | None = None):
        if len(shape) < 2:
            raise ValueError(
                "The tensor to initialize must be at least two-dimensional. "
                f"Received: shape={tuple(shape)} of rank {len(shape)}."
            )
        rows, columns = math.prod(shape[:-1]), shape[-1]
        tall = (max(rows, columns), min(rows, columns))
        q, r = ops.qr(keras.random.normal(tall, dtype=dtype, seed=self.seed))
        q = q * ops.sign(ops.diag(r))
        if rows < columns:
            q = ops.transpose(q)
        return self.gain * ops.reshape(q, shape)

    def get_config(self) -> Config:
        return {**super().get_config(), "gain": self.gain}
