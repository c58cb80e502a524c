"""NetVLAD and CorrelationCost against NumPy formulas written from their papers."""

import keras
import numpy as np
import pytest
from keras import ops

from custom_layers.layers import CorrelationCost, NetVLAD
from oracle import array, assert_close, run_layer
from pooling_formulas import correlation, net_vlad

X = array(2, 5, 3)
WEIGHTS = [array(3, 4, seed=1), array(4, seed=2), array(3, 4, seed=3)]


def vlad(**options):
    layer = NetVLAD(4, **options)
    layer.build((None, None, 3))
    layer.set_weights(WEIGHTS)
    return layer


def slope_by_differences(function, x, at, step=1e-2):
    """d function(x) / d x[at], where function is computed in float32."""
    moved = []
    for sign in (1, -1):
        y = x.copy()
        y[at] += sign * step
        moved.append(float(function(y)))
    return (moved[0] - moved[1]) / (2 * step)


def test_net_vlad_is_the_formula_of_the_paper():
    assert_close(vlad()(X), net_vlad(X, *WEIGHTS).astype("float32"))
    names = [w.name for w in vlad().weights]
    assert names == ["kernel", "bias", "cluster_centers"]
    assert vlad().compute_output_shape((2, None, 3)) == (2, 12)


def test_net_vlad_has_the_gradient_of_its_formula():
    found = run_layer(vlad(), X)
    c = array(2, 12, seed=3)

    def loss(x):
        return np.sum(net_vlad(x.astype("float64"), *WEIGHTS) * c)

    for at in ((0, 0, 0), (1, 3, 2)):
        slope = slope_by_differences(loss, X.astype("float64"), at, 1e-5)
        np.testing.assert_allclose(
            found["gradient to input 0"][at], slope, rtol=1e-3, atol=1e-5
        )


def test_net_vlad_leaves_out_masked_features_whatever_they_hold():
    mask = np.array([[1, 1, 0, 1, 0], [1, 1, 1, 1, 1]], "bool")
    desired = net_vlad(X, *WEIGHTS, mask).astype("float32")
    for value in (0.0, 1e3, np.nan):
        x = np.where(mask[..., None], X, np.float32(value))
        assert_close(vlad()(x, mask=mask), desired)
    y = vlad()(keras.layers.Masking()(np.where(mask[..., None], X, np.float32(0))))
    assert_close(y, desired)
    assert getattr(y, "_keras_mask", None) is None


def test_net_vlad_without_a_feature_is_zero_with_a_finite_gradient():
    found = run_layer(vlad(), X, mask=np.zeros((2, 5), "bool"))
    np.testing.assert_array_equal(found["output 0"], 0)
    assert all(np.all(np.isfinite(value)) for value in found.values())


def test_net_vlad_sees_an_image_as_a_set_of_places():
    image = array(2, 3, 4, 3)
    assert_close(vlad()(image), vlad()(image.reshape(2, 12, 3)))
    mirrored = image[:, :, ::-1].copy()
    assert_close(vlad()(mirrored), vlad()(image))
    mask = array(2, 3, 4, seed=9) > 0
    desired = net_vlad(image.reshape(2, 12, 3), *WEIGHTS, mask.reshape(2, 12))
    assert_close(vlad()(image, mask=mask), desired.astype("float32"))


def test_net_vlad_penalizes_its_kernel():
    layer = vlad(kernel_regularizer=keras.regularizers.L2(1e-5))
    layer(X)
    assert_close(sum(layer.losses), np.float32(1e-5 * np.sum(WEIGHTS[0] ** 2)))


COSTS = [  # kernel_size, max_displacement, stride_1, stride_2, pad
    (1, 2, 1, 1, 2),
    (3, 1, 1, 1, 2),
    (1, 3, 1, 2, 3),
    (3, 2, 2, 2, 1),
]


@pytest.mark.parametrize("arguments", COSTS, ids=str)
@pytest.mark.parametrize("data_format", ["channels_last", "channels_first"])
def test_correlation_is_the_formula_of_the_paper(arguments, data_format):
    f, g = array(2, 7, 6, 3), array(2, 7, 6, 3, seed=1)
    desired = correlation(f, g, *arguments).astype("float32")
    layer = CorrelationCost(*arguments, data_format)
    if data_format == "channels_last":
        y = layer([f, g])
        assert layer.compute_output_shape([f.shape] * 2) == tuple(y.shape)
    else:
        first = [x.transpose(0, 3, 1, 2) for x in (f, g)]
        assert layer.compute_output_shape([first[0].shape] * 2) == tuple(
            layer(first).shape
        )
        y = ops.transpose(layer(first), (0, 2, 3, 1))
    assert_close(y, desired)


def test_correlation_has_the_gradient_of_its_formula():
    f, g, arguments = array(1, 4, 5, 2), array(1, 4, 5, 2, seed=1), (3, 1, 1, 1, 2)
    found = run_layer(CorrelationCost(*arguments), [f, g])
    c = array(*found["output 0"].shape, seed=3)
    f, g = f.astype("float64"), g.astype("float64")
    for i, loss in enumerate(
        (
            lambda x: np.sum(correlation(x, g, *arguments) * c),
            lambda x: np.sum(correlation(f, x, *arguments) * c),
        )
    ):
        slope = slope_by_differences(loss, (f, g)[i], (0, 1, 2, 1), 1e-5)
        actual = found[f"gradient to input {i}"][0, 1, 2, 1]
        np.testing.assert_allclose(actual, slope, rtol=1e-3, atol=1e-5)


def test_correlation_vanishes_where_it_does_in_the_test_of_addons():
    f = [
        [[0, -6, 9, 5], [1, -5, 10, 3], [2, -4, 11, 1]],
        [[3, -3, 12, -1], [4, -2, 13, -3], [5, -1, 14, -5]],
        [[6, 0, 15, -7], [7, 1, 16, -9], [8, 2, 17, -11]],
        [[9, 3, 18, -13], [10, 4, 19, -15], [11, 5, 20, -17]],
    ]
    f = np.array(f, "float32").reshape(2, 2, 3, 4)
    g = f.transpose(2, 3, 0, 1).reshape(2, 2, 3, 4)
    y = CorrelationCost(1, 2, 1, 2, 4, "channels_first")([f, g])
    y = ops.convert_to_numpy(y)
    assert y.shape == (2, 9, 7, 8)
    for cost in y:
        counts = [int(np.sum(channel == 0)) for channel in cost]
        assert counts == [54, 52, 54, 50, 44, 50, 54, 52, 54]


def test_correlation_finds_how_far_the_image_has_moved():
    f = array(1, 9, 9, 8)
    g = np.roll(f, (-1, 2), (1, 2))  # up by 1, right by 2
    cost = ops.convert_to_numpy(CorrelationCost(3, 2, 1, 1, 3)([f, g]))
    assert cost.shape == (1, 9, 9, 25)
    assert np.all(cost[0, 3:6, 3:6].argmax(-1) == (-1 + 2) * 5 + 2 + 2)


def test_maps_of_unknown_size_pass_through_a_model():
    inputs = [keras.Input((None, None, 2)) for _ in range(2)]
    model = keras.Model(inputs, CorrelationCost(3, 1, 2, 1, 2)(inputs))
    assert model.output_shape == (None, None, None, 9)
    f, g = array(1, 5, 6, 2), array(1, 5, 6, 2, seed=1)
    desired = correlation(f, g, 3, 1, 2, 1, 2).astype("float32")
    assert_close(model.predict([f, g], verbose=0), desired)


GOOD = {
    "kernel_size": 1,
    "max_displacement": 1,
    "stride_1": 1,
    "stride_2": 1,
    "pad": 1,
}


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"kernel_size": 2}, "`kernel_size` argument must be odd"),
        ({"kernel_size": 0}, "argument `kernel_size`"),
        ({"max_displacement": -1}, "`max_displacement` argument"),
        ({"stride_1": 0}, "argument `stride_1`"),
        ({"stride_2": 1.5}, "argument `stride_2`"),
        ({"pad": -1}, "`pad` argument"),
        ({"data_format": "NHWC"}, "`data_format` argument"),
    ],
)
def test_correlation_refuses_arguments(wrong, message):
    with pytest.raises(ValueError, match=message):
        CorrelationCost(**{**GOOD, **wrong})


@pytest.mark.one_backend
def test_refuses_wrong_inputs():
    x = array(1, 4, 5, 2)
    layer = CorrelationCost(**GOOD)
    for inputs in ([x], [x, x[:, 1:]], [x[0], x[0]]):
        with pytest.raises(ValueError, match="two feature maps of one shape"):
            layer(inputs)
    with pytest.raises(ValueError, match="Enlarge `pad`"):
        CorrelationCost(**{**GOOD, "max_displacement": 4})([x, x])
    with pytest.raises(ValueError, match="argument `num_clusters`"):
        NetVLAD(0)
    with pytest.raises(ValueError, match="must be known"):
        NetVLAD(2)(keras.Input((4, None)))
