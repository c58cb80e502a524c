"""Normalization against Keras and the papers' formulas; its properties and refusals."""

import functools

import keras
import numpy as np
import pytest
from keras import ops

from custom_layers.layers import (
    BatchNormalization,
    GroupNormalization,
    InstanceNormalization,
    LayerNormalization,
    RMSNormalization,
    batch_normalization,
    group_normalization,
    layer_normalization,
    rms_normalization,
)
from oracle import Case, array, assert_close, assert_same_layer, run_layer

TRAIN = {"training": True}
BOUNDS = {"rmax": 1.5, "rmin": 0.9, "dmax": 0.1}
MASK = np.array([[True, True, False], [True, False, False]])
PENALTIES = {
    "beta_regularizer": "l2",
    "gamma_regularizer": "l1",
    "beta_constraint": "non_neg",
    "gamma_constraint": "max_norm",
}
BN, LN, GN = "BatchNormalization", "LayerNormalization", "GroupNormalization"
CASES = [
    # batch
    Case(BN, {}, array(7, 5), TRAIN),
    Case(BN, {}, array(7, 5)),
    Case(BN, {"momentum": 0.3, "epsilon": 0.1}, array(3, 5, 4, 2), TRAIN),
    Case(BN, {"axis": 1, **PENALTIES}, array(3, 4, 5), TRAIN),
    Case(BN, {"axis": 1}, array(3, 4, 5)),
    Case(BN, {"axis": -2}, array(2, 3, 2, 3), TRAIN),
    Case(BN, {"center": False}, array(6, 3), TRAIN),
    Case(BN, {"scale": False}, array(6, 3), TRAIN),
    Case(BN, {"scale": False, "center": False}, array(6, 3), TRAIN),
    Case(BN, {"scale": False, "center": False}, array(6, 3)),
    Case(BN, {"trainable": False}, array(6, 3), TRAIN),
    Case(BN, {}, array(2, 3, 4), {"mask": MASK, **TRAIN}),
    Case(BN, {}, array(2, 3, 4), {"mask": MASK}),
    Case(BN, {"axis": 1}, array(2, 3, 4), {"mask": MASK, **TRAIN}),
    Case(BN, {"momentum": 0.5}, array(2, 3, 4, 2), {"mask": MASK[..., None], **TRAIN}),
    Case(BN, {"scale": False}, array(2, 3, 4), {"mask": MASK * 1.0, **TRAIN}),
    Case(BN, {}, array(2, 3, 4), {"mask": MASK & False, **TRAIN}),
    Case(BN, {"renorm": True}, array(6, 3), TRAIN),
    Case(BN, {"renorm": True}, array(6, 3)),
    Case(BN, {"renorm": True, "renorm_clipping": BOUNDS}, array(4, 3, 2), TRAIN),
    Case(BN, {"renorm": True, "renorm_clipping": {"rmax": None}}, array(6, 3), TRAIN),
    Case(BN, {"renorm": True, "renorm_momentum": 0.2}, array(6, 3), TRAIN),
    Case(BN, {"renorm": True, "scale": False, "axis": 1}, array(4, 3, 2), TRAIN),
    Case(BN, {"renorm": True}, array(2, 3, 4), {"mask": MASK, **TRAIN}),
    # layer
    Case(LN, {}, array(7, 5)),
    Case(LN, {"axis": 1, **PENALTIES}, array(3, 4, 5)),
    Case(LN, {"axis": [-1, -2], "epsilon": 0.1}, array(3, 4, 5)),
    Case(LN, {"axis": (1, 3)}, array(2, 3, 4, 2)),
    Case(LN, {"axis": [0, 2]}, array(2, 3, 4)),
    Case(LN, {"center": False}, array(2, 3, 4)),
    Case(LN, {"scale": False}, array(2, 3, 4)),
    Case(LN, {"scale": False, "center": False, "axis": [1, 2]}, array(2, 3, 4)),
    # group
    Case(GN, {"groups": 2}, array(3, 8)),
    Case(GN, {"groups": 3, **PENALTIES}, array(2, 5, 4, 6)),
    Case(GN, {"groups": 1, "epsilon": 0.1}, array(2, 5, 4)),
    Case(GN, {"groups": 4}, array(2, 5, 4)),
    Case(GN, {"groups": 2, "axis": 1}, array(2, 4, 3, 5)),
    Case(GN, {"groups": 2, "axis": -2}, array(2, 3, 4, 5)),
    Case(GN, {"groups": 2, "scale": False}, array(2, 3, 4)),
    Case(GN, {"groups": 2, "center": False}, array(2, 3, 4)),
    # root mean square
    Case("RMSNormalization", {}, array(7, 5)),
    Case("RMSNormalization", {"epsilon": 0.1}, array(2, 3, 4)),
    Case("RMSNormalization", {"axis": [-1, -2]}, array(2, 3, 4)),
]
NORMALIZATIONS = [
    BatchNormalization,
    LayerNormalization,
    functools.partial(GroupNormalization, 2),
    InstanceNormalization,
    RMSNormalization,
]
each_normalization = pytest.mark.parametrize(
    "make", NORMALIZATIONS, ids=["batch", "layer", "group", "instance", "rms"]
)


@pytest.mark.parametrize("case", CASES, ids=str)
def test_same_as_keras(case):
    if keras.backend.backend() == "torch" and case.kwargs.get("axis") == 1:
        pytest.skip("Keras's LayerNormalization fails there")
    assert_same_layer(case)


@pytest.mark.filterwarnings("ignore:.*rms_scaling")
def test_same_as_keras_with_the_deprecated_rms_scaling():
    assert_same_layer(Case(LN, {"rms_scaling": True}, array(3, 4)))


def test_instance_normalization_is_keras_group_normalization_with_groups_of_one():
    case = Case("InstanceNormalization", {"axis": 1, "epsilon": 0.1}, array(2, 3, 4, 5))
    theirs = keras.layers.GroupNormalization
    assert_same_layer(case, theirs=lambda **kwargs: theirs(-1, **kwargs))


def test_instance_normalization_is_the_papers_formula():
    x = array(2, 5, 4, 3)
    mean = x.mean(axis=(1, 2), keepdims=True)
    deviation = np.sqrt(((x - mean) ** 2).mean(axis=(1, 2), keepdims=True) + 1e-3)
    assert_close(InstanceNormalization()(x), (x - mean) / deviation)


@pytest.mark.parametrize("axis", [1, (1, 3), [1, -1]])
def test_rms_scale_lies_along_its_axes(axis):
    """Keras's layer takes the last axes only, so the formula is the oracle."""
    x, layer = array(2, 3, 4, 2), RMSNormalization(axis, epsilon=0.1)
    layer.build(x.shape)
    scale = array(*layer.scale.shape, seed=1)
    layer.scale.assign(scale)
    axes = (1,) if axis == 1 else (1, 3)
    square = (x**2).mean(axis=axes, keepdims=True)
    along = scale.reshape((1, 3, 1, 1) if axis == 1 else (1, 3, 1, 2))
    assert_close(layer(x), x / np.sqrt(square + 0.1) * along)


class Plain(keras.layers.Layer):
    """A plain function of x and of weights with the names and shapes that are given."""

    def __init__(self, function, shapes):
        super().__init__()
        self.function = function
        self.values = [self.add_weight(s, name=name) for name, s in shapes.items()]
        self.built = True

    def call(self, x):
        return self.function(x, *(ops.convert_to_tensor(w) for w in self.values))


@pytest.mark.parametrize(
    ("fast", "function"),
    [
        (BatchNormalization(), batch_normalization),
        (LayerNormalization(), layer_normalization),
        (GroupNormalization(2), functools.partial(group_normalization, groups=2)),
        (InstanceNormalization(), functools.partial(group_normalization, groups=4)),
        (RMSNormalization(), rms_normalization),
    ],
    ids=["batch", "layer", "group", "instance", "rms"],
)
@pytest.mark.parametrize("shape", [(7, 4), (3, 5, 4), (2, 3, 5, 4)])
def test_the_fast_version_is_the_plain_one_in_values_and_gradients(
    fast, function, shape
):
    if len(shape) == 2 and isinstance(fast, InstanceNormalization):
        pytest.skip("each channel has one place, whose gradient is 0")
    fast = type(fast).from_config(fast.get_config())
    fast.build(shape)
    shapes = {w.name: w.shape for w in fast.trainable_weights}
    plain = Plain(function, shapes)
    for each in (fast, plain):
        for i, weight in enumerate(each.trainable_weights):
            weight.assign(array(*weight.shape, seed=i))
    x = array(*shape) * 3 + 2
    actual = run_layer(fast, x, **train_if_possible(fast))
    for key, desired in run_layer(plain, x).items():
        assert_close(actual[key], desired, rtol=1e-4, label=key)


def test_the_fast_layer_normalization_is_the_plain_one_over_several_axes():
    x = ops.convert_to_tensor(array(2, 3, 4, 5))
    plain = layer_normalization(x, 1.0, 0.0, axes=(1, 3), epsilon=0.1)
    assert_close(LayerNormalization([1, 3], epsilon=0.1)(x), plain)


@pytest.mark.parametrize(
    ("make", "view", "axes"),
    [
        (NORMALIZATIONS[0], (16, 32, 32), (0, 1)),
        (NORMALIZATIONS[1], (16, 32, 32), (2,)),
        (NORMALIZATIONS[2], (16, 32, 2, 16), (1, 3)),
        (NORMALIZATIONS[3], (16, 32, 32), (1,)),
    ],
)
def test_a_large_mean_does_not_spoil_the_variance(make, view, axes):
    x = array(16, 32, 32) + np.float32(1e4)
    layer = make()
    y = ops.convert_to_numpy(layer(x, **train_if_possible(layer)))
    x = x.astype("float64").reshape(view)
    mean, variance = x.mean(axes, keepdims=True), x.var(axes, keepdims=True)
    desired = ((x - mean) / np.sqrt(variance + 1e-3)).reshape(y.shape)
    assert np.abs(y - desired).max() < 5e-3  # float32 holds 1e4 to 1e-3


def train_if_possible(layer):
    return TRAIN if isinstance(layer, BatchNormalization) else {}


@each_normalization
def test_shift_and_scale_of_the_input_do_not_show(make):
    layer = make()
    x = array(6, 5, 4) * 10
    y = layer(x, **train_if_possible(layer))
    shift = 0 if make is RMSNormalization else 2
    again = layer(3 * x + shift, **train_if_possible(layer))
    assert_close(ops.convert_to_numpy(again), ops.convert_to_numpy(y), rtol=1e-3)


@pytest.mark.parametrize("cls", [BatchNormalization, LayerNormalization])
def test_a_single_place_becomes_beta_and_passes_no_gradient(cls):
    layer = cls(beta_initializer="ones")
    layer.build((1, 1))
    results = run_layer(layer, array(1, 1), **train_if_possible(layer))
    assert_close(results["output 0"], [[1.0]])
    assert_close(results["gradient to input 0"] + 1, [[1.0]], rtol=1e-5)


def test_masked_places_count_neither_in_the_moments_nor_in_the_averages():
    x = array(2, 3, 4)
    garbage = np.where(MASK[..., None], x, 1e6).astype("float32")
    layers = [BatchNormalization(momentum=0.0) for _ in range(2)]
    for layer in layers:
        layer.build(x.shape)
    results = [
        run_layer(layer, a, mask=MASK, **TRAIN)
        for layer, a in zip(layers, (x, garbage))
    ]
    assert_close(results[0]["state moving_mean"], x[MASK].mean(axis=0))
    assert_close(results[0]["state moving_variance"], x[MASK].var(axis=0))
    for key in ("state moving_mean", "state moving_variance"):
        np.testing.assert_array_equal(results[0][key], results[1][key])
    y = [r["output 0"][MASK] for r in results]
    np.testing.assert_array_equal(*y)


def test_half_precision_takes_its_moments_in_float32():
    x = ops.cast(array(64, 8) * 300, "float16")  # squares overflow float16
    for layer in (
        BatchNormalization(dtype="float16"),
        LayerNormalization(dtype="float16"),
        GroupNormalization(2, dtype="float16"),
        RMSNormalization(dtype="float16"),
    ):
        y = layer(x, **train_if_possible(layer))
        assert keras.backend.standardize_dtype(y.dtype) == "float16"
        y = ops.convert_to_numpy(y).astype("float32")
        size = np.linalg.norm(y) / np.sqrt(y.size)
        assert size == pytest.approx(1, rel=1e-2)


def test_renorm_trains_as_it_infers_once_its_averages_are_those_of_the_batch():
    x = array(64, 3)
    layer = BatchNormalization(renorm=True)
    layer.build(x.shape)
    layer.renorm_mean.assign(x.mean(axis=0))
    layer.renorm_stddev.assign(np.sqrt(x.var(axis=0) + 1e-3))
    plain = BatchNormalization()
    assert_close(layer(x, training=True), plain(x, training=True))


@pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="replicas are TensorFlow's"
)
def test_synchronized_replicas_share_their_moments():
    import tensorflow as tf

    x = array(6, 3)
    assert_same_layer(Case(BN, {"synchronized": True}, x, TRAIN))
    strategy = tf.distribute.MirroredStrategy(["/cpu:0"])
    with strategy.scope():
        layer = BatchNormalization(synchronized=True)
        layer.build(x.shape)
    y = strategy.run(tf.function(lambda: layer(tf.constant(x), training=True)))
    assert_close(y, BatchNormalization()(x, training=True))


def penalty_and_gradient(layer, x, c):
    """sum((d sum(c * layer(x)^2) / dx)^2) and its gradient to x: WGAN-GP's order."""
    call = train_if_possible(layer)

    def objective(x):
        return ops.sum(ops.square(layer(x, **call)) * ops.convert_to_tensor(c))

    if keras.backend.backend() == "tensorflow":
        import tensorflow as tf

        x = tf.constant(x)
        with tf.GradientTape() as outer:
            outer.watch(x)
            with tf.GradientTape() as inner:
                inner.watch(x)
                y = objective(x)
            penalty = tf.reduce_sum(inner.gradient(y, x) ** 2)
        return float(penalty), outer.gradient(penalty, x).numpy()
    if keras.backend.backend() == "jax":
        import jax

        def objective_without_state(x):
            values = [v.value for v in layer.non_trainable_variables]
            weights = [w.value for w in layer.trainable_variables]
            y, _ = layer.stateless_call(weights, values, x, **call)
            return ops.sum(c * ops.square(y))

        gradient = jax.grad(objective_without_state)
        squares = jax.jit(jax.value_and_grad(lambda x: ops.sum(gradient(x) ** 2)))
        penalty, to_x = squares(x)
        return float(penalty), np.asarray(to_x)
    import torch

    x = torch.tensor(x, requires_grad=True)
    (g,) = torch.autograd.grad(objective(x), x, create_graph=True)
    penalty = (g**2).sum()
    to_x = torch.autograd.grad(penalty, x)[0]
    return float(penalty.detach()), to_x.numpy()


@each_normalization
def test_gradients_of_gradients_are_right(make):
    """The oracle is a finite difference, which float32 lets be right to two percent."""
    layer = make()
    x, c = array(5, 3, 4), array(5, 3, 4, seed=2)
    layer(x)
    _, gradient = penalty_and_gradient(layer, x, c)
    for seed in range(3):
        direction = array(5, 3, 4, seed=10 + seed)
        step = 3e-3 * direction
        above, below = (penalty_and_gradient(layer, x + s, c)[0] for s in (step, -step))
        slope = (above - below) / 6e-3
        assert slope == pytest.approx(np.sum(gradient * direction), rel=2e-2)


@pytest.mark.parametrize(
    ("make", "error", "message"),
    [
        (lambda: LayerNormalization({"axis": -1}), TypeError, "argument 'axis'"),
        (lambda: LayerNormalization(3)(array(2, 3)), ValueError, "out of bounds"),
        (lambda: BatchNormalization(3)(array(2, 3)), ValueError, "out of bounds"),
        (lambda: RMSNormalization(3)(array(2, 3)), ValueError, "out of bounds"),
        (lambda: GroupNormalization(0), ValueError, "argument `groups`"),
        (lambda: GroupNormalization(2.0), ValueError, "argument `groups`"),
        (
            lambda: GroupNormalization(5)(array(2, 3)),
            ValueError,
            "more than the number",
        ),
        (lambda: GroupNormalization(2)(array(2, 3)), ValueError, "must be a multiple"),
        (
            lambda: GroupNormalization(2)(keras.Input((3, None))),
            ValueError,
            "defined dimension",
        ),
        (
            lambda: BatchNormalization(renorm=True, renorm_clipping={"max": 1}),
            ValueError,
            "invalid keys",
        ),
        (
            lambda: BatchNormalization(
                renorm=True, renorm_clipping={"rmin": 2, "rmax": 1}
            ),
            ValueError,
            "rmax should be",
        ),
        (
            lambda: BatchNormalization(renorm=True, renorm_clipping={"dmax": -1}),
            ValueError,
            "dmax should be non-negative",
        ),
        (
            lambda: BatchNormalization()(array(2, 3), mask=MASK),
            ValueError,
            "one dimension less",
        ),
    ],
)
def test_refuses(make, error, message):
    with pytest.raises(error, match=message):
        make()
