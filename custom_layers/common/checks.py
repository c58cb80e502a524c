"""Checks of arguments: they return the value, or raise an error that says why not."""

import operator
from collections.abc import Iterable, Sequence
from typing import Any

import keras
import numpy as np


def python_number(value: Any) -> Any:
    """`value` with Python's numbers in place of NumPy's, also inside lists and tuples.

    A configuration is written as JSON, which does not know NumPy's numbers.
    """
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    if isinstance(value, list | tuple):
        return type(value)(python_number(entry) for entry in value)
    return value


def positive_integer(value: Any, name: str) -> int:
    """`value` as an int of at least 1; the integers of NumPy are integers too.

    Raises: ValueError for anything else, True included.
    """
    try:
        number = operator.index(value)
    except TypeError:
        number = 0
    if number < 1 or isinstance(value, bool):
        raise ValueError(
            f"Invalid value for argument `{name}`. Expected a strictly positive value. "
            f"Received {name}={value} (of type {type(value).__name__}), but `{name}` "
            "must be a positive integer, such as 64."
        )
    return number


def integer_tuple(
    value: Any, rank: int, name: str, minimum: int = 1
) -> tuple[int, ...]:
    """One integer, or a sequence of `rank` integers, as a tuple of `rank` integers.

    Raises: ValueError for another length, for a value that is not an integer, and for
        an integer below `minimum`.
    """
    message = f"The `{name}` argument must be a tuple of {rank} integers. "
    numbers = value if isinstance(value, Iterable) else (value,) * rank
    try:
        values = tuple(operator.index(n) for n in numbers)
    except TypeError:
        values = ()
    if len(values) != rank:
        raise ValueError(f"{message}Received {name}={value}")
    too_small = {n for n in values if n < minimum}
    if too_small:
        raise ValueError(
            f"{message}Received {name}={value}, including values {too_small} "
            f"that do not satisfy `value {'> 0' if minimum else '>= 0'}`"
        )
    return values


def channel_order(value: str | None) -> str:
    """A layer's `data_format`: the given value, or Keras's setting where it is None.

    Raises: ValueError for anything but "channels_last" and "channels_first".
    """
    value = value or keras.config.image_data_format()
    return one_of(value, ("channels_last", "channels_first"), "data_format")


def one_of(value: Any, options: Sequence, name: str) -> Any:
    """`value`, if it is one of `options`.

    Raises: ValueError if it is not.
    """
    if value not in options:
        expected = " or ".join(map(repr, options))
        raise ValueError(
            f"The `{name}` argument must be {expected}. Received: {name}={value!r}"
        )
    return value


def minus_infinity(dtype: Any) -> float:
    """The score of a place that a mask hides: its exp is 0 and its gradient is finite.

    It is -1e9, or -3e4 in float16, whose largest number is 65,504.
    """
    is_half = keras.backend.standardize_dtype(dtype) == "float16"
    return -3e4 if is_half else -1e9
