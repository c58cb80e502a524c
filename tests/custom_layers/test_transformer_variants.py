"""Transformer blocks with other norms, gates, shared keys and biases by position."""

import keras
import numpy as np
import pytest
from keras import ops

from custom_layers.layers import (
    ALiBi,
    CachedMultiHeadAttention,
    RelativePositionBias,
    TransformerDecoderBlock,
    TransformerEncoderBlock,
)
from oracle import Case, array, assert_close, assert_same_layer
from transformer_formulas import (
    np_alibi,
    np_attention,
    np_block,
    np_feed_forward,
    np_gated_feed_forward,
    np_gelu,
    np_relative_bias,
    np_silu,
    randomize,
    run_in_steps,
)

HEADS, WIDTH, LENGTH = 4, 8, 6
SWIGLU = {"gated": True, "activation": "silu"}
VARIANTS = {
    "RMS": {"normalization": "rms"},
    "SwiGLU": SWIGLU,
    "GEGLU": {"gated": True, "activation": "gelu"},
    "one head of keys": {"num_key_value_heads": 1},
    "ALiBi": {"position_bias": ALiBi()},
    "relative positions": {"position_bias": RelativePositionBias(6, max_distance=5)},
    "all": {
        **SWIGLU,
        "normalization": "rms",
        "num_key_value_heads": 2,
        "position_bias": RelativePositionBias(4, max_distance=4, bidirectional=False),
    },
}
NEW = ("normalization", "gated", "num_key_value_heads", "position_bias")
SOURCE = array(2, 4, 6, seed=1)
MASK = np.array([[1, 1, 0, 1], [1, 1, 0, 0]], bool)
every_variant = pytest.mark.parametrize("variant", VARIANTS.values(), ids=VARIANTS)


def decoder(**more):
    layer = TransformerDecoderBlock(12, HEADS, **more)
    layer.build((None, None, WIDTH), (None, None, 6))
    return randomize(layer)


def encoder(**more):
    layer = TransformerEncoderBlock(12, HEADS, **more)
    layer.build((None, None, WIDTH))
    return randomize(layer)


def table_of(layer):
    (table,) = layer.self_attention.position_bias.weights
    return table


def bias_of(layer, variant):
    """The bias of the scores, from its formula."""
    kind = variant.get("position_bias")
    if kind is None:
        return 0.0
    if isinstance(kind, ALiBi):
        return np_alibi(HEADS, LENGTH, LENGTH)
    table = ops.convert_to_numpy(table_of(layer))
    options = kind.max_distance, kind.bidirectional
    return np_relative_bias(table, LENGTH, LENGTH, *options)


def last_part(variant):
    """(name, formula) of the feed-forward network."""
    function = np_feed_forward
    if "gated" in variant:
        is_swish = variant["activation"] == "silu"
        function = np_gated_feed_forward(np_silu if is_swish else np_gelu)
    return "feed_forward", function


def self_attention(layer, variant, allowed):
    """(name, formula) of the attention of a block to its own inputs."""
    bias = bias_of(layer, variant)

    def attend(weights, x):
        return np_attention(weights, "self_attention", x, x, allowed, bias)

    return "self_attention", attend


def look(weights, x):
    allowed = MASK[:, None, None]
    return np_attention(weights, "source_attention", x, SOURCE, allowed)


@every_variant
def test_the_decoder_block_is_the_papers_formula(variant):
    layer, x = decoder(normalize_first=True, **variant), array(2, LENGTH, WIDTH)
    attend = self_attention(layer, variant, np.tri(LENGTH, dtype=bool))
    parts = [attend, ("source_attention", look), last_part(variant)]
    expected = np_block(layer, x, parts)
    assert_close(layer(x, SOURCE, source_mask=MASK), expected)


@pytest.mark.parametrize("name", ["RMS", "relative positions", "all"])
def test_the_encoder_block_is_the_papers_formula(name):
    variant = VARIANTS[name]
    layer, x = encoder(**variant), array(2, LENGTH, WIDTH)
    mask = np.array([[1, 1, 1, 0, 0, 1], [1, 0, 1, 1, 1, 1]], bool)
    attend = self_attention(layer, variant, mask[:, None, None])
    expected = np_block(layer, x, [attend, last_part(variant)])
    assert_close(layer(x, mask=mask), expected)


@every_variant
@pytest.mark.parametrize("first", [1, 3])
def test_steps_with_a_cache_give_what_one_run_gives(variant, first):
    layer, x = decoder(max_wavelength=50.0, **variant), array(2, LENGTH, WIDTH)
    expected = layer(x, SOURCE, source_mask=MASK)
    sizes = [first] + [1] * (LENGTH - first)
    assert_close(run_in_steps(layer, x, sizes, SOURCE, MASK), expected)


def test_a_step_may_be_told_its_place_while_the_program_runs():
    layer, x = decoder(**VARIANTS["all"]), array(2, LENGTH, WIDTH)
    expected = layer(x, SOURCE)
    cache = layer.empty_cache(2, LENGTH, SOURCE)
    for index in range(LENGTH):
        place = ops.convert_to_tensor(index)
        y, cache = layer.step(x[:, index : index + 1], cache, place)
        assert_close(y, expected[:, index : index + 1])


def test_shared_heads_make_the_cache_smaller():
    shapes = []
    for heads in (None, 2, 1):
        layer = decoder(num_key_value_heads=heads)
        cache = layer.empty_cache(2, 5, SOURCE)
        shapes.append([tuple(K.shape) for K in (*cache["self"], *cache["source"])])
    for heads, found in zip((4, 2, 1), shapes):
        assert found == [(2, heads, 5, 2)] * 2 + [(2, heads, 4, 2)] * 2


SMALL = {"query": array(2, 3, 6), "value": array(2, 5, 6, seed=1)}


@pytest.mark.parametrize("groups", [1, 2])
@pytest.mark.parametrize("call", [{}, {"use_causal_mask": True}])
def test_shared_heads_are_those_of_keras_grouped_query_attention(groups, call):
    """The bias of the keys shifts all scores of a query alike: softmax ignores it."""
    case = Case("", {}, SMALL, call, vanishes="gradient to key/bias")
    assert_same_layer(
        case,
        lambda: CachedMultiHeadAttention(4, 3, num_key_value_heads=groups),
        lambda: keras.layers.GroupQueryAttention(3, 4, groups),
    )


def test_a_configuration_without_the_new_arguments_builds_the_same_block():
    for cls in (TransformerDecoderBlock, TransformerEncoderBlock):
        config = cls(12, HEADS).get_config()
        old = {key: value for key, value in config.items() if key not in NEW}
        assert len(config) == len(old) + len(NEW)
        assert cls.from_config(old).get_config() == config


def test_a_saved_model_keeps_its_biases(tmp_path):
    """Two blocks that are given one layer have a table each, in files as well."""
    bias = RelativePositionBias(6, max_distance=5)
    x = keras.Input((None, WIDTH))
    blocks = [
        TransformerDecoderBlock(12, HEADS, num_key_value_heads=2, position_bias=bias),
        TransformerEncoderBlock(12, HEADS, normalization="rms", position_bias=bias),
        TransformerEncoderBlock(12, HEADS, gated=True, position_bias=ALiBi()),
    ]
    y = x
    for block in blocks:
        y = block(y)
    model = randomize(keras.Model(x, y))
    assert not bias.built
    assert table_of(blocks[0]) is not table_of(blocks[1])
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras", safe_mode=True)
    for one, other in zip(model.get_weights(), again.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    numbers = array(2, 5, WIDTH)
    np.testing.assert_array_equal(
        ops.convert_to_numpy(model(numbers)), ops.convert_to_numpy(again(numbers))
    )
    clone = keras.models.clone_model(again)
    clone.set_weights(model.get_weights())
    assert_close(clone(numbers), model(numbers), rtol=0)


def test_attention_weights_are_given_with_a_bias_too():
    layer = CachedMultiHeadAttention(2, 3, position_bias=ALiBi())
    x = array(2, 5, 6)
    y, P = layer(x, x, use_causal_mask=True, return_attention_scores=True)
    assert_close(layer(x, x, use_causal_mask=True), y)
    assert_close(ops.sum(P, axis=-1), np.ones((2, 2, 5), "float32"))


def test_dropout_acts_on_the_weights_of_a_biased_attention():
    layer = CachedMultiHeadAttention(2, 3, position_bias=ALiBi(), dropout=0.5)
    x = array(2, 5, 6)
    assert_close(layer(x, x), layer(x, x), rtol=0)
    y, z = (ops.convert_to_numpy(layer(x, x, training=True)) for _ in range(2))
    assert not np.allclose(y, z)


def test_lengths_may_be_unknown_until_the_call():
    layer = encoder(**VARIANTS["relative positions"])
    x = keras.Input((None, WIDTH))
    model = keras.Model(x, layer(x))
    numbers = array(2, 5, WIDTH)
    assert_close(model.predict(numbers, verbose=0), layer(numbers))


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: encoder(normalization="batch"), "`normalization`.*'layer' or 'rms'"),
        (lambda: encoder(num_key_value_heads=3), "must divide `num_heads`"),
        (lambda: encoder(num_key_value_heads=0), "`num_key_value_heads`.*positive"),
        (lambda: encoder(position_bias="alibi"), "must be a layer such as ALiBi"),
        (lambda: encoder(position_bias=keras.layers.ReLU()), "such as ALiBi"),
        (
            lambda: CachedMultiHeadAttention(2, 3, position_bias=ALiBi())(
                array(1, 2, 3, 6), array(1, 2, 3, 6)
            ),
            r"inputs \(B, T, D\)",
        ),
    ],
)
def test_refuses(make, says):
    with pytest.raises(ValueError, match=says):
        make()
