"""State: no two variables share memory, and what a call leaves the next call finds."""

import keras
import numpy as np
import pytest
from keras import ops

import examples
from custom_layers.layers import (
    GRU,
    LSTM,
    AttentionDecoder,
    AttentionDecoderCell,
    Bidirectional,
    CachedMultiHeadAttention,
    GRUCell,
    LayerNormLSTMCell,
    LSTMCell,
    MinGRU,
    PeepholeLSTMCell,
    SimpleRNN,
    StackedRNNCells,
    TransformerDecoderBlock,
)
from making import LAYERS, example_input, make, make_layer
from oracle import array, assert_close, call_layer

BACKEND = keras.backend.backend()


def assert_independent(variables):
    """Each variable keeps what was assigned to it while others got something else."""
    if BACKEND == "jax":  # which hands memory over to a step of training, once only
        addresses = [v.value.unsafe_buffer_pointer() for v in variables]
        assert len({*addresses}) == len(variables)
    for number, variable in enumerate(variables):
        variable.assign(ops.full(variable.shape, number, variable.dtype))
    for number, variable in enumerate(variables):
        value = ops.convert_to_numpy(variable)
        assert (value == number).all(), f"{variable.path} shares its memory"


@pytest.mark.parametrize("name", LAYERS)
def test_no_two_variables_of_a_layer_share_memory(name):
    layer = make_layer(name)
    x = keras.tree.map_structure(ops.convert_to_tensor, example_input(name))
    call_layer(layer, x)
    assert_independent(layer.variables)


@pytest.mark.parametrize("name", examples.OPTIMIZERS)
def test_no_two_variables_of_an_optimizer_share_memory(name):
    weights = [keras.Variable(array(4, 3)), keras.Variable(array(4, 3, seed=1))]
    gradients = [ops.ones((4, 3)), ops.ones((4, 3))]
    optimizer = make(name)
    for _ in range(2):
        optimizer.apply(gradients, weights)
    rate = getattr(optimizer, "learning_rate", None)  # its variables share no memory
    slots = [v for v in optimizer.variables if v is not rate]
    assert_independent([*weights, *slots])


@pytest.mark.parametrize("name", [*examples.METRICS, *examples.MODELS])
def test_no_two_variables_of_a_metric_or_model_share_memory(name):
    assert_independent(make(name).variables)


@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
@pytest.mark.parametrize("name", LAYERS)
def test_training_changes_state_in_mixed_precision_as_in_full(name, policy):
    """On torch, Keras loses what a layer assigns to a variable that is cast."""
    full, mixed = make_layer(name, dtype="float32"), make_layer(name, dtype=policy)
    x = keras.tree.map_structure(ops.convert_to_tensor, example_input(name))
    for layer in (full, mixed):
        call_layer(layer, x)
    for ours, theirs in zip(mixed.variables, full.variables, strict=True):
        ours.assign(theirs)
    takes_training = "training" in full.call_signature_parameters
    for layer in (full, mixed):
        call_layer(layer, x, **({"training": True} if takes_training else {}))
    for ours, theirs in zip(mixed.variables, full.variables):
        assert_close(ours, theirs, 0.02, ours.path)


def run(cell):
    return lambda **options: keras.layers.RNN(cell(3), **options)


def stacked(**options):
    cells = StackedRNNCells([LSTMCell(3), GRUCell(2)])
    return keras.layers.RNN(cells, **options)


def attending(attention):
    def decoder(**options):
        cell = AttentionDecoderCell(LSTMCell(3), attention)
        return AttentionDecoder(cell, **options)

    return decoder


STATEFUL = {
    "SimpleRNN": lambda **options: SimpleRNN(3, **options),
    "LSTM": lambda **options: LSTM(3, **options),
    "GRU": lambda **options: GRU(3, **options),
    "unrolled LSTM": lambda **options: LSTM(3, unroll=True, **options),
    "MinGRU": lambda **options: MinGRU(3, **options),
    "LayerNormLSTM": run(LayerNormLSTMCell),
    "PeepholeLSTM": run(PeepholeLSTMCell),
    "stacked cells": stacked,
    "bahdanau": attending("bahdanau"),
    "luong": attending("luong"),
}
BOTH_WAYS = {
    "Bidirectional": lambda **options: Bidirectional(LSTM(3, **options)),
}
MEMORY = array(2, 3, 5)


def inputs_of(layer, x):
    return [x, MEMORY] if isinstance(layer, AttentionDecoder) else [x]


def called(layer, x, **options):
    return layer(*inputs_of(layer, x), **options)


@pytest.mark.parametrize("policy", ["float32", "mixed_float16"])
@pytest.mark.parametrize("make", STATEFUL.values(), ids=STATEFUL)
def test_two_halves_of_a_sequence_are_one_run(make, policy):
    keras.config.set_dtype_policy(policy)
    whole = make(return_sequences=True)
    halves = make(return_sequences=True, stateful=True)
    is_keras_own = type(whole) is keras.layers.RNN
    if BACKEND == "torch" and policy == "mixed_float16" and is_keras_own:
        pytest.skip("Keras's own RNN loses what it assigns to its states there")
    x = array(2, 6, 4)
    mask = np.array([[1, 0, 1, 1, 1, 0], [0, 0, 0, 0, 1, 1]], bool)
    for layer in (whole, halves):
        called(layer, x[:, :3])
    for state in keras.tree.flatten(halves.states):  # of stacked cells, a nest: Keras's
        state.assign(ops.zeros(state.shape, state.dtype))  # reset_state fails
    for ours, theirs in zip(halves.trainable_weights, whole.trainable_weights):
        ours.assign(theirs)
    is_decoder = isinstance(whole, AttentionDecoder)
    name = "sequences_mask" if is_decoder else "mask"
    parts = [
        called(halves, x[:, part], **{name: mask[:, part]})
        for part in (slice(0, 3), slice(3, 6))
    ]
    parts = ops.concatenate(parts, axis=1)
    desired = called(whole, x, **{name: mask})
    # Before its first seen step a layer returns zeros; a stateful one does so in each
    # half, so that only the seen steps can agree.
    parts, desired = (ops.convert_to_numpy(y)[mask] for y in (parts, desired))
    assert_close(parts, desired, 1e-6 if policy == "float32" else 2e-3)


@pytest.mark.parametrize(
    "make",
    [*STATEFUL.values(), *BOTH_WAYS.values()],
    ids=[*STATEFUL, *BOTH_WAYS],
)
def test_a_stateful_layer_trains_and_its_states_stay_apart(make):
    """In-place updates on torch, and memory that JAX hands over, are the danger."""
    layer = make(stateful=True)
    if BACKEND == "jax" and type(layer) is keras.layers.RNN:
        pytest.skip("Keras's own RNN keeps no state in a compiled step there")
    inputs = [
        keras.Input(batch_shape=(2, *a.shape[1:]))
        for a in inputs_of(layer, array(2, 4, 5))
    ]
    model = keras.Model(inputs, keras.layers.Dense(1)(layer(*inputs)))
    is_tensorflow = BACKEND == "tensorflow"
    model.compile("sgd", "mse", run_eagerly=is_tensorflow)
    x = [np.concatenate([a, a]) for a in inputs_of(layer, array(2, 4, 5))]
    losses = model.fit(
        x, np.ones((4, 1)), batch_size=2, shuffle=False, epochs=3, verbose=0
    ).history["loss"]
    assert losses[-1] < losses[0]
    states = keras.tree.flatten(layer.states)
    for i, one in enumerate(states):
        for other in states[:i]:
            if one.shape == other.shape:
                one_, other_ = (ops.convert_to_numpy(s) for s in (one, other))
                assert not np.allclose(one_, other_)
    assert_independent(layer.variables)


def test_a_step_leaves_the_cache_that_it_was_given_as_it_was():
    """Beam search keeps old caches."""
    x, source = ops.convert_to_tensor(array(2, 1, 8)), array(2, 3, 6)
    attention = CachedMultiHeadAttention(2, 4)
    attention.build((2, 4, 8), (2, 4, 8))
    block = TransformerDecoderBlock(16, 2)
    block.build((2, 4, 8), (2, 3, 6))
    caches = [attention.empty_cache(2, 4), block.empty_cache(2, 4, source)]
    for layer, cache in zip((attention, block), caches):
        before = [ops.convert_to_numpy(part) for part in keras.tree.flatten(cache)]
        _, new = layer.step(x, cache, 1)
        after = [ops.convert_to_numpy(part) for part in keras.tree.flatten(cache)]
        for old, kept in zip(before, after, strict=True):
            np.testing.assert_array_equal(kept, old)
        K, V = new if layer is attention else new["self"]
        assert np.abs(ops.convert_to_numpy(K - V)[:, 1]).max() > 0
