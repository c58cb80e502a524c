"""Variational dropout: every weight learns a dropout rate of its own."""

from typing import Any

import keras
from keras import ops

from ..common.checks import (
    known_sizes,
    number_from_zero,
    positive_integer,
    python_number,
)
from ..common.inputs import as_floats
from ..common.types import Activation, Config, Initializer, Regularizer, Seed, Shape

SMALLEST = 1e-8  # added to a square before its logarithm or root


@keras.saving.register_keras_serializable(package="keras_cookbook")
class VariationalDense(keras.layers.Layer):
    """Dense layer with variational dropout: each weight learns how noisy it may be.

    w ~ Normal(theta, sigma^2), alpha = sigma^2 / theta^2
    training:  y = x theta + b + sqrt(x^2 sigma^2) * e, e ~ Normal(0, 1)
    inference: y = x (theta where log alpha < threshold, else 0) + b
    loss += kl_weight * sum over the weights of
        0.63576 sigmoid(-1.8732 - 1.48695 log alpha) + log(1 + 1 / alpha) / 2

    alpha = p / (1 - p) is Gaussian dropout at the rate p. The noise is drawn for y, not
    for w, so that samples do not share it. The loss is the divergence from a
    log-uniform prior; it falls as alpha grows, so that weights which the data do not
    need become noise, and count as 0 in inference: most of them, in large layers.

    Args:
        units: number of output features, a positive integer.
        kl_weight: 1 / number of training samples where the loss is a mean over samples.
            It is a variable; raise it from 0 in the first epochs.
        threshold: log alpha from which on a weight counts as 0; 3 is a rate of 0.95.
        activation: function applied to y.
        use_bias: whether b, which has no noise, is added.
        kernel_initializer, bias_initializer: start values of theta and b.
        log_sigma2_start: start value of log sigma^2.
        bias_regularizer: penalty on b.
        seed: an integer that makes the noise repeatable.

    Input shape: (B, ..., D). Output shape: (B, ..., units).
    Raises: ValueError for units that are not a positive integer, a kl_weight below 0.
    Keras has no such class.

    A weight that is smaller than its noise is left out, a larger one is not:

    >>> layer = VariationalDense(1, kl_weight=0.01, use_bias=False)
    >>> layer.build((None, 2))
    >>> _ = layer.theta.assign([[1.0], [0.01]]), layer.log_sigma2.assign([[-6.0]] * 2)
    >>> [float(y) for y in layer(keras.ops.eye(2))[:, 0]], float(layer.sparsity())
    ([1.0, 0.0], 0.5)

    Papers: Kingma, Salimans, Welling, "Variational dropout and the local
    reparameterization trick", 2015, https://arxiv.org/abs/1506.02557; Molchanov,
    Ashukha, Vetrov, "Variational dropout sparsifies deep neural networks", 2017.
    https://arxiv.org/abs/1701.05369
    """

    def __init__(
        self,
        units: int,
        kl_weight: float,
        threshold: float = 3.0,
        activation: Activation = None,
        use_bias: bool = True,
        kernel_initializer: Initializer = "glorot_uniform",
        bias_initializer: Initializer = "zeros",
        log_sigma2_start: float = -10.0,
        bias_regularizer: Regularizer = None,
        seed: Seed = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.units = positive_integer(units, "units")
        self.start_of_kl_weight = number_from_zero(kl_weight, "kl_weight")
        self.threshold = python_number(threshold)
        self.activation = keras.activations.get(activation)
        self.use_bias = use_bias
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.bias_initializer = keras.initializers.get(bias_initializer)
        self.log_sigma2_start = python_number(log_sigma2_start)
        self.bias_regularizer = keras.regularizers.get(bias_regularizer)
        self.seed = python_number(seed)
        self.seed_generator = keras.random.SeedGenerator(self.seed)
        self.input_spec = keras.layers.InputSpec(min_ndim=2)
        self.supports_masking = True

    def build(self, input_shape: Shape) -> None:
        (D,) = known_sizes(input_shape, [-1], self)
        shape = D, self.units
        # In half precision, log alpha and the penalty would lose their digits.
        self.theta = self.add_weight(
            name="theta",
            shape=shape,
            initializer=self.kernel_initializer,
            autocast=False,
        )
        self.log_sigma2 = self.add_weight(
            name="log_sigma2",
            shape=shape,
            initializer=keras.initializers.Constant(self.log_sigma2_start),
            autocast=False,
        )
        if self.use_bias:
            self.bias = self.add_weight(
                name="bias",
                shape=shape[1:],
                initializer=self.bias_initializer,
                regularizer=self.bias_regularizer,
            )
        self.kl_weight = self.add_weight(
            name="kl_weight",
            shape=(),
            initializer=keras.initializers.Constant(self.start_of_kl_weight),
            trainable=False,
            autocast=False,
        )
        self.input_spec = keras.layers.InputSpec(min_ndim=2, axes={-1: D})

    def log_alpha(self):
        """log(sigma^2 / theta^2) of every weight."""
        square = ops.square(ops.convert_to_tensor(self.theta))
        return self.log_sigma2 - ops.log(square + SMALLEST)

    def sparsity(self):
        """The share of the weights that count as 0 in inference."""
        is_noise = self.log_alpha() >= self.threshold
        return ops.mean(ops.cast(is_noise, "float32"))

    def call(self, inputs, training: bool | None = None):
        x = as_floats(inputs, self.compute_dtype)
        log_alpha = self.log_alpha()
        self.add_loss(self.kl_weight * _divergence(log_alpha))
        theta = ops.convert_to_tensor(self.theta)
        if not training:
            theta = ops.where(log_alpha < self.threshold, theta, 0.0)
        y = ops.matmul(x, ops.cast(theta, x.dtype))
        if training:
            y = y + ops.cast(self._noise(x), y.dtype)
        if self.use_bias:
            y = ops.add(y, self.bias)
        return y if self.activation is None else self.activation(y)

    def _noise(self, x):
        x = ops.cast(x, self.variable_dtype)
        variance = ops.matmul(ops.square(x), ops.exp(self.log_sigma2))
        e = keras.random.normal(
            ops.shape(variance), dtype=self.variable_dtype, seed=self.seed_generator
        )
        return ops.sqrt(variance + SMALLEST) * e

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return (*input_shape[:-1], self.units)

    def get_config(self) -> Config:
        return {
            **super().get_config(),
            "units": self.units,
            "kl_weight": self.start_of_kl_weight,
            "threshold": self.threshold,
            "activation": keras.activations.serialize(self.activation),
            "use_bias": self.use_bias,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
            "bias_initializer": keras.initializers.serialize(self.bias_initializer),
            "log_sigma2_start": self.log_sigma2_start,
            "bias_regularizer": keras.regularizers.serialize(self.bias_regularizer),
            "seed": self.seed,
        }


def _divergence(log_alpha):
    """The sum of KL(Normal(theta, sigma^2), log-uniform), by the fit of Molchanov."""
    k1, k2, k3 = 0.63576, 1.87320, 1.48695
    divergence = k1 * ops.sigmoid(-(k2 + k3 * log_alpha)) + ops.softplus(-log_alpha) / 2
    return ops.sum(divergence)
