"""The linear-chain CRF against all taggings, one by one, in NumPy."""

import itertools

import keras
import numpy as np
import pytest
from keras import ops

from custom_layers.layers import CRF, viterbi
from custom_layers.losses import CRFLoss
from oracle import array, assert_close

TAGS = 3


def layer_and_weights():
    layer = CRF()
    layer.build((None, None, TAGS))
    weights = [array(*w.shape, seed=i) for i, w in enumerate(layer.weights)]
    layer.set_weights(weights)
    return layer, weights


def all_taggings(x, weights):
    """{tags: score} of one sequence x (T, N), from the paper's sum of features."""
    transition, start, end = weights
    scores = {}
    for tags in itertools.product(range(x.shape[1]), repeat=len(x)):
        score = start[tags[0]] + end[tags[-1]]
        score += sum(x[t, tag] for t, tag in enumerate(tags))
        score += sum(transition[i, j] for i, j in itertools.pairwise(tags))
        scores[tags] = score
    return scores


def log_z(scores):
    return np.logaddexp.reduce(list(scores.values()))


def per_sequence(x, y, layer, mask=None):
    return CRFLoss(reduction=None)(y, layer(x, mask=mask))


@pytest.mark.parametrize("length", [1, 2, 5])
def test_loss_and_best_tags_against_all_taggings(length):
    layer, weights = layer_and_weights()
    x = array(4, length, TAGS)
    y = array(4, length, seed=1, dtype="int32", low=0, high=TAGS)
    psi = layer(x)
    losses = CRFLoss(reduction=None)(y, psi)
    for b in range(4):
        scores = all_taggings(x[b], weights)
        assert_close(losses[b], log_z(scores) - scores[tuple(y[b])], 1e-5)
        assert tuple(ops.convert_to_numpy(viterbi(psi))[b]) == max(
            scores, key=scores.get
        )


def test_probabilities_of_all_taggings_sum_to_one():
    layer, _ = layer_and_weights()
    taggings = np.array([*itertools.product(range(TAGS), repeat=3)])
    x = np.repeat(array(1, 3, TAGS), len(taggings), axis=0)
    losses = ops.convert_to_numpy(per_sequence(x, taggings, layer))
    assert_close(np.exp(-losses).sum(), 1.0, 1e-5)


@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("label", [0, -1])
def test_padding_changes_nothing(side, label):
    layer, _ = layer_and_weights()
    x, y = array(4, 3, TAGS), array(4, 3, dtype="int32", low=0, high=TAGS)
    order = 1 if side == "right" else -1

    def padded(values, with_):
        pad = np.full((4, 2, *values.shape[2:]), with_, values.dtype)
        return np.concatenate([values, pad][::order], axis=1)

    mask = padded(np.ones((4, 3), bool), False)
    actual = per_sequence(padded(x, 9.0), padded(y, label), layer, mask)
    assert_close(actual, per_sequence(x, y, layer), 1e-5)
    tags = ops.convert_to_numpy(viterbi(layer(padded(x, 9.0), mask=mask)))
    np.testing.assert_array_equal(
        tags, padded(ops.convert_to_numpy(viterbi(layer(x))), 0)
    )


def test_a_fully_masked_sequence_costs_nothing():
    layer, _ = layer_and_weights()
    mask = np.array([[False] * 3, [True] * 3])
    losses = per_sequence(array(2, 3, TAGS), np.zeros((2, 3), "int32"), layer, mask)
    losses = keras.ops.convert_to_numpy(losses)
    assert losses[0] == 0
    assert losses[1] > 0


def test_the_mask_of_an_embedding_reaches_the_potentials():
    tokens = np.array([[3, 1, 2, 0, 0]])
    embedding = keras.layers.Embedding(5, TAGS, mask_zero=True)
    layer, _ = layer_and_weights()
    inputs = keras.Input((None,), dtype="int32")
    model = keras.Model(inputs, layer(embedding(inputs)))
    short = layer(embedding(tokens)[:, :3])
    y = np.array([[2, 1, 2, 0, 0]])
    assert_close(CRFLoss()(y, model(tokens)), CRFLoss()(y[:, :3], short), 1e-5)


def test_training_finds_a_rule_that_only_the_transitions_tell():
    """Tags alternate, and the scores tell only which tag comes first."""
    x = np.zeros((64, 6, 2), "float32")
    first = array(64, dtype="int32", low=0, high=2)
    x[np.arange(64), 0, first] = 5
    y = (first[:, None] + np.arange(6)) % 2
    model = keras.Sequential([keras.Input((6, 2)), CRF()])
    jit_compile = (
        keras.backend.backend() == "jax"
    )  # JAX is slow without it, TensorFlow with it
    model.compile(keras.optimizers.Adam(0.1), CRFLoss(), jit_compile=jit_compile)
    model.fit(x, y, batch_size=16, epochs=10, verbose=0)
    np.testing.assert_array_equal(viterbi(model.predict(x, verbose=0)), y)


def test_gradient_to_the_scores_is_marginals_minus_truth():
    tf = pytest.importorskip("tensorflow")
    if keras.backend.backend() != "tensorflow":
        pytest.skip("takes the gradient with TensorFlow")
    layer, weights = layer_and_weights()
    x, y = tf.constant(array(1, 4, TAGS)), (0, 2, 2, 1)
    with tf.GradientTape() as tape:
        tape.watch(x)
        loss = CRFLoss()(np.array([y]), layer(x))
    scores = all_taggings(x[0].numpy(), weights)
    expected = np.zeros((4, TAGS))
    for tags, score in scores.items():
        expected[range(4), tags] += np.exp(score - log_z(scores))
    expected[range(4), y] -= 1
    assert_close(tape.gradient(loss, x)[0], expected, 1e-5)


def test_long_sequences_of_large_scores_stay_finite():
    layer, _ = layer_and_weights()
    x = 1e3 * array(2, 300, TAGS)
    losses = ops.convert_to_numpy(per_sequence(x, viterbi(layer(x)), layer))
    np.testing.assert_allclose(losses, 0, atol=1e-6 * np.abs(x).sum())


@pytest.mark.parametrize("shape", [(2, 3), (2, 3, 4, 5)])
def test_refuses_scores_that_do_not_have_three_axes(shape):
    with pytest.raises(ValueError, match=r"expected ndim=3|shape \(batch, time, tags"):
        CRF()(np.zeros(shape, "float32"))


def test_loss_refuses_what_is_not_the_output_of_a_crf():
    with pytest.raises(ValueError, match="output of a CRF layer"):
        CRFLoss()(np.zeros((2, 3), "int32"), np.zeros((2, 3, 4), "float32"))
