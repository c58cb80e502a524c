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
from custom_layers.layers.scheduled_sampling import _sampled
from mutation import mutated
from oracle import array, assert_close

B, T, S, M, U, V, D = 3, 5, 4, 6, 4, 7, 2
TOKENS = array(B, T, low=0, high=V, dtype="int32")
VECTORS, MEMORY = array(B, T, D), array(B, S, M)
MASK = np.array([[1, 1, 1, 1, 1], [1, 1, 1, 0, 0], [0, 0, 1, 1, 1]], bool)
MEMORY_MASK = np.array([[1, 1, 1, 1], [1, 1, 0, 0], [1, 1, 1, 0]], bool)
CELLS = {
    "bahdanau": lambda: AttentionDecoderCell(keras.layers.GRUCell(U)),
    "luong": lambda: AttentionDecoderCell(keras.layers.LSTMCell(U), "luong"),
    "monotonic": lambda: MonotonicAttentionDecoderCell(keras.layers.GRUCell(U)),
}


def layer_of(
    probability, cell="bahdanau", vectors=False, sure=1.0, cls=ScheduledSamplingDecoder
):
    """The layer; its logits are `sure` times as large, so that a draw is certain."""
    layer = cls(
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


def drawn(logits, u):
    """For each row the first token whose cumulative probability is at least u."""
    z = ops.convert_to_numpy(logits).astype("float64")
    p = np.exp(z - z.max(-1, keepdims=True))
    cumulative = np.cumsum(p / p.sum(-1, keepdims=True), axis=-1)
    return np.argmax(cumulative >= u[:, None], axis=-1).astype("int32")


def alone(layer, sequences, mask=None, u=None):
    """y (B, T, V) of a decoder that is fed its own outputs, step by step.

    They are the likeliest tokens, or those that the numbers u (B, T) draw.
    """
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
            if layer.embedding is None:
                own = y
            else:
                own = ops.argmax(y, axis=-1) if u is None else drawn(y, u[:, t])
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


def heeds_masks_and_states(cls):
    """Its loop does with them what the decoder does, which it calls if not training."""
    layer = layer_of(0.0, cls=cls)
    options = {
        "initial_state": [ops.convert_to_tensor(array(B, U, seed=4))],
        "sequences_mask": MASK,
        "memory_mask": MEMORY_MASK,
    }
    found = ops.convert_to_numpy(layer(TOKENS, MEMORY, training=True, **options))
    x = layer.embedding(TOKENS)
    wanted = ops.convert_to_numpy(layer.readout(layer.decoder(x, MEMORY, **options)))
    assert_close(found[MASK], wanted[MASK], 1e-5)


def is_fed_what_it_draws(cls):
    layer = layer_of(1.0, cls=cls)
    state = ops.convert_to_numpy(layer.seed_generator.state)
    _, u = layer._draws(TOKENS)
    layer.seed_generator.state.assign(state)
    options = {"sequences_mask": MASK, "training": True}
    found = ops.convert_to_numpy(layer(TOKENS, MEMORY, **options))
    wanted = alone(layer, TOKENS, MASK, ops.convert_to_numpy(u))
    assert_close(found[MASK], ops.convert_to_numpy(wanted)[MASK], 1e-4)


def draws_so_many_tokens(cls):
    """Which steps are fed their own token says nothing about the token."""
    layer = layer_of(0.25, cls=cls)
    is_own, u = map(ops.convert_to_numpy, layer._draws(np.zeros((400, 50))))
    assert not is_own[:, 0].any()
    assert is_own[:, 1:].mean() == pytest.approx(0.25, abs=0.02)
    assert u.mean() == pytest.approx(0.5, abs=0.02)
    assert u[is_own].mean() == pytest.approx(0.5, abs=0.02)


def counts_steps_of_training(cls):
    schedule = keras.optimizers.schedules.PiecewiseConstantDecay([1], [0.0, 1.0])
    layer = layer_of(schedule, cls=cls)
    counts = []
    for _ in range(3):
        is_own, _ = layer._draws(TOKENS)
        counts.append(int(ops.sum(ops.cast(is_own, "int32"))))
        layer(TOKENS, MEMORY, training=True)
        layer(TOKENS, MEMORY)
    assert counts == [0, 0, B * (T - 1)]
    layer.trainable = False
    layer(TOKENS, MEMORY, training=True)
    assert int(layer.steps) == 3


def samples_as_the_softmax_says(sampled):
    logits = np.log(np.array([[0.5, 0.0625, 0.4375]], "float32"))
    u = ops.convert_to_tensor(np.linspace(0.001, 0.999, 1000, dtype="float32"))
    tokens = ops.convert_to_numpy(sampled(np.repeat(3 + logits, 1000, 0), u))
    shares = np.bincount(tokens, minlength=3) / 1000
    np.testing.assert_allclose(shares, [0.5, 0.0625, 0.4375], atol=2e-3)
    # The probabilities may add up to less than u, since they are rounded.
    assert int(sampled(logits, 1.001 * ops.ones(1))[0]) == 2


CHECKS = {
    "ScheduledSamplingDecoder": (
        heeds_masks_and_states,
        is_fed_what_it_draws,
        draws_so_many_tokens,
        counts_steps_of_training,
    ),
    "_sampled": (samples_as_the_softmax_says,),
}


def pass_all(checks, thing):
    for check in checks:
        check(thing)


@pytest.mark.parametrize(
    ("name", "check"), [(name, check) for name in CHECKS for check in CHECKS[name]]
)
def test_it_does_what_it_says(name, check):
    check({"_sampled": _sampled}.get(name, ScheduledSamplingDecoder))


MUTANTS = {  # the mistake: (class or function, old text, new text)
    "given with the probability epsilon": (
        "ScheduledSamplingDecoder",
        "draws[0] < epsilon",
        "draws[0] > epsilon",
    ),
    "the first step is fed what nobody said": (
        "ScheduledSamplingDecoder",
        "ops.concatenate([never, is_own[:, 1:]], axis=1)",
        "is_own",
    ),
    "one number for the choice and for the token": (
        "ScheduledSamplingDecoder",
        "axis=1), draws[1]",
        "axis=1), draws[0]",
    ),
    "own and given exchanged": (
        "ScheduledSamplingDecoder",
        "ops.where(chooses_own, own, given)",
        "ops.where(chooses_own, given, own)",
    ),
    "the likeliest token": (
        "ScheduledSamplingDecoder",
        "else _sampled(y, u_t)",
        "else ops.argmax(y, axis=-1)",
    ),
    "one draw for all rows": (
        "ScheduledSamplingDecoder",
        "else _sampled(y, u_t)",
        "else _sampled(y, u_t[:1])",
    ),
    "states go on in masked steps": (
        "ScheduledSamplingDecoder",
        "ops.where(is_seen[:, None], n, old)",
        "n",
    ),
    "the mask of the sequences ignored": (
        "ScheduledSamplingDecoder",
        "mask = as_booleans(sequences_mask)",
        "mask = as_booleans(mask)",
    ),
    "the mask of the memory ignored": (
        "ScheduledSamplingDecoder",
        "attend_to(memory, memory_mask)",
        "attend_to(memory)",
    ),
    "the initial state ignored": (
        "ScheduledSamplingDecoder",
        "given = [] if initial_state is None else list(initial_state)",
        "given = []",
    ),
    "batch and time exchanged at the end": (
        "ScheduledSamplingDecoder",
        "return _time_first(carries[1])",
        "return ops.flip(_time_first(carries[1]), axis=1)",
    ),
    "counts when it is frozen": (
        "ScheduledSamplingDecoder",
        "        if self.trainable:\n",
        "        if True:\n",
    ),
    "counts twice": (
        "ScheduledSamplingDecoder",
        "self.steps.assign_add(1)",
        "self.steps.assign_add(2)",
    ),
    "draws when not training": (
        "ScheduledSamplingDecoder",
        "if not training:",
        "if False:",
    ),
    "logits taken for probabilities": (
        "_sampled",
        'ops.softmax(ops.cast(logits, "float32"))',
        'ops.cast(logits, "float32")',
    ),
    "probabilities not added up": ("_sampled", "ops.cumsum(", "(lambda p, axis: p)("),
    "the token after": ("_sampled", "< u[:, None]", "< u[:, None] + 0.25"),
    "a token that is none": (
        "_sampled",
        "ops.minimum(token, logits.shape[-1] - 1)",
        "token",
    ),
}


@pytest.mark.one_backend  # the mistakes are in the formula
@pytest.mark.parametrize("mistake", MUTANTS)
def test_mistake_is_found(mistake):
    name, old, new = MUTANTS[mistake]
    wrong = mutated(name, "custom_layers.layers", ["scheduled_sampling"], old, new)
    with pytest.raises(AssertionError):
        pass_all(CHECKS[name], wrong)


def test_a_schedule_is_kept_in_the_configuration():
    schedule = keras.optimizers.schedules.PiecewiseConstantDecay([1], [0.0, 1.0])
    layer = layer_of(schedule)
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
