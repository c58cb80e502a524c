"""Group and instance normalization: each sample's channels, in groups or one by one."""

from typing import Any

import keras
from keras import ops

from ...common.checks import positive_integer
from ...common.types import Config, Constraint, Initializer, Regularizer, Shape
from .base import _along, _Normalization, _positive_axes
from .fast_normalization import fast_normalization
from .fused import _fuses_normalization, _normalize_places
from .moments import _in_float32, _moments


def group_normalization(x, gamma, beta, groups: int, epsilon: float = 1e-3):
    """Group normalization as a function that reads like the paper, x (B, ..., C).

    The layer GroupNormalization computes the same with `fast_normalization`.

    >>> x, gamma, beta = keras.ops.array([[1.0, 3.0, 5.0, 9.0]]), 1.0, 0.0
    >>> y = group_normalization(x, gamma, beta, groups=2)
    >>> [round(float(value), 2) for value in y[0]]
    [-1.0, 1.0, -1.0, 1.0]

    Paper: Wu, He, "Group normalization", 2018. https://arxiv.org/abs/1803.08494
    """
    B, *places, C = ops.shape(x)
    x = ops.reshape(x, (B, *places, groups, C // groups))
    axes = (*range(1, len(places) + 1), -1)
    mean = ops.mean(x, axis=axes, keepdims=True)
    variance = ops.mean(ops.square(x - mean), axis=axes, keepdims=True)
    x_hat = (x - mean) / ops.sqrt(variance + epsilon)
    return ops.reshape(x_hat, (B, *places, C)) * gamma + beta


@keras.saving.register_keras_serializable(package="keras_cookbook")
class GroupNormalization(_Normalization):
    """Normalizes each sample over all places and the channels of one group.

    x viewed as (B, ..., groups, C / groups); mean, variance over all but B and groups
    y = (x - mean) / sqrt(variance + epsilon) * gamma + beta

    Args:
        groups: number of groups into which the channels are divided; 1 makes one group
            of all channels, -1 one group of each channel.
        axis: the channel axis.
        epsilon: added to the variance.
        center, scale: whether there is a beta, and a gamma.
        beta_..., gamma_initializer, _regularizer and _constraint: of those weights,
            which have an entry per channel.

    Input and output shape: (B, ..., C) or with C at `axis`, the same.
    Raises: ValueError for groups that are neither a positive integer nor -1, and for
        channels whose number is unknown or not a multiple of the groups.

    >>> y = GroupNormalization(2)(keras.ops.array([[1.0, 3.0, 100.0, 500.0]]))
    >>> [round(float(v), 2) for v in y[0]]  # each pair of channels, in a batch of one
    [-1.0, 1.0, -1.0, 1.0]

    Paper: Wu, He, "Group normalization", 2018. https://arxiv.org/abs/1803.08494
    """

    def __init__(
        self,
        groups: int = 32,
        axis: int = -1,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Initializer = "zeros",
        gamma_initializer: Initializer = "ones",
        beta_regularizer: Regularizer = None,
        gamma_regularizer: Regularizer = None,
        beta_constraint: Constraint = None,
        gamma_constraint: Constraint = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            axis=axis,
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
        self.groups = -1 if groups == -1 else positive_integer(groups, "groups")
        self.autocast = False

    def build(self, input_shape: Shape) -> None:
        (axis,) = _positive_axes(self.axis, input_shape)
        channels = input_shape[axis]
        if channels is None:
            raise ValueError(
                f"Axis {self.axis} of input tensor should have a defined dimension but "
                f"the layer received an input with shape {input_shape}."
            )
        if channels < self.groups:
            raise ValueError(
                f"Number of groups ({self.groups}) cannot be more than the number of "
                f"channels ({channels})."
            )
        if channels % self.groups:
            raise ValueError(  # Keras words it the wrong way round, and its tests ask
                f"Number of groups ({self.groups}) must be a multiple of the number of "
                f"channels ({channels}): it has to divide them."
            )
        self.input_spec = keras.layers.InputSpec(
            ndim=len(input_shape), axes={self.axis: channels}
        )
        self._sizes = (channels,)
        if self.scale:
            self._add_gamma(self._sizes)
        if self.center:
            self._add_beta(self._sizes)

    def call(self, inputs, training: bool | None = None):
        x = _in_float32(inputs)
        (axis,) = _positive_axes(self.axis, x.shape)
        channels: Any = self._sizes[0]
        groups = channels if self.groups == -1 else self.groups
        sizes = groups, channels // groups
        if _fuses_normalization(training, x, [axis]):
            gamma, beta = self._gamma_and_beta(x.dtype, [channels])
            y, *_ = _normalize_places(x, gamma, beta, groups, self.epsilon)
            return ops.cast(y, self.compute_dtype)
        shape = list(ops.shape(x))
        grouped = [*shape[:axis], *sizes, *shape[axis + 1 :]]
        x = ops.reshape(x, grouped)
        axes = [a for a in range(1, len(grouped)) if a != axis]
        along = _along([axis, axis + 1], sizes, len(grouped))
        gamma, beta = self._gamma_and_beta(x.dtype, along)
        mean, variance = _moments(x, axes)
        y = fast_normalization(x, mean, variance, gamma, beta, axes, self.epsilon)
        return ops.cast(ops.reshape(y, shape), self.compute_dtype)

    def get_config(self) -> Config:
        return {"groups": self.groups, **super().get_config()}


@keras.saving.register_keras_serializable(package="keras_cookbook")
class InstanceNormalization(GroupNormalization):
    """Normalizes each channel of each sample over its places: a group per channel.

    mean, variance of x over all axes but B and C
    y = (x - mean) / sqrt(variance + epsilon) * gamma + beta

    Args:
        axis: the channel axis.
        epsilon: added to the variance.
        center, scale: whether there is a beta, and a gamma.
        beta_..., gamma_initializer, _regularizer and _constraint: of those weights,
            which have an entry per channel.

    Input and output shape: (B, ..., C) or with C at `axis`, the same.
    Keras has no such class; its GroupNormalization(groups=-1) computes the same.

    >>> x = keras.ops.array([[[[1.0], [3.0]]], [[[10.0], [50.0]]]])
    >>> y = InstanceNormalization()(x)  # of an image, and of one with more contrast
    >>> y[:, 0, :, 0].numpy().round(2).tolist()
    [[-1.0, 1.0], [-1.0, 1.0]]

    Paper: Ulyanov, Vedaldi, Lempitsky, "Instance normalization: the missing ingredient
    for fast stylization", 2016. https://arxiv.org/abs/1607.08022
    """

    def __init__(
        self,
        axis: int = -1,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Initializer = "zeros",
        gamma_initializer: Initializer = "ones",
        beta_regularizer: Regularizer = None,
        gamma_regularizer: Regularizer = None,
        beta_constraint: Constraint = None,
        gamma_constraint: Constraint = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            groups=-1,
            axis=axis,
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

    def get_config(self) -> Config:
        config = super().get_config()
        del config["groups"]
        return config
