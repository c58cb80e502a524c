"""Scheduled sampling: between teacher forcing and a decoder on its own."""

import keras
import numpy as np
import pytest
from keras import ops

from custom_layers.layers import (
    AttentionDecoder,
    AttentionDecoderCell,
    MonotonicAttentionDecoderCell,
    ScheduledSamplingDecoder,
)
from oracle import array, assert_close

B, T, S, M, U, V, D = 3, 5, 4, 6, 4, 7, 2
TOKENS = array(B, T, low=0, high=V, dtype="int32")
VECTORS, MEMORY = array(B, T, D), array(B, S, M)
MASK = np.array([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0], [0, 0, 1, 1, 1]], bool)
CELLS = {
    "bahdanau": lambda: AttentionDecoderCell(keras.layers.GRUCell(U)),
    "luong": lambda: AttentionDecoderCell(keras.layers.LSTMCell(U), "luong"),
    "monotonic": lambda: MonotonicAttentionDecoderCell(keras.layers.GRUCell(U)),
}


def layer_of(probability, cell="bahdanau", vectors=False, sure=1.0):
    """The layer; its logits are `sure` times as large, so that a draw is certain."""
    layer = ScheduledSamplingDecoder(
        AttentionDecoder(CELLS[cell](), return_sequences=True),
        readout=keras.layers.Dense(D if vectors else V),
        embedding=None if vectors else keras.layers.Embedding(V, D),
        sampling_probability=probability,
        seed=1,
    )
    layer.build((B, T, D) if vectors else (B, T), (B, S, M))
    for weight in layer.trainable_weights:
        weight.assign(array(*weight.shape, seed=3))
    for weight in layer.readout.weights:
        weight.assign(sure * weight)
    return layer


def alone(layer, sequences, mask=None):
    """y (B, T, V) of a decoder that is fed its own outputs, step by step."""
    cell = layer.decoder.cell
    mask = np.ones((B, T), bool) if mask is None else mask
    outputs, own = [], sequences[:, 0]
    with cell.attend_to(MEMORY):
        states = cell.get_initial_state(B)
        for t in range(T):
            x = own if layer.embedding is None else layer.embedding(own)
            a, new = cell(x, states)
            seen = mask[:, t, None]
            states = [ops.where(seen, n, s) for n, s in zip(new, states)]
            y = layer.readout(a)
            own = y if layer.embedding is None else ops.argmax(y, axis=-1)
            outputs.append(y)
    return ops.stack(outputs, axis=1)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("vectors", [False, True])
def test_with_probability_0_it_is_teacher_forcing(cell, vectors):
    layer = layer_of(0.0, cell, vectors)
    sequences = VECTORS if vectors else TOKENS
    found = layer(sequences, MEMORY, training=True)
    x = sequences if vectors else layer.embedding(sequences)
    wanted = layer.readout(layer.decoder(x, MEMORY))
    assert_close(found, wanted, 1e-5)
    assert_close(layer(sequences, MEMORY), wanted, 1e-5)


@pytest.mark.parametrize("cell", CELLS)
@pytest.mark.parametrize("vectors", [False, True])
def test_with_probability_1_it_is_fed_its_own_outputs(cell, vectors):
    layer = layer_of(1.0, cell, vectors, sure=1.0 if vectors else 1000.0)
    sequences = VECTORS if vectors else TOKENS
    found = layer(sequences, MEMORY, training=True)
    assert_close(found, alone(layer, sequences), 1e-4)
    # Without training, it is given the tokens all the same.
    forced = ops.convert_to_numpy(layer(sequences, MEMORY))
    assert np.abs(forced - ops.convert_to_numpy(found)).max() > 1e-2


def test_masked_steps_leave_the_states_alone():
    layer = layer_of(0.0)
    options = {"sequences_mask": MASK, "memory_mask": np.ones((B, S), bool)}
    found = ops.convert_to_numpy(layer(TOKENS, MEMORY, training=True, **options))
    wanted = ops.convert_to_numpy(layer(TOKENS, MEMORY, **options))
    assert_close(found[MASK], wanted[MASK], 1e-5)


def test_about_so_many_tokens_are_its_own_and_they_are_drawn_from_its_logits():
    layer = layer_of(0.25)
    is_own, u = layer._draws(np.zeros((400, 50)))
    is_own = ops.convert_to_numpy(is_own)
    assert not is_own[:, 0].any()
    assert is_own[:, 1:].mean() == pytest.approx(0.25, abs=0.02)
    assert float(ops.mean(u)) == pytest.approx(0.5, abs=0.02)


def test_own_tokens_are_drawn_as_the_softmax_says():
    from custom_layers.layers.scheduled_sampling import _sampled

    logits = np.log(np.array([[0.5, 0.0625, 0.4375]], "float32"))
    u = ops.convert_to_tensor(np.linspace(0.001, 0.999, 1000, dtype="float32"))
    tokens = ops.convert_to_numpy(_sampled(np.repeat(logits, 1000, 0), u))
    shares = np.bincount(tokens, minlength=3) / 1000
    np.testing.assert_allclose(shares, [0.5, 0.0625, 0.4375], atol=2e-3)
    assert int(_sampled(logits, ops.ones(1))[0]) == 2


def test_the_probability_follows_a_schedule_of_training_steps():
    schedule = keras.optimizers.schedules.PiecewiseConstantDecay([1], [0.0, 1.0])
    layer = layer_of(schedule)
    counts = []
    for _ in range(3):
        is_own, _ = layer._draws(TOKENS)
        counts.append(int(ops.sum(ops.cast(is_own, "int32"))))
        layer(TOKENS, MEMORY, training=True)
    assert counts == [0, 0, B * (T - 1)]
    again = ScheduledSamplingDecoder.from_config(layer.get_config())
    assert again.sampling_probability.get_config() == schedule.get_config()


def test_trains_in_fit_and_survives_a_file(tmp_path):
    jit = "auto" if keras.backend.backend() != "torch" else False
    inputs = [keras.Input((T,), dtype="int32"), keras.Input((S, M))]
    layer = layer_of(0.5, "luong")
    model = keras.Model(inputs, layer(*inputs))
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    model.compile(keras.optimizers.Adam(0.05), loss, jit_compile=jit)
    model.fit([TOKENS, MEMORY], TOKENS, epochs=15, verbose=0)
    first, last = (model.history.history["loss"][i] for i in (0, -1))
    assert last < 0.7 * first
    assert int(layer.steps) == 15
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    assert_close(again([TOKENS, MEMORY]), model([TOKENS, MEMORY]), 1e-6)


REFUSALS = [
    (lambda: ScheduledSamplingDecoder(keras.layers.GRU(3), None), "an AttentionDeco"),
    (
        lambda: ScheduledSamplingDecoder(AttentionDecoder(CELLS["luong"]()), None),
        "return_sequences=True",
    ),
    (lambda: layer_of(1.5), "from 0 to 1, or a schedule"),
]


@pytest.mark.one_backend
@pytest.mark.parametrize(("refused", "message"), REFUSALS)
def test_refuses(refused, message):
    with pytest.raises(ValueError, match=message):
        refused()
