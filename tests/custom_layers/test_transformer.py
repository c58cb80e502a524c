"""Transformer blocks and position encodings against formulas; their properties."""

import keras
import numpy as np
import pytest
from keras import ops

from custom_layers.generation import beam_search, greedy_search
from custom_layers.layers import (
    CachedMultiHeadAttention,
    PositionEmbedding,
    RotaryEmbedding,
    SinePositionEncoding,
    SinusoidalEmbedding,
    TokenAndPositionEmbedding,
    TransformerDecoderBlock,
    TransformerEncoderBlock,
)
from oracle import array, assert_close
from transformer_formulas import np_attention, np_block, np_feed_forward, randomize

norms = pytest.mark.parametrize("pre", [False, True], ids=["post-norm", "pre-norm"])


def encoder(**more):
    layer = TransformerEncoderBlock(12, num_heads=2, **more)
    layer.build((None, None, 8))
    return randomize(layer)


def decoder(with_source=True, **more):
    layer = TransformerDecoderBlock(12, num_heads=2, **more)
    layer.build((None, None, 8), (None, None, 6) if with_source else None)
    return randomize(layer)


LAST = ("feed_forward", np_feed_forward)


@norms
def test_the_encoder_block_is_the_papers_formula(pre):
    layer, x = encoder(normalize_first=pre), array(2, 5, 8)
    mask = np.array([[1, 1, 1, 0, 0], [1, 0, 1, 1, 1]], bool)
    allowed = mask[:, None, None]

    def attend(weights, x):
        return np_attention(weights, "self_attention", x, x, allowed)

    expected = np_block(layer, x, [("self_attention", attend), LAST])
    assert_close(layer(x, mask=mask), expected)


@norms
def test_the_decoder_block_is_the_papers_formula(pre):
    layer = decoder(normalize_first=pre)
    x, source = array(2, 5, 8), array(2, 4, 6, seed=1)
    mask = np.array([[1, 1, 0, 1], [1, 1, 0, 0]], bool)

    def attend(weights, x):
        return np_attention(weights, "self_attention", x, x, np.tri(5, dtype=bool))

    def look(weights, x):
        allowed = mask[:, None, None]
        return np_attention(weights, "source_attention", x, source, allowed)

    parts = [("self_attention", attend), ("source_attention", look), LAST]
    expected = np_block(layer, x, parts)
    assert_close(layer(x, source, source_mask=mask), expected)


@norms
def test_the_future_changes_nothing_before_it(pre):
    layer = decoder(normalize_first=pre, max_wavelength=100.0)
    x, source = array(2, 6, 8), array(2, 4, 6)
    changed = np.concatenate([x[:, :3], array(2, 3, 8, seed=5)], axis=1)
    y, z = (ops.convert_to_numpy(layer(a, source)) for a in (x, changed))
    np.testing.assert_array_equal(y[:, :3], z[:, :3])
    assert np.abs(y - z)[:, 3:].max(-1).all()


@norms
@pytest.mark.parametrize("side", ["left", "right"])
def test_padding_changes_nothing(pre, side):
    """An embedding with mask_zero masks token 0; the blocks are given no mask."""
    embed = keras.layers.Embedding(9, 8, mask_zero=True)
    blocks = [encoder(normalize_first=pre), decoder(False, normalize_first=pre)]
    tokens, nothing = np.array([[3, 1, 4], [1, 5, 8]]), np.zeros((2, 2), int)
    parts = [tokens, nothing] if side == "right" else [nothing, tokens]
    padded = np.concatenate(parts, axis=1)
    for block in blocks:
        y = block(block(embed(tokens)))
        z = ops.convert_to_numpy(block(block(embed(padded))))
        assert_close(z[padded > 0].reshape(2, 3, 8), y)


@norms
def test_the_source_is_attended_to_under_its_own_mask(pre):
    embed = keras.layers.Embedding(9, 6, mask_zero=True)
    target = keras.layers.Embedding(9, 8, mask_zero=True)
    layer = decoder(normalize_first=pre)
    source, padded = np.array([[3, 1], [5, 8]]), np.array([[3, 1, 0], [5, 8, 0]])
    tokens = np.array([[2, 7, 1, 0, 0], [3, 0, 0, 0, 0]])
    y = layer(target(tokens), embed(source))
    z = layer(target(tokens), embed(padded))
    assert_close(z, y)
    assert_close(y._keras_mask, tokens > 0)


def test_masks_reach_every_block_of_a_model():
    """Two decoder blocks look at one masked source."""
    source, x = keras.Input((None,), dtype="int32"), keras.Input((None, 8))
    memory = keras.layers.Embedding(9, 6, mask_zero=True)(source)
    y = x
    for layer in (decoder(), decoder(normalize_first=True)):
        y = layer(y, memory)
    model = keras.Model([source, x], y)
    x, short = array(2, 5, 8), np.array([[3, 1], [5, 8]])
    padded = np.array([[3, 1, 0, 0], [5, 8, 0, 0]])
    assert_close(model([padded, x]), model([short, x]))


@norms
@pytest.mark.parametrize("wavelength", [None, 50.0])
@pytest.mark.parametrize("prefill", [1, 3])
def test_steps_with_a_cache_give_what_one_run_gives(pre, wavelength, prefill):
    layer = decoder(normalize_first=pre, max_wavelength=wavelength)
    x, source = array(2, 6, 8), array(2, 4, 6, seed=1)
    mask = np.array([[1, 1, 0, 1], [1, 1, 0, 0]], bool)
    expected = layer(x, source, source_mask=mask)
    cache = layer.empty_cache(2, 6, source, mask)
    parts, index = [], 0
    for T in [prefill] + [1] * (6 - prefill):
        y, cache = layer.step(x[:, index : index + T], cache, index)
        parts.append(y)
        index += T
    assert_close(ops.concatenate(parts, axis=1), expected)


def test_steps_after_a_left_padded_prompt():
    layer = decoder(False)
    x = array(2, 5, 8)
    mask = np.array([[0, 0, 1, 1, 1], [0, 1, 1, 1, 1]], bool)
    expected = ops.convert_to_numpy(layer(x, mask=mask))
    cache = layer.empty_cache(2, 5)
    y, cache = layer.step(x[:, :3], cache, 0, mask[:, :3])
    z, cache = layer.step(x[:, 3:], cache, 3)
    found = ops.convert_to_numpy(ops.concatenate([y, z], axis=1))
    assert_close(found[mask], expected[mask])


@pytest.mark.parametrize("search", [greedy_search, beam_search])
def test_generation_with_and_without_cache_gives_the_same_tokens(search):
    embed = randomize(built(TokenAndPositionEmbedding(7, 10, 8), (None, None)))
    blocks = [decoder(False, normalize_first=True), decoder(False)]
    to_logits = 3 * array(8, 7)

    def whole(tokens, index, state):
        x = embed(tokens[:, : index + 1])
        for block in blocks:
            x = block(x)
        return ops.matmul(x[:, -1], to_logits), state

    def step(tokens, index, caches):
        x = embed(tokens[:, index : index + 1], start_index=index)
        new = []
        for block, cache in zip(blocks, caches):
            x, cache = block.step(x, cache, index)
            new.append(cache)
        return ops.matmul(x[:, -1], to_logits), new

    prompt = np.array([[2], [5]])
    caches = [block.empty_cache(2, 10) for block in blocks]
    one = search(whole, prompt, 10, end_token=3)
    two = search(step, prompt, 10, end_token=3, state=caches)
    for a, b in zip(keras.tree.flatten(one), keras.tree.flatten(two)):
        assert_close(a, b)


def built(layer, *shapes):
    layer.build(*shapes)
    return layer


@pytest.mark.parametrize("more", [{}, {"use_gate": True}, {"value_dim": 3}])
def test_steps_of_the_attention_layer(more):
    layer = CachedMultiHeadAttention(2, 4, max_wavelength=30.0, **more)
    x = array(2, 5, 8)
    expected = randomize(built(layer, x.shape, x.shape))(x, x, use_causal_mask=True)
    cache, parts = layer.empty_cache(2, 5), []
    for i in range(5):
        y, cache = layer.step(x[:, i : i + 1], cache, i)
        parts.append(y)
    assert_close(ops.concatenate(parts, axis=1), expected)


@norms
def test_dropout_acts_in_training_only(pre):
    for layer in (
        encoder(dropout=0.5, normalize_first=pre),
        decoder(False, dropout=0.5),
    ):
        x = array(2, 5, 8)
        assert_close(layer(x), layer(x), rtol=0)
        y, z = (ops.convert_to_numpy(layer(x, training=True)) for _ in range(2))
        assert not np.allclose(y, z)


def test_rotary_products_depend_only_on_the_distance():
    layer, q, k = RotaryEmbedding(20), array(1, 1, 2, 8), array(1, 1, 2, 8, seed=1)

    def product(i, j):
        turned = layer(q, start_index=i), layer(k, start_index=j)
        return ops.sum(turned[0] * turned[1], axis=-1)

    assert_close(product(9, 4), product(5, 0), rtol=1e-4)
    assert not np.allclose(product(9, 4), product(9, 5), rtol=1e-2)


def test_rotary_turns_pairs_by_position_times_frequency():
    x, position = array(2, 5, 3, 6), 2 + np.arange(5)
    pairs = x[..., :3] + 1j * x[..., 3:]
    angle = position[:, None] / 4 * 100.0 ** (-np.arange(3) / 3)
    turned = pairs * np.exp(1j * angle)[:, None]
    y = RotaryEmbedding(100, scaling_factor=4.0)(x, start_index=2)
    assert_close(y, np.concatenate([turned.real, turned.imag], -1).astype("f"))


def test_rotary_axes():
    x = array(2, 3, 5, 6)
    y = RotaryEmbedding(sequence_axis=2)(x)
    z = RotaryEmbedding()(x.transpose(0, 2, 1, 3))
    assert_close(y, ops.transpose(z, (0, 2, 1, 3)))
    y = RotaryEmbedding(feature_axis=2)(x[:, :, :4])
    z = RotaryEmbedding()(x[:, :, :4].transpose(0, 1, 3, 2))
    assert_close(y, ops.transpose(z, (0, 1, 3, 2)))


def test_sine_positions_are_the_papers_formula():
    expected = np.zeros((5, 6))
    for position in range(5):
        for i in range(3):
            angle = (position + 3) / 10000 ** (2 * i / 6)
            expected[position, 2 * i : 2 * i + 2] = np.sin(angle), np.cos(angle)
    y = SinePositionEncoding()(array(2, 5, 6), start_index=3)
    assert_close(y, np.stack([expected] * 2).astype("f"))


def test_sinusoids_of_numbers_are_those_of_positions():
    x = SinePositionEncoding()(array(1, 9, 6))
    assert_close(SinusoidalEmbedding(6)(np.array([8, 3])), np.stack([x[0, 8], x[0, 3]]))
    halves = SinusoidalEmbedding(2, dtype="mixed_bfloat16")(np.array([999.0, 1000.0]))
    expected = np.sin([999.0, 1000.0])
    sines = np.asarray(ops.cast(halves, "float32"))[:, 0]
    np.testing.assert_allclose(sines, expected, atol=0.01)


def test_learned_positions_and_tokens_are_added():
    layer = TokenAndPositionEmbedding(9, 6, 4, mask_zero=True)
    tokens = np.array([[3, 1, 0], [8, 0, 0]])
    y = layer(tokens, start_index=2)
    of_token, of_position = layer.get_weights()
    assert_close(y, of_token[tokens] + of_position[2:5])
    assert_close(y._keras_mask, tokens > 0)
    assert_close(PositionEmbedding(4, "ones")(array(2, 3, 5)), np.ones((2, 3, 5), "f"))


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: TransformerEncoderBlock(0, 2), "`intermediate_dim`.*positive integer"),
        (lambda: TransformerDecoderBlock(8, 1.5), "`num_heads`.*positive integer"),
        (lambda: TransformerEncoderBlock(8, 3)(array(1, 2, 8)), "multiple of"),
        (lambda: PositionEmbedding(0), "`sequence_length`.*positive integer"),
        (lambda: PositionEmbedding(2)(array(1, 3, 4)), "`sequence_length` is 2"),
        (lambda: RotaryEmbedding()(array(1, 3, 5)), "even number"),
        (lambda: SinePositionEncoding()(array(1, 3, 5)), "even number"),
        (lambda: SinusoidalEmbedding(5), "even number"),
        (lambda: CachedMultiHeadAttention(2, 4, sliding_window=3), "no window"),
        (
            lambda: built(TransformerDecoderBlock(8, 2), (1, 2, 4)).empty_cache(
                1, 2, source=array(1, 3, 4)
            ),
            "built without a source",
        ),
    ],
)
def test_refuses(make, says):
    with pytest.raises(ValueError, match=says):
        make()
