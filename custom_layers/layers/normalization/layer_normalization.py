"""Layer normalization: each sample is normalized over its features."""

import warnings
from typing import Any

import keras
from keras import ops

from ...common.checks import known_sizes
from ...common.types import Axes, Config, Constraint, Initializer, Regularizer, Shape
from .base import _along, _checked_axis, _Normalization, _positive_axes
from .fast_normalization import fast_normalization
from .fused import _fuses_normalization, _normalize_channels
from .moments import _in_float32, _moments


def layer_normalization(x, gamma, beta, axes: Axes = -1, epsilon: float = 1e-3):
    """Layer normalization as a function that reads like the paper.

    The layer LayerNormalization computes the same with `fast_normalization`.

    >>> x, gamma, beta = keras.ops.array([[1.0, 3.0]]), 1.0, 0.0
    >>> [round(float(value), 2) for value in layer_normalization(x, gamma, beta)[0]]
    [-1.0, 1.0]

    Paper: Ba, Kiros, Hinton, "Layer normalization", 2016.
    https://arxiv.org/abs/1607.06450
    """
    mean = ops.mean(x, axis=axes, keepdims=True)
    variance = ops.mean(ops.square(x - mean), axis=axes, keepdims=True)
    x_hat = (x - mean) / ops.sqrt(variance + epsilon)
    return x_hat * gamma + beta


@keras.saving.register_keras_serializable(package="keras_cookbook")
class LayerNormalization(_Normalization):
    """Normalizes each sample over its features.

    mean, variance of x over `axis`
    y = (x - mean) / sqrt(variance + epsilon) * gamma + beta

    Args:
        axis: the axis or axes to normalize over, which are those of gamma and beta.
        epsilon: added to the variance.
        center, scale: whether there is a beta, and a gamma.
        beta_..., gamma_initializer, _regularizer and _constraint: of those weights.
        rms_scaling: a deprecated option of Keras: y = x / sqrt(variance + epsilon) *
            gamma. RMSNormalization divides by the root mean square instead.

    Input and output shape: any, the same.
    Raises: TypeError for an axis that is neither an integer nor a list of integers,
        ValueError for an axis that the input lacks or whose size is unknown.
    Differs from Keras: the config keeps `axis` as given; the axes of gamma are in the
        order of the input's, even where `axis` mixes signs, as in [1, -1]; axes that
        are not the last ones, such as height and width, work on torch too.

    >>> y = LayerNormalization()(keras.ops.array([[1.0, 3.0]]))
    >>> [round(float(v), 2) for v in y[0]]
    [-1.0, 1.0]

    Paper: Ba, Kiros, Hinton, "Layer normalization", 2016.
    https://arxiv.org/abs/1607.06450
    """

    def __init__(
        self,
        axis: Axes = -1,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Initializer = "zeros",
        gamma_initializer: Initializer = "ones",
        beta_regularizer: Regularizer = None,
        gamma_regularizer: Regularizer = None,
        beta_constraint: Constraint = None,
        gamma_constraint: Constraint = None,
        rms_scaling: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            axis=_checked_axis(axis),
            epsilon=epsilon,
            center=center,
            scale=scale,
            beta_initializer=beta_initializer,
            gamma_initializer=gamma_initializer,
            beta_regularizer=beta_regularizer,
            gamma_regularizer=gamma_regularizer,
            beta_constraint=beta_constraint,
            gamma_constraint=gamma_constraint,
            **kwargs,
        )
        if rms_scaling:
            warnings.warn(
                "`rms_scaling=True` divides by the deviation, not by the root mean "
                "square; it is deprecated: use RMSNormalization.",
                stacklevel=2,
            )
        self.rms_scaling = rms_scaling
        self.autocast = False

    def build(self, input_shape: Shape) -> None:
        axes = _positive_axes(self.axis, input_shape)
        self._sizes = tuple(input_shape[a] for a in axes)
        if self.scale or self.center or self.rms_scaling:
            self._sizes = known_sizes(input_shape, axes, self)
        if self.scale or self.rms_scaling:
            self._add_gamma(self._sizes)
        if self.center and not self.rms_scaling:
            self._add_beta(self._sizes)

    def call(self, inputs, training: bool | None = None):
        x = _in_float32(inputs)
        axes = _positive_axes(self.axis, x.shape)
        along = _along(axes, self._sizes, len(x.shape))
        gamma, beta = self._gamma_and_beta(x.dtype, along)
        if _fuses_normalization(training, x, axes) and not self.rms_scaling:
            y = _normalize_channels(x, gamma, beta, axes=axes, epsilon=self.epsilon)
            return ops.cast(y, self.compute_dtype)
        mean, variance = _moments(x, axes)
        if self.rms_scaling:
            y = x * (ops.rsqrt(variance + self.epsilon) * gamma)
        else:
            y = fast_normalization(x, mean, variance, gamma, beta, axes, self.epsilon)
        return ops.cast(y, self.compute_dtype)

    def get_config(self) -> Config:
        return {**super().get_config(), "rms_scaling": self.rms_scaling}
