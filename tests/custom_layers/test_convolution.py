"""Convolutions against Keras and against loops; their properties and refusals."""

import inspect
import itertools

import keras
import numpy as np
import pytest
from keras import ops

from custom_layers.layers import (
    Conv1D,
    Conv1DTranspose,
    Conv2D,
    Conv2DTranspose,
    Conv3D,
    Conv3DTranspose,
    DepthwiseConv1D,
    DepthwiseConv2D,
    SeparableConv1D,
    SeparableConv2D,
)
from oracle import Case, array, assert_close, assert_same_layer, keras_counterpart

CLASSES = [
    Conv1D,
    Conv2D,
    Conv3D,
    Conv1DTranspose,
    Conv2DTranspose,
    Conv3DTranspose,
    DepthwiseConv1D,
    DepthwiseConv2D,
    SeparableConv1D,
    SeparableConv2D,
]
OPTIONS = {
    "activation": "tanh",
    "bias_regularizer": "l1",
    "activity_regularizer": "l2",
    "bias_constraint": "non_neg",
}
KERNEL = {"kernel_regularizer": "l2", "kernel_constraint": "unit_norm"}
DEPTHWISE = {"depthwise_regularizer": "l2", "depthwise_constraint": "unit_norm"}
POINTWISE = {"pointwise_regularizer": "l1", "pointwise_constraint": "non_neg"}
FIRST = {"data_format": "channels_first"}


def arguments(name, kernel_size=3, **more):
    """Arguments of that layer, with 4 filters where it has any."""
    filters = {} if name.startswith("Depthwise") else {"filters": 4}
    return {**filters, "kernel_size": kernel_size, **more}


def case(name, shape, kernel_size=3, **more):
    return Case(name, arguments(name, kernel_size, **more), array(*shape))


CASES = [
    case("Conv1D", (2, 7, 2)),
    case("Conv1D", (2, 7, 2), 2, strides=3, padding="same", use_bias=False),
    case("Conv1D", (2, 7, 2), padding="causal", dilation_rate=2),
    case("Conv1D", (2, 8, 2), padding="causal", strides=2, groups=2),
    case("Conv1D", (2, 2, 7), padding="causal", **FIRST),
    case("Conv2D", (2, 5, 6, 2), **OPTIONS, **KERNEL),
    case("Conv2D", (2, 6, 7, 3), (3, 2), strides=(2, 1), padding="same"),
    case("Conv2D", (2, 6, 7, 3), (3, 1), padding="same", dilation_rate=(2, 1)),
    case("Conv2D", (2, 6, 7, 3), 2, dilation_rate=(2, 3)),
    case("Conv2D", (2, 5, 6, 4), groups=2, padding="SAME"),
    case("Conv2D", (2, 5, 6, 4), groups=4, strides=2, **OPTIONS),
    case("Conv2D", (2, 1, 1, 3), 1, use_bias=False),
    case("Conv2D", (2, 4, 5, 7), groups=2, **FIRST, **OPTIONS),
    case("Conv2D", (2, 3, 7, 6), 2, strides=2, padding="same", **FIRST),
    case("Conv3D", (2, 4, 3, 5, 2), 2),
    case("Conv3D", (2, 4, 3, 5, 2), (1, 2, 3), strides=(1, 2, 2), padding="same"),
    case("Conv3D", (1, 4, 3, 5, 4), 2, groups=2, dilation_rate=2),
    case("Conv3D", (2, 2, 4, 3, 6), 2, **FIRST),
    case("Conv1DTranspose", (2, 4, 3), strides=2),
    case("Conv1DTranspose", (2, 4, 3), 2, strides=3, output_padding=2, padding="same"),
    case("Conv1DTranspose", (2, 4, 3), 2, dilation_rate=2),
    case("Conv2DTranspose", (2, 3, 4, 2), **OPTIONS, **KERNEL),
    case("Conv2DTranspose", (2, 3, 4, 2), 4, strides=2, padding="same"),
    case("Conv2DTranspose", (2, 3, 4, 2), (3, 5), strides=(2, 3), output_padding=1),
    case("Conv2DTranspose", (2, 3, 4, 2), 2, strides=3, use_bias=False),
    case("Conv3DTranspose", (2, 2, 3, 2, 2), 2, strides=2),
    case("Conv3DTranspose", (1, 2, 3, 2, 2), 3, strides=2, padding="same"),
    case("DepthwiseConv1D", (2, 7, 3), depth_multiplier=2),
    case("DepthwiseConv1D", (2, 3, 7), 2, strides=2, padding="same", **FIRST),
    case("DepthwiseConv2D", (2, 5, 6, 3), depth_multiplier=2, **OPTIONS, **DEPTHWISE),
    case("DepthwiseConv2D", (2, 7, 6, 3), strides=2, padding="same", use_bias=False),
    case("DepthwiseConv2D", (2, 7, 6, 3), (2, 3), dilation_rate=(2, 1)),
    case("DepthwiseConv2D", (2, 7, 7, 3), 2, strides=2, dilation_rate=2),
    case("DepthwiseConv2D", (2, 3, 7, 6), depth_multiplier=2, **FIRST),
    case("SeparableConv1D", (2, 7, 3), depth_multiplier=2),
    case("SeparableConv1D", (2, 3, 9), 2, strides=2, padding="same", **FIRST),
    case("SeparableConv2D", (2, 5, 6, 3), **OPTIONS, **DEPTHWISE, **POINTWISE),
    case("SeparableConv2D", (2, 7, 6, 3), 2, strides=2, padding="same", use_bias=False),
    case("SeparableConv2D", (2, 7, 6, 3), dilation_rate=2, depth_multiplier=2),
    case("SeparableConv2D", (2, 3, 7, 8), depth_multiplier=2, **FIRST),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_same_as_keras(case):
    assert_same_layer(case)


@pytest.mark.parametrize("cls", CLASSES, ids=lambda c: c.__name__)
def test_takes_keras_arguments_in_its_order(cls):
    theirs = keras_counterpart(cls.__name__)
    names = [n for n in inspect.signature(theirs).parameters if n != "kwargs"]
    given = {**arguments(cls.__name__, 2), "depth_multiplier": 2, "groups": 1}
    given |= {"data_format": "channels_first", "activation": "relu", "use_bias": False}
    given |= {"padding": "same", "strides": 2, "output_padding": 1, "dilation_rate": 1}
    values = [given.get(name) for name in names]
    config = theirs(*values).get_config()
    ours = cls(*values)
    assert {**config, "name": ours.name} == ours.get_config()


@pytest.mark.parametrize("cls", CLASSES, ids=lambda c: c.__name__)
def test_defaults_and_config_are_keras(cls):
    kwargs = arguments(cls.__name__)
    theirs, ours = (c(**kwargs) for c in (keras_counterpart(cls.__name__), cls))
    assert {**theirs.get_config(), "name": ours.name} == ours.get_config()


@pytest.mark.parametrize("cls", CLASSES, ids=lambda c: c.__name__)
def test_each_weight_has_the_constraint_of_its_name(cls):
    kinds = "max_norm", "non_neg", "unit_norm"
    options = [n for n in inspect.signature(cls.__init__).parameters if "constr" in n]
    layers = [
        c(**arguments(cls.__name__), **dict(zip(options, kinds)))
        for c in (cls, keras_counterpart(cls.__name__))
    ]
    for layer in layers:
        layer.build((None, *(5,) * cls.rank, 3))
    ours, theirs = ([type(w.constraint) for w in x.weights] for x in layers)
    assert ours == theirs
    assert type(None) not in ours


# Against loops over every place and tap


def correlate(x, kernel, strides, dilation):
    """y[i] = sum over taps p and channels c of x[i * stride + p * dilation, c] * k."""
    *size, _, filters = kernel.shape
    rank = len(size)
    lengths = [
        (x.shape[a] - dilation[a] * (size[a] - 1) - 1) // strides[a] + 1
        for a in range(rank)
    ]
    y = np.zeros((*lengths, filters))
    for i in np.ndindex(*lengths):
        for p in np.ndindex(*size):
            place = tuple(i[a] * strides[a] + p[a] * dilation[a] for a in range(rank))
            y[i] += x[place] @ kernel[p]
    return y


def spread(x, kernel, strides, dilation):
    """Every x[i] adds its kernel to the output from i * stride on: the transpose."""
    *size, filters, _ = kernel.shape
    rank = len(size)
    lengths = [
        (x.shape[a] - 1) * strides[a] + max(dilation[a] * (size[a] - 1) + 1, strides[a])
        for a in range(rank)
    ]
    y = np.zeros((*lengths, filters))
    for i in np.ndindex(*x.shape[:-1]):
        for p in np.ndindex(*size):
            place = tuple(i[a] * strides[a] + p[a] * dilation[a] for a in range(rank))
            y[place] += kernel[p] @ x[i]
    return y


@pytest.mark.parametrize(
    ("cls", "formula", "lengths"),
    [
        (Conv1D, correlate, (9,)),
        (Conv2D, correlate, (7, 6)),
        (Conv3D, correlate, (5, 6, 5)),
        (Conv1DTranspose, spread, (4,)),
        (Conv2DTranspose, spread, (3, 4)),
        (Conv3DTranspose, spread, (2, 3, 2)),
    ],
)
@pytest.mark.parametrize(("stride", "dilation"), [(1, 1), (2, 1), (3, 1), (1, 2)])
def test_the_sum_written_out(cls, formula, lengths, stride, dilation):
    x = array(*lengths, 2)
    size = (2, 3, 2)[: len(lengths)]
    layer = cls(3, size, strides=stride, dilation_rate=dilation)
    layer.build((None, *x.shape))
    kernel, bias = array(*layer.kernel.shape), array(3)
    layer.set_weights([kernel, bias])
    expected = formula(x, kernel, [stride] * 3, [dilation] * 3) + bias
    assert_close(layer(x[None])[0], expected.astype("float32"))


# Properties


def test_each_group_sees_its_own_channels_only():
    layer = Conv2D(6, 3, groups=3, padding="same")
    x = array(1, 5, 5, 6)
    before = layer(x)
    x[..., 2:4] += 1.0  # the second group's channels
    changed = np.any(ops.convert_to_numpy(before - layer(x)) != 0, axis=(0, 1, 2))
    np.testing.assert_array_equal(changed, [False, False, True, True, False, False])


def test_as_many_groups_as_channels_are_a_depthwise_convolution():
    x, kernel = array(2, 6, 5, 3), array(3, 2, 3, 2)
    grouped = Conv2D(6, (3, 2), groups=3, use_bias=False)
    depthwise = DepthwiseConv2D((3, 2), depth_multiplier=2, use_bias=False)
    for layer, weights in ((grouped, kernel.reshape(3, 2, 1, 6)), (depthwise, kernel)):
        layer.build(x.shape)
        layer.set_weights([weights])
    assert_close(grouped(x), depthwise(x))


def test_separable_is_depthwise_then_one_by_one():
    x = array(2, 6, 5, 3)
    separable = SeparableConv2D(4, 3, depth_multiplier=2)
    separable.build(x.shape)
    separable.set_weights([array(*w.shape) for w in separable.weights])
    depthwise = DepthwiseConv2D(3, depth_multiplier=2, use_bias=False)
    one_by_one = Conv2D(4, 1)
    for layer, shape in ((depthwise, x.shape), (one_by_one, (None, 4, 3, 6))):
        layer.build(shape)
    kernel, *rest = separable.get_weights()
    depthwise.set_weights([kernel])
    one_by_one.set_weights(rest)
    assert_close(separable(x), one_by_one(depthwise(x)))


@pytest.mark.parametrize("cls", [Conv2D, DepthwiseConv2D, SeparableConv2D])
def test_the_bias_goes_to_channels_where_there_are_as_many_columns(cls):
    """Keras on TensorFlow adds it along the columns in this case."""
    layer = cls(**arguments(cls.__name__, 1, **FIRST))
    layer.build((None, 4, 3, 4))
    *kernels, _ = layer.get_weights()
    layer.set_weights([*kernels, np.arange(4.0)])
    y = ops.convert_to_numpy(layer(np.zeros((1, 4, 3, 4), "float32")))
    np.testing.assert_array_equal(y[0, :, 0, 0], np.arange(4.0))


def test_causal_convolution_leaks_nothing_from_the_future():
    layer = Conv1D(3, 3, padding="causal", dilation_rate=2)
    x = array(1, 9, 2)
    before = ops.convert_to_numpy(layer(x))
    x[:, 5:] += 1.0
    after = ops.convert_to_numpy(layer(x))
    np.testing.assert_array_equal(before[:, :5], after[:, :5])
    assert np.all(np.any(before[:, 5:] != after[:, 5:], axis=-1))


@pytest.mark.parametrize("cls", [Conv1D, Conv2D, Conv3D, DepthwiseConv2D])
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_pairs_of_padding_are_zeros_around_the_input(cls, data_format):
    pairs = [(2, 0), (0, 1), (1, 3)][: cls.rank]
    last = data_format == "channels_last"
    shape = (1, *(5, 4, 3)[: cls.rank], 2) if last else (1, 2, *(5, 4, 3)[: cls.rank])
    x = array(*shape)
    kwargs = arguments(cls.__name__, data_format=data_format)
    padded, valid = cls(**kwargs, padding=pairs), cls(**kwargs)
    around = [(0, 0), *pairs, (0, 0)] if last else [(0, 0), (0, 0), *pairs]
    x_padded = np.pad(x, around)
    for layer, inputs in ((padded, x), (valid, x_padded)):
        layer.build(inputs.shape)
        layer.set_weights([array(*w.shape) for w in layer.weights])
    assert_close(padded(x), valid(x_padded))
    assert padded.compute_output_shape(shape) == tuple(padded(x).shape)
    again = cls.from_config(padded.get_config())
    assert again.compute_output_shape(shape) == tuple(padded(x).shape)


def test_transposed_is_the_gradient_of_the_convolution():
    """<conv(x), y> = <x, transposed(y)> for every x and y."""
    x, y = array(1, 7, 6, 2), array(1, 3, 5, 4)
    kernel = array(3, 2, 2, 4)
    forth = Conv2D(4, (3, 2), strides=(2, 1), use_bias=False)
    back = Conv2DTranspose(2, (3, 2), strides=(2, 1), use_bias=False)
    for layer, shape in ((forth, x.shape), (back, y.shape)):
        layer.build(shape)
        layer.set_weights([kernel])
    inner = [
        np.sum(ops.convert_to_numpy(layer(a)) * b)
        for layer, a, b in ((forth, x, y), (back, y, x))
    ]
    np.testing.assert_allclose(*inner, rtol=1e-5)


GEOMETRIES = [
    dict(zip(("kernel_size", "strides", "padding", "dilation_rate"), values))
    for values in itertools.product((1, 2, 3), (1, 2, 3), ("valid", "same"), (1, 2))
    if values[1] == 1 or values[3] == 1
]


@pytest.mark.parametrize("cls", [Conv1D, Conv1DTranspose, DepthwiseConv1D])
def test_output_shape_is_promised_right_for_every_geometry(cls):
    x = array(1, 7, 2)
    for geometry in GEOMETRIES:
        layer = cls(**arguments(cls.__name__, **geometry))
        real = tuple(layer(x).shape)
        assert layer.compute_output_shape(x.shape) == real, geometry


@pytest.mark.parametrize("padding", ["valid", "same"])
@pytest.mark.parametrize(
    ("kernel_size", "strides", "output_padding"),
    [(3, 2, 0), (3, 2, 1), (2, 2, 1), (2, 3, 2), (4, 3, 1), (5, 2, 1)],
)
def test_output_padding_is_counted_in_the_promised_shape(
    kernel_size, strides, output_padding, padding
):
    layer = Conv1DTranspose(4, kernel_size, strides, padding, output_padding)
    x = array(1, 4, 2)
    assert layer.compute_output_shape(x.shape) == tuple(layer(x).shape)


@pytest.mark.parametrize("cls", CLASSES, ids=lambda c: c.__name__)
def test_unknown_lengths_stay_unknown(cls):
    layer = cls(**arguments(cls.__name__, 2, strides=2, padding="same"))
    y = layer(keras.Input((*(None,) * cls.rank, 2)))
    assert y.shape == (None, *(None,) * cls.rank, 2 if "Depth" in cls.__name__ else 4)


def test_layers_of_unknown_lengths_run():
    inputs = keras.Input((None, None, 2))
    outputs = Conv2DTranspose(2, 3, strides=2)(Conv2D(4, 3, groups=2)(inputs))
    model = keras.Model(inputs, outputs)
    for shape in ((1, 5, 6, 2), (2, 7, 4, 2)):
        assert model(array(*shape)).shape == model.compute_output_shape(shape)


def test_keras_default_data_format_is_taken():
    try:
        keras.config.set_image_data_format("channels_first")
        assert Conv2D(4, 3).data_format == "channels_first"
    finally:
        keras.config.set_image_data_format("channels_last")


# Refusals

SIZE = r"must be a tuple of 2 integers. Received {0}=.*"
REFUSALS = [
    (Conv2D, {"filters": 0}, "`filters`. Expected a strictly positive value"),
    (Conv2D, {"kernel_size": (1, 0)}, SIZE.format("kernel_size") + r"\{0\}.*> 0"),
    (Conv2D, {"kernel_size": (1, 2, 3)}, SIZE.format("kernel_size")),
    (Conv2D, {"kernel_size": 2.5}, SIZE.format("kernel_size")),
    (Conv2D, {"kernel_size": ("a", 1)}, SIZE.format("kernel_size")),
    (Conv2D, {"strides": -1}, SIZE.format("strides")),
    (Conv2D, {"dilation_rate": 0}, SIZE.format("dilation_rate")),
    (Conv2D, {"strides": 2, "dilation_rate": 2}, "not supported in conjunction"),
    (Conv2D, {"groups": 0}, "groups must be a positive integer"),
    (Conv2D, {"groups": 3}, "evenly divisible by the number of groups"),
    (Conv2D, {"padding": "causal"}, "`padding` argument must be a list/tuple"),
    (Conv2D, {"padding": [(1, 1)]}, "2 pairs"),
    (Conv2D, {"padding": [(1, 1), (-1, 0)]}, "`padding` .*>= 0"),
    (Conv2D, {"data_format": "channels"}, "`data_format` argument"),
    (Conv2DTranspose, {"padding": [(1, 1), (1, 1)]}, "transposed convolution"),
    (Conv2DTranspose, {"output_padding": 1}, "strictly less than `strides`"),
    (Conv2DTranspose, {"output_padding": -1, "strides": 2}, "output_padding.*>= 0"),
    (Conv2DTranspose, {"strides": 2, "dilation_rate": 2}, "not supported in conj"),
    (DepthwiseConv2D, {"depth_multiplier": 0}, "`depth_multiplier`. Expected"),
    (SeparableConv2D, {"depth_multiplier": -1}, "`depth_multiplier`. Expected"),
    (SeparableConv2D, {"filters": -1}, "`filters`. Expected"),
]


@pytest.mark.parametrize(("cls", "wrong", "message"), REFUSALS)
def test_refuses_arguments(cls, wrong, message):
    with pytest.raises(ValueError, match=message):
        cls(**arguments(cls.__name__) | wrong)


@pytest.mark.parametrize("cls", [Conv2D, DepthwiseConv2D, SeparableConv2D])
def test_refuses_an_input_below_the_kernel(cls):
    with pytest.raises(ValueError, match="Computed output size would be zero or neg"):
        cls(**arguments(cls.__name__))(array(1, 2, 5, 3))


def test_refuses_channels_that_groups_do_not_divide_or_of_unknown_number():
    with pytest.raises(ValueError, match=r"evenly divisible.*the input has 3 channels"):
        Conv2D(4, 3, groups=2).build((None, 5, 5, 3))
    with pytest.raises(ValueError, match="number of channels"):
        Conv2D(4, 3).build((None, 5, 5, None))


def test_refuses_inputs_of_another_rank_or_other_channels():
    layer = Conv2D(4, 3)
    with pytest.raises(ValueError, match="expected ndim=4"):
        layer(array(2, 5, 3))
    layer(array(1, 5, 5, 3))
    with pytest.raises(ValueError, match="expected axis -1"):
        layer(array(1, 5, 5, 2))
