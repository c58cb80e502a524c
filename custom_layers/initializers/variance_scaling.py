"""Variance scaling, the formula behind the Glorot, He and LeCun initializers."""

import math
from collections.abc import Sequence

import keras

from ..common.checks import python_number
from ..common.types import Config, Seed
from .random_initializers import _RandomInitializer

# Standard deviation of a standard normal that is cut off at -2 and 2. Dividing by it
# restores the variance that the cut takes away.
_TRUNCATED_STDDEV = 0.87962566103423978


@keras.saving.register_keras_serializable(package="keras_cookbook")
class VarianceScaling(_RandomInitializer):
    """Random initializer whose variance is a scale over the number of connections.

    Var(w) = scale / n, where mode says whether n is fan_in, fan_out or their mean
    uniform:            w ~ U(-limit, limit), limit = sqrt(3 * scale / n)
    truncated_normal:   w ~ N(0, sqrt(scale / n)), drawn again beyond two deviations
    untruncated_normal: w ~ N(0, sqrt(scale / n))

    Args:
        scale: a number > 0.
        mode: "fan_in", "fan_out" or "fan_avg".
        distribution: "truncated_normal" (also called "normal"), "untruncated_normal"
            or "uniform".
        seed: integer or keras.random.SeedGenerator; None draws an integer.
        input_axes, output_axes: axes of the weight that count as inputs and outputs,
            if its layout is not (..., inputs, outputs).

    Call: (shape, dtype) -> weight of that shape.
    Raises: ValueError for a scale <= 0, an unknown mode or distribution.

    >>> W = VarianceScaling(2.0, mode="fan_in", seed=1)((200, 400))
    >>> round(float(keras.ops.var(W)), 3)  # 2 / 200
    0.01

    Paper: He, Zhang, Ren, Sun, "Delving deep into rectifiers", 2015.
    https://arxiv.org/abs/1502.01852
    """

    def __init__(
        self,
        scale: float = 1.0,
        mode: str = "fan_in",
        distribution: str = "truncated_normal",
        seed: Seed = None,
        input_axes: Sequence[int] | None = None,
        output_axes: Sequence[int] | None = None,
    ) -> None:
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
        super().__init__(seed)
        self.scale = python_number(scale)
        self.mode = mode
        self.distribution = _full_name(distribution)
        self.input_axes = python_number(input_axes)
        self.output_axes = python_number(output_axes)

    def __call__(self, shape: tuple[int, ...], dtype: str | None = None):
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

    def get_config(self) -> Config:
        return {
            **super().get_config(),
            "scale": self.scale,
            "mode": self.mode,
            "distribution": self.distribution,
            "input_axes": self.input_axes,
            "output_axes": self.output_axes,
        }


def _full_name(distribution: str) -> str:
    """The distribution's name in lower case; "normal" means the truncated one."""
    distribution = distribution.lower()
    if distribution == "normal":
        distribution = "truncated_normal"
    if distribution not in ("uniform", "truncated_normal", "untruncated_normal"):
        raise ValueError(
            f"Invalid `distribution` argument: got {distribution!r}, expected "
            "'uniform', 'truncated_normal' or 'untruncated_normal'."
        )
    return distribution


def _fans(
    shape: tuple[int, ...],
    input_axes: Sequence[int] | None,
    output_axes: Sequence[int] | None,
) -> tuple[int, int]:
    """(fan_in, fan_out): units that feed one output, and units that one input feeds.

    A kernel is (..., inputs, outputs); the axes before are its receptive field.
    """
    if input_axes is not None and output_axes is not None:
        fan_in = math.prod(shape[axis] for axis in input_axes)
        fan_out = math.prod(shape[axis] for axis in output_axes)
        return fan_in, fan_out
    if len(shape) < 2:
        fan = math.prod(shape)
        return fan, fan
    receptive_field = math.prod(shape[:-2])
    return shape[-2] * receptive_field, shape[-1] * receptive_field
