"""What every layer does in the corners: no sample, integers, large features, frozen."""

import re

import keras
import numpy as np
import pytest
from keras import ops

import examples
from custom_layers.layers import BatchNormalization, GlobalAveragePooling2D
from making import CLASSES, LAYERS, example_input, make_layer
from oracle import array, assert_close, call_layer, run_layer

NORMALIZATIONS = [
    "BatchNormalization",
    "FilterResponseNormalization",
    "GroupNormalization",
    "InstanceNormalization",
    "LayerNormalization",
    "RMSNormalization",
    "UnitNormalization",
]


def numbers(tree):
    """The arrays of a nest."""
    return [ops.convert_to_numpy(y) for y in keras.tree.flatten(tree)]


def trained(layer):
    """The call argument `training=True`, if the layer takes it."""
    is_taken = "training" in layer.call_signature_parameters
    return {"training": True} if is_taken else {}


def state_of(layer):
    """{path: value} of everything but the states of random numbers."""
    return {
        v.path: ops.convert_to_numpy(v)
        for v in layer.variables
        if "seed_generator" not in v.path
    }


# Their states do not come from the samples, so that no sample changes them too.
WITHOUT_SAMPLES = {
    "NoisyDense",
    "ScheduledSamplingDecoder",
    "SpectralNormalization",
}
# Their output depends on the number of features, and so does the program.
NEED_THEIR_FEATURES = {"Maxout", "RotaryEmbedding", "SinePositionEncoding"}
# Keras's own LSTMCell, which their rows run, adds its bias wrongly to an empty batch.
WITHOUT_EMPTY = {"AttentionDecoderCell", "MonotonicAttentionDecoderCell"}
WITH_EMPTY = [name for name in LAYERS if name not in WITHOUT_EMPTY]


@pytest.mark.parametrize("name", WITH_EMPTY)
def test_an_empty_batch_gives_an_empty_output_and_leaves_the_state_finite(name):
    x = example_input(name)
    layer = make_layer(name)
    shapes = [y.shape for y in numbers(call_layer(layer, x, **trained(layer)))]
    before = state_of(layer)
    empty = keras.tree.map_structure(lambda a: a[:0], x)
    for arguments in ({}, trained(layer)):
        outputs = numbers(call_layer(layer, empty, **arguments))
        for y, shape in zip(outputs, shapes, strict=True):
            assert y.shape == (0, *shape[1:])
            assert y.dtype.kind in "biuf"
    after = state_of(layer)
    for path, value in after.items():
        assert np.all(np.isfinite(value))
        if name not in WITHOUT_SAMPLES:
            np.testing.assert_array_equal(value, before[path], err_msg=path)
    assert np.all(np.isfinite(numbers(layer.losses)))


@pytest.mark.parametrize(
    "name", [n for n in LAYERS if n not in examples.INTEGER_INPUTS]
)
def test_integers_are_taken_for_the_numbers_that_they_are(name):
    """As images come: uint8 from 0 to 255, which must not wrap around."""
    integers = keras.tree.map_structure(
        lambda a: array(*a.shape, low=0, high=256, dtype="uint8"), example_input(name)
    )
    floats = keras.tree.map_structure(lambda a: a.astype("float32"), integers)
    layer = make_layer(name)
    desired = numbers(call_layer(layer, floats))
    for y, expected in zip(numbers(call_layer(layer, integers)), desired, strict=True):
        assert_close(y.astype(expected.dtype), expected)
    fresh = make_layer(name)  # one that integers build
    for y, expected in zip(numbers(call_layer(fresh, integers)), desired, strict=True):
        assert y.shape == expected.shape


@pytest.mark.parametrize("name", LAYERS)
def test_a_frozen_layer_changes_nothing(name):
    layer = make_layer(name)
    x = example_input(name)
    call_layer(layer, x)
    layer.trainable = False
    before = state_of(layer)
    call_layer(layer, x, **trained(layer))
    for path, value in state_of(layer).items():
        np.testing.assert_array_equal(value, before[path], err_msg=path)


@pytest.mark.parametrize("training", [False, True])
@pytest.mark.parametrize("name", NORMALIZATIONS)
def test_raw_features_above_the_largest_float16_are_normalized(name, training):
    x = 1e5 + 3e4 * array(6, 5, 4)
    mixed = make_layer(name, dtype="mixed_float16")
    plain = make_layer(name)
    for layer in (mixed, plain):
        layer.build(x.shape)
        for weight in layer.non_trainable_weights:  # as after long training
            square = "variance" in weight.path
            weight.assign(ops.full(weight.shape, 9e8 if square else 9e4))
    arguments = {"training": training} if trained(mixed) else {}
    y = mixed(x, **arguments)
    assert keras.backend.standardize_dtype(y.dtype) == "float16"
    desired = ops.convert_to_numpy(plain(x, **arguments))
    y = ops.convert_to_numpy(y).astype("float32")
    np.testing.assert_allclose(y, desired, rtol=2e-3, atol=2e-3)


def unknown_last_axis(x):
    def symbolic(a):
        return keras.Input((*a.shape[1:-1], None), dtype=a.dtype)

    return keras.tree.map_structure(symbolic, x)


@pytest.mark.parametrize("name", LAYERS)
def test_an_unknown_last_axis_works_or_is_refused_in_words(name):
    inputs = unknown_last_axis(example_input(name))
    refused = ""
    try:
        call_layer(make_layer(name), inputs)
    except ValueError as error:
        refused = str(error)
    if refused:
        assert re.search(r"[Rr]eceived", refused)
        assert re.search(r"\bNone\b", refused)
        assert re.search("known|defined", refused)


# Keras's LayerNormalization, which this one contains, cannot be traced so.
TRACED = [name for name in LAYERS if name != "TransformerEncoderBlock"]


@pytest.mark.slow
@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="traces")
@pytest.mark.parametrize("name", TRACED)
def test_a_call_traced_with_unknown_sizes_computes_the_same(name):
    import tensorflow as tf

    x = keras.tree.map_structure(tf.constant, example_input(name))
    layer = make_layer(name)
    desired = call_layer(layer, x)

    @tf.function
    def traced(x):
        unknown = keras.tree.map_structure(
            lambda a: tf.ensure_shape(
                tf.py_function(lambda b: b, [a], a.dtype), [None] * len(a.shape)
            ),
            x,
        )
        return call_layer(layer, unknown)

    if name in NEED_THEIR_FEATURES:
        with pytest.raises(ValueError, match=r"known|got None"):
            traced(x)
        return
    for y, expected in zip(numbers(traced(x)), numbers(desired), strict=True):
        assert_close(y, expected, rtol=1e-4)


SLIDING = {  # {name: arguments with a window of 3 and no padding}
    **{
        f"{kind}Pooling{n}D": {"pool_size": 3}
        for kind in ("Max", "Average")
        for n in (1, 2, 3)
    },
    **{f"Conv{n}D": {"filters": 2, "kernel_size": 3} for n in (1, 2, 3)},
    **{f"DepthwiseConv{n}D": {"kernel_size": 3} for n in (1, 2)},
    **{f"SeparableConv{n}D": {"filters": 2, "kernel_size": 3} for n in (1, 2)},
}


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize("name", SLIDING)
def test_an_input_below_the_window_is_refused_wherever_its_length_shows(
    name, data_format
):
    """With oneDNN, TensorFlow's max pooling ends the process instead."""
    layer = CLASSES[name](**SLIDING[name], data_format=data_format)
    message = "Computed output size would be zero or negative"

    def shape(*lengths):
        lengths = lengths[: layer.rank]
        return (1, *lengths, 3) if data_format == "channels_last" else (1, 3, *lengths)

    assert layer.compute_output_shape(shape(None, None, None))
    with pytest.raises(ValueError, match=message):
        layer.compute_output_shape(shape(2, 5, 5))
    layer.build(shape(None, None, None))
    for lengths in ((2, 5, 5), (0, 5, 5)):
        with pytest.raises(ValueError, match=message):
            layer(np.ones(shape(*lengths), "float32"))


@pytest.mark.parametrize(
    "name",
    [f"Global{kind}Pooling{n}D" for kind in ("Average", "Max") for n in (1, 2, 3)],
)
def test_global_pooling_ignores_a_mask_that_is_not_one_of_its_places(name):
    x = example_input(name)
    layer, places = make_layer(name), x.shape[1:-1]
    desired = ops.convert_to_numpy(layer(x))
    wrong = [(2,), (2, places[0] + 1), (2, *places, 3), (2, *[n + 1 for n in places])]
    if len(places) > 1:
        wrong.append((2, places[0]))
    for shape in wrong:
        mask = np.zeros(shape, "bool")
        np.testing.assert_array_equal(
            ops.convert_to_numpy(layer(x, mask=mask)), desired
        )
    mask = np.ones((2, *places), "bool")
    mask[:, 0] = False  # the right one counts
    assert np.abs(ops.convert_to_numpy(layer(x, mask=mask)) - desired).max() > 1e-3


def test_a_mask_of_time_steps_does_not_reach_the_images_of_a_video():
    """Each word becomes an image: the mask of the words is not one of pixels."""
    words = np.array([[1, 2, 0]])
    x = keras.layers.Embedding(3, 8, mask_zero=True)(words)
    mask = x._keras_mask
    images = ops.reshape(x, (1, 3, 4, 2))
    desired = ops.convert_to_numpy(images).mean(axis=(1, 2))
    assert_close(GlobalAveragePooling2D()(images, mask=mask), desired)


def test_batch_normalization_without_a_sample_passes_no_nan_to_its_weights():
    layer = BatchNormalization()
    layer.build((None, 3))
    results = run_layer(layer, np.zeros((0, 3), "float32"), training=True)
    for key, value in results.items():
        assert np.all(np.isfinite(value)), key
    for key in ("gradient to gamma", "gradient to beta"):
        np.testing.assert_array_equal(results[key], np.zeros(3))


@pytest.mark.skipif(keras.backend.backend() != "tensorflow", reason="traces")
def test_batch_normalization_is_traced_once_for_all_sizes_and_survives_an_empty_one():
    import tensorflow as tf

    layer = BatchNormalization(momentum=0.5)
    layer.build((None, 4, 3))
    signature = [tf.TensorSpec([None, None, None])]
    train = tf.function(lambda x: layer(x, training=True), input_signature=signature)
    x = array(5, 4, 3)
    assert_close(train(x), BatchNormalization()(x, training=True))
    mean = ops.convert_to_numpy(layer.moving_mean)
    assert_close(mean, x.mean(axis=(0, 1)) / 2)
    assert train(x[:0]).shape == (0, 4, 3)
    np.testing.assert_array_equal(ops.convert_to_numpy(layer.moving_mean), mean)


def test_batch_normalization_says_that_it_must_know_its_channels():
    with pytest.raises(ValueError, match=r"BatchNormalization makes a weight.*axis 2"):
        BatchNormalization()(keras.Input((4, None)))
