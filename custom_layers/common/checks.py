"""Checks of arguments: each returns the value or raises one clear sentence."""

import operator
from collections.abc import Sequence
from typing import Any

import keras


def positive_integer(value: Any, name: str) -> int:
    """`value` as an int of at least 1; NumPy's integers are integers too.

    Raises: ValueError for anything else, True included.
    """
    try:
        number = operator.index(value)
    except TypeError:
        number = 0
    if number < 1 or isinstance(value, bool):
        raise ValueError(
            f"Invalid value for argument `{name}`: expected a positive integer, such "
            f"as 64. Received: {name}={value} (of type {type(value).__name__})"
        )
    return number


def integer_tuple(value: Any, rank: int, name: str, minimum: int = 1) -> tuple:
    """One integer, or a sequence of `rank` integers, as a tuple of `rank` integers.

    Raises: ValueError for another length, for what is not an integer, or for an
        integer below `minimum`.
    """
    message = f"The `{name}` argument must be a tuple of {rank} integers. "
    try:
        values = value if isinstance(value, Sequence) else (value,) * rank
        values = tuple(operator.index(n) for n in values)
    except TypeError:
        values = ()
    if len(values) != rank:
        raise ValueError(f"{message}Received: {name}={value}")
    small = {n for n in values if n < minimum}
    if small:
        raise ValueError(
            f"{message}Received: {name}={value}, including values {small} "
            f"that do not satisfy `value {'> 0' if minimum else '>= 0'}`"
        )
    return values


def channel_order(value: str | None) -> str:
    """`data_format`, or Keras's setting where it is None.

    Raises: ValueError for anything but channels_last and channels_first.
    """
    value = value or keras.config.image_data_format()
    return one_of(value, ("channels_last", "channels_first"), "data_format")


def one_of(value: Any, options: Sequence, name: str) -> Any:
    """`value`, if it is one of `options`.

    Raises: ValueError if not.
    """
    if value not in options:
        expected = " or ".join(map(repr, options))
        raise ValueError(
            f"The `{name}` argument must be {expected}. Received: {name}={value!r}"
        )
    return value


def minus_infinity(dtype: Any) -> float:
    """The score of what a mask excludes: its exp is 0, and its gradient stays finite.

    -1e9, or -3e4 in float16, whose largest number is 65,504.
    """
    is_half = keras.backend.standardize_dtype(dtype) == "float16"
    return -3e4 if is_half else -1e9
