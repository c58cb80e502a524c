"""Classic mistakes in blocks, biases by position and tied embeddings: all are found."""

import keras
import numpy as np
import pytest
from keras import ops

from custom_layers.layers import ALiBi
from mutation import mutated
from oracle import array, assert_close
from transformer_formulas import (
    np_alibi,
    np_attention,
    np_block,
    np_bucket,
    np_gated_feed_forward,
    np_relative_bias,
    np_silu,
    randomize,
    run_in_steps,
)

pytestmark = pytest.mark.one_backend  # the mistakes are in the formulas
LAYERS, ATTENTION = "custom_layers.layers", "custom_layers.layers.attention"


def is_j_minus_i(relative_positions):
    found = ops.convert_to_numpy(relative_positions(2, 3, 1))
    np.testing.assert_array_equal(found, [[-1, 0, 1], [-2, -1, 0]])


def is_alibi(cls):
    assert_close(cls()(ops.zeros((3, 4, 5))), np_alibi(3, 4, 5))


def is_the_bias_of_t5(cls):
    for options in ((8, 6, True), (8, 16, False)):
        layer = cls(*options)
        for place in range(-25, 25):
            assert layer.bucket(place) == np_bucket(place, *options)
        layer.build((3, 4, 9))
        randomize(layer)
        table = layer.get_weights()[0]
        expected = np_relative_bias(table, 4, 9, *options[1:])
        assert_close(layer(ops.zeros((3, 4, 9))), expected)


def adds_its_bias(scaled_dot_product):
    Q, K, V = (array(3, 4, 2, seed=i) for i in range(3))
    bias = array(3, 4, 4, seed=5)
    e = np.exp(Q @ K.transpose(0, 2, 1) / np.sqrt(2) + bias)
    tensors = [ops.convert_to_tensor(x) for x in (Q, K, V)]
    y = scaled_dot_product(*tensors, bias=ops.convert_to_tensor(bias))
    assert_close(y, e / e.sum(-1, keepdims=True) @ V)


def steps_as_it_runs(cls):
    layer = cls(6, 2, num_key_value_heads=2, position_bias=ALiBi())
    x = array(2, 5, 4)
    layer.build(x.shape, x.shape)
    expected = randomize(layer)(x, x, use_causal_mask=True)
    assert layer.key_dense.kernel.shape == (4, 2, 2)
    assert_close(run_in_steps(layer, x, [2, 1, 1, 1]), expected)


def is_a_block_of_today(cls):
    options = {"normalize_first": True, "normalization": "rms"}
    layer = cls(6, 2, activation="silu", gated=True, position_bias=ALiBi(), **options)
    x = array(2, 4, 8)
    layer.build(x.shape)
    randomize(layer)

    def attend(weights, x):
        seen, bias = np.tri(4, dtype=bool), np_alibi(2, 4, 4)
        return np_attention(weights, "self_attention", x, x, seen, bias)

    last = "feed_forward", np_gated_feed_forward(np_silu)
    assert_close(layer(x), np_block(layer, x, [("self_attention", attend), last]))


def works_in_reverse(cls):
    E = array(5, 3)
    layer = cls(5, 3, weights=[E], mask_zero=True, logit_soft_cap=2.0)
    tokens = np.array([[1, 4, 0]])
    logits = layer(layer(tokens), reverse=True)
    assert_close(logits, 2 * np.tanh(E[tokens] @ E.T / 2))
    np.testing.assert_array_equal(getattr(logits, "_keras_mask", None), tokens > 0)
    layer = cls(5, 3, tie_weights=False, reverse_dtype="float64")
    layer.build()
    one, other = layer.get_weights()
    assert not np.isin(one, other).any()
    logits = layer(array(2, 3), reverse=True)
    assert logits.dtype == "float64"
    assert_close(logits, array(2, 3) @ other.astype("float64"))


CHECKS = {  # name: (package, files in order of import, what it must pass)
    "_relative_positions": (ATTENTION, ["position_bias"], is_j_minus_i),
    "ALiBi": (ATTENTION, ["alibi"], is_alibi),
    "RelativePositionBias": (ATTENTION, ["relative_position_bias"], is_the_bias_of_t5),
    "scaled_dot_product": (ATTENTION, ["scaled_dot_product"], adds_its_bias),
    "CachedMultiHeadAttention": (
        ATTENTION,
        ["cached_multi_head_attention"],
        steps_as_it_runs,
    ),
    "TransformerDecoderBlock": (LAYERS, ["transformer"], is_a_block_of_today),
    "ReversibleEmbedding": (LAYERS, ["reversible_embedding"], works_in_reverse),
}
MUTANTS = {  # the mistake: (name, old text, new text)
    "queries before keys": (
        "_relative_positions",
        "j - ops.expand_dims(i, -1)",
        "ops.expand_dims(i, -1) - j",
    ),
    "queries always begin at 0": (
        "_relative_positions",
        "+ ops.cast(start_index",
        "+ 0 * ops.cast(start_index",
    ),
    "far keys weigh more": ("ALiBi", "return -m *", "return m *"),
    "keys behind weigh more": ("ALiBi", "ops.abs(", "("),
    "slopes for eight heads only": ("ALiBi", "(-8 * h / self.heads)", "(-h)"),
    "slopes from 1 on": (
        "ALiBi",
        "range(1, self.heads + 1)",
        "range(self.heads)",
    ),
    "one bucket for both sides": (
        "RelativePositionBias",
        "self._before[n] + self.num_buckets // 2 if",
        "self._before[n] if",
    ),
    "distance 0 belongs behind": (
        "RelativePositionBias",
        "if relative_position <= 0",
        "if relative_position < 0",
    ),
    "too few exact buckets": ("RelativePositionBias", "e = N // 2", "e = N // 4 + 1"),
    "a limit belongs to the bucket before": (
        "RelativePositionBias",
        "e**k >= max",
        "e**k > max",
    ),
    "places beyond the table": (
        "RelativePositionBias",
        "places + self.max_distance)",
        "places + self.max_distance - 1)",
    ),
    "a bias that is subtracted": (
        "scaled_dot_product",
        "+ _full_precision(bias)",
        "- _full_precision(bias)",
    ),
    "steps without a bias": (
        "CachedMultiHeadAttention",
        "allowed, bias=bias)",
        "allowed)",
    ),
    "steps biased as if they were the first": (
        "CachedMultiHeadAttention",
        "self._bias(T, S, start)",
        "self._bias(T, S, 0)",
    ),
    "heads that share nothing": (
        "CachedMultiHeadAttention",
        "self.num_key_value_heads or self.num_heads",
        "self.num_heads",
    ),
    "groups of neighbours exchanged": (
        "CachedMultiHeadAttention",
        "Q = ops.reshape(Q, (B, *groups, T, self.key_dim))",
        "Q = ops.reshape(Q, (B, size, -1, T, self.key_dim))\n"
        "        Q = ops.swapaxes(Q, 1, 2)",
    ),
    "a block without its bias": (
        "TransformerDecoderBlock",
        "position_bias=self.position_bias,",
        "position_bias=None,",
    ),
    "the epsilon of a norm forgotten": (
        "TransformerDecoderBlock",
        "class _Block(_BlockBase):",
        "class _Block(_BlockBase):\n"
        "    layer_norm_epsilon = property(lambda self: 1.0, lambda self, value: None)",
    ),
    "a gate without its activation": (
        "TransformerDecoderBlock",
        "self.activation, kind)",
        "None, kind)",
    ),
    "a cap that is no bound": (
        "ReversibleEmbedding",
        "c * ops.tanh(logits / c)",
        "ops.tanh(logits / c)",
    ),
    "a mask lost in reverse": (
        "ReversibleEmbedding",
        "return mask if is_reverse",
        "return None if is_reverse",
    ),
    "two tables that start alike": (
        "ReversibleEmbedding",
        "fresh(self.embeddings_initializer)",
        "self.embeddings_initializer",
    ),
    "logits of the layer's own dtype": (
        "ReversibleEmbedding",
        "self.reverse_dtype or self.compute_dtype",
        "self.compute_dtype",
    ),
}


@pytest.mark.parametrize("name", CHECKS)
def test_unchanged_source_passes(name):
    package, files, check = CHECKS[name]
    check(mutated(name, package, files))


@pytest.mark.parametrize("mistake", MUTANTS)
@pytest.mark.filterwarnings("ignore:The initializer")
def test_mistake_is_found(mistake):
    name, old, new = MUTANTS[mistake]
    package, files, check = CHECKS[name]
    thing = mutated(name, package, files, old, new)
    keras.utils.set_random_seed(0)
    with pytest.raises(AssertionError):
        check(thing)
