"""Normalization of each sample by itself: layer, group, instance, root mean square."""

import warnings

import keras
from keras import ops

from .base import (
    _affine,
    _along,
    _in_float32,
    _moments,
    _Normalization,
    _normalize,
    _positive_axes,
)


@keras.saving.register_keras_serializable(package="keras_cookbook")
class LayerNormalization(_Normalization):
    """Normalizes each sample over its features.

    mean, variance of x over `axis`
    y = (x - mean) / sqrt(variance + epsilon) * gamma + beta

    Args:
        axis: the axis or axes to normalize over, which gamma and beta span.
        epsilon: added to the variance.
        center, scale: whether there is a beta, a gamma.
        beta_..., gamma_initializer, _regularizer and _constraint: of those weights.
        rms_scaling: a deprecated keyword of Keras: y = x / sqrt(variance + epsilon) *
            gamma; for the root mean square take RMSNormalization.

    Input and output shape: any, the same.
    Raises: TypeError for an axis that is no integer or list of them, ValueError for
        one that the input lacks.
    Differs from Keras: config keeps `axis` as given; gamma's axes are those of the
        input also where `axis` mixes signs, as in [1, -1].

    >>> y = LayerNormalization()(keras.ops.array([[1.0, 3.0]]))
    >>> [round(float(v), 2) for v in y[0]]
    [-1.0, 1.0]

    Paper: Ba, Kiros, Hinton, "Layer normalization", 2016.
    https://arxiv.org/abs/1607.06450
    """

    def __init__(
        self,
        axis=-1,
        epsilon=1e-3,
        center=True,
        scale=True,
        beta_initializer="zeros",
        gamma_initializer="ones",
        beta_regularizer=None,
        gamma_regularizer=None,
        beta_constraint=None,
        gamma_constraint=None,
        rms_scaling=False,
        **kwargs,
    ):
        super().__init__(
            _checked_axis(axis),
            epsilon,
            center,
            scale,
            beta_initializer,
            gamma_initializer,
            beta_regularizer,
            gamma_regularizer,
            beta_constraint,
            gamma_constraint,
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

    def build(self, input_shape):
        axes = _positive_axes(self.axis, input_shape)
        self._add_gamma_and_beta(
            [input_shape[a] for a in axes],
            self.scale or self.rms_scaling,
            self.center and not self.rms_scaling,
        )

    def call(self, inputs):
        x = _in_float32(inputs)
        axes = _positive_axes(self.axis, x.shape)
        gamma, beta = self._gamma_and_beta(x.dtype, _along(axes, x.shape))
        moments = _moments(x, axes)
        if self.rms_scaling:
            y = _affine(x, moments[1], gamma, epsilon=self.epsilon)
        else:
            y = _normalize(x, axes, moments, gamma, beta, self.epsilon)
        return ops.cast(y, self.compute_dtype)

    def get_config(self):
        return {**super().get_config(), "rms_scaling": self.rms_scaling}


def _checked_axis(axis):
    if not isinstance(axis, int | list | tuple):
        raise TypeError(
            "Expected an int or a list/tuple of ints for the argument 'axis', but "
            f"received: {axis!r}"
        )
    return axis if isinstance(axis, int) else list(axis)


@keras.saving.register_keras_serializable(package="keras_cookbook")
class GroupNormalization(_Normalization):
    """Normalizes each sample over all places and the channels of one group.

    x viewed as (B, ..., groups, C / groups); mean, variance over all but B and groups
    y = (x - mean) / sqrt(variance + epsilon) * gamma + beta

    Args:
        groups: into how many groups the channels are divided; 1 makes one of all
            channels, -1 one of each.
        axis: the channel axis.
        epsilon: added to the variance.
        center, scale: whether there is a beta, a gamma.
        beta_..., gamma_initializer, _regularizer and _constraint: of those weights,
            which have an entry per channel.

    Input and output shape: (B, ..., C) or with C at `axis`, the same.
    Raises: ValueError for groups that are no positive integer or -1, for channels
        that are unknown, fewer than the groups or no multiple of them.

    >>> GroupNormalization(2)(keras.ops.ones((1, 3, 4))).shape
    TensorShape([1, 3, 4])

    Paper: Wu, He, "Group normalization", 2018. https://arxiv.org/abs/1803.08494
    """

    def __init__(
        self,
        groups=32,
        axis=-1,
        epsilon=1e-3,
        center=True,
        scale=True,
        beta_initializer="zeros",
        gamma_initializer="ones",
        beta_regularizer=None,
        gamma_regularizer=None,
        beta_constraint=None,
        gamma_constraint=None,
        **kwargs,
    ):
        if not isinstance(groups, int) or (groups <= 0 and groups != -1):
            raise ValueError(
                "Invalid value for argument `groups`: expected a positive integer, or "
                f"-1 for a group of each channel. Received: groups={groups}"
            )
        super().__init__(
            axis,
            epsilon,
            center,
            scale,
            beta_initializer,
            gamma_initializer,
            beta_regularizer,
            gamma_regularizer,
            beta_constraint,
            gamma_constraint,
            **kwargs,
        )
        self.groups = groups
        self.autocast = False

    def build(self, input_shape):
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
            raise ValueError(
                f"Number of groups ({self.groups}) must be a multiple of the number of "
                f"channels ({channels}): it has to divide them."
            )
        self.input_spec = keras.layers.InputSpec(
            ndim=len(input_shape), axes={self.axis: channels}
        )
        self._add_gamma_and_beta([channels], self.scale, self.center)

    def call(self, inputs):
        x = _in_float32(inputs)
        (axis,) = _positive_axes(self.axis, x.shape)
        channels = x.shape[axis]
        groups = channels if self.groups == -1 else self.groups
        shape = list(ops.shape(x))
        grouped = [*shape[:axis], groups, channels // groups, *shape[axis + 1 :]]
        x = ops.reshape(x, grouped)
        axes = [a for a in range(1, len(grouped)) if a != axis]
        gamma, beta = self._gamma_and_beta(x.dtype, _along([axis, axis + 1], x.shape))
        y = _normalize(x, axes, _moments(x, axes), gamma, beta, self.epsilon)
        return ops.cast(ops.reshape(y, shape), self.compute_dtype)

    def get_config(self):
        return {"groups": self.groups, **super().get_config()}


@keras.saving.register_keras_serializable(package="keras_cookbook")
class InstanceNormalization(GroupNormalization):
    """Normalizes each channel of each sample over its places: a group per channel.

    mean, variance of x over all axes but B and C
    y = (x - mean) / sqrt(variance + epsilon) * gamma + beta

    Args:
        axis: the channel axis.
        epsilon: added to the variance.
        center, scale: whether there is a beta, a gamma.
        **kwargs: beta_..., gamma_initializer, _regularizer and _constraint.

    Input and output shape: (B, ..., C) or with C at `axis`, the same.
    Keras has no such class; its GroupNormalization(groups=-1) computes the same.

    >>> InstanceNormalization()(keras.ops.ones((1, 3, 3, 2))).shape
    TensorShape([1, 3, 3, 2])

    Paper: Ulyanov, Vedaldi, Lempitsky, "Instance normalization: the missing ingredient
    for fast stylization", 2016. https://arxiv.org/abs/1607.08022
    """

    def __init__(self, axis=-1, epsilon=1e-3, center=True, scale=True, **kwargs):
        super().__init__(-1, axis, epsilon, center, scale, **kwargs)

    def get_config(self):
        config = super().get_config()
        del config["groups"]
        return config


@keras.saving.register_keras_serializable(package="keras_cookbook")
class RMSNormalization(keras.layers.Layer):
    """Layer normalization without its mean: divides by the root mean square.

    y = x / sqrt(mean(x^2) + epsilon) * scale

    Args:
        axis: the axis or axes to take the mean over, which the weight `scale` spans.
        epsilon: added to the mean square.

    Input and output shape: any, the same.
    Raises: ValueError for an axis that the input lacks.
    Differs from Keras: config keeps `axis` as given.

    >>> y = RMSNormalization()(keras.ops.array([[2.0, -2.0]]))
    >>> [round(float(value), 4) for value in y[0]]
    [1.0, -1.0]

    Paper: Zhang, Sennrich, "Root mean square layer normalization", 2019.
    https://arxiv.org/abs/1910.07467
    """

    def __init__(self, axis=-1, epsilon=1e-6, **kwargs):
        super().__init__(**kwargs)
        self.axis = axis
        self.epsilon = epsilon

    def build(self, input_shape):
        axes = _positive_axes(self.axis, input_shape)
        self.scale = self.add_weight(
            name="scale", shape=[input_shape[a] for a in axes], initializer="ones"
        )

    def call(self, x):
        dtype = x.dtype
        x = _in_float32(x)
        axes = _positive_axes(self.axis, x.shape)
        scale = ops.reshape(ops.cast(self.scale, x.dtype), _along(axes, x.shape))
        moments = None, ops.mean(ops.square(x), axis=axes, keepdims=True)
        return ops.cast(_normalize(x, axes, moments, scale, None, self.epsilon), dtype)

    def compute_output_shape(self, input_shape):
        _positive_axes(self.axis, input_shape)
        return input_shape

    def get_config(self):
        return {**super().get_config(), "axis": self.axis, "epsilon": self.epsilon}
