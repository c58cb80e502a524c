"""SequenceLoss: Addons' own numbers, a formula with loops, masks and weights."""

import itertools

import keras
import numpy as np
import pytest
from keras import ops

from custom_layers.losses import SequenceLoss, TokenCrossentropy
from loss_cases import AsLayer
from oracle import array, assert_close, run_layer
from sequence_formulas import error_of_sequence_loss, sequence_loss

NAMES = (
    "average_across_timesteps",
    "average_across_batch",
    "sum_over_timesteps",
    "sum_over_batch",
)
WAYS = [
    dict(zip(NAMES, flags))
    for flags in itertools.product([False, True], repeat=4)
    if not (any(flags[:2]) and any(flags[2:]))
]
Y = array(3, 4, low=0, high=5, dtype="int32")
Z = array(3, 4, 5, seed=1)
W = np.array([[1, 2, 0, 0], [0.5, 1, 1, 3], [0, 0, 0, 0]], "float32")


def loss_of(way, y=Y, z=Z, w=W):
    return ops.convert_to_numpy(SequenceLoss(**way)(y, z, w))


def test_the_seven_ways():
    assert len(WAYS) == 7


@pytest.mark.parametrize("way", WAYS, ids=lambda way: str(list(way.values())))
def test_value_and_gradient_are_those_of_loops(way):
    assert error_of_sequence_loss(SequenceLoss, way) < 1e-4


@pytest.mark.parametrize("way", WAYS, ids=lambda way: str(list(way.values())))
@pytest.mark.parametrize("weight", [1.0, 0.0, "last is 0"])
def test_the_numbers_of_the_tests_of_addons(way, weight):
    """Equal logits make every one of the 2 x 3 tokens cost log 5 = 1.60944."""
    z = np.broadcast_to(np.array([0.5, 1.5, 2.5])[None, :, None], (2, 3, 5))
    y = np.broadcast_to(np.arange(3), (2, 3))
    w = np.ones((2, 3)) if weight == "last is 0" else np.full((2, 3), weight)
    if weight == "last is 0":
        w[:, -1] = 0
    over_time = way["average_across_timesteps"] or way["sum_over_timesteps"]
    over_batch = way["average_across_batch"] or way["sum_over_batch"]
    each = 1.60944 * w
    if over_batch:
        each = each[0]
    if over_time:
        each = each[..., 0]
    assert_close(loss_of(way, y, z, w), each, 1e-5)


def test_probabilities_as_the_truth_cost_the_same():
    one_hot = np.eye(5)[Y]
    for way in WAYS:
        assert_close(loss_of(way, one_hot), loss_of(way), 1e-5)


def test_heavy_tokens_count_several_times_in_an_average_only():
    y, z = np.array([[0, 1]]), np.array([[[0.0, 0.0], [0.0, 3.0]]])
    costs = np.log(2), np.log1p(np.exp(-3))
    w = np.array([[3.0, 1.0]])
    averaged = dict.fromkeys(NAMES[:2], True) | dict.fromkeys(NAMES[2:], False)
    assert_close(loss_of(averaged, y, z, w), (3 * costs[0] + costs[1]) / 4, 1e-5)
    assert_close(loss_of({}, y, z, w), (3 * costs[0] + costs[1]) / 2, 1e-5)


def test_padding_as_weights_is_the_token_crossentropy():
    y = np.array([[3, 1, 0, 0], [2, 4, 1, 0]])
    z = array(2, 4, 5)
    assert_close(loss_of({}, y, z, y > 0), TokenCrossentropy()(y, z), 1e-5)


def test_a_weight_for_each_sequence_weighs_all_its_tokens():
    w = np.array([2.0, 0.0, 1.0], "float32")
    for way in WAYS:
        assert_close(loss_of(way, w=w), loss_of(way, w=np.tile(w[:, None], 4)), 1e-6)


def test_what_has_no_weight_may_be_nan_and_no_label():
    z, y = Z.copy(), Y.copy()
    z[W == 0], y[W == 0] = np.nan, -7
    for way in WAYS:
        assert_close(loss_of(way, y, z), loss_of(way), 1e-6)
    slope = run_layer(AsLayer(SequenceLoss(), y, W), z)["gradient to input 0"]
    assert np.isfinite(slope).all()
    assert (slope[W == 0] == 0).all()


def test_a_token_beyond_the_vocabulary_is_not_taken_for_another():
    assert np.isnan(loss_of({}, np.array([[5]]), np.zeros((1, 1, 5)), np.ones((1, 1))))


def test_trains_a_model_that_gets_weights_of_steps():
    model = keras.Sequential([keras.Input((4,)), keras.layers.Embedding(5, 5)])
    jit = keras.backend.backend() == "jax"
    model.compile("sgd", SequenceLoss(), jit_compile=jit)
    wanted = loss_of({}, Y, ops.convert_to_numpy(model(Y)))
    history = model.fit(Y, Y, sample_weight=W, batch_size=3, verbose=0).history
    assert history["loss"][0] == pytest.approx(float(wanted), rel=1e-5)


REFUSALS = [
    ({"average_across_batch": True}, "either averages or sums"),
    ({"average_across_timesteps": True, "sum_over_batch": False}, "either averages"),
]


@pytest.mark.one_backend
@pytest.mark.parametrize(("arguments", "message"), REFUSALS, ids=str)
def test_refuses_what_has_no_order(arguments, message):
    with pytest.raises(ValueError, match=message):
        SequenceLoss(**arguments)


@pytest.mark.one_backend
@pytest.mark.parametrize("shapes", [((2, 3), (2, 3)), ((2, 4), (2, 3, 5))], ids=str)
def test_refuses_other_shapes(shapes):
    with pytest.raises(ValueError, match=r"\(B, T\) and \(B, T, V\)"):
        SequenceLoss()(np.ones(shapes[0], "int32"), np.ones(shapes[1]))


def test_the_formula_of_the_tests_is_a_mean_where_all_weigh_one():
    z = Z.astype("float64")
    wanted = keras.losses.SparseCategoricalCrossentropy(from_logits=True)(Y, z)
    assert sequence_loss(Y, z, np.ones((3, 4)), {}) == pytest.approx(float(wanted))
