"""Pooling against Keras and NumPy's windows; its masks, properties and refusals."""

import inspect
import itertools

import keras
import numpy as np
import pytest
from keras import ops

from custom_layers.layers import (
    AveragePooling1D,
    AveragePooling2D,
    AveragePooling3D,
    GlobalAveragePooling1D,
    GlobalAveragePooling2D,
    GlobalAveragePooling3D,
    GlobalMaxPooling1D,
    GlobalMaxPooling2D,
    GlobalMaxPooling3D,
    MaxPooling1D,
    MaxPooling2D,
    MaxPooling3D,
)
from oracle import (
    Case,
    array,
    assert_close,
    assert_same_layer,
    keras_counterpart,
    run_layer,
)

WINDOWED = [
    *(AveragePooling1D, AveragePooling2D, AveragePooling3D),
    *(MaxPooling1D, MaxPooling2D, MaxPooling3D),
]
GLOBAL_AVERAGE = [
    *(GlobalAveragePooling1D, GlobalAveragePooling2D, GlobalAveragePooling3D)
]
GLOBAL_MAX = [GlobalMaxPooling1D, GlobalMaxPooling2D, GlobalMaxPooling3D]
GLOBAL = [*GLOBAL_AVERAGE, *GLOBAL_MAX]
LENGTHS = (5, 4, 6)


def shape_of(cls, data_format, batch=2, channels=3):
    lengths = LENGTHS[: cls.rank]
    if data_format == "channels_last":
        return (batch, *lengths, channels)
    return (batch, channels, *lengths)


CASES = [
    Case(cls.__name__, {"pool_size": 2, **more}, array(*shape_of(cls, data_format)))
    for cls, data_format in itertools.product(
        WINDOWED, ("channels_last", "channels_first")
    )
    for more in (
        {"data_format": data_format},
        {"data_format": data_format, "padding": "same"},
        {"data_format": data_format, "padding": "same", "strides": 3},
        {"data_format": data_format, "strides": 1},
    )
]
CASES += [
    Case(cls.__name__, {"data_format": f, "keepdims": keep}, array(*shape_of(cls, f)))
    for cls, f, keep in itertools.product(
        GLOBAL, ("channels_last", "channels_first"), (False, True)
    )
]
CASES += [
    Case("MaxPooling2D", {"pool_size": (3, 2), "strides": (1, 2)}, array(2, 5, 6, 3)),
    Case("AveragePooling2D", {"pool_size": (3, 1)}, array(1, 6, 5, 2)),
    Case("MaxPooling2D", {"activity_regularizer": "l2"}, array(1, 6, 5, 2)),
    Case("MaxPooling2D", {}, np.round(array(2, 6, 6, 3))),  # ties
    Case("GlobalMaxPooling2D", {}, np.round(array(2, 6, 6, 3))),
    Case(
        "GlobalAveragePooling1D",
        {"keepdims": True},
        array(2, 5, 3),
        {"mask": np.array([[1, 1, 0, 1, 0], [0, 0, 0, 0, 1]], "bool")},
    ),
    Case(
        "GlobalAveragePooling1D",
        {"data_format": "channels_first"},
        array(2, 3, 4),
        {"mask": np.array([[1, 1, 0, 1], [1, 1, 1, 1]], "bool")},
    ),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_same_as_keras(case):
    assert_same_layer(case)


@pytest.mark.parametrize("cls", [*WINDOWED, *GLOBAL], ids=lambda c: c.__name__)
def test_arguments_and_config_are_keras(cls):
    theirs = keras_counterpart(cls.__name__)
    names = [list(inspect.signature(c.__init__).parameters) for c in (cls, theirs)]
    assert names[0] == [name for name in names[1] if name != "name"]
    kwargs = {"pool_size": 2} if cls in WINDOWED else {}
    config = theirs(**kwargs).get_config()
    ours = cls(**kwargs)
    assert {**config, "name": ours.name} == ours.get_config()
    assert ours.built


# Against windows that NumPy cuts out


@pytest.mark.parametrize("cls", WINDOWED, ids=lambda c: c.__name__)
@pytest.mark.parametrize("strides", [1, 2, 3])
def test_each_output_summarizes_its_window(cls, strides):
    summarize = np.max if "Max" in cls.__name__ else np.mean
    size = (2, 3, 2)[: cls.rank]
    x = array(1, *LENGTHS[: cls.rank], 2)
    y = ops.convert_to_numpy(cls(size, strides)(x))
    for place in np.ndindex(*y.shape[1:-1]):
        start = [i * strides for i in place]
        window = tuple(slice(i, i + n) for i, n in zip(start, size))
        expected = summarize(x[0][window], axis=tuple(range(cls.rank)))
        np.testing.assert_allclose(y[0][place], expected, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize("geometry", [(2,), ((1, 2, 2),), (3, 2, "same"), (2, 1)])
def test_the_gradient_of_a_volume_goes_to_one_of_equal_places(geometry, data_format):
    """TensorFlow's own pooling of volumes gives it to each of them."""
    layer = MaxPooling3D(*geometry, data_format=data_format)
    shape = (2, 4, 5, 6, 3) if data_format == "channels_last" else (2, 3, 4, 5, 6)
    for x in (np.zeros(shape, "float32"), np.round(array(*shape))):
        results = run_layer(layer, x)
        weights = array(*results["output 0"].shape, seed=3)  # of run_layer's sum
        gradient = results["gradient to input 0"]
        assert_close(gradient.sum(dtype="float64"), weights.sum(dtype="float64"), 1e-4)
        assert np.count_nonzero(gradient) <= weights.size


@pytest.mark.parametrize("cls", [MaxPooling1D, AveragePooling1D])
def test_output_shape_is_promised_right_for_every_geometry(cls):
    x = array(1, 7, 2)
    for geometry in itertools.product((1, 2, 3), (1, 2, 3), ("valid", "same")):
        layer = cls(*geometry)
        assert layer.compute_output_shape(x.shape) == tuple(layer(x).shape), geometry


def test_the_border_of_same_counts_neither_in_the_mean_nor_in_the_maximum():
    x = -np.ones((1, 3, 3, 1), "float32")
    for cls in (AveragePooling2D, MaxPooling2D):
        assert_close(cls(2, padding="same")(x), -np.ones((1, 2, 2, 1), "float32"))


@pytest.mark.parametrize("cls", [*WINDOWED, *GLOBAL], ids=lambda c: c.__name__)
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_unknown_lengths_stay_unknown_and_run(cls, data_format):
    kwargs = {"pool_size": 2} if cls in WINDOWED else {}
    layer = cls(**kwargs, data_format=data_format)
    shape = shape_of(cls, data_format)
    unknown = [None] * (cls.rank + 1)
    unknown[-1 if data_format == "channels_last" else 0] = 3
    inputs = keras.Input(unknown)
    model = keras.Model(inputs, layer(inputs))
    x = array(*shape)
    assert tuple(model(x).shape) == layer.compute_output_shape(shape)
    rest = () if cls in GLOBAL else (None,) * cls.rank
    expected = (*rest, 3) if data_format == "channels_last" else (3, *rest)
    assert model.output_shape == (None, *expected)


@pytest.mark.parametrize("cls", [MaxPooling3D, AveragePooling3D])
def test_three_axes_of_float16_are_pooled_on_a_cpu(cls):
    x = array(1, 4, 4, 4, 2).astype("float16")
    y = cls(2, dtype="float16")(x)
    assert keras.backend.standardize_dtype(y.dtype) == "float16"
    assert_close(y, cls(2)(x.astype("float32")), rtol=1e-3)


# Masks


mask_ends = pytest.mark.filterwarnings(
    "ignore:Layer .* was passed an input with a mask"
)


@mask_ends
@pytest.mark.parametrize("cls", GLOBAL, ids=lambda c: c.__name__)
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
@pytest.mark.parametrize("keepdims", [False, True])
def test_padding_never_changes_the_result(cls, data_format, keepdims):
    """A masked border changes nothing, whatever values it holds."""
    last = data_format == "channels_last"
    x = array(*shape_of(cls, data_format))
    layer = cls(data_format=data_format, keepdims=keepdims)
    pads = [(0, 2)] * cls.rank
    own = (0, 0)
    around = [own, *pads, own] if last else [own, own, *pads]
    mask = np.pad(np.ones((2, *LENGTHS[: cls.rank]), "bool"), [own, *pads])
    for value in (0.0, 1e3, np.nan):
        padded = np.pad(x, around, constant_values=value)
        assert_close(layer(padded, mask=mask), layer(x))


@mask_ends
@pytest.mark.parametrize("cls", GLOBAL, ids=lambda c: c.__name__)
def test_a_row_that_is_wholly_masked_gives_zero(cls):
    x = array(*shape_of(cls, "channels_last"))
    mask = np.ones(x.shape[:-1], "bool")
    mask[0] = False
    y = ops.convert_to_numpy(cls()(x, mask=mask))
    np.testing.assert_array_equal(y[0], 0)
    assert_close(y[1:], cls()(x[1:]))


@mask_ends
@pytest.mark.parametrize("cls", GLOBAL, ids=lambda c: c.__name__)
def test_the_gradient_goes_to_unmasked_places_only(cls):
    x = array(*shape_of(cls, "channels_last"))
    mask = array(*x.shape[:-1], seed=5) > 0
    mask[1] = False
    gradient = run_layer(cls(), x, mask=mask)["gradient to input 0"]
    assert np.all(np.isfinite(gradient))
    assert np.all(gradient[~mask] == 0)
    assert np.any(gradient[0] != 0)
    if "Average" in cls.__name__:
        assert np.all(gradient[mask] != 0)


@mask_ends
@pytest.mark.parametrize("cls", [GlobalAveragePooling1D, GlobalMaxPooling1D])
def test_the_mask_of_an_embedding_is_honoured(cls):
    rows = array(4, 2)
    words = keras.layers.Embedding(4, 2, mask_zero=True, weights=rows)
    layer = cls()
    y = layer(words(np.array([[2, 3, 0, 0]])))
    summarize = np.max if "Max" in cls.__name__ else np.mean
    assert_close(y[0], summarize(rows[[2, 3]], axis=0))
    assert getattr(y, "_keras_mask", None) is None


@pytest.mark.parametrize("layer", [GlobalMaxPooling1D, GlobalAveragePooling1D])
def test_a_mask_in_a_functional_model_counts_too(layer):
    x = keras.Input((None, 1))
    model = keras.Model(x, layer()(keras.layers.Masking()(x)))
    y = model(np.array([[[-1.0], [-2.0], [0.0]]], "float32"))
    assert float(y[0, 0]) == (-1.0 if layer is GlobalMaxPooling1D else -1.5)


def test_a_mask_of_many_steps_is_counted_right_in_float16():
    x = np.ones((1, 70001, 1), "float16")
    mask = np.arange(70001)[None] > 0
    y = GlobalAveragePooling1D(dtype="float16")(x, mask=mask)
    np.testing.assert_allclose(ops.convert_to_numpy(y), 1.0, rtol=1e-3)


# Refusals


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (
            {"pool_size": 0},
            r"`pool_size` argument must be a tuple of 2 integers.*\{0\}.*> 0",
        ),
        ({"pool_size": (2, 2, 2)}, "`pool_size` argument must be a tuple of 2"),
        ({"pool_size": "a"}, "`pool_size` argument"),
        ({"strides": (1, -1)}, "`strides` argument"),
        ({"strides": 1.5}, "`strides` argument"),
        ({"padding": "causal"}, "`padding` argument must be 'valid' or 'same'"),
        ({"data_format": "NHWC"}, "`data_format` argument must be"),
    ],
)
@pytest.mark.parametrize("cls", [MaxPooling2D, AveragePooling2D])
def test_refuses_arguments(cls, wrong, message):
    with pytest.raises(ValueError, match=message):
        cls(**{"pool_size": 2, **wrong})


def test_global_pooling_refuses_an_unknown_data_format():
    with pytest.raises(ValueError, match="`data_format` argument must be"):
        GlobalMaxPooling2D("channels_middle")


def test_refuses_an_input_below_the_window_and_one_of_another_rank():
    with pytest.raises(ValueError, match="Computed output size would be zero or neg"):
        MaxPooling2D(3)(keras.Input((2, 5, 1)))
    with pytest.raises(ValueError, match="expected ndim=4"):
        MaxPooling2D()(array(2, 5, 1))
    with pytest.raises(ValueError, match="expected ndim=5"):
        GlobalMaxPooling3D()(array(2, 5, 5, 1))


@pytest.mark.parametrize("layer", [GlobalMaxPooling1D, GlobalAveragePooling1D])
def test_a_mask_that_comes_with_the_input_counts_and_ends_here(layer):
    values = np.array([[[-1.0], [-2.0], [0.0]]], "float32")  # the last one is hidden
    y = layer()(keras.layers.Masking()(values))
    assert float(y[0, 0]) == (-1.0 if layer is GlobalMaxPooling1D else -1.5)
    assert getattr(y, "_keras_mask", None) is None


def test_global_pooling_takes_a_mask_that_is_a_list():
    x = array(1, 2, 3)
    y = GlobalAveragePooling1D()(x, mask=[[True, False]])
    assert_close(y, x[:, 0])
