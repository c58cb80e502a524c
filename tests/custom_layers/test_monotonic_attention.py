"""Monotonic attention: three ways to compute it, draws of real walks, the decoder."""

import keras
import numpy as np
import pytest
from keras import ops

from custom_layers.layers import (
    AttentionDecoder,
    MonotonicAttentionDecoderCell,
    monotonic_attention,
)
from mutation import mutated
from oracle import array, assert_close, run_layer

B, S, M, U, T, D = 2, 6, 5, 3, 4, 2
P = array(B, S, low=0.05, high=0.95)
PREVIOUS = np.array([[0.5, 0.0, 0.25, 0.0, 0.0, 0.25], [0, 1, 0, 0, 0, 0]], "float32")
SOFT = ["parallel", "recursive"]


def walked(p, previous):
    """alpha by the definition: each place where a walk may begin, step by step."""
    alpha = np.zeros_like(p)
    for b, start in np.ndindex(*p.shape):
        here = previous[b, start]
        for s in range(start, p.shape[1]):
            alpha[b, s] += here * p[b, s]
            here *= 1 - p[b, s]
    return alpha


@pytest.mark.parametrize("mode", SOFT)
def test_attention_is_the_chance_to_stop_at_a_place(mode):
    assert_close(monotonic_attention(P, PREVIOUS, mode), walked(P, PREVIOUS), 1e-5)


@pytest.mark.parametrize("mode", ["parallel", "recursive", "hard"])
def test_all_modes_agree_where_every_choice_is_certain(mode):
    rng = np.random.default_rng(0)
    p = (rng.uniform(size=(20, S)) < 0.3).astype("float32")
    previous = np.eye(S, dtype="float32")[rng.integers(0, S, 20)]
    found = ops.convert_to_numpy(monotonic_attention(p, previous, mode))
    np.testing.assert_allclose(found, walked(p, previous), atol=1e-5)
    for row, choice, start in zip(found, p, previous.argmax(1)):
        places = [s for s in range(start, S) if choice[s]]
        assert row.sum() == pytest.approx(float(bool(places)), abs=1e-5)
        if places:
            assert row.argmax() == places[0]


def test_the_gradients_of_both_soft_modes_agree():
    class Aligned(keras.layers.Layer):
        def __init__(self, mode):
            super().__init__()
            self.mode, self.built = mode, True

        def call(self, inputs):
            return monotonic_attention(inputs[0], inputs[1], self.mode)

    p = P.copy()
    p[0, 2] = 1.0  # nothing walks past it
    results = [run_layer(Aligned(mode), [p, PREVIOUS]) for mode in SOFT]
    for key, value in results[0].items():
        if key == "gradient to input 0":  # 1 - p is kept from 0
            value, other = value.copy(), results[1][key].copy()
            value[0, 2] = other[0, 2] = 0
            assert_close(value, other, 1e-4, key)
        else:
            assert_close(value, results[1][key], 1e-4, key)


@pytest.mark.parametrize("mode", SOFT)
def test_attention_is_not_lost_behind_places_that_are_surely_chosen(mode):
    """A product over all of them is 1e-60, by which Addons' formula divides."""
    p = np.full((1, 40), 0.999, "float32")
    previous = np.eye(40, dtype="float32")[[30]]
    found = ops.convert_to_numpy(monotonic_attention(p, previous, mode))
    assert found[0, 30] == pytest.approx(0.999, abs=1e-4)
    assert found.sum() == pytest.approx(1.0, abs=1e-4)


def test_a_hard_walk_that_finds_no_place_attends_to_nothing():
    found = monotonic_attention([[1.0, 0.0, 0.0]], [[0.0, 1.0, 0.0]], mode="hard")
    np.testing.assert_array_equal(ops.convert_to_numpy(found), [[0, 0, 0]])


@pytest.mark.one_backend
def test_refuses_another_mode():
    with pytest.raises(ValueError, match="`mode` argument must be"):
        monotonic_attention(P, PREVIOUS, "soft")
    with pytest.raises(ValueError, match="`mode` argument must be"):
        MonotonicAttentionDecoderCell(keras.layers.GRUCell(U), mode="soft")
    with pytest.raises(ValueError, match="`sigmoid_noise` argument must be"):
        MonotonicAttentionDecoderCell(keras.layers.GRUCell(U), sigmoid_noise=-1)
    with pytest.raises(ValueError, match="The first attention is as long"):
        MonotonicAttentionDecoderCell(keras.layers.GRUCell(U)).get_initial_state(2)


# The decoder.

X, MEMORY = array(B, T, D), array(B, S, M)
MEMORY_MASK = np.array([[0, 1, 1, 0, 1, 1], [1, 1, 1, 1, 0, 0]], bool)
both = pytest.mark.parametrize("attention", ["bahdanau", "luong"])


def decoder(attention, cell=None, **kwargs):
    cell = MonotonicAttentionDecoderCell(
        cell or keras.layers.LSTMCell(U), attention, **kwargs
    )
    layer = AttentionDecoder(cell, return_sequences=True, return_state=True)
    layer.build((B, T, D), (B, S, M))
    layer.set_weights([array(*np.shape(w), seed=3) for w in layer.get_weights()])
    return layer


@both
def test_the_decoder_aligns_by_the_formula(attention):
    layer = decoder(attention)
    cell = layer.cell
    w = {k.name: ops.convert_to_numpy(k) for k in cell.weights}
    keys = MEMORY @ w["memory_kernel"]
    outputs = []
    with cell.attend_to(MEMORY, MEMORY_MASK):
        first = cell.get_initial_state(B)
        *states, alpha = [ops.convert_to_numpy(state) for state in first]
        np.testing.assert_array_equal(alpha, np.eye(S)[[0, 0]])
        a = np.zeros((B, U), "float32")
        h, states = states[0], states[:2]
        for t in range(T):
            if attention == "luong":
                h, states = cell.cell(np.concatenate([X[:, t], a], -1), states)
                h = ops.convert_to_numpy(h)
                score = np.einsum("bu,bsu->bs", h, keys)
            else:
                sums = (h @ w["query_kernel"])[:, None] + keys
                score = np.tanh(sums) @ w["score_vector"]
            p = MEMORY_MASK / (1 + np.exp(-(score + w["score_bias"])))
            alpha = walked(p, alpha)
            context = np.einsum("bs,bsm->bm", alpha, MEMORY)
            if attention == "bahdanau":
                h, states = cell.cell(np.concatenate([X[:, t], context], -1), states)
                h = ops.convert_to_numpy(h)
            a = np.tanh(np.concatenate([context, h], -1) @ w["output_kernel"])
            outputs.append(a)
    y, *final = layer(X, MEMORY, memory_mask=MEMORY_MASK)
    assert_close(y, np.stack(outputs, 1), 1e-4)
    assert_close(final[-1], alpha, 1e-4)


@both
def test_step_by_step_it_computes_what_the_whole_sequence_does(attention):
    layer = decoder(attention)
    whole, *final = layer(X, MEMORY, memory_mask=MEMORY_MASK)
    states, outputs = None, []
    for t in range(T):
        y, *states = layer(
            X[:, t : t + 1], MEMORY, initial_state=states, memory_mask=MEMORY_MASK
        )
        outputs.append(y)
    assert_close(ops.concatenate(outputs, 1), whole, 1e-5)
    for actual, desired in zip(states, final, strict=True):
        assert_close(actual, desired, 1e-5)


@both
def test_states_of_an_encoder_begin_it_and_the_rest_begins_as_usual(attention):
    layer = decoder(attention)
    zeros = [np.zeros((B, U), "float32")] * 2
    actual = layer(X, MEMORY, initial_state=zeros)
    for a, e in zip(actual, layer(X, MEMORY), strict=True):
        assert_close(a, e, 1e-6)


@both
def test_hard_attention_never_goes_back(attention):
    layer = decoder(attention, mode="hard")
    states = None
    place = np.zeros(B)
    for t in range(T):
        _, *states = layer(X[:, t : t + 1], MEMORY, initial_state=states)
        alpha = ops.convert_to_numpy(states[-1])
        for b, row in enumerate(alpha):
            assert row.sum() in (0, 1)
            if row.sum():
                assert row.argmax() >= place[b]
                place[b] = row.argmax()


def test_padding_of_the_memory_changes_nothing():
    layer = decoder("luong")
    for order in (1, -1):
        pad, mask = np.full((B, 3, M), 9.0, "float32"), np.ones((B, S), bool)
        memory = np.concatenate([MEMORY, pad][::order], axis=1)
        mask = np.concatenate([mask, np.zeros((B, 3), bool)][::order], axis=1)
        padded = layer(X, memory, memory_mask=mask)[0]
        assert_close(padded, layer(X, MEMORY)[0], 1e-5)


def test_noise_is_for_training_only():
    layer = decoder("luong", sigmoid_noise=2.0, seed=1)
    plain = decoder("luong")
    assert_close(layer(X, MEMORY)[0], plain(X, MEMORY)[0], 1e-6)
    noisy = ops.convert_to_numpy(layer(X, MEMORY, training=True)[0])
    assert np.abs(noisy - ops.convert_to_numpy(plain(X, MEMORY)[0])).max() > 1e-3


def test_the_states_of_a_functional_model_have_their_shapes():
    inputs = [keras.Input((T, D)), keras.Input((S, M))]
    outputs = decoder("luong")(*inputs)
    assert [tuple(y.shape) for y in outputs] == [
        (None, T, U),
        *[(None, U)] * 3,
        (None, S),
    ]


@pytest.mark.slow
def test_learns_to_copy_in_order():
    """Its attention must move by one place per step, past a flag that alternates."""
    keras.utils.set_random_seed(0)
    rng = np.random.default_rng(0)
    tokens = rng.integers(0, 5, size=(256, 6))
    flags = np.tile(np.eye(2, dtype="float32")[np.arange(6) % 2], (256, 1, 1))
    memory = np.concatenate([np.eye(5, dtype="float32")[tokens], flags], axis=-1)
    inputs = [keras.Input((6, 2)), keras.Input((6, 7))]
    cell = MonotonicAttentionDecoderCell(keras.layers.GRUCell(16), "luong")
    y = AttentionDecoder(cell, return_sequences=True)(*inputs)
    model = keras.Model(inputs, keras.layers.Dense(5)(y))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.02), loss, metrics=["accuracy"])
    history = model.fit(
        [flags, memory], tokens, epochs=40, batch_size=64, verbose=0
    ).history
    assert history["accuracy"][-1] > 0.9


MISTAKES = {
    "a walk skips the place where it begins": (
        "cumsum(goes_on, axis=1) - goes_on",
        "cumsum(goes_on, axis=1)",
    ),
    "places after it count": (
        "place[:, None, :] <= place",
        "place[:, None, :] >= place",
    ),
    "a choice is not a stop": ("p * ops.einsum(", "ops.einsum("),
    "the recursion looks at its own place": (
        "[ops.zeros_like(p[:, :1]), p[:, :-1]]",
        "[p[:, :1], p[:, 1:]]",
    ),
}


@pytest.mark.one_backend
@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistake_is_found(mistake):
    file = "monotonic_attention"
    for change in ((), MISTAKES[mistake]):
        function = mutated(file, "custom_layers.layers", [file], *change)
        errors = [
            np.abs(ops.convert_to_numpy(function(P, PREVIOUS, m)) - walked(P, PREVIOUS))
            for m in SOFT
        ]
        assert (np.max(errors) > 1e-3) == bool(change)
