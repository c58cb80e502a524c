"""The attention decoder against NumPy's formula, and against its own single steps."""

import keras
import numpy as np
import pytest
from keras import ops

from custom_layers.layers import AttentionDecoder, AttentionDecoderCell, LSTMCell
from oracle import array, assert_close

B, T, S, D, M, U = 2, 5, 4, 3, 6, 2
X, MEMORY = array(B, T, D), array(B, S, M)
MEMORY_MASK = np.array([[1, 1, 0, 1], [0, 1, 1, 0]], bool)

CELLS = {
    "GRU": lambda: keras.layers.GRUCell(U, reset_after=False),
    "LSTM": lambda: LSTMCell(U),
}
both = pytest.mark.parametrize("attention", ["bahdanau", "luong"])
every_cell = pytest.mark.parametrize("make", CELLS.values(), ids=CELLS)


def decoder(make, attention, **kwargs):
    cell = AttentionDecoderCell(make(), attention)
    layer = AttentionDecoder(cell, return_sequences=True, **kwargs)
    layer.build((B, T, D), (B, S, M))
    layer.set_weights([array(*w.shape, seed=3) for w in layer.get_weights()])
    return layer


def softmax(score):
    e = np.exp(score - score.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)


@both
@every_cell
def test_same_as_the_papers_formula_in_numpy(attention, make):
    layer = decoder(make, attention)
    w = {k.name: ops.convert_to_numpy(k) for k in layer.cell.weights}
    n = len(keras.tree.flatten(layer.cell.cell.state_size))
    states = [np.zeros((B, U), "float32")] * n
    h = a = np.zeros((B, U), "float32")

    def context(q):
        if attention == "bahdanau":
            sums = (q @ w["query_kernel"])[:, None] + MEMORY @ w["memory_kernel"]
            score = np.tanh(sums) @ w["score_vector"]
        else:
            score = np.einsum("bu,mu,bsm->bs", q, w["memory_kernel"], MEMORY)
        alpha = softmax(np.where(MEMORY_MASK, score, -np.inf))
        return np.einsum("bs,bsm->bm", alpha, MEMORY)

    outputs = []
    for t in range(T):
        fed = context(h) if attention == "bahdanau" else a
        h, states = layer.cell.cell(np.concatenate([X[:, t], fed], -1), states)
        h = ops.convert_to_numpy(h)
        c = fed if attention == "bahdanau" else context(h)
        a = np.tanh(np.concatenate([c, h], -1) @ w["output_kernel"])
        outputs.append(a)
    actual = layer(X, MEMORY, memory_mask=MEMORY_MASK)
    assert_close(actual, np.stack(outputs, 1), 1e-5)


@both
@every_cell
def test_teacher_forcing_is_stepwise_decoding_fed_with_the_same_tokens(attention, make):
    layer = decoder(make, attention, return_state=True)
    start = [array(B, U, seed=n) for n in range(len(layer.state_size))]
    whole, *final = layer(X, MEMORY, initial_state=start, memory_mask=MEMORY_MASK)
    states, outputs = start, []
    for t in range(T):
        y, *states = layer(
            X[:, t : t + 1], MEMORY, initial_state=states, memory_mask=MEMORY_MASK
        )
        outputs.append(y)
    assert_close(ops.concatenate(outputs, 1), whole, 1e-5)
    states = start
    with layer.cell.attend_to(MEMORY, MEMORY_MASK):
        for t in range(T):
            y, states = layer.cell(X[:, t], states)
            assert_close(y, whole[:, t], 1e-5)
    for actual, desired in zip(states, final, strict=True):
        assert_close(actual, desired, 1e-5)


@both
@every_cell
def test_attention_weights_are_those_that_the_step_reads_with(attention, make):
    layer = decoder(make, attention)
    states = [array(B, U, seed=n) for n in range(len(layer.state_size))]
    with layer.cell.attend_to(MEMORY, MEMORY_MASK):
        alpha = ops.convert_to_numpy(layer.cell.attention_weights(X[:, 0], states))
        a, new = layer.cell(X[:, 0], states)
    context = np.einsum("bs,bsm->bm", alpha, MEMORY)
    read = np.concatenate([context, ops.convert_to_numpy(new[0])], axis=-1)
    kernel = ops.convert_to_numpy(layer.cell.output_kernel)
    assert_close(a, np.tanh(read @ kernel))
    assert_close(alpha.sum(-1), np.ones(B, "float32"))
    assert (alpha[~MEMORY_MASK] == 0).all()


@both
def test_padding_of_the_memory_changes_nothing(attention):
    layer = decoder(CELLS["GRU"], attention)
    for order in (1, -1):
        pad, mask = np.full((B, 3, M), 9.0, "float32"), np.ones((B, S), bool)
        memory = np.concatenate([MEMORY, pad][::order], axis=1)
        mask = np.concatenate([mask, ~np.ones((B, 3), bool)][::order], axis=1)
        assert_close(layer(X, memory, memory_mask=mask), layer(X, MEMORY), 1e-5)


@both
def test_padding_of_the_target_changes_nothing(attention):
    layer = decoder(CELLS["LSTM"], attention)
    pad = np.full((B, 2, D), 9.0, "float32")
    mask = np.concatenate([np.zeros((B, 2), bool), np.ones((B, T), bool)], axis=1)
    padded = layer(np.concatenate([pad, X], axis=1), MEMORY, sequences_mask=mask)
    assert_close(padded[:, 2:], layer(X, MEMORY), 1e-5)


@both
def test_later_tokens_change_no_earlier_output(attention):
    layer = decoder(CELLS["LSTM"], attention)
    changed = np.concatenate([X[:, :2], X[:, 2:] + 1], axis=1)
    assert_close(layer(changed, MEMORY)[:, :2], layer(X, MEMORY)[:, :2], 1e-6)


@both
def test_a_fully_masked_memory_is_finite(attention):
    layer = decoder(CELLS["GRU"], attention)
    y = layer(X, MEMORY, memory_mask=np.zeros((B, S), bool))
    assert bool(ops.all(ops.isfinite(y)))


@both
def test_masks_that_the_inputs_carry_reach_each_its_own_place(attention):
    """Source and target are padded differently, so that a swapped mask would show."""
    source, target = np.array([[1, 2, 3, 0]] * B), np.array([[0, 0, 4, 1, 2]] * B)
    embed_m = keras.layers.Embedding(5, M, mask_zero=True)
    embed_x = keras.layers.Embedding(5, D, mask_zero=True)
    layer = decoder(CELLS["GRU"], attention)
    inputs = [keras.Input((None,), dtype="int32") for _ in range(2)]
    outputs = layer(embed_x(inputs[0]), embed_m(inputs[1]))
    actual = keras.Model(inputs, outputs)([target, source])
    x, memory = embed_x(target[:, 2:]), embed_m(source[:, :3])
    desired = layer(ops.convert_to_numpy(x), ops.convert_to_numpy(memory))
    assert_close(actual[:, 2:], desired, 1e-5)


def test_luong_starts_from_an_encoders_state_and_no_attention_yet():
    layer = decoder(CELLS["LSTM"], "luong")
    h_c, zeros = [array(B, U, seed=n) for n in (1, 2)], np.zeros((B, U), "float32")
    short = layer(X, MEMORY, initial_state=h_c)
    assert_close(short, layer(X, MEMORY, initial_state=[*h_c, zeros]), 1e-6)


@pytest.mark.parametrize(
    ("attention", "jit_compile"),
    [
        ("bahdanau", False),
        pytest.param("luong", False, marks=pytest.mark.slow),
        pytest.param("bahdanau", True, marks=pytest.mark.slow),
        pytest.param("luong", True, marks=pytest.mark.slow),
    ],
)
def test_it_learns_to_copy_with_dropout(attention, jit_compile):
    keras.utils.set_random_seed(1)
    # Torch compiles a loop step by step: two words take a minute less than four.
    tokens = np.random.default_rng(0).integers(1, 4, size=(64, 2))
    shifted = np.concatenate([np.zeros((64, 1), int), tokens[:, :-1]], axis=1)
    source, target = (keras.Input((None,), dtype="int32") for _ in range(2))
    encoder = keras.layers.GRU(16, return_sequences=True)
    cell = AttentionDecoderCell(LSTMCell(16, dropout=0.1), attention)
    run = AttentionDecoder(cell, return_sequences=True)
    memory = encoder(keras.layers.Embedding(4, 8)(source))
    y = run(keras.layers.Embedding(4, 8)(target), memory)
    model = keras.Model([source, target], keras.layers.Dense(4)(y))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.02), loss, jit_compile=jit_compile)
    losses = model.fit([tokens, shifted], tokens, epochs=20, verbose=0).history["loss"]
    assert losses[-1] < 0.4 * losses[0]


def test_refuses():
    gru = keras.layers.GRUCell(2)
    with pytest.raises(ValueError, match=r"'bahdanau' or 'luong'.*'dot'"):
        AttentionDecoderCell(gru, "dot")
    with pytest.raises(ValueError, match="`cell` must be a recurrent cell"):
        AttentionDecoderCell(keras.layers.Dense(2))
    with pytest.raises(ValueError, match="`cell` must be an AttentionDecoderCell"):
        AttentionDecoder(gru)
    cell = AttentionDecoderCell(gru)
    cell.build((B, D), (B, S, M))
    with pytest.raises(ValueError, match="no memory"):
        cell(X[:, 0], cell.get_initial_state(B))
