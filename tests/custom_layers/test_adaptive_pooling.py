"""Adaptive pooling against Keras, PyTorch and NumPy; pyramids; properties, refusals."""

import inspect
import itertools

import keras
import numpy as np
import pytest
from keras import ops

from custom_layers.layers import (
    AdaptiveAveragePooling1D,
    AdaptiveAveragePooling2D,
    AdaptiveAveragePooling3D,
    AdaptiveMaxPooling1D,
    AdaptiveMaxPooling2D,
    AdaptiveMaxPooling3D,
    SpatialPyramidPooling2D,
)
from oracle import (
    Case,
    array,
    assert_close,
    assert_same_layer,
    keras_counterpart,
    run_layer,
)
from pooling_formulas import adaptive_pool, spatial_pyramid

AVERAGE = [AdaptiveAveragePooling1D, AdaptiveAveragePooling2D, AdaptiveAveragePooling3D]
MAXIMUM = [AdaptiveMaxPooling1D, AdaptiveMaxPooling2D, AdaptiveMaxPooling3D]
CLASSES = [*AVERAGE, *MAXIMUM]
LENGTHS = (5, 4, 6)
COUNTS = (3, 2, 4)  # windows that overlap, that divide the axis, that overlap


def shape_of(cls, data_format="channels_last"):
    lengths = LENGTHS[: cls.rank]
    return (2, *lengths, 3) if data_format == "channels_last" else (2, 3, *lengths)


CASES = [
    Case(
        cls.__name__,
        {"output_size": COUNTS[: cls.rank], "data_format": data_format},
        array(*shape_of(cls, data_format)),
    )
    for cls, data_format in itertools.product(
        CLASSES, ("channels_last", "channels_first")
    )
]
CASES = [  # each class once on every backend
    case
    if case.kwargs["data_format"] == "channels_last"
    else pytest.param(case, marks=pytest.mark.one_backend, id=str(case))
    for case in CASES
]
CASES += [
    Case(cls.__name__, {"output_size": count}, array(2, length, 3))
    for cls in (AdaptiveAveragePooling1D, AdaptiveMaxPooling1D)
    for length, count in ((3, 5), (4, 4), (10, 3))
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_same_as_keras(case):
    assert_same_layer(case)


@pytest.mark.one_backend
@pytest.mark.parametrize("cls", CLASSES, ids=lambda c: c.__name__)
def test_arguments_and_config_are_keras(cls):
    theirs = keras_counterpart(cls.__name__)
    names = [list(inspect.signature(c.__init__).parameters) for c in (cls, theirs)]
    assert names[0] == names[1]
    ours = cls(2)
    assert {**theirs(2).get_config(), "name": ours.name} == ours.get_config()
    assert ours.built


@pytest.mark.parametrize("cls", [AdaptiveAveragePooling2D, AdaptiveMaxPooling2D])
def test_same_as_torch_with_its_gradient(cls):
    torch = pytest.importorskip("torch")
    name = "adaptive_max_pool2d" if cls in MAXIMUM else "adaptive_avg_pool2d"
    pool = getattr(torch.nn.functional, name)
    x = array(2, 3, 7, 5)
    found = run_layer(cls((3, 4), data_format="channels_first"), x)
    there = torch.tensor(x, requires_grad=True)
    y = pool(there, (3, 4))
    (y * torch.tensor(array(2, 3, 3, 4, seed=3))).sum().backward()
    assert_close(found["output 0"], y.detach().numpy())
    assert_close(found["gradient to input 0"], there.grad.numpy())


@pytest.mark.one_backend
@pytest.mark.parametrize("cls", CLASSES, ids=lambda c: c.__name__)
def test_each_output_summarizes_its_window_for_every_length(cls):
    summarize = np.max if cls in MAXIMUM else np.mean
    for length in range(1, 9) if cls.rank == 1 else (3, 5):
        x = array(1, *[length, 4, 3][: cls.rank], 2)
        counts = (3, 4, 2)[: cls.rank]
        assert_close(cls(counts)(x), adaptive_pool(x, counts, summarize).astype("f"))


def test_the_arrays_that_addons_tests_with():
    x = np.arange(40, dtype="float32").reshape(1, 4, 10, 1)
    for cls, expected in (
        (AdaptiveAveragePooling2D, [[7, 12], [27, 32]]),
        (AdaptiveMaxPooling2D, [[14, 19], [34, 39]]),
    ):
        assert_close(cls((2, 2))(x)[0, :, :, 0], np.array(expected, "float32"))
    x = np.arange(16, dtype="float32").reshape(1, 4, 4, 1)
    y = SpatialPyramidPooling2D([[1, 1], [2, 2]])(x)
    assert_close(y[0, :, 0], np.array([7.5, 2.5, 4.5, 10.5, 12.5], "float32"))


@pytest.mark.parametrize("cls", [AdaptiveAveragePooling2D, AdaptiveMaxPooling2D])
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_images_of_every_size_pass_through_one_model(cls, data_format):
    is_last = data_format == "channels_last"
    inputs = keras.Input((None, None, 3) if is_last else (3, None, None))
    model = keras.Model(inputs, cls((2, 3), data_format=data_format)(inputs))
    assert model.output_shape == ((None, 2, 3, 3) if is_last else (None, 3, 2, 3))
    summarize = np.max if cls in MAXIMUM else np.mean
    for height, width in ((4, 6), (5, 7)):
        x = array(2, height, width, 3)
        desired = adaptive_pool(x, (2, 3), summarize).astype("float32")
        if is_last:
            assert_close(model.predict(x, verbose=0), desired)
        else:
            y = model.predict(x.transpose(0, 3, 1, 2), verbose=0)
            assert_close(y.transpose(0, 2, 3, 1), desired)


def test_many_numbers_of_half_precision_have_a_finite_mean():
    x = np.full((1, 1000, 1), 100, "float16")
    y = ops.convert_to_numpy(AdaptiveAveragePooling1D(3, dtype="float16")(x))
    assert y.dtype == np.float16
    np.testing.assert_allclose(y, 100, rtol=1e-3)


@pytest.mark.parametrize("cls", [AdaptiveAveragePooling3D, AdaptiveMaxPooling3D])
@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_volumes_of_half_precision_are_pooled_on_a_cpu(cls, dtype):
    x = array(1, 3, 4, 5, 2)
    y = cls(2, dtype=dtype)(x)
    assert keras.backend.standardize_dtype(y.dtype) == dtype
    assert_close(ops.cast(y, "float32"), cls(2)(x), rtol=2e-2)


# Pyramids


@pytest.mark.parametrize("pooling", ["average", "max"])
def test_a_pyramid_is_the_windows_of_the_paper_side_by_side(pooling):
    x = array(2, 5, 7, 3)
    summarize = np.max if pooling == "max" else np.mean
    desired = spatial_pyramid(x, [(1, 1), (2, 3)], summarize).astype("float32")
    assert_close(SpatialPyramidPooling2D([1, (2, 3)], pooling=pooling)(x), desired)
    first = SpatialPyramidPooling2D([1, (2, 3)], "channels_first", pooling)
    y = first(x.transpose(0, 3, 1, 2))
    assert_close(y, desired.transpose(0, 2, 1))
    assert first.compute_output_shape((2, 3, None, None)) == (2, 3, 7)


def test_a_pyramid_gives_images_of_every_size_the_same_length():
    inputs = keras.Input((None, None, 2))
    features = keras.layers.Flatten()(SpatialPyramidPooling2D([1, 2, 4])(inputs))
    model = keras.Model(inputs, keras.layers.Dense(1)(features))
    for size in (4, 7):
        assert model.predict(array(1, size, size + 1, 2), verbose=0).shape == (1, 1)


# Refusals


@pytest.mark.one_backend
@pytest.mark.parametrize("cls", CLASSES, ids=lambda c: c.__name__)
def test_refuses_sizes_and_inputs_without_a_place(cls):
    for size in (0, (1,) * (cls.rank + 1), 1.5, "2"):
        with pytest.raises(ValueError, match="`output_size` argument must be a tuple"):
            cls(size)
    with pytest.raises(ValueError, match="`data_format` argument must be"):
        cls(2, data_format="NHWC")
    with pytest.raises(ValueError, match="expects at least one place along each axis"):
        cls(2)(np.ones((1, 0, *LENGTHS[1 : cls.rank], 3), "float32"))
    with pytest.raises(ValueError, match=f"expected ndim={cls.rank + 2}"):
        cls(2)(np.ones((1, 3), "float32"))


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"bins": 2}, "`bins` argument must be a list"),
        ({"bins": []}, "`bins` argument must be a list"),
        ({"bins": [0]}, "`bins` argument must be a tuple of 2"),
        ({"bins": [(1, 2, 3)]}, "`bins` argument must be a tuple of 2"),
        ({"pooling": "mean"}, "`pooling` argument must be 'average' or 'max'"),
    ],
)
def test_a_pyramid_refuses_arguments(wrong, message):
    with pytest.raises(ValueError, match=message):
        SpatialPyramidPooling2D(**{"bins": [1], **wrong})
