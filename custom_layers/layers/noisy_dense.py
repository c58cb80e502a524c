"""Noisy dense layer: its weights carry noise of a learned size, to explore with."""

import math
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
from ..common.types import (
    Activation,
    Config,
    Constraint,
    Initializer,
    Regularizer,
    Seed,
    Shape,
)

START_OF_INDEPENDENT = 0.017  # the paper's start value of sigma for independent noise


@keras.saving.register_keras_serializable(package="keras_cookbook")
class NoisyDense(keras.layers.Layer):
    """Dense layer whose weights carry noise of a learned size, for agents that explore.

    y = activation(x W + b), W = mu_W + sigma_W * e_W, b = mu_b + sigma_b * e_b
    factorized:  e_W = f(p) f(q)^T, e_b = f(q), f(e) = sign(e) sqrt(|e|)
    independent: each entry of e_W and e_b is a draw of its own
    p, q and all draws ~ Normal(0, 1)

    Learning makes sigma small where noise costs reward, so that exploration needs no
    schedule. A call with training=True draws new noise; `reset_noise()` does so before
    an action, and `remove_noise()` leaves the means. In between, the noise stays as it
    is, and all samples of a batch share it. There is none before the first draw.

    Args:
        units: number of output features, a positive integer.
        sigma: with factorized noise, sigma_W and sigma_b start at sigma / sqrt(D);
            without, at 0.017.
        use_factorised: whether the noise is factorized, which takes D + units draws.
        activation: function applied to x W + b.
        use_bias: whether b is added.
        kernel_..., bias_regularizer and _constraint: of mu and of sigma.
        seed: an integer that makes the noise repeatable.

    Input shape: (B, ..., D). Output shape: (B, ..., units).
    Raises: ValueError for units that are not a positive integer, and a sigma below 0.
    Keras has no such class. TensorFlow Addons draws noise where the layer is built and
    in `reset_noise()` only, which fails there without a bias.

    An agent that knows nothing yet tries both of its actions:

    >>> layer, state = NoisyDense(2, seed=1), keras.ops.ones((1, 3))
    >>> layer.build((1, 3))
    >>> _ = layer.mu_kernel.assign(keras.ops.zeros((3, 2)))
    >>> actions = set()
    >>> for _ in range(20):
    ...     layer.reset_noise()
    ...     actions.add(int(keras.ops.argmax(layer(state))))
    >>> actions
    {0, 1}

    Paper: Fortunato et al., "Noisy networks for exploration", 2017.
    https://arxiv.org/abs/1706.10295
    """

    def __init__(
        self,
        units: int,
        sigma: float = 0.5,
        use_factorised: bool = True,
        activation: Activation = None,
        use_bias: bool = True,
        kernel_regularizer: Regularizer = None,
        bias_regularizer: Regularizer = None,
        activity_regularizer: Regularizer = None,
        kernel_constraint: Constraint = None,
        bias_constraint: Constraint = None,
        seed: Seed = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(activity_regularizer=activity_regularizer, **kwargs)
        self.units = positive_integer(units, "units")
        self.sigma = number_from_zero(sigma, "sigma")
        self.use_factorised = use_factorised
        self.activation = keras.activations.get(activation)
        self.use_bias = use_bias
        self.kernel_regularizer = keras.regularizers.get(kernel_regularizer)
        self.bias_regularizer = keras.regularizers.get(bias_regularizer)
        self.kernel_constraint = keras.constraints.get(kernel_constraint)
        self.bias_constraint = keras.constraints.get(bias_constraint)
        self.seed = python_number(seed)
        self.seed_generator = keras.random.SeedGenerator(self.seed)
        self.input_spec = keras.layers.InputSpec(min_ndim=2)
        self.supports_masking = True

    def build(self, input_shape: Shape) -> None:
        (D,) = known_sizes(input_shape, [-1], self)
        bound, start = math.sqrt(3 / D), START_OF_INDEPENDENT
        if self.use_factorised:
            bound, start = 1 / math.sqrt(D), self.sigma / math.sqrt(D)
        sigma = keras.initializers.Constant(start)

        def add(name: str, shape: Shape, initializer: Initializer, **options: Any):
            return self.add_weight(
                name=name, shape=shape, initializer=initializer, **options
            )

        def mu() -> Any:
            return keras.initializers.RandomUniform(-bound, bound)

        of_kernel = {
            "regularizer": self.kernel_regularizer,
            "constraint": self.kernel_constraint,
        }
        of_bias = {
            "regularizer": self.bias_regularizer,
            "constraint": self.bias_constraint,
        }
        noise = {"trainable": False, "autocast": False}
        shape = D, self.units
        self.sigma_kernel = add("sigma_kernel", shape, sigma, **of_kernel)
        self.mu_kernel = add("mu_kernel", shape, mu(), **of_kernel)
        self.eps_kernel = add("eps_kernel", shape, "zeros", **noise)
        if self.use_bias:
            self.sigma_bias = add("sigma_bias", shape[1:], sigma, **of_bias)
            self.mu_bias = add("mu_bias", shape[1:], mu(), **of_bias)
            self.eps_bias = add("eps_bias", shape[1:], "zeros", **noise)
        self.input_spec = keras.layers.InputSpec(min_ndim=2, axes={-1: D})

    def reset_noise(self) -> None:
        """Draws new noise, which stays until the next draw."""
        D, units = self.eps_kernel.shape
        if self.use_factorised:
            p, q = (_f(self._normal(n)) for n in (D, units))
            e_W, e_b = ops.outer(p, q), q
        else:
            e_W, e_b = self._normal(D, units), self._normal(units)
        self.eps_kernel.assign(e_W)
        if self.use_bias:
            self.eps_bias.assign(e_b)

    def remove_noise(self) -> None:
        """Sets the noise to 0: the layer computes with the means of its weights."""
        self.eps_kernel.assign(ops.zeros(self.eps_kernel.shape))
        if self.use_bias:
            self.eps_bias.assign(ops.zeros(self.eps_bias.shape))

    def _normal(self, *shape: int):
        dtype = self.variable_dtype
        return keras.random.normal(shape, dtype=dtype, seed=self.seed_generator)

    @property
    def kernel(self):
        """W, with its noise."""
        return _noisy(self.mu_kernel, self.sigma_kernel, self.eps_kernel)

    @property
    def bias(self):
        """b, with its noise; None without a bias."""
        if not self.use_bias:
            return None
        return _noisy(self.mu_bias, self.sigma_bias, self.eps_bias)

    def call(self, inputs, training: bool | None = None):
        if training and self.trainable:
            self.reset_noise()
        y = ops.matmul(as_floats(inputs, self.compute_dtype), self.kernel)
        if self.use_bias:
            y = ops.add(y, self.bias)
        return y if self.activation is None else self.activation(y)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return (*input_shape[:-1], self.units)

    def get_config(self) -> Config:
        return {
            **super().get_config(),
            "units": self.units,
            "sigma": self.sigma,
            "use_factorised": self.use_factorised,
            "activation": keras.activations.serialize(self.activation),
            "use_bias": self.use_bias,
            "kernel_regularizer": keras.regularizers.serialize(self.kernel_regularizer),
            "bias_regularizer": keras.regularizers.serialize(self.bias_regularizer),
            "activity_regularizer": keras.regularizers.serialize(
                self.activity_regularizer
            ),
            "kernel_constraint": keras.constraints.serialize(self.kernel_constraint),
            "bias_constraint": keras.constraints.serialize(self.bias_constraint),
            "seed": self.seed,
        }


def _f(e):
    """The paper's f: the size of f(p) f(q) is the geometric mean of |p| and |q|."""
    return ops.sign(e) * ops.sqrt(ops.abs(e))


def _noisy(mu, sigma, e):
    mu = ops.convert_to_tensor(mu)
    return mu + sigma * ops.cast(e, mu.dtype)
