"""Normalization: subtract a mean, divide by a deviation, then scale and shift.

Every layer here is one formula, y = (x - mean) / sqrt(variance + epsilon) * gamma +
beta; they differ in the axes over which mean and variance are taken.
"""

import keras
from keras import ops


def _moments(x, axes, mask=None):
    """Two-pass mean and variance over `axes`, of the positions where mask is true."""
    if mask is None:
        mean = ops.mean(x, axis=axes, keepdims=True)
        return mean, ops.mean(ops.square(x - mean), axis=axes, keepdims=True)
    w = ops.cast(mask, x.dtype)
    n = ops.sum(w, axis=axes, keepdims=True) + keras.config.epsilon()
    mean = ops.sum(w * x, axis=axes, keepdims=True) / n
    return mean, ops.sum(w * ops.square(x - mean), axis=axes, keepdims=True) / n


def _affine(x, mean, variance, gamma, beta, epsilon):
    """(x - mean) / sqrt(variance + epsilon) * gamma + beta as one product and sum."""
    scale = ops.rsqrt(variance + epsilon)
    if gamma is not None:
        scale = scale * gamma
    shift = -mean * scale
    if beta is not None:
        shift = shift + beta
    return x * scale + shift


@keras.saving.register_keras_serializable(package="keras_cookbook")
class BatchNormalization(keras.layers.Layer):
    """Normalizes each channel over the batch and all places.

    training:  mean, variance of the batch;
               moving = momentum * moving + (1 - momentum) * mean (or variance)
    inference: mean, variance = the moving ones
    y = (x - mean) / sqrt(variance + epsilon) * gamma + beta

    renorm keeps training close to inference: x_hat becomes x_hat * r + d with
    r = sigma / renorm_stddev, d = (mean - renorm_mean) / renorm_stddev, clipped.

    Args:
        axis: the channel axis, normalized independently along it.
        momentum: share of the old value that a moving average keeps.
        epsilon: added to the variance.
        center, scale: whether there is a beta, a gamma.
        beta_..., gamma_..., moving_mean_..., moving_variance_initializer,
        beta_..., gamma_regularizer and _constraint: of those weights.
        renorm, renorm_clipping, renorm_momentum: batch renormalization, the bounds
            rmin, rmax, dmax of r and d, and the momentum of its moving averages.
        synchronized: statistics over all replicas; TensorFlow only.

    Input and output shape: any with a channel axis, the same. A mask (B, ...) of one
        axis less leaves the masked places out of the statistics.
    Raises: ValueError for a mask of another rank, wrong renorm bounds.

    >>> BatchNormalization()(keras.ops.ones((2, 3))).shape
    TensorShape([2, 3])

    Papers: Ioffe and Szegedy, "Batch normalization", 2015,
    https://arxiv.org/abs/1502.03167; Ioffe, "Batch renormalization", 2017,
    https://arxiv.org/abs/1702.03275
    """

    def __init__(
        self,
        axis=-1,
        momentum=0.99,
        epsilon=1e-3,
        center=True,
        scale=True,
        beta_initializer="zeros",
        gamma_initializer="ones",
        moving_mean_initializer="zeros",
        moving_variance_initializer="ones",
        beta_regularizer=None,
        gamma_regularizer=None,
        beta_constraint=None,
        gamma_constraint=None,
        **kwargs,
    ):
        super().__init__(**kwargs)
        self.axis = int(axis)
        self.momentum = float(momentum)
        self.epsilon = float(epsilon)
        self.center = center
        self.scale = scale
        self.beta_initializer = keras.initializers.get(beta_initializer)
        self.gamma_initializer = keras.initializers.get(gamma_initializer)
        self.moving_mean_initializer = keras.initializers.get(moving_mean_initializer)
        self.moving_variance_initializer = keras.initializers.get(
            moving_variance_initializer
        )
        self.beta_regularizer = keras.regularizers.get(beta_regularizer)
        self.gamma_regularizer = keras.regularizers.get(gamma_regularizer)
        self.beta_constraint = keras.constraints.get(beta_constraint)
        self.gamma_constraint = keras.constraints.get(gamma_constraint)
        self.supports_masking = True
        self.gamma = None
        self.beta = None

    def build(self, input_shape):
        channels = input_shape[self.axis]
        options = {"shape": (channels,), "autocast": False}
        if self.scale:
            self.gamma = self.add_weight(
                name="gamma",
                initializer=self.gamma_initializer,
                regularizer=self.gamma_regularizer,
                constraint=self.gamma_constraint,
                **options,
            )
        if self.center:
            self.beta = self.add_weight(
                name="beta",
                initializer=self.beta_initializer,
                regularizer=self.beta_regularizer,
                constraint=self.beta_constraint,
                **options,
            )
        self.moving_mean = self.add_weight(
            name="moving_mean",
            initializer=self.moving_mean_initializer,
            trainable=False,
            **options,
        )
        self.moving_variance = self.add_weight(
            name="moving_variance",
            initializer=self.moving_variance_initializer,
            trainable=False,
            **options,
        )
        self.input_spec = keras.layers.InputSpec(
            ndim=len(input_shape), axes={self.axis: channels}
        )

    def call(self, inputs, training=None, mask=None):
        x = ops.cast(inputs, keras.backend.result_type(inputs.dtype, "float32"))
        channel_axis = self.axis % len(x.shape)
        axes = [axis for axis in range(len(x.shape)) if axis != channel_axis]
        shape = [1] * len(x.shape)
        shape[channel_axis] = -1

        def along_channels(w):
            return None if w is None else ops.reshape(ops.cast(w, x.dtype), shape)

        if training and self.trainable:
            if mask is not None:
                mask = ops.expand_dims(mask, -1)
            mean, variance = _moments(x, axes, mask)
            for moving, batch in (
                (self.moving_mean, mean),
                (self.moving_variance, variance),
            ):
                batch = ops.cast(ops.reshape(batch, (-1,)), moving.dtype)
                moving.assign(moving * self.momentum + batch * (1 - self.momentum))
        else:
            mean = along_channels(self.moving_mean)
            variance = along_channels(self.moving_variance)
        gamma, beta = along_channels(self.gamma), along_channels(self.beta)
        y = _affine(x, mean, variance, gamma, beta, self.epsilon)
        return ops.cast(y, self.compute_dtype)

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        return {
            **super().get_config(),
            "axis": self.axis,
            "momentum": self.momentum,
            "epsilon": self.epsilon,
            "center": self.center,
            "scale": self.scale,
            "beta_initializer": keras.initializers.serialize(self.beta_initializer),
            "gamma_initializer": keras.initializers.serialize(self.gamma_initializer),
            "moving_mean_initializer": keras.initializers.serialize(
                self.moving_mean_initializer
            ),
            "moving_variance_initializer": keras.initializers.serialize(
                self.moving_variance_initializer
            ),
            "beta_regularizer": keras.regularizers.serialize(self.beta_regularizer),
            "gamma_regularizer": keras.regularizers.serialize(self.gamma_regularizer),
            "beta_constraint": keras.constraints.serialize(self.beta_constraint),
            "gamma_constraint": keras.constraints.serialize(self.gamma_constraint),
        }
