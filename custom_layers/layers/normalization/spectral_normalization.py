"""Spectral normalization: a layer's kernel is divided by its largest singular value."""

from typing import Any

import keras
from keras import ops

from ...common.checks import python_number
from ...common.private_keras import in_own_dtype
from ...common.types import Config, Shape
from .kernel_wrapper import _KernelWrapper, _without_kernel
from .unit_normalization import _unit


@keras.saving.register_keras_serializable(package="keras_cookbook")
class SpectralNormalization(_KernelWrapper):
    """Divides a layer's kernel by its largest singular value, at each training call.

    W = kernel as a matrix (..., C); repeated power_iterations times:
    v = u W^T / ||u W^T||, u = v W / ||v W||
    sigma = v W u^T, kernel = kernel / sigma

    Args:
        layer: a layer with a `kernel` (Dense, Conv2D, ...) or `embeddings`.
        power_iterations: how often each call renews u and v.

    Input and output shape: the layer's.
    Raises: ValueError for power_iterations below 1, and for a layer without a kernel.

    As in Keras, but not in the paper, the quotient replaces the kernel: on TensorFlow
    and torch, the gradient is the one with respect to the quotient. As in Keras, C is
    the last axis of every kernel, which for a transposed convolution is its input.
    Differs from Keras: a frozen layer keeps its kernel; in mixed precision the kernel
    is not rounded to 16 bits; a mask passes through the wrapper as through its layer;
    inputs of another length than the first are not refused.

    >>> stretching = keras.initializers.Constant([[4.0, 0.0], [0.0, 2.0]])
    >>> layer = keras.layers.Dense(2, kernel_initializer=stretching)
    >>> wrapped = SpectralNormalization(layer, power_iterations=20)
    >>> y = wrapped(keras.ops.ones((1, 2)), training=True)
    >>> print(layer.kernel.numpy().round(2))  # it makes no vector longer
    [[1.  0. ]
     [0.  0.5]]

    Paper: Miyato, Kataoka, Koyama, Yoshida, "Spectral normalization for generative
    adversarial networks", 2018. https://arxiv.org/abs/1802.05957
    """

    def __init__(
        self, layer: keras.layers.Layer, power_iterations: int = 1, **kwargs: Any
    ) -> None:
        super().__init__(layer, **kwargs)
        power_iterations = python_number(power_iterations)
        if power_iterations <= 0:
            raise ValueError(
                "`power_iterations` should be greater than zero. Received: "
                f"power_iterations={power_iterations}"
            )
        self.power_iterations = power_iterations

    def build(self, input_shape: Shape) -> None:
        super().build(input_shape)
        if hasattr(self.layer, "kernel"):
            self.kernel = self.layer.kernel
        elif hasattr(self.layer, "embeddings"):
            self.kernel = self.layer.embeddings
        else:
            raise _without_kernel(self.layer)
        self.vector_u = self.add_weight(
            name="vector_u",
            shape=(1, self.kernel.shape[-1]),
            initializer=keras.initializers.TruncatedNormal(stddev=0.02),
            trainable=False,
            dtype=self.kernel.dtype,
        )

    def call(self, inputs, training: bool = False):
        if training and self.trainable:
            with in_own_dtype():
                self._normalize_kernel()
        return ops.cast(self.layer(inputs), self.compute_dtype)

    def _normalize_kernel(self) -> None:
        kernel = ops.convert_to_tensor(self.kernel)
        w = ops.reshape(kernel, (-1, kernel.shape[-1]))
        u = old = ops.convert_to_tensor(self.vector_u)
        for _ in range(self.power_iterations):
            v = _unit(ops.matmul(u, ops.transpose(w)))
            u = _unit(ops.matmul(v, w))
        u, v = ops.stop_gradient(u), ops.stop_gradient(v)
        sigma = ops.sum(ops.matmul(v, w) * u)
        is_zero = ops.all(kernel == 0)  # has no direction, and is left as it is
        self.vector_u.assign(ops.where(is_zero, old, u))
        self.kernel.assign(kernel / ops.where(is_zero, ops.ones_like(sigma), sigma))

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return self.layer.compute_output_shape(input_shape)

    def get_config(self) -> Config:
        return {**super().get_config(), "power_iterations": self.power_iterations}
