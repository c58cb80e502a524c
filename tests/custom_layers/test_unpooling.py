"""Max pooling with places, and unpooling: PyTorch, NumPy, Addons, refusals."""

import keras
import numpy as np
import pytest
from keras import ops

from custom_layers.layers import MaxPooling2D, MaxPoolingWithArgmax2D, MaxUnpooling2D
from oracle import array, assert_close, run_layer
from pooling_formulas import max_and_place, unpooled

GEOMETRIES = [  # pool_size, strides, padding
    ((2, 2), (2, 2), "valid"),
    ((3, 2), (2, 1), "valid"),
    ((2, 2), (2, 2), "same"),
    ((3, 2), (2, 3), "same"),
]


def numbers(*tensors):
    return [ops.convert_to_numpy(x) for x in tensors]


@pytest.mark.parametrize("geometry", GEOMETRIES, ids=str)
def test_values_and_places_are_those_of_each_window(geometry):
    x = array(2, 5, 7, 3)
    values, indices = numbers(*MaxPoolingWithArgmax2D(*geometry)(x))
    desired, places = max_and_place(x, *geometry)
    assert_close(values, desired.astype("float32"))
    assert indices.dtype == np.int32
    np.testing.assert_array_equal(indices, places)
    flat = x.reshape(2, -1)
    for b in (0, 1):
        np.testing.assert_array_equal(flat[b][indices[b]], values[b])


def test_the_first_of_equal_values_counts_even_where_all_are_minus_infinity():
    x = np.zeros((1, 4, 4, 1), "float32")
    x[0, :2, :2] = -np.inf
    _, indices = numbers(*MaxPoolingWithArgmax2D(3, 1, "same")(x))
    _, places = max_and_place(x, (3, 3), (1, 1), "same")
    np.testing.assert_array_equal(indices, places)


@pytest.mark.parametrize("geometry", GEOMETRIES, ids=str)
def test_the_maxima_have_the_gradient_of_max_pooling(geometry):
    x = array(2, 5, 7, 3)
    found = run_layer(MaxPoolingWithArgmax2D(*geometry), x)
    desired = run_layer(MaxPooling2D(*geometry), x)
    for key in ("output 0", "gradient to input 0"):
        assert_close(found[key], desired[key])


def test_channels_first_counts_the_places_channel_by_channel_as_torch_does():
    torch = pytest.importorskip("torch")
    x = array(2, 3, 6, 4)
    layer = MaxPoolingWithArgmax2D((3, 2), data_format="channels_first")
    values, indices = numbers(*layer(x))
    there = torch.nn.functional.max_pool2d(torch.tensor(x), (3, 2), return_indices=True)
    assert_close(values, there[0].numpy())
    first = (np.arange(3) * 6 * 4).reshape(3, 1, 1)  # torch counts in each channel anew
    np.testing.assert_array_equal(indices - first, there[1].numpy())
    y = MaxUnpooling2D((3, 2), data_format="channels_first")(values, indices)
    assert_close(y, torch.nn.functional.max_unpool2d(*there, (3, 2)).numpy())


@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_unpooling_is_torchs_with_its_gradient(data_format):
    torch = pytest.importorskip("torch")
    x = array(2, 3, 4, 6)
    pooled, places = torch.nn.functional.max_pool2d(
        torch.tensor(x), 2, return_indices=True
    )
    there = pooled.clone().requires_grad_()
    y = torch.nn.functional.max_unpool2d(there, places, 2)
    is_last = data_format == "channels_last"

    def arranged(a):
        a = a.detach().numpy()
        return a.transpose(0, 2, 3, 1) if is_last else a

    channel = np.arange(3).reshape(3, 1, 1)
    indices = places.numpy() * 3 + channel if is_last else places.numpy() + channel * 24
    indices = arranged(torch.tensor(indices)).astype("int32")
    inputs = {"values": arranged(pooled), "indices": indices}
    found = run_layer(MaxUnpooling2D(data_format=data_format), inputs)
    assert_close(found["output 0"], arranged(y))
    weights = array(*found["output 0"].shape, seed=3)
    weights = weights.transpose(0, 3, 1, 2) if is_last else weights
    (y * torch.tensor(weights.copy())).sum().backward()
    assert_close(found["gradient to input 1"], arranged(there.grad))


@pytest.mark.parametrize("geometry", GEOMETRIES, ids=str)
def test_unpooling_puts_each_maximum_back_into_the_image(geometry):
    x = array(2, 5, 7, 3)
    values, indices = MaxPoolingWithArgmax2D(*geometry)(x)
    y = MaxUnpooling2D(*geometry, output_size=(5, 7))(values, indices)
    assert_close(y, unpooled(*numbers(values, indices), (5, 7, 3)).astype("float32"))


def test_a_place_that_several_windows_chose_has_its_value_and_gradient_once():
    """Pooling, then unpooling leaves such a maximum as it is: its slope is 1."""
    x = np.zeros((1, 3, 3, 1), "float32")
    x[0, 1, 1] = 5.0  # in all four windows

    class Both(keras.layers.Layer):
        def call(self, inputs):
            values, indices = MaxPoolingWithArgmax2D(2, 1)(inputs)
            return MaxUnpooling2D(2, 1)(values, indices)

    both = Both()
    both(x)
    found = run_layer(both, x)
    assert_close(found["output 0"], x)
    slope = np.zeros_like(x)
    slope[0, 1, 1] = array(1, 3, 3, 1, seed=3)[0, 1, 1]
    assert_close(found["gradient to input 0"], slope)


def test_the_arrays_that_addons_tests_with():
    def check(layer, shape, values, indices, expected):
        values = np.array(values, "float32").reshape(shape)
        y = layer(values, np.array(indices).reshape(shape))
        np.testing.assert_array_equal(ops.convert_to_numpy(y).ravel(), expected)

    simple = [13, 4], [1, 6], [0, 13, 0, 0, 0, 0, 4, 0]
    check(MaxUnpooling2D(padding="same"), (1, 1, 2, 1), *simple)
    check(MaxUnpooling2D(output_size=(2, 4)), (1, 1, 2, 1), *simple)
    eight = [1, 2, 3, 4, 5, 6, 7, 8]
    expected = [1, 0, 0, 2, 3, 0, 0, 4, 5, 0, 0, 6, 7, 0, 0, 8]
    layer = MaxUnpooling2D(strides=(2, 1), padding="same")
    check(layer, (1, 2, 2, 2), eight, [0, 3, 4, 7, 8, 11, 12, 15], expected)
    x = [1, 2, 4, 3, 8, 6, 7, 5, 9, 10, 12, 11, 13, 16, 15, 14, 20, 18, 17, 19]
    x = np.array(x, "float32").reshape(1, 4, 5, 1)
    y = MaxUnpooling2D((2, 3), 2)(*MaxPoolingWithArgmax2D((2, 3), 2)(x))
    wanted = [0, 0, 0, 0, 0, 0, 7, 0, 0, 10, 0, 0, 0, 0, 0, 0, 20, 0, 0, 19]
    np.testing.assert_array_equal(ops.convert_to_numpy(y).ravel(), wanted)


def test_images_of_unknown_size_pass_through_a_model():
    inputs = keras.Input((None, None, 2))
    values, indices = MaxPoolingWithArgmax2D(padding="same")(inputs)
    assert indices.dtype == "int32"
    model = keras.Model(inputs, MaxUnpooling2D(padding="same")(values, indices))
    assert model.output_shape == (None, None, None, 2)
    x = array(2, 4, 6, 2)
    y = model.predict(x, verbose=0)
    is_kept = y != 0
    np.testing.assert_array_equal(y[is_kept], x[is_kept])
    assert is_kept.sum() == x.size // 4


@pytest.mark.one_backend
def test_refuses_arguments_and_shapes():
    for wrong in ({"pool_size": 0}, {"strides": (1, 2, 3)}, {"output_size": "3"}):
        (name,) = wrong
        with pytest.raises(ValueError, match=f"`{name}` argument must be a tuple"):
            MaxUnpooling2D(**wrong)
    with pytest.raises(ValueError, match="`padding` argument must be"):
        MaxUnpooling2D(padding="SAME")
    values = array(1, 2, 2, 1)
    with pytest.raises(ValueError, match="values and indices of one shape"):
        MaxUnpooling2D()(values, np.zeros((1, 2, 3, 1), "int32"))
    with pytest.raises(ValueError, match="four axes"):
        MaxUnpooling2D()(values[0], np.zeros((2, 2, 1), "int32"))
    with pytest.raises(ValueError, match="Computed output size would be zero"):
        MaxPoolingWithArgmax2D(3)(values)
