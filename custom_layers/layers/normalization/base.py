"""The one formula of normalization, its gradient, and what its layers share.

y = (x - mean) / sqrt(variance + epsilon) * gamma + beta; the layers differ in the axes
over which mean and variance are taken.
"""

import math

import keras
from keras import ops


def _moments(x, axes, weights=None):
    """Two-pass mean and variance over `axes`, of the places of weight 1."""
    if weights is None:
        mean = ops.mean(x, axis=axes, keepdims=True)
        return mean, ops.mean(ops.square(x - mean), axis=axes, keepdims=True)
    n = _count(x, axes, weights)
    mean = ops.sum(ops.where(weights > 0, x, 0.0), axis=axes, keepdims=True) / n
    square = ops.where(weights > 0, ops.square(x - mean), 0.0)
    return mean, ops.sum(square, axis=axes, keepdims=True) / n


def _count(x, axes, weights):
    """How many places the moments are taken over."""
    if weights is not None:
        return ops.sum(weights, axis=axes, keepdims=True) + keras.config.epsilon()
    shape = ops.shape(x)
    return ops.cast(math.prod(shape[a] for a in axes), x.dtype)


def _affine(x, variance, gamma, mean=None, beta=None, *, epsilon):
    """(x - mean) / sqrt(variance + epsilon) * gamma + beta, as one product and sum."""
    scale = ops.rsqrt(variance + epsilon) * gamma
    return x * scale if mean is None else x * scale + (beta - mean * scale)


def _normalize(x, axes, moments, gamma, beta, epsilon, weights=None):
    """`_affine` with the moments of x over `axes`; its gradient in closed form.

    With g = dy * gamma, x_hat = (x - mean) / deviation and n places in `axes`,
    dx = (g - sum(g) / n - x_hat * sum(g * x_hat) / n) / deviation
    A mean and beta of None are left out, and with them sum(g) / n.
    """
    mean, variance = moments
    inner = [a for a in axes if gamma.shape[a] == 1]  # gamma is constant along these
    outer = [a for a in axes if gamma.shape[a] != 1]

    @ops.custom_gradient
    def normalize(*inputs):
        def gradient(*args, upstream=None):
            # torch hands over the inputs as well, TensorFlow and JAX dy alone.
            dy, saved = (args[0], inputs) if upstream is None else (upstream, args)
            x, variance, gamma, *shift = saved
            inverse = ops.rsqrt(variance + epsilon)
            centered = x - shift[0] if shift else x
            share = (1.0 if weights is None else weights) / _count(x, axes, weights)
            s1 = _sum(dy * centered, inner) * inverse
            m1 = _sum(gamma * s1, outer) * (share * inverse * inverse)
            dx = dy * (gamma * inverse) - centered * m1
            dgamma = _sum_to(s1, gamma.shape)
            if not shift:
                return dx, None, dgamma
            s0 = _sum(dy, inner)
            m0 = _sum(gamma * s0, outer) * (share * inverse)
            return dx - m0, None, dgamma, None, _sum_to(s0, gamma.shape)

        return _affine(*inputs, epsilon=epsilon), gradient

    shift = [] if mean is None else [mean, beta]
    return normalize(x, variance, gamma, *shift)


def _sum(x, axes):
    return ops.sum(x, axis=axes, keepdims=True) if axes else x


def _sum_to(x, shape):
    """x summed over the axes along which `shape` is 1."""
    return _sum(x, [a for a, n in enumerate(shape) if n == 1 and x.shape[a] != 1])


class _Normalization(keras.layers.Layer):
    """What the layers share: gamma and beta, and the arguments that make them."""

    def __init__(
        self,
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
    ):
        super().__init__(**kwargs)
        self.axis = axis
        self.epsilon = epsilon
        self.center = center
        self.scale = scale
        self.beta_initializer = keras.initializers.get(beta_initializer)
        self.gamma_initializer = keras.initializers.get(gamma_initializer)
        self.beta_regularizer = keras.regularizers.get(beta_regularizer)
        self.gamma_regularizer = keras.regularizers.get(gamma_regularizer)
        self.beta_constraint = keras.constraints.get(beta_constraint)
        self.gamma_constraint = keras.constraints.get(gamma_constraint)
        self.supports_masking = True
        self.gamma = None
        self.beta = None

    def _add_gamma_and_beta(self, shape, scale, center):
        for name, wanted in (("gamma", scale), ("beta", center)):
            if wanted:
                weight = self.add_weight(
                    name=name,
                    shape=shape,
                    initializer=getattr(self, f"{name}_initializer"),
                    regularizer=getattr(self, f"{name}_regularizer"),
                    constraint=getattr(self, f"{name}_constraint"),
                    autocast=False,
                )
                setattr(self, name, weight)

    def _gamma_and_beta(self, dtype, shape):
        """Both in that dtype and shape; 1 and 0 where the layer has none."""
        pair = (self.gamma, 1), (self.beta, 0)
        return [
            ops.full(shape, default, dtype)
            if weight is None
            else ops.reshape(ops.cast(weight, dtype), shape)
            for weight, default in pair
        ]

    def compute_output_shape(self, input_shape):
        _positive_axes(self.axis, input_shape)
        return input_shape

    def get_config(self):
        return {
            **super().get_config(),
            "axis": self.axis,
            "epsilon": self.epsilon,
            "center": self.center,
            "scale": self.scale,
            "beta_initializer": keras.initializers.serialize(self.beta_initializer),
            "gamma_initializer": keras.initializers.serialize(self.gamma_initializer),
            "beta_regularizer": keras.regularizers.serialize(self.beta_regularizer),
            "gamma_regularizer": keras.regularizers.serialize(self.gamma_regularizer),
            "beta_constraint": keras.constraints.serialize(self.beta_constraint),
            "gamma_constraint": keras.constraints.serialize(self.gamma_constraint),
        }


def _positive_axes(axis, shape):
    """The axes as a sorted list of numbers from 0."""
    axes = [axis] if isinstance(axis, int) else axis
    for a in axes:
        if not -len(shape) <= a < len(shape):
            raise ValueError(
                f"Axis {a} is out of bounds for input shape {shape}. "
                f"Received: axis={axis}"
            )
    return sorted(a % len(shape) for a in axes)


def _along(axes, shape):
    """`shape` with 1 for every axis but `axes`."""
    return [n if a in axes else 1 for a, n in enumerate(shape)]


def _in_float32(x):
    """x in float32 at least: half precision would spoil the moments."""
    return ops.cast(x, keras.backend.result_type(x.dtype, "float32"))
