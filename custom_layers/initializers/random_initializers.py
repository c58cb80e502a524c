"""Random initializers: start values that break the symmetry between units.

`seed` is an integer, which repeats one draw at every call, or a SeedGenerator, which
moves on, or None, which draws an integer.
"""

import math
import random

import keras
from keras import ops

# Standard deviation of a standard normal cut off at +-2: dividing by it gives back
# the variance that the cut takes away.
_TRUNCATED_STDDEV = 0.87962566103423978


class _RandomInitializer(keras.initializers.Initializer):
    """Holds the seed and its configuration."""

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


@keras.saving.register_keras_serializable(package="keras_cookbook")
class RandomNormal(_RandomInitializer):
    """Draws from a normal distribution.

    w ~ N(mean, stddev)

    Args:
        mean, stddev: of the distribution.
        seed: integer or keras.random.SeedGenerator; None draws one.

    Call: (shape, dtype) -> weight of that shape.

    >>> RandomNormal(stddev=0.1, seed=1)((3, 4)).shape
    TensorShape([3, 4])

    Paper: Krizhevsky, Sutskever, Hinton, "ImageNet classification with deep
    convolutional neural networks", 2012. https://doi.org/10.1145/3065386
    """

    def __init__(self, mean=0.0, stddev=0.05, seed=None):
        super().__init__(seed)
        self.mean = mean
        self.stddev = stddev

    def __call__(self, shape, dtype=None):
        return keras.random.normal(shape, self.mean, self.stddev, dtype, self.seed)

    def get_config(self):
        return {**super().get_config(), "mean": self.mean, "stddev": self.stddev}


@keras.saving.register_keras_serializable(package="keras_cookbook")
class TruncatedNormal(RandomNormal):
    """Draws from a normal distribution without its tails: no unit starts saturated.

    w ~ N(mean, stddev), redrawn beyond two deviations

    Args:
        mean, stddev: of the distribution before the cut.
        seed: integer or keras.random.SeedGenerator; None draws one.

    Call: (shape, dtype) -> weight of that shape.

    >>> TruncatedNormal(stddev=0.1, seed=1)((3, 4)).shape
    TensorShape([3, 4])

    Source: https://en.wikipedia.org/wiki/Truncated_normal_distribution
    """

    def __call__(self, shape, dtype=None):
        return keras.random.truncated_normal(
            shape, self.mean, self.stddev, dtype, self.seed
        )


@keras.saving.register_keras_serializable(package="keras_cookbook")
class RandomUniform(_RandomInitializer):
    """Draws evenly from an interval.

    w ~ U(minval, maxval)

    Args:
        minval, maxval: the interval, its upper end left out.
        seed: integer or keras.random.SeedGenerator; None draws one.

    Call: (shape, dtype) -> weight of that shape.

    >>> RandomUniform(-1.0, 1.0, seed=1)((3, 4)).shape
    TensorShape([3, 4])

    Paper: LeCun, Bottou, Orr, Müller, "Efficient backprop", 1998.
    http://yann.lecun.com/exdb/publis/pdf/lecun-98b.pdf
    """

    def __init__(self, minval=-0.05, maxval=0.05, seed=None):
        super().__init__(seed)
        self.minval = minval
        self.maxval = maxval

    def __call__(self, shape, dtype=None):
        return keras.random.uniform(shape, self.minval, self.maxval, dtype, self.seed)

    def get_config(self):
        return {**super().get_config(), "minval": self.minval, "maxval": self.maxval}


@keras.saving.register_keras_serializable(package="keras_cookbook")
class Orthogonal(_RandomInitializer):
    """A random rotation: it keeps the length of every signal, however deep the net.

    Q R = A, A ~ N(0, 1); w = gain * Q * sign(diag(R)), even over all rotations

    Args:
        gain: factor of the matrix.
        seed: integer or keras.random.SeedGenerator; None draws one.

    Call: (shape, dtype) -> weight of that shape; as a matrix (rows, last axis), its
        columns, or its rows where they are fewer, are orthonormal.
    Raises: ValueError for a shape of fewer than two axes.

    >>> Orthogonal(seed=1)((3, 4)).shape
    TensorShape([3, 4])

    Paper: Saxe, McClelland, Ganguli, "Exact solutions to the nonlinear dynamics of
    learning in deep linear neural networks", 2013. https://arxiv.org/abs/1312.6120
    """

    def __init__(self, gain=1.0, seed=None):
        super().__init__(seed)
        self.gain = gain

    def __call__(self, shape, dtype=None):
        if len(shape) < 2:
            raise ValueError(
                "The tensor to initialize must be at least two-dimensional. "
                f"Received: shape={tuple(shape)} of rank {len(shape)}."
            )
        rows, columns = math.prod(shape[:-1]), shape[-1]
        tall = (max(rows, columns), min(rows, columns))
        q, r = ops.qr(keras.random.normal(tall, dtype=dtype, seed=self.seed))
        q = q * ops.sign(ops.diag(r))
        if rows < columns:
            q = ops.transpose(q)
        return self.gain * ops.reshape(q, shape)

    def get_config(self):
        return {**super().get_config(), "gain": self.gain}


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
    """Xavier: equal variance forwards and backwards, for tanh.

    w ~ U(-limit, limit), limit = sqrt(6 / (fan_in + fan_out))

    Args and call: as in VarianceScaling, of which this is a special case.

    >>> GlorotUniform(seed=1)((3, 4)).shape
    TensorShape([3, 4])

    Paper: Glorot and Bengio, "Understanding the difficulty of training deep
    feedforward neural networks", 2010. https://proceedings.mlr.press/v9/glorot10a.html
    """

    settings = (1.0, "fan_avg", "uniform")


@keras.saving.register_keras_serializable(package="keras_cookbook")
class GlorotNormal(_NamedVarianceScaling):
    """Xavier as a normal: equal variance forwards and backwards.

    w ~ N(0, sqrt(2 / (fan_in + fan_out))), redrawn beyond two deviations

    Args and call: as in VarianceScaling, of which this is a special case.

    >>> GlorotNormal(seed=1)((3, 4)).shape
    TensorShape([3, 4])

    Paper: Glorot and Bengio, "Understanding the difficulty of training deep
    feedforward neural networks", 2010. https://proceedings.mlr.press/v9/glorot10a.html
    """

    settings = (1.0, "fan_avg", "truncated_normal")


@keras.saving.register_keras_serializable(package="keras_cookbook")
class HeUniform(_NamedVarianceScaling):
    """Kaiming: makes up for the half of the signal that ReLU removes.

    w ~ U(-limit, limit), limit = sqrt(6 / fan_in)

    Args and call: as in VarianceScaling, of which this is a special case.

    >>> HeUniform(seed=1)((3, 4)).shape
    TensorShape([3, 4])

    Paper: He, Zhang, Ren, Sun, "Delving deep into rectifiers", 2015.
    https://arxiv.org/abs/1502.01852
    """

    settings = (2.0, "fan_in", "uniform")


@keras.saving.register_keras_serializable(package="keras_cookbook")
class HeNormal(_NamedVarianceScaling):
    """Kaiming as a normal: makes up for the half that ReLU removes.

    w ~ N(0, sqrt(2 / fan_in)), redrawn beyond two deviations

    Args and call: as in VarianceScaling, of which this is a special case.

    >>> HeNormal(seed=1)((3, 4)).shape
    TensorShape([3, 4])

    Paper: He, Zhang, Ren, Sun, "Delving deep into rectifiers", 2015.
    https://arxiv.org/abs/1502.01852
    """

    settings = (2.0, "fan_in", "truncated_normal")


@keras.saving.register_keras_serializable(package="keras_cookbook")
class LecunUniform(_NamedVarianceScaling):
    """LeCun: the sum of a unit's inputs keeps the variance of one.

    w ~ U(-limit, limit), limit = sqrt(3 / fan_in)

    Args and call: as in VarianceScaling, of which this is a special case.

    >>> LecunUniform(seed=1)((3, 4)).shape
    TensorShape([3, 4])

    Paper: LeCun, Bottou, Orr, Müller, "Efficient backprop", 1998.
    http://yann.lecun.com/exdb/publis/pdf/lecun-98b.pdf
    """

    settings = (1.0, "fan_in", "uniform")


@keras.saving.register_keras_serializable(package="keras_cookbook")
class LecunNormal(_NamedVarianceScaling):
    """LeCun as a normal: keeps the variance of an input; SELU's start.

    w ~ N(0, sqrt(1 / fan_in)), redrawn beyond two deviations

    Args and call: as in VarianceScaling, of which this is a special case.

    >>> LecunNormal(seed=1)((3, 4)).shape
    TensorShape([3, 4])

    Paper: LeCun, Bottou, Orr, Müller, "Efficient backprop", 1998.
    http://yann.lecun.com/exdb/publis/pdf/lecun-98b.pdf
    """

    settings = (1.0, "fan_in", "truncated_normal")
