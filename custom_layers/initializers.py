"""Initializers: start values that keep a signal's variance alive through depth."""

import math
import random

import keras

# Standard deviation of a standard normal cut off at +-2: dividing by it gives back
# the variance that the cut takes away.
_TRUNCATED_STDDEV = 0.87962566103423978


class _RandomInitializer(keras.initializers.Initializer):
    """Holds the seed: an integer repeats its draw, a SeedGenerator moves on."""

    def __init__(self, seed=None):
        self._init_seed = seed
        if seed is None:
            # Python's generator, so that keras.utils.set_random_seed governs it.
            seed = random.randint(1, 10**9)
        elif isinstance(seed, dict):
            seed = keras.saving.deserialize_keras_object(seed)
        elif not isinstance(seed, (int, keras.random.SeedGenerator)):
            raise ValueError(
                f"Invalid value for `seed`: got {seed!r}, expected an integer or a "
                "keras.random.SeedGenerator."
            )
        self.seed = seed

    def get_config(self):
        return {"seed": keras.saving.serialize_keras_object(self._init_seed)}


def _fans(shape, input_axes=None, output_axes=None):
    """(fan_in, fan_out): units that feed one output, units that one input feeds.

    A kernel is (..., inputs, outputs); what stands before is its receptive field.
    """
    if input_axes is not None and output_axes is not None:
        return (
            math.prod(shape[axis] for axis in input_axes),
            math.prod(shape[axis] for axis in output_axes),
        )
    if len(shape) < 2:
        fan = math.prod(shape)
        return fan, fan
    receptive_field = math.prod(shape[:-2])
    return shape[-2] * receptive_field, shape[-1] * receptive_field


@keras.saving.register_keras_serializable(package="keras_cookbook")
class VarianceScaling(_RandomInitializer):
    """Weights whose variance is a scale over the number of connections.

    Var(w) = scale / n, with n = fan_in, fan_out or their mean (mode)
    uniform:            w ~ U(-limit, limit), limit = sqrt(3 * scale / n)
    truncated_normal:   w ~ N(0, sqrt(scale / n)), redrawn beyond two deviations
    untruncated_normal: w ~ N(0, sqrt(scale / n))

    Args:
        scale: a number > 0.
        mode: "fan_in", "fan_out" or "fan_avg".
        distribution: "truncated_normal" ("normal" means it too),
            "untruncated_normal" or "uniform".
        seed: integer or keras.random.SeedGenerator; None draws one.
        input_axes, output_axes: axes of the weight that count as inputs and outputs,
            where (..., inputs, outputs) is not its layout.

    Call: (shape, dtype) -> weight of that shape.
    Raises: ValueError for a scale <= 0, an unknown mode or distribution.

    >>> VarianceScaling(2.0, seed=1)((3, 4)).shape
    TensorShape([3, 4])

    Paper: He, Zhang, Ren, Sun, "Delving deep into rectifiers", 2015.
    https://arxiv.org/abs/1502.01852
    """

    def __init__(
        self,
        scale=1.0,
        mode="fan_in",
        distribution="truncated_normal",
        seed=None,
        input_axes=None,
        output_axes=None,
    ):
        if scale <= 0:
            raise ValueError(
                "Argument `scale` must be positive float. "
                f"Received: scale={scale}, expected a number such as 2.0."
            )
        if mode not in ("fan_in", "fan_out", "fan_avg"):
            raise ValueError(
                f"Invalid `mode` argument: got {mode!r}, expected 'fan_in', "
                "'fan_out' or 'fan_avg'."
            )
        distribution = distribution.lower()
        if distribution == "normal":
            distribution = "truncated_normal"
        if distribution not in ("uniform", "truncated_normal", "untruncated_normal"):
            raise ValueError(
                f"Invalid `distribution` argument: got {distribution!r}, expected "
                "'uniform', 'truncated_normal' or 'untruncated_normal'."
            )
        super().__init__(seed)
        self.scale = scale
        self.mode = mode
        self.distribution = distribution
        self.input_axes = input_axes
        self.output_axes = output_axes

    def __call__(self, shape, dtype=None):
        fan_in, fan_out = _fans(tuple(shape), self.input_axes, self.output_axes)
        n = {
            "fan_in": fan_in,
            "fan_out": fan_out,
            "fan_avg": (fan_in + fan_out) / 2,
        }[self.mode]
        variance = self.scale / max(1.0, n)
        draw = {"shape": shape, "dtype": dtype, "seed": self.seed}
        if self.distribution == "uniform":
            limit = math.sqrt(3 * variance)
            return keras.random.uniform(minval=-limit, maxval=limit, **draw)
        stddev = math.sqrt(variance)
        if self.distribution == "untruncated_normal":
            return keras.random.normal(stddev=stddev, **draw)
        return keras.random.truncated_normal(stddev=stddev / _TRUNCATED_STDDEV, **draw)

    def get_config(self):
        return {
            **super().get_config(),
            "scale": self.scale,
            "mode": self.mode,
            "distribution": self.distribution,
            "input_axes": self.input_axes,
            "output_axes": self.output_axes,
        }


class _NamedVarianceScaling(VarianceScaling):
    """A VarianceScaling whose scale, mode and distribution its name fixes."""

    settings = ()  # scale, mode, distribution

    def __init__(self, seed=None, input_axes=None, output_axes=None):
        super().__init__(*self.settings, seed, input_axes, output_axes)

    def get_config(self):
        config = super().get_config()
        return {key: config[key] for key in ("seed", "input_axes", "output_axes")}


@keras.saving.register_keras_serializable(package="keras_cookbook")
class GlorotUniform(_NamedVarianceScaling):
    """Xavier initialization: equal variance forwards and backwards, for tanh.

    w ~ U(-limit, limit), limit = sqrt(6 / (fan_in + fan_out))

    Args:
        seed: integer or keras.random.SeedGenerator; None draws one.
        input_axes, output_axes: as in VarianceScaling.

    Call: (shape, dtype) -> weight of that shape.

    >>> GlorotUniform(seed=1)((3, 4)).shape
    TensorShape([3, 4])

    Paper: Glorot and Bengio, "Understanding the difficulty of training deep
    feedforward neural networks", 2010. https://proceedings.mlr.press/v9/glorot10a.html
    """

    settings = (1.0, "fan_avg", "uniform")


@keras.saving.register_keras_serializable(package="keras_cookbook")
class HeNormal(_NamedVarianceScaling):
    """Kaiming initialization: makes up for the half of the signal that ReLU removes.

    w ~ N(0, sqrt(2 / fan_in)), redrawn beyond two deviations

    Args:
        seed: integer or keras.random.SeedGenerator; None draws one.
        input_axes, output_axes: as in VarianceScaling.

    Call: (shape, dtype) -> weight of that shape.

    >>> HeNormal(seed=1)((3, 4)).shape
    TensorShape([3, 4])

    Paper: He, Zhang, Ren, Sun, "Delving deep into rectifiers", 2015.
    https://arxiv.org/abs/1502.01852
    """

    settings = (2.0, "fan_in", "truncated_normal")
