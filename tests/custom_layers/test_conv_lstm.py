"""ConvLSTM against Keras, and as it should be where Keras is wrong."""

import inspect

import keras
import numpy as np
import pytest
from keras import ops

from custom_layers.layers import ConvLSTM1D, ConvLSTM2D, ConvLSTM3D
from oracle import Case, array, assert_close, assert_same_layer

ON_JAX = keras.backend.backend() == "jax"
X = array(3, 3, 5, 4, 2)
MASK = np.array([[1, 0, 1], [0, 1, 1], [0, 0, 0]], bool)
STATE = [array(3, 5, 4, 2, seed=4), array(3, 5, 4, 2, seed=5)]
CASES = [
    ({"return_sequences": True, "return_state": True}, {}),
    ({"strides": 2, "padding": "same", "use_bias": False}, {}),
    ({"dilation_rate": (2, 1), "kernel_size": (2, 3), "activation": "relu"}, {}),
    ({"padding": "SAME", "go_backwards": True}, {"initial_state": STATE}),
    ({"data_format": "channels_first", "kernel_size": 2, "return_state": True}, {}),
    ({"dropout": 0.4, "recurrent_dropout": 0.3, "seed": 1}, {"training": True}),
    ({"recurrent_activation": "hard_sigmoid", "unit_forget_bias": False}, {}),
    ({"kernel_regularizer": "l2", "activity_regularizer": "l1"}, {}),
]


@pytest.mark.parametrize(("options", "call"), CASES)
def test_same_as_keras(options, call):
    options = {"filters": 2, "kernel_size": 3, **options}
    assert_same_layer(Case("ConvLSTM2D", options, X, call))


@pytest.mark.parametrize(
    ("name", "shape"),
    [("ConvLSTM1D", (2, 3, 5, 2)), ("ConvLSTM3D", (2, 2, 3, 2, 3, 2))],
)
def test_one_and_three_axes_same_as_keras(name, shape):
    options = {"filters": 2, "kernel_size": 2, "return_sequences": True}
    assert_same_layer(Case(name, options, array(*shape)))


@pytest.mark.skipif(ON_JAX, reason="Keras lays the batch of a mask along the images")
@pytest.mark.parametrize("options", [{}, {"return_sequences": True}])
def test_masks_same_as_keras(options):
    options = {"filters": 2, "kernel_size": 2, "return_state": True, **options}
    assert_same_layer(Case("ConvLSTM2D", options, X, {"mask": MASK}))


@pytest.mark.parametrize("unroll", [False, True])
@pytest.mark.parametrize("go_backwards", [False, True])
def test_a_mask_hides_whole_images(unroll, go_backwards):
    options = {"unroll": unroll, "go_backwards": go_backwards}
    layer = ConvLSTM2D(2, 2, **options, return_state=True)
    masked = layer(X[:2], mask=MASK[:2])
    for sample, steps in ((0, [0, 2]), (1, [1, 2])):
        alone = layer(X[sample : sample + 1, steps])
        for actual, desired in zip(masked, alone):
            assert_close(actual[sample : sample + 1], desired, 1e-5)


def test_a_fully_masked_sequence_returns_zeros():
    y = ops.convert_to_numpy(ConvLSTM2D(2, 2)(X, mask=MASK))
    assert not np.any(y[2])
    assert np.any(y[:2])


def test_unrolled_loop_is_the_loop():
    layer = ConvLSTM1D(2, 2, return_sequences=True)
    x = array(2, 3, 5, 2)
    desired = layer(x)
    layer.unroll = True
    assert_close(layer(x), desired, 1e-6)


def test_a_kernel_of_one_place_is_an_lstm_of_every_place():
    """Its neighbours are too far away."""
    layer, lstm = ConvLSTM2D(2, 1), keras.layers.LSTM(2)
    layer(X)
    weights = [array(*w.shape, seed=2) for w in layer.get_weights()]
    layer.set_weights(weights)
    W, U, b = weights
    places = X.transpose(0, 2, 3, 1, 4).reshape(-1, 3, 2)
    lstm.build(places.shape)
    lstm.set_weights([W[0, 0], U[0, 0], b])
    desired = ops.convert_to_numpy(lstm(places)).reshape(3, 5, 4, 2)
    assert_close(layer(X), desired, 1e-5)


@pytest.mark.parametrize("cls", [ConvLSTM1D, ConvLSTM2D, ConvLSTM3D])
def test_signature_and_configuration_are_those_of_keras(cls):
    theirs = getattr(keras.layers, cls.__name__)
    ours, wanted = (inspect.signature(c.__init__).parameters for c in (cls, theirs))
    untyped = [p.replace(annotation=inspect.Parameter.empty) for p in ours.values()]
    assert [*map(str, untyped)] == [*map(str, wanted.values())]
    assert {*cls(2, 1).get_config()} == {*theirs(2, 1).get_config()}


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"filters": 0}, "`filters` must be a positive integer"),
        ({"kernel_size": (1, 2, 3)}, "`kernel_size` argument must be a tuple of 2"),
        ({"padding": "causal"}, "The `padding` argument must be"),
        ({"strides": 2, "dilation_rate": 2}, "`strides > 1` is not compatible"),
    ],
)
def test_arguments_are_checked(options, message):
    with pytest.raises(ValueError, match=message):
        ConvLSTM2D(**{"filters": 2, "kernel_size": 2, **options})


def test_images_of_unknown_size_or_below_the_kernel_are_refused():
    with pytest.raises(ValueError, match="must be known"):
        ConvLSTM2D(2, 2)(keras.Input((3, None, 4, 2)))
    with pytest.raises(ValueError, match="reaches over 6 places of an axis that has 5"):
        ConvLSTM2D(2, 6)(X)
