"""What augmenting layers share: their inputs, their arguments and their draws."""

import math
from typing import Any

import keras
from keras import ops

from ...common.checks import channel_order, python_number
from ...common.inputs import as_floats
from ...common.private_keras import build_at_init
from ...common.types import Config, DataFormat, Seed, Shape

BELOW_1 = 1 - 2.0**-24  # the largest such float32
Share = float | tuple[float, float] | list[float]


class _Augmentation(keras.layers.Layer):
    """A layer that varies images, and what belongs to them, in training alone.

    A subclass writes `vary`, and `takes` names the parts of its input: the keys of the
    dict that the layer may be given.
    """

    varies_images = True  # so that a network is saved without the layer
    takes: tuple[str, ...] = ("images", "labels")

    def __init__(
        self, seed: Seed = None, data_format: DataFormat = None, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.seed = python_number(seed)
        self.data_format = channel_order(data_format)
        self.seed_generator = keras.random.SeedGenerator(self.seed)
        build_at_init(self)

    def call(self, inputs, training: bool = False):
        if not isinstance(inputs, dict):
            return self._varied({"images": inputs}, training)["images"]
        unknown = [key for key in inputs if key not in self.takes]
        if unknown or "images" not in inputs:
            raise ValueError(
                f"{type(self).__name__} takes images, or a dict with 'images' and some "
                f"of {', '.join(self.takes[1:])}. Received the keys: {[*inputs]}"
            )
        return self._varied(dict(inputs), training)

    def _varied(self, parts: dict, training: bool) -> dict:
        """The parts, changed if the call trains; floats in every case."""
        images = as_floats(parts["images"], self.compute_dtype)
        parts = self.prepared({**parts, "images": images})
        rank = len(images.shape)
        if not training or 0 in images.shape:
            return parts
        if rank not in (3, 4):
            raise ValueError(
                f"{type(self).__name__} needs images with the axes (height, width, "
                "channels), or a batch of them. "
                f"Received: images.shape={tuple(images.shape)}"
            )
        if rank == 3:
            parts = {key: part[None] for key, part in parts.items()}
        parts = self.vary(self._turned(parts, (0, 2, 3, 1)))
        parts = self._turned(parts, (0, 3, 1, 2))
        if rank == 3:
            parts = {key: part[0] for key, part in parts.items()}
        return parts

    def prepared(self, parts: dict) -> dict:
        """The parts as the layer returns them when it does not train."""
        return parts

    def vary(self, parts: dict) -> dict:
        """The parts of a batch, changed; images are B H W C."""
        raise NotImplementedError

    def _turned(self, parts: dict, axes: tuple[int, ...]) -> dict:
        """With channels_first, the pictures among the parts, transposed."""
        if self.data_format == "channels_last":
            return parts
        return {
            key: ops.transpose(part, axes)
            if key != "labels" and len(part.shape) == 4
            else part
            for key, part in parts.items()
        }

    def uniform(self, *shape: Any):
        """Draws from [0, 1), as float32."""
        return keras.random.uniform(shape, dtype="float32", seed=self.seed_generator)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return input_shape

    def get_config(self) -> Config:
        own = {"seed": self.seed, "data_format": self.data_format}
        return {**super().get_config(), **own}


def _shares(value: Any, name: str) -> tuple[float, float]:
    """(lowest, highest), from such a pair in any order, or (0, f) from a number f.

    Raises: ValueError for anything else, and for numbers outside [0, 1].
    """
    value = python_number(value)
    pair = value if isinstance(value, tuple | list) else (0.0, value)
    are_numbers = all(isinstance(number, int | float) for number in pair)
    are_shares = are_numbers and all(0 <= number <= 1 for number in pair)
    if len(pair) != 2 or not are_shares:
        raise ValueError(
            f"The `{name}` argument must be a number in [0, 1], or a pair of such "
            f"numbers: the lowest and the highest. Received: {name}={value}"
        )
    return min(pair), max(pair)


def _are_numbers(values: Any) -> bool:
    """Whether all of them are finite numbers."""
    return all(
        isinstance(value, int | float) and math.isfinite(value) for value in values
    )


def _number(value: Any, name: str) -> float:
    """`value` as a number of Python.

    Raises: ValueError for anything but a finite number.
    """
    number = python_number(value)
    if not _are_numbers([number]):
        raise ValueError(
            f"The `{name}` argument must be a finite number, such as 0.0. "
            f"Received: {name}={value!r}"
        )
    return number


def _positive(value: Any, name: str) -> float:
    """`value` as a number of Python.

    Raises: ValueError for anything but a positive number.
    """
    number = python_number(value)
    if not isinstance(number, int | float) or not number > 0:
        raise ValueError(
            f"The `{name}` argument must be a positive number. Received: {name}={value}"
        )
    return number


def _range_of_values(value: Any) -> tuple[float, float]:
    """(black, white), from such a pair in any order.

    Raises: ValueError for anything else, and for two equal numbers.
    """
    value = python_number(value)
    pair = value if isinstance(value, tuple | list) else ()
    if len(pair) != 2 or not _are_numbers(pair) or pair[0] == pair[1]:
        raise ValueError(
            "The `value_range` argument must be a pair of numbers, the value of black "
            f"and that of white, such as (0, 255). Received: value_range={value}"
        )
    return min(pair), max(pair)


def _per_image(x, part):
    """x, of shape (B,), as (B, 1, ..., 1): it multiplies or selects whole images."""
    return ops.reshape(x, (-1, *[1] * (len(part.shape) - 1)))


def _partners(u):
    """For each image of a batch, the place of another one, from u of shape (B,)."""
    return ops.argsort(u)


def _symmetric_beta(u, alpha):
    """Draws from Beta(alpha, alpha), from u in [0, 1) of shape (4, ...)."""
    return ops.sigmoid(_logit_of_beta(u, alpha))


def _logit_of_beta(u, alpha):
    """log(w / (1 - w)) of draws w from Beta(alpha, alpha), from u of shape (4, ...).

    The first coordinate x of a point drawn evenly on a sphere gives a draw (1 + x) / 2
    from Beta(a + 1, a + 1), and logit Beta(a, a) = logit Beta(a + 1, a + 1)
    + (log u_2 - log u_3) / a. Logarithms hold what an alpha near 0 makes tiny, and XLA
    compiles it, as it does not the backends' own gamma distribution.
    """
    radius = ops.sqrt(1 - (1 - u[0]) ** (2 / (2 * alpha + 1)))
    x = radius * ops.cos(2 * math.pi * u[1])
    x = ops.clip(x, -BELOW_1, BELOW_1)
    logit = ops.log1p(x) - ops.log1p(-x)
    log_ratio = ops.log1p(-u[2]) - ops.log1p(-u[3])
    return logit + log_ratio / alpha


def _span(length: Any, size, u):
    """Which of the pixels 0 ... length - 1 have their centre in [start, start + size).

    The start is u times the room that is left. size, u: of shape (B,). Booleans of
    shape (B, length).
    """
    place = ops.cast(ops.arange(length), "float32") + 0.5
    length = ops.cast(length, "float32")
    start = (u * (length - size))[:, None]
    return (place >= start) & (place < start + size[:, None])


def _rectangle(H: Any, W: Any, height, width, u, v):
    """The pixels of a rectangle at a random place: booleans of shape (B, H, W)."""
    rows = _span(H, height, u)
    columns = _span(W, width, v)
    return rows[:, :, None] & columns[:, None, :]
