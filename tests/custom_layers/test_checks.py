"""The checks of arguments that components share: what they return and what they say."""

import keras
import numpy as np
import pytest
from keras import ops

from custom_layers.common.checks import (
    channel_order,
    integer_tuple,
    minus_infinity,
    one_of,
    positive_integer,
)
from custom_layers.layers import Conv2D, Dense, MaxPooling2D


@pytest.mark.parametrize("value", [3, np.int64(3), np.uint8(3)])
def test_integers_of_numpy_are_integers(value):
    assert type(positive_integer(value, "units")) is int
    assert integer_tuple(value, 2, "strides") == (3, 3)
    assert integer_tuple(np.array([value, 2]), 2, "strides") == (3, 2)


def test_layers_take_the_integers_of_numpy_and_have_a_config_of_plain_ones():
    sizes = np.array([2, 3])
    for layer in (Dense(sizes[0]), Conv2D(sizes[1], sizes), MaxPooling2D(sizes)):
        again = type(layer).from_config(layer.get_config())
        assert again.get_config() == layer.get_config()
        assert "int64" not in str(layer.get_config())


@pytest.mark.parametrize("value", [0, -1, 2.0, "3", None, True, (1,)])
def test_refuses_what_is_not_a_positive_integer(value):
    with pytest.raises(ValueError, match="`units` must be a positive integer"):
        positive_integer(value, "units")


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ((1, 2, 3), r"tuple of 2 integers. Received size=\(1, 2, 3\)"),
        ("ab", "tuple of 2 integers. Received size=ab"),
        (1.5, "tuple of 2 integers. Received size=1.5"),
        (None, "tuple of 2 integers. Received size=None"),
        ((1, 0), r"including values \{0\} that do not satisfy `value > 0`"),
    ],
)
def test_refuses_what_is_not_a_tuple_of_positive_integers(value, message):
    with pytest.raises(ValueError, match=message):
        integer_tuple(value, 2, "size")


def test_a_tuple_may_hold_zeros_where_the_minimum_is_zero():
    assert integer_tuple([0, 1], 2, "padding", minimum=0) == (0, 1)
    with pytest.raises(ValueError, match=r"\{-1\} that do not satisfy `value >= 0`"):
        integer_tuple([-1, 1], 2, "padding", minimum=0)


def test_the_order_of_channels_is_keras_setting_unless_given():
    assert channel_order(None) == keras.config.image_data_format()
    assert channel_order("channels_first") == "channels_first"
    with pytest.raises(ValueError, match="must be 'channels_last' or 'channels_first'"):
        channel_order("NHWC")


def test_an_option_is_one_of_those_offered():
    assert one_of("same", ("valid", "same"), "padding") == "same"
    with pytest.raises(ValueError, match="`padding` argument must be 'valid' or 'sa"):
        one_of("full", ("valid", "same"), "padding")


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32"])
def test_minus_infinity_is_finite_and_its_softmax_is_zero(dtype):
    scores = ops.cast(ops.convert_to_tensor([0.0, minus_infinity(dtype)]), dtype)
    assert bool(ops.all(ops.isfinite(scores)))
    np.testing.assert_array_equal(
        ops.convert_to_numpy(ops.cast(ops.softmax(scores), "float32")), [1.0, 0.0]
    )
