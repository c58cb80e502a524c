"""Dropout: noise on the activations that keeps units from relying on each other."""

import math

import keras
from keras import ops

from ..common.private_keras import build_at_init


def _random_integers(n, bits, seed):
    """n signed integers of 16 or 32 random bits each.

    Cut from words of 64 bits: XLA on CPUs draws those far faster. JAX has none.
    """
    width = 32 if keras.backend.backend() == "jax" else 64
    half = 2 ** (width - 1)
    words = keras.random.randint(
        (n // (width // bits) + 1, 1), -half, half - 1, dtype=f"int{width}", seed=seed
    )
    return ops.reshape(ops.view(words, f"int{bits}"), (-1,))[:n]


def _keep(shape, rate, seed):
    """True with probability 1 - rate, rounded to a multiple of 2^-16."""
    threshold = min(round(rate * 2**16), 2**16 - 1) - 2**15
    keep = _random_integers(math.prod(shape), 16, seed) >= ops.cast(threshold, "int16")
    return ops.reshape(keep, shape)


def _normal(shape, dtype, seed):
    """Standard normal numbers, two from each pair of uniform ones (Box and Muller)."""
    n = math.prod(shape)
    half = (n + 1) // 2
    u = ops.cast(_random_integers(2 * half, 32, seed), "float32") * 2.0**-32
    r = ops.sqrt(-2 * ops.log(ops.maximum(u[:half] + 0.5, 2.0**-27)))
    angle = 2 * math.pi * u[half:]
    pairs = ops.concatenate([r * ops.cos(angle), r * ops.sin(angle)])
    return ops.cast(ops.reshape(pairs[:n], shape), dtype)


class _Noise(keras.layers.Layer):
    """A layer that adds noise of some strength in training, and else does nothing."""

    strength = "rate"
    may_be_one = True

    def __init__(self, strength, seed, **kwargs):
        super().__init__(**kwargs)
        if not 0 <= strength <= 1 or (strength == 1 and not self.may_be_one):
            raise ValueError(
                f"Invalid value received for argument `{self.strength}`. Expected a "
                f"float value between 0 and 1{'' if self.may_be_one else ', below 1'}. "
                f"Received: {self.strength}={strength}"
            )
        setattr(self, self.strength, strength)
        self.seed = seed
        if strength > 0:
            self.seed_generator = keras.random.SeedGenerator(seed)
        self.supports_masking = True
        build_at_init(self)

    def call(self, inputs, training=False):
        if training and getattr(self, self.strength) > 0:
            return self._add_noise(inputs)
        return inputs

    def compute_output_shape(self, input_shape):
        return input_shape

    def get_config(self):
        strength = getattr(self, self.strength)
        return {**super().get_config(), self.strength: strength, "seed": self.seed}


@keras.saving.register_keras_serializable(package="keras_cookbook")
class Dropout(_Noise):
    """Inverted dropout: in training each unit is silenced with probability `rate`.

    training:  y = x * m / (1 - rate), m ~ Bernoulli(1 - rate)
    inference: y = x

    Args:
        rate: share of units set to zero, in [0, 1].
        noise_shape: shape of m, broadcast to x; None or a None entry means x's own.
        seed: integer that makes the noise repeatable.

    Input and output shape: any, the same.
    Raises: ValueError for a rate outside [0, 1] or a noise_shape that is no sequence
        of positive integers and None.
    Differs from Keras: other units fall for the same seed; m's probability is rounded
        to a multiple of 2^-16.

    >>> float(Dropout(0.5)(keras.ops.ones(())))
    1.0

    Paper: Srivastava, Hinton, Krizhevsky, Sutskever, Salakhutdinov, "Dropout: a
    simple way to prevent neural networks from overfitting", 2014.
    https://jmlr.org/papers/v15/srivastava14a.html
    """

    def __init__(self, rate, noise_shape=None, seed=None, **kwargs):
        super().__init__(rate, seed, **kwargs)
        self.noise_shape = _checked_noise_shape(noise_shape)

    def _add_noise(self, inputs):
        if self.rate == 1:
            return ops.zeros_like(inputs)
        m = _keep(self._shape_of_noise(inputs), self.rate, self.seed_generator)
        return inputs * (ops.cast(m, inputs.dtype) * (1 / (1 - self.rate)))

    def _shape_of_noise(self, inputs):
        return _filled_in(self.noise_shape, inputs)

    def get_config(self):
        return {**super().get_config(), "noise_shape": self.noise_shape}


def _filled_in(noise_shape, inputs):
    """`noise_shape` with the inputs' dimensions in place of None."""
    shape = ops.shape(inputs)
    if noise_shape is None:
        return shape
    return [own if n is None else n for n, own in zip(noise_shape, shape)]


def _checked_noise_shape(noise_shape):
    if noise_shape is None:
        return None
    problem = "Invalid value received for argument `noise_shape`. Expected"
    received = f"Received: noise_shape={noise_shape}"
    if isinstance(noise_shape, str) or not hasattr(noise_shape, "__iter__"):
        raise ValueError(f"{problem} a tuple or list of integers. {received}")
    noise_shape = tuple(noise_shape)
    if not all(n is None or isinstance(n, int) for n in noise_shape):
        raise ValueError(f"{problem} all elements to be integers or None. {received}")
    if not all(n is None or n > 0 for n in noise_shape):
        raise ValueError(
            f"{problem} all dimensions to be positive integers or None. {received}"
        )
    return noise_shape


class _SpatialDropout(Dropout):
    """Dropout of whole feature maps; subclasses say of how many dimensions."""

    dimensions = None

    def __init__(self, rate, data_format, seed, name, dtype):
        super().__init__(rate, seed=seed, name=name, dtype=dtype)
        data_format = data_format or keras.config.image_data_format()
        if data_format not in ("channels_first", "channels_last"):
            raise ValueError(
                "Invalid value for `data_format`: expected 'channels_first' or "
                f"'channels_last', got {data_format!r}"
            )
        self.data_format = data_format
        self.input_spec = keras.layers.InputSpec(ndim=self.dimensions + 2)

    def _shape_of_noise(self, inputs):
        batch, *places, last = ops.shape(inputs)
        ones = [1] * self.dimensions
        if self.data_format == "channels_first":
            return [batch, places[0], *ones]
        return [batch, *ones, last]

    def get_config(self):
        config = super().get_config()
        kept = {key: config[key] for key in ("rate", "seed", "name", "dtype")}
        return {**kept, "data_format": self.data_format}


@keras.saving.register_keras_serializable(package="keras_cookbook")
class SpatialDropout1D(_SpatialDropout):
    """Dropout of whole channels of a sequence: neighbouring steps fall together.

    training:  y = x * m / (1 - rate), m of shape (B, 1, C) ~ Bernoulli(1 - rate)
    inference: y = x

    Args:
        rate: share of channels set to zero, in [0, 1].
        seed: integer that makes the noise repeatable.

    Input and output shape: (B, T, C).
    Raises: ValueError for a rate outside [0, 1].

    >>> SpatialDropout1D(0.5)(keras.ops.ones((2, 4, 3))).shape
    TensorShape([2, 4, 3])

    Paper: Tompson, Goroshin, Jain, LeCun, Bregler, "Efficient object localization using
    convolutional networks", 2015. https://arxiv.org/abs/1411.4280
    """

    dimensions = 1

    def __init__(self, rate, seed=None, name=None, dtype=None):
        super().__init__(rate, "channels_last", seed, name, dtype)

    def get_config(self):
        config = super().get_config()
        del config["data_format"]
        return config


@keras.saving.register_keras_serializable(package="keras_cookbook")
class SpatialDropout2D(_SpatialDropout):
    """Dropout of whole feature maps: neighbouring pixels fall together.

    training:  y = x * m / (1 - rate), m of shape (B, 1, 1, C) ~ Bernoulli(1 - rate)
    inference: y = x

    Args:
        rate: share of feature maps set to zero, in [0, 1].
        data_format: "channels_last" or "channels_first"; None means Keras's setting.
        seed: integer that makes the noise repeatable.

    Input and output shape: (B, H, W, C) or (B, C, H, W).
    Raises: ValueError for a rate outside [0, 1], another data_format.

    >>> SpatialDropout2D(0.5)(keras.ops.ones((2, 4, 4, 3))).shape
    TensorShape([2, 4, 4, 3])

    Paper: Tompson, Goroshin, Jain, LeCun, Bregler, "Efficient object localization using
    convolutional networks", 2015. https://arxiv.org/abs/1411.4280
    """

    dimensions = 2

    def __init__(self, rate, data_format=None, seed=None, name=None, dtype=None):
        super().__init__(rate, data_format, seed, name, dtype)


@keras.saving.register_keras_serializable(package="keras_cookbook")
class SpatialDropout3D(_SpatialDropout):
    """Dropout of whole feature volumes: neighbouring voxels fall together.

    training:  y = x * m / (1 - rate), m of shape (B, 1, 1, 1, C) ~ Bernoulli(1 - rate)
    inference: y = x

    Args:
        rate: share of feature volumes set to zero, in [0, 1].
        data_format: "channels_last" or "channels_first"; None means Keras's setting.
        seed: integer that makes the noise repeatable.

    Input and output shape: (B, D, H, W, C) or (B, C, D, H, W).
    Raises: ValueError for a rate outside [0, 1], another data_format.

    >>> SpatialDropout3D(0.5)(keras.ops.ones((2, 4, 4, 4, 3))).shape
    TensorShape([2, 4, 4, 4, 3])

    Paper: Tompson, Goroshin, Jain, LeCun, Bregler, "Efficient object localization using
    convolutional networks", 2015. https://arxiv.org/abs/1411.4280
    """

    dimensions = 3

    def __init__(self, rate, data_format=None, seed=None, name=None, dtype=None):
        super().__init__(rate, data_format, seed, name, dtype)


@keras.saving.register_keras_serializable(package="keras_cookbook")
class StochasticDepth(Dropout):
    """Drop path: silences whole samples, at the end of a residual branch.

    training:  y = x * m / (1 - rate), m of shape (B, 1, ..., 1) ~ Bernoulli(1 - rate)
    inference: y = x

    Args:
        rate: share of samples set to zero, in [0, 1].
        seed: integer that makes the noise repeatable.

    Input and output shape: any with a batch axis, the same.
    Raises: ValueError for a rate outside [0, 1].
    Keras has no such class. The paper scales by 1 - rate in inference instead; on
    average both are the same.

    >>> StochasticDepth(0.2)(keras.ops.ones((2, 4, 4, 3))).shape
    TensorShape([2, 4, 4, 3])

    Paper: Huang, Sun, Liu, Sedra, Weinberger, "Deep networks with stochastic depth",
    2016. https://arxiv.org/abs/1603.09382
    """

    def __init__(self, rate, seed=None, **kwargs):
        super().__init__(rate, seed=seed, **kwargs)

    def _shape_of_noise(self, inputs):
        return [ops.shape(inputs)[0], *[1] * (len(inputs.shape) - 1)]

    def get_config(self):
        config = super().get_config()
        del config["noise_shape"]
        return config


@keras.saving.register_keras_serializable(package="keras_cookbook")
class AlphaDropout(_Noise):
    """Dropout for SELU networks: keeps the mean 0 and the variance 1 of its input.

    training:  y = a * (x * m - s * (1 - m)) + b, m ~ Bernoulli(1 - rate)
               s = 1.7581, the limit of -selu; a and b restore mean and variance:
               a = ((1 - rate) * (1 + rate * s^2))^-1/2, b = a * rate * s
    inference: y = x

    Args:
        rate: share of units set to -s, in [0, 1).
        noise_shape: shape of m, broadcast to x; None or a None entry means x's own.
        seed: integer that makes the noise repeatable.

    Input and output shape: any, the same.
    Raises: ValueError for a rate outside [0, 1) or a noise_shape that is no sequence
        of positive integers and None.
    Differs from Keras: as Dropout does; a rate of 1 is refused at once.

    >>> float(AlphaDropout(0.5)(keras.ops.ones(())))
    1.0

    Paper: Klambauer, Unterthiner, Mayr, Hochreiter, "Self-normalizing neural networks",
    2017. https://arxiv.org/abs/1706.02515
    """

    may_be_one = False

    def __init__(self, rate, noise_shape=None, seed=None, **kwargs):
        super().__init__(rate, seed, **kwargs)
        self.noise_shape = _checked_noise_shape(noise_shape)

    def _add_noise(self, inputs):
        m = _keep(_filled_in(self.noise_shape, inputs), self.rate, self.seed_generator)
        s = 1.6732632423543772 * 1.0507009873554805
        a = ((1 - self.rate) * (1 + self.rate * s**2)) ** -0.5
        b = a * self.rate * s
        return a * ops.where(m, inputs, ops.cast(-s, inputs.dtype)) + b

    def get_config(self):
        return {**super().get_config(), "noise_shape": self.noise_shape}


@keras.saving.register_keras_serializable(package="keras_cookbook")
class GaussianDropout(_Noise):
    """Multiplies by noise around 1 that has the variance of Dropout's.

    training:  y = x * (1 + sqrt(rate / (1 - rate)) * e), e ~ Normal(0, 1)
    inference: y = x

    Args:
        rate: the rate of the Dropout with the same variance, in [0, 1).
        seed: integer that makes the noise repeatable.

    Input and output shape: any, the same.
    Raises: ValueError for a rate outside [0, 1).
    Differs from Keras: other noise for the same seed; a rate of 1 is refused at once.

    >>> float(GaussianDropout(0.5)(keras.ops.ones(())))
    1.0

    Paper: Srivastava, Hinton, Krizhevsky, Sutskever, Salakhutdinov, "Dropout: a
    simple way to prevent neural networks from overfitting", 2014, section 10.
    https://jmlr.org/papers/v15/srivastava14a.html
    """

    may_be_one = False

    def __init__(self, rate, seed=None, **kwargs):
        super().__init__(rate, seed, **kwargs)

    def _add_noise(self, inputs):
        stddev = math.sqrt(self.rate / (1 - self.rate))
        e = _normal(ops.shape(inputs), inputs.dtype, self.seed_generator)
        return inputs * (1 + stddev * e)


@keras.saving.register_keras_serializable(package="keras_cookbook")
class GaussianNoise(_Noise):
    """Adds normal noise.

    training:  y = x + stddev * e, e ~ Normal(0, 1)
    inference: y = x

    Args:
        stddev: deviation of the noise, in [0, 1].
        seed: integer that makes the noise repeatable.

    Input and output shape: any, the same.
    Raises: ValueError for a stddev outside [0, 1].
    Differs from Keras: other noise for the same seed.

    >>> float(GaussianNoise(0.5)(keras.ops.ones(())))
    1.0

    Paper: Bishop, "Training with noise is equivalent to Tikhonov regularization", 1995.
    https://doi.org/10.1162/neco.1995.7.1.108
    """

    strength = "stddev"

    def __init__(self, stddev, seed=None, **kwargs):
        super().__init__(stddev, seed, **kwargs)

    def _add_noise(self, inputs):
        e = _normal(ops.shape(inputs), inputs.dtype, self.seed_generator)
        return inputs + self.stddev * e
