"""Batch normalization: moments over the batch, moving averages for inference."""

import math

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
class BatchNormalization(_Normalization):
    """Normalizes each channel over the batch and all places.

    training:  mean, variance of the batch;
               moving = momentum * moving + (1 - momentum) * mean (or variance)
    inference: mean, variance = the moving ones
    y = (x - mean) / sqrt(variance + epsilon) * gamma + beta

    renorm keeps training close to inference: x_hat becomes x_hat * r + d with
    r = stddev / renorm_stddev, d = (mean - renorm_mean) / renorm_stddev, clipped.

    Args:
        axis: the channel axis, normalized independently along it.
        momentum: share of the old value that a moving average keeps.
        epsilon: added to the variance.
        center, scale: whether there is a beta, a gamma.
        beta_..., gamma_..., moving_mean_..., moving_variance_initializer,
        beta_..., gamma_regularizer and _constraint: of those weights.
        renorm, renorm_clipping, renorm_momentum: batch renormalization, the bounds
            rmin, rmax, dmax of r and d, and the momentum of its moving averages.
        synchronized: unmasked moments over all replicas; TensorFlow only.

    Input and output shape: any with a channel axis, the same. A mask (B, ...) of one
        axis less leaves the masked places out of the moments.
    Raises: ValueError for a mask of another rank, wrong renorm bounds, an axis that
        the input lacks.

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
        renorm=False,
        renorm_clipping=None,
        renorm_momentum=0.99,
        synchronized=False,
        **kwargs,
    ):
        super().__init__(
            int(axis),
            float(epsilon),
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
        if synchronized and keras.backend.backend() != "tensorflow":
            raise ValueError(
                "Argument synchronized=True is only supported with the TensorFlow "
                "backend."
            )
        self.momentum = float(momentum)
        self.moving_mean_initializer = keras.initializers.get(moving_mean_initializer)
        self.moving_variance_initializer = keras.initializers.get(
            moving_variance_initializer
        )
        self.renorm = renorm
        self.renorm_clipping = _checked_clipping(renorm_clipping) if renorm else None
        self.renorm_momentum = renorm_momentum
        self.synchronized = synchronized

    def build(self, input_shape):
        (axis,) = _positive_axes(self.axis, input_shape)
        channels = (input_shape[axis],)
        self._add_gamma_and_beta(channels, self.scale, self.center)

        def stddev_initializer(shape, dtype=None):
            return ops.sqrt(self.moving_variance_initializer(shape, dtype))

        initializers = {
            "moving_mean": self.moving_mean_initializer,
            "moving_variance": self.moving_variance_initializer,
        }
        if self.renorm:
            initializers |= {
                "moving_stddev": stddev_initializer,
                "renorm_mean": self.moving_mean_initializer,
                "renorm_stddev": stddev_initializer,
            }
        for name, initializer in initializers.items():
            options = {"trainable": False, "autocast": False}
            weight = self.add_weight(channels, initializer, name=name, **options)
            setattr(self, name, weight)
        self.input_spec = keras.layers.InputSpec(
            ndim=len(input_shape), axes={self.axis: input_shape[axis]}
        )

    def call(self, inputs, training=None, mask=None):
        x = _in_float32(inputs)
        (axis,) = _positive_axes(self.axis, x.shape)
        axes = [a for a in range(len(x.shape)) if a != axis]
        shape = _along([axis], x.shape)
        gamma, beta = self._gamma_and_beta(x.dtype, shape)
        weights = None if mask is None else _weights(mask, x)
        training = training and self.trainable
        is_synchronized = self.synchronized and mask is None
        if not training:
            moving = self.moving_mean, self.moving_variance
            mean, variance = (ops.reshape(ops.cast(w, x.dtype), shape) for w in moving)
        elif is_synchronized:
            mean, variance = ops.moments(x, axes, keepdims=True, synchronized=True)
        else:
            mean, variance = _moments(x, axes, weights)
        if training:
            flat = ops.reshape(mean, (-1,)), ops.reshape(variance, (-1,))
            if self.renorm:
                r, d = (ops.reshape(part, shape) for part in self._correction(*flat))
                gamma, beta = r * gamma, d * gamma + beta
            self._update_averages(*flat)
        if training and not is_synchronized:
            moments = mean, variance
            y = _normalize(x, axes, moments, gamma, beta, self.epsilon, weights)
        else:
            y = _affine(x, variance, gamma, mean, beta, epsilon=self.epsilon)
        return ops.cast(y, self.compute_dtype)

    def _correction(self, mean, variance):
        """r and d of batch renormalization, constants for the gradient."""
        floor = math.sqrt(self.epsilon)
        renorm_stddev = ops.maximum(ops.cast(self.renorm_stddev, mean.dtype), floor)
        r = ops.sqrt(variance + self.epsilon) / renorm_stddev
        d = (mean - ops.cast(self.renorm_mean, mean.dtype)) / renorm_stddev
        bounds = {"rmin": 0.0, "rmax": math.inf, "dmax": math.inf}
        bounds |= {k: v for k, v in self.renorm_clipping.items() if v is not None}
        r = ops.clip(r, bounds["rmin"], bounds["rmax"])
        d = ops.clip(d, -bounds["dmax"], bounds["dmax"])
        return ops.stop_gradient(r), ops.stop_gradient(d)

    def _update_averages(self, mean, variance):
        def average(old, new, momentum):
            old.assign(old * momentum + ops.cast(new, old.dtype) * (1 - momentum))

        average(self.moving_mean, mean, self.momentum)
        if not self.renorm:
            average(self.moving_variance, variance, self.momentum)
            return
        stddev = ops.sqrt(variance + self.epsilon)
        average(self.renorm_mean, mean, self.renorm_momentum)
        average(self.renorm_stddev, stddev, self.renorm_momentum)
        average(self.moving_stddev, stddev, self.momentum)
        variance = ops.square(self.moving_stddev) - self.epsilon
        self.moving_variance.assign(ops.maximum(variance, 0.0))

    def get_config(self):
        return {
            **super().get_config(),
            "momentum": self.momentum,
            "moving_mean_initializer": keras.initializers.serialize(
                self.moving_mean_initializer
            ),
            "moving_variance_initializer": keras.initializers.serialize(
                self.moving_variance_initializer
            ),
            "renorm": self.renorm,
            "renorm_clipping": self.renorm_clipping,
            "renorm_momentum": self.renorm_momentum,
            "synchronized": self.synchronized,
        }


def _checked_clipping(bounds):
    bounds = bounds or {}
    if not set(bounds) <= {"rmin", "rmax", "dmax"}:
        raise ValueError(
            "Received invalid keys for `renorm_clipping`: expected some of 'rmin', "
            f"'rmax', 'dmax', got {list(bounds)}"
        )
    rmin, rmax, dmax = (bounds.get(key) for key in ("rmin", "rmax", "dmax"))
    if rmin is not None and rmax is not None and rmax < rmin:
        raise ValueError(
            f"rmax should be at least rmin. Received: rmax={rmax}, rmin={rmin}"
        )
    if dmax is not None and dmax < 0:
        raise ValueError(f"dmax should be non-negative. Received: dmax={dmax}")
    return bounds


def _weights(mask, x):
    """1 in x's shape where the mask, which lacks the last axis, is true, else 0."""
    if len(mask.shape) != len(x.shape) - 1:
        raise ValueError(
            "The mask provided should be one dimension less than the inputs. "
            f"Received: mask.shape={mask.shape}, inputs.shape={x.shape}"
        )
    mask = ops.cast(ops.expand_dims(mask, -1), "bool")
    return ops.cast(ops.broadcast_to(mask, ops.shape(x)), x.dtype)
