"""What components ask of their arguments, in a script that gives them right ones."""

from collections.abc import Iterable, Sequence
from typing import Any

import keras


def positive_integer(value: Any, name: str) -> int:
    return int(value)


def integer_tuple(
    value: Any, rank: int, name: str, minimum: int = 1
) -> tuple[int, ...]:
    """One integer, or a sequence of `rank` integers, as a tuple of `rank` integers."""
    numbers = value if isinstance(value, Iterable) else (value,) * rank
    return tuple(int(number) for number in numbers)


def channel_order(value: str | None) -> str:
    """The given `data_format`, or Keras's setting where it is None."""
    return value or keras.config.image_data_format()


def known_sizes(shape: Any, axes: Sequence[int], layer: Any) -> tuple[int, ...]:
    """The sizes of an input along `axes`."""
    return tuple(int(shape[axis]) for axis in axes)
