"""Recurrent and attention layers in the corners: masks of any kind, nothing to read."""

import keras
import numpy as np
import pytest
from keras import ops

from custom_layers.layers import (
    GRU,
    LSTM,
    AdditiveAttention,
    Attention,
    AttentionDecoder,
    AttentionDecoderCell,
    Bidirectional,
    CachedMultiHeadAttention,
    GroupQueryAttention,
    LayerNormLSTMCell,
    LSTMCell,
    MultiHeadAttention,
    PeepholeLSTMCell,
    SimpleRNN,
    TransformerDecoderBlock,
    TransformerEncoderBlock,
)
from oracle import array, assert_close

X, MEMORY = array(3, 4, 5), array(3, 6, 5)
MASK = np.array([[0, 0, 0, 0], [1, 1, 0, 0], [0, 1, 0, 1]], bool)
MEMORY_MASK = np.array([[0] * 6, [1, 1, 0, 0, 0, 0], [1] * 6], bool)
MASKS = {
    "integers": lambda mask: mask.astype("int32"),
    "floats": lambda mask: mask.astype("float32"),
    "a list": lambda mask: mask.tolist(),
    "a tensor of integers": lambda mask: ops.convert_to_tensor(mask.astype("int32")),
}


def several(layer):
    """layer([query, value]) as layer(x, memory)."""
    return lambda x, memory, mask, memory_mask: layer(
        [x, memory], mask=[mask, memory_mask]
    )


def headed(layer):
    return lambda x, memory, mask, memory_mask: layer(
        x, memory, query_mask=mask, value_mask=memory_mask
    )


def alone(layer):
    return lambda x, memory, mask, memory_mask: layer(x, mask=mask)


def decoding(attention):
    layer = AttentionDecoder(
        AttentionDecoderCell(LSTMCell(3), attention), return_sequences=True
    )
    return lambda x, memory, mask, memory_mask: layer(
        x, memory, sequences_mask=mask, memory_mask=memory_mask
    )


def block_with_source():
    layer = TransformerDecoderBlock(8, 1)
    return lambda x, memory, mask, memory_mask: layer(
        x, memory, mask=mask, source_mask=memory_mask
    )


RECURRENT = {
    "SimpleRNN": lambda: alone(SimpleRNN(3)),
    "LSTM": lambda: alone(LSTM(3)),
    "unrolled LSTM": lambda: alone(LSTM(3, unroll=True, return_sequences=True)),
    "GRU": lambda: alone(GRU(3, return_sequences=True)),
    "Bidirectional": lambda: alone(Bidirectional(GRU(3))),
    "bahdanau": lambda: decoding("bahdanau"),
    "luong": lambda: decoding("luong"),
}
OTHERS = {
    "Attention": lambda: several(Attention()),
    "AdditiveAttention": lambda: several(AdditiveAttention()),
    "MultiHeadAttention": lambda: headed(MultiHeadAttention(2, 3)),
    "GroupQueryAttention": lambda: headed(GroupQueryAttention(3, 2, 1)),
    "CachedMultiHeadAttention": lambda: headed(CachedMultiHeadAttention(2, 4, 50.0)),
    "TransformerEncoderBlock": lambda: alone(TransformerEncoderBlock(8, 1)),
    "TransformerDecoderBlock": block_with_source,
}
EVERY = {**RECURRENT, **OTHERS}
every_layer = pytest.mark.parametrize("make", EVERY.values(), ids=EVERY)


@every_layer
@pytest.mark.parametrize("kind", MASKS.values(), ids=MASKS)
def test_a_mask_of_any_kind_is_the_mask_of_booleans(make, kind):
    layer = make()
    desired = layer(X, MEMORY, MASK, MEMORY_MASK)
    actual = layer(X, MEMORY, kind(MASK), kind(MEMORY_MASK))
    assert_close(actual, desired, 1e-6)


@every_layer
@pytest.mark.parametrize("policy", ["float32", "mixed_float16", "mixed_bfloat16"])
def test_fully_masked_rows_are_finite(make, policy):
    keras.config.set_dtype_policy(policy)
    y = make()(X, MEMORY, MASK, MEMORY_MASK)
    assert bool(ops.all(ops.isfinite(y)))


@pytest.mark.parametrize("make", RECURRENT.values(), ids=RECURRENT)
def test_large_inputs_under_a_mask_are_finite_in_float16(make):
    keras.config.set_dtype_policy("mixed_float16")
    y = make()(1e4 * X, MEMORY, MASK, MEMORY_MASK)
    assert bool(ops.all(ops.isfinite(y)))


@pytest.mark.parametrize("name", ["SimpleRNN", "LSTM", "GRU"])
@pytest.mark.parametrize("policy", ["mixed_float16", "mixed_bfloat16"])
def test_masks_count_in_mixed_precision(name, policy):
    cls = {"SimpleRNN": SimpleRNN, "LSTM": LSTM, "GRU": GRU}[name]
    full, half = cls(3, dtype="float32"), cls(3, dtype=policy)
    desired = full(X, mask=MASK)
    half(X)
    half.set_weights(full.get_weights())
    actual = ops.cast(half(X, mask=MASK), "float32")
    assert_close(actual, desired, 0.02 if policy == "mixed_bfloat16" else 0.003)


@every_layer
def test_an_empty_batch_gives_an_empty_batch(make):
    layer = make()
    whole = layer(X, MEMORY, MASK, MEMORY_MASK)
    none = layer(X[:0], MEMORY[:0], MASK[:0], MEMORY_MASK[:0])
    assert tuple(none.shape) == (0, *whole.shape[1:])


@every_layer
def test_one_step_alone(make):
    y = make()(X[:, :1], MEMORY[:, :1], MASK[:, :1], MEMORY_MASK[:, :1])
    assert y.shape[0] == 3
    assert bool(ops.all(ops.isfinite(y)))


@pytest.mark.parametrize("make", RECURRENT.values(), ids=RECURRENT)
def test_a_recurrent_layer_refuses_sequences_without_steps(make):
    with pytest.raises(ValueError, match=r"at least one step.*0"):
        make()(X[:, :0], MEMORY, MASK[:, :0], MEMORY_MASK)


@pytest.mark.parametrize("make", OTHERS.values(), ids=OTHERS)
def test_attention_of_no_query_is_empty_and_over_no_value_finite(make):
    layer = make()
    whole = layer(X, MEMORY, MASK, MEMORY_MASK)
    none = layer(X[:, :0], MEMORY, MASK[:, :0], MEMORY_MASK)
    assert tuple(none.shape) == (3, 0, whole.shape[-1])
    nothing = layer(X, MEMORY[:, :0], MASK, MEMORY_MASK[:, :0])
    assert bool(ops.all(ops.isfinite(nothing)))


@pytest.mark.parametrize("go_backwards", [False, True])
@pytest.mark.parametrize("zero", [False, True])
@pytest.mark.parametrize("sequences", [False, True])
@pytest.mark.parametrize("cls", [SimpleRNN, LSTM, GRU])
def test_an_unrolled_loop_is_the_loop(cls, sequences, zero, go_backwards):
    """Keras's applies a mask in the wrong order of time, or fails, read backwards."""
    options = {
        "return_sequences": sequences,
        "return_state": True,
        "zero_output_for_mask": zero,
        "go_backwards": go_backwards,
    }
    loop, unrolled = cls(3, **options), cls(3, **options, unroll=True)
    loop(X), unrolled(X)
    unrolled.set_weights(loop.get_weights())
    for mask in (None, MASK):
        pairs = zip(unrolled(X, mask=mask), loop(X, mask=mask), strict=True)
        for actual, desired in pairs:
            assert_close(actual, desired, 1e-6)


def test_an_unrolled_pair_of_directions_is_the_pair_of_loops():
    loop = Bidirectional(LSTM(3, return_sequences=True))
    unrolled = Bidirectional(LSTM(3, return_sequences=True, unroll=True))
    loop(X), unrolled(X)
    unrolled.set_weights(loop.get_weights())
    assert_close(unrolled(X, mask=MASK), loop(X, mask=MASK), 1e-6)


@pytest.mark.parametrize("cell", [LayerNormLSTMCell, PeepholeLSTMCell])
def test_cells_of_their_own_are_finite_under_masks_in_mixed_precision(cell):
    layer = keras.layers.RNN(cell(3, dtype="mixed_float16"), dtype="mixed_float16")
    y = layer(1e4 * X, mask=MASK)
    assert bool(ops.all(ops.isfinite(y)))
    assert not np.any(ops.convert_to_numpy(y)[0])


@pytest.mark.parametrize("policy", ["float32", "mixed_float16"])
@pytest.mark.parametrize("kind", MASKS.values(), ids=MASKS)
def test_a_decoder_steps_with_masks_of_any_kind(policy, kind):
    """`step` is no call, so that no part of Keras converts its arguments."""
    keras.config.set_dtype_policy(policy)
    block = TransformerDecoderBlock(8, 1)
    desired = block(X, MEMORY, mask=MASK, source_mask=MEMORY_MASK)
    cache = block.empty_cache(3, 4, MEMORY, kind(MEMORY_MASK))
    parts = []
    for t in range(4):
        step = slice(t, t + 1)
        y, cache = block.step(X[:, step], cache, t, kind(MASK[:, step]))
        parts.append(y)
    actual = ops.convert_to_numpy(ops.concatenate(parts, axis=1))
    desired = ops.convert_to_numpy(desired)
    assert_close(actual[MASK], desired[MASK], 1e-5 if policy == "float32" else 5e-3)
