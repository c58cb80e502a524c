"""Batch normalization: moments over the batch, moving averages for inference."""

import math
from typing import Any

import keras
from keras import ops

from ...common.checks import known_sizes, python_number
from ...common.types import Config, Constraint, Initializer, Regularizer, Shape
from .base import _along, _Normalization, _positive_axes
from .fast_normalization import _scale_and_shift, fast_normalization
from .fused import _fuses_normalization, _normalize_places
from .moments import _in_float32, _is_empty, _moments


def batch_normalization(x, gamma, beta, epsilon: float = 1e-3):
    """Batch normalization in training, as a function that reads like the paper.

    x has the shape (B, ..., C); mean and variance are taken over all axes but C. The
    layer BatchNormalization computes the same with `fast_normalization`; it keeps
    moving averages besides.

    >>> x, gamma, beta = keras.ops.array([[1.0], [3.0]]), 1.0, 0.0
    >>> [round(float(y[0]), 2) for y in batch_normalization(x, gamma, beta)]
    [-1.0, 1.0]

    Paper: Ioffe and Szegedy, "Batch normalization", 2015.
    https://arxiv.org/abs/1502.03167
    """
    axes = tuple(range(len(x.shape) - 1))
    mean = ops.mean(x, axis=axes)
    variance = ops.mean(ops.square(x - mean), axis=axes)
    x_hat = (x - mean) / ops.sqrt(variance + epsilon)
    return x_hat * gamma + beta


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
        axis: the channel axis, which has one mean and variance per channel.
        momentum: share of the old value that a moving average keeps.
        epsilon: added to the variance.
        center, scale: whether there is a beta, and a gamma.
        beta_..., gamma_..., moving_mean_..., moving_variance_initializer,
        beta_..., gamma_regularizer and _constraint: of those weights.
        renorm, renorm_clipping, renorm_momentum: whether to use batch renormalization,
            the bounds rmin, rmax, dmax of r and d, and the momentum of its averages.
        synchronized: whether unmasked moments are taken over all replicas; this works
            on TensorFlow only.

    Input and output shape: any with a channel axis, the same. A mask (B, ...), with one
        axis less than the input, leaves the masked places out of the moments.
    Raises: ValueError for a mask of another rank, for wrong bounds of renorm, and for
        a channel axis that the input lacks or whose size is unknown.
    Differs from Keras: the moments of half precision are those of the uncast input, so
        that features above 65,504 are normalized too; an empty batch leaves the moving
        averages as they are, where Keras's become NaN.

    >>> layer = BatchNormalization(momentum=0.0)
    >>> y = layer(keras.ops.array([[1.0], [3.0]]), training=True)
    >>> [round(float(v), 2) for v in y[:, 0]]
    [-1.0, 1.0]
    >>> y = layer(keras.ops.array([[5.0]]))  # by the mean 2 and variance 1 of training
    >>> round(float(y[0, 0]), 2)
    3.0

    Papers: Ioffe and Szegedy, "Batch normalization", 2015,
    https://arxiv.org/abs/1502.03167; Ioffe, "Batch renormalization", 2017,
    https://arxiv.org/abs/1702.03275
    """

    def __init__(
        self,
        axis: int = -1,
        momentum: float = 0.99,
        epsilon: float = 1e-3,
        center: bool = True,
        scale: bool = True,
        beta_initializer: Initializer = "zeros",
        gamma_initializer: Initializer = "ones",
        moving_mean_initializer: Initializer = "zeros",
        moving_variance_initializer: Initializer = "ones",
        beta_regularizer: Regularizer = None,
        gamma_regularizer: Regularizer = None,
        beta_constraint: Constraint = None,
        gamma_constraint: Constraint = None,
        renorm: bool = False,
        renorm_clipping: dict[str, Any] | None = None,
        renorm_momentum: float = 0.99,
        synchronized: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            axis=int(axis),
            epsilon=float(epsilon),
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
        self.renorm_momentum = python_number(renorm_momentum)
        self.synchronized = synchronized
        self.autocast = False  # float16 cannot hold features above 65,504

    def build(self, input_shape: Shape) -> None:
        (axis,) = _positive_axes(self.axis, input_shape)
        self._sizes = shape = known_sizes(input_shape, [axis], self)
        if self.scale:
            self._add_gamma(shape)
        if self.center:
            self._add_beta(shape)
        zero, one = self.moving_mean_initializer, self.moving_variance_initializer
        self.moving_mean = self._add_average("moving_mean", shape, zero)
        self.moving_variance = self._add_average("moving_variance", shape, one)
        if self.renorm:

            def root(shape, dtype=None):
                return ops.sqrt(one(shape, dtype))

            self.moving_stddev = self._add_average("moving_stddev", shape, root)
            self.renorm_mean = self._add_average("renorm_mean", shape, zero)
            self.renorm_stddev = self._add_average("renorm_stddev", shape, root)
        self.input_spec = keras.layers.InputSpec(
            ndim=len(input_shape), axes={self.axis: input_shape[axis]}
        )

    def _add_average(
        self, name: str, shape: Shape, initializer: Initializer
    ) -> keras.Variable:
        return self.add_weight(
            name=name,
            shape=shape,
            initializer=initializer,
            trainable=False,
            autocast=False,
        )

    def call(self, inputs, training: bool | None = None, mask=None):
        x = _in_float32(inputs)
        (axis,) = _positive_axes(self.axis, x.shape)
        shape = _along([axis], self._sizes, len(x.shape))
        gamma, beta = self._gamma_and_beta(x.dtype, shape)
        weights = None if mask is None else _weights(mask, x)
        if training and self.trainable:
            axes = [a for a in range(len(x.shape)) if a != axis]
            is_plain = self._is_plain(weights)
            if is_plain and _fuses_normalization(training, x, [axis]):
                y = self._by_one_program(x, gamma, beta, axes)
            else:
                y = self._by_the_batch(x, gamma, beta, axes, weights)
        else:
            mean = ops.reshape(ops.cast(self.moving_mean, x.dtype), shape)
            variance = ops.reshape(ops.cast(self.moving_variance, x.dtype), shape)
            y = _scale_and_shift(x, variance, gamma, self.epsilon, mean, beta)
        return ops.cast(y, self.compute_dtype)

    def _by_the_batch(self, x, gamma, beta, axes: list[int], weights):
        """x normalized by its own moments, of which the moving averages take note."""
        is_synchronized = self.synchronized and weights is None
        if is_synchronized:
            mean, variance = ops.moments(x, axes, keepdims=True, synchronized=True)
        else:
            mean, variance = _moments(x, axes, weights)
        is_empty = _is_empty(x, axes)
        if is_empty is not False:  # the moments of no sample at all are NaN
            mean = ops.where(is_empty, ops.zeros_like(mean), mean)
            variance = ops.where(is_empty, ops.zeros_like(variance), variance)
        of_channels = ops.reshape(mean, (-1,)), ops.reshape(variance, (-1,))
        if self.renorm:
            r, d = self._correction(*of_channels)
            r, d = ops.reshape(r, gamma.shape), ops.reshape(d, gamma.shape)
            gamma, beta = r * gamma, d * gamma + beta
        self._update_averages(*of_channels, is_empty)
        if is_synchronized:  # the gradient goes through the moments of all replicas
            return _scale_and_shift(x, variance, gamma, self.epsilon, mean, beta)
        return fast_normalization(
            x, mean, variance, gamma, beta, axes, self.epsilon, weights
        )

    def _is_plain(self, weights) -> bool:
        return weights is None and not self.renorm and not self.synchronized

    def _by_one_program(self, x, gamma, beta, axes: list[int]):
        """What `_by_the_batch` returns and does, for a layer without extras."""
        y, *moments = _normalize_places(x, gamma, beta, None, self.epsilon)
        mean, variance = (ops.reshape(moment, (-1,)) for moment in moments)
        self._update_averages(mean, variance, _is_empty(x, axes))
        return y

    def _correction(self, mean, variance):
        """r and d of batch renormalization, which are constants for the gradient."""
        floor = math.sqrt(self.epsilon)
        renorm_stddev = ops.maximum(ops.cast(self.renorm_stddev, mean.dtype), floor)
        r = ops.sqrt(variance + self.epsilon) / renorm_stddev
        d = (mean - ops.cast(self.renorm_mean, mean.dtype)) / renorm_stddev
        bounds = {"rmin": 0.0, "rmax": math.inf, "dmax": math.inf}
        bounds |= {k: v for k, v in self.renorm_clipping.items() if v is not None}
        r = ops.clip(r, bounds["rmin"], bounds["rmax"])
        d = ops.clip(d, -bounds["dmax"], bounds["dmax"])
        return ops.stop_gradient(r), ops.stop_gradient(d)

    def _update_averages(self, mean, variance, is_empty) -> None:
        def assign(old, new):
            if is_empty is not False:
                new = ops.where(is_empty, ops.convert_to_tensor(old), new)
            old.assign(new)

        def average(old, new, momentum):
            assign(old, old * momentum + ops.cast(new, old.dtype) * (1 - momentum))

        average(self.moving_mean, mean, self.momentum)
        if not self.renorm:
            average(self.moving_variance, variance, self.momentum)
            return
        stddev = ops.sqrt(variance + self.epsilon)
        average(self.renorm_mean, mean, self.renorm_momentum)
        average(self.renorm_stddev, stddev, self.renorm_momentum)
        average(self.moving_stddev, stddev, self.momentum)
        variance = ops.square(self.moving_stddev) - self.epsilon
        assign(self.moving_variance, ops.maximum(variance, 0.0))

    def get_config(self) -> Config:
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


def _checked_clipping(bounds: dict[str, Any] | None) -> dict[str, Any]:
    bounds = {key: python_number(bound) for key, bound in (bounds or {}).items()}
    if not set(bounds) <= {"rmin", "rmax", "dmax"}:
        raise ValueError(
            "Received invalid keys for `renorm_clipping`: expected some of 'rmin', "
            f"'rmax', 'dmax', got {list(bounds)}"
        )
    rmin, rmax, dmax = bounds.get("rmin"), bounds.get("rmax"), bounds.get("dmax")
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
