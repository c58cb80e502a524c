"""Checks of arguments: they return the value, or raise an error that says why not."""

import operator
from collections.abc import Iterable, Sequence
from typing import Any

import keras
import numpy as np
from keras import ops

from .types import Config, Shape


def python_number(value: Any) -> Any:
    """`value` with Python's numbers in place of NumPy's, also in lists, tuples, dicts.

    A configuration is written as JSON, which does not know NumPy's numbers.
    """
    if isinstance(value, np.generic | np.ndarray):
        return value.tolist()
    if isinstance(value, list | tuple):
        return type(value)(python_number(entry) for entry in value)
    if isinstance(value, dict):
        return {key: python_number(entry) for key, entry in value.items()}
    return value


def without_quantization(options: Config, owner: str) -> Config:
    """`options` without Keras's keys for quantization, which must be off.

    Keras writes these keys into the configuration of a layer with a kernel.

    Raises: ValueError where one of them is on, since the layer would then compute
        something else than the one that Keras configured.
    """
    options = dict(options)
    quantization = options.pop("quantization_config", None)
    mode = keras.dtype_policies.get(options.get("dtype")).quantization_mode
    if quantization is not None or mode is not None:
        raise ValueError(
            f"{owner} has no quantization. Received: quantization_config="
            f"{quantization}, dtype={options.get('dtype')}. Use keras.layers.{owner} "
            "where you need it."
        )
    return options


def without_adapters(options: Config, owner: str) -> Config:
    """`options` without Keras's keys for LoRA and quantization, which must be off.

    Raises: ValueError where one of them is on.
    """
    options = without_quantization(options, owner)
    rank = options.pop("lora_rank", None)
    options.pop("lora_alpha", None)  # has no meaning without a rank
    if rank:
        raise ValueError(
            f"{owner} has no LoRA. Received: lora_rank={rank}. Use "
            f"keras.layers.{owner} where you need it."
        )
    return options


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


def number_from_zero(value: Any, name: str) -> Any:
    """`value` as a number of Python that is at least 0.

    Raises: ValueError for anything else, NaN included.
    """
    number = python_number(value)
    if not isinstance(number, int | float) or not number >= 0:
        raise ValueError(
            f"The `{name}` argument must be a number of at least 0. "
            f"Received: {name}={value}"
        )
    return number


def ascending_pair(values: Any, name: str) -> tuple[float, float]:
    """The two numbers of `values`, the lower one first.

    Raises: ValueError for anything else.
    """
    numbers = python_number(values)
    if len(numbers) != 2 or not numbers[0] < numbers[1]:
        raise ValueError(
            f"`{name}` must be two numbers, the lower one first. Received: "
            f"{name}={values}"
        )
    return tuple(numbers)


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


def known_sizes(shape: Shape, axes: Sequence[int], layer: Any) -> tuple[int, ...]:
    """The sizes of an input along `axes`, for each of which a layer makes weights.

    Raises: ValueError where one of them is None, which means that it is not known yet.
    """
    sizes = tuple(shape[a] for a in axes)
    if None in sizes:
        raise ValueError(
            f"{type(layer).__name__} makes a weight for each entry along axis "
            f"{', '.join(map(str, axes))} of its input, so that the size there must be "
            f"known. Received: input_shape={tuple(shape)}. State the size in "
            "`keras.Input` or in the signature of the function that calls the layer."
        )
    return tuple(int(size) for size in sizes if size is not None)


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


def within(size: int, start: Any, length: Any, name: str) -> Any:
    """Whether the places start ... start + length - 1 lie in a table of `size` rows.

    It is True, or a boolean tensor if the places are known only when the program runs.

    Raises: ValueError if the places are known and lie outside.
    """
    try:
        first, last = operator.index(start), operator.index(start + length) - 1
    except TypeError:
        start = ops.cast(start, "int32")
        return ops.logical_and(start >= 0, start + length <= size)
    if first < 0 or last >= size:
        raise ValueError(
            f"{name} has {size} places, 0 ... {size - 1}: got the places {first} ... "
            f"{last}. Make it longer, or shorten the input."
        )
    return True


def nan_unless(is_right: Any, x: Any) -> Any:
    """x, or NaN everywhere if `is_right` is False.

    Not every backend can raise an error once its program runs: JAX, and TensorFlow when
    it writes, silently move a place beyond a table to the table's end.
    """
    return x if is_right is True else ops.where(is_right, x, float("nan"))


def minus_infinity(dtype: Any) -> float:
    """The score of a place that a mask hides: its exp is 0 and its gradient is finite.

    It is -1e9, or -3e4 in float16, whose largest number is 65,504.
    """
    is_half = keras.backend.standardize_dtype(dtype) == "float16"
    return -3e4 if is_half else -1e9
