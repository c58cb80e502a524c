"""Attention layers against Keras, their properties and their refusals."""

import dataclasses

import keras
import numpy as np
import pytest
from keras import ops

from custom_layers.layers import (
    AdditiveAttention,
    Attention,
    GroupQueryAttention,
    MultiHeadAttention,
)
from oracle import Case, array, assert_close, assert_same_layer

QV = [array(2, 3, 4), array(2, 5, 4)]
QVK = [array(2, 3, 4), array(2, 5, 6), array(2, 5, 4, seed=1)]
MASK = [np.array([[1, 1, 0], [1, 0, 1]], bool), array(2, 5, low=0, high=2) > 0.7]
SCORES = {"return_attention_scores": True}
CAUSAL = {"use_causal_mask": True}
TRAINING = {"training": True}


def qv(*shape, length=None, features=None, key=None):
    """Inputs of a layer with heads; values differ from queries in length or size."""
    value = (shape[0], *(length or shape[1:-1]), features or shape[-1])
    inputs = {"query": array(*shape), "value": array(*value, seed=1)}
    if key:
        inputs["key"] = array(*value[:-1], key, seed=2)
    return inputs


SMALL = qv(2, 3, 6, length=(5,))
LONG = qv(1, 300, 4)
VALUE_MASK = {"value_mask": np.array([[1, 1, 0, 1, 0], [1, 1, 1, 1, 1]], bool)}
NO_KEY = {"value_mask": np.zeros((2, 5), bool)}
HEADS = {"num_heads": 2, "key_dim": 3}
GROUPS = {"head_dim": 3, "num_query_heads": 4, "num_key_value_heads": 2}
PENALTIES = {
    "kernel_regularizer": "l2",
    "bias_regularizer": "l1",
    "activity_regularizer": "l2",
}

CASES = [
    Case("Attention", {}, QV),
    Case("Attention", {"use_scale": True}, QVK, SCORES),
    Case("Attention", {"score_mode": "concat"}, QV, CAUSAL),
    Case("Attention", {"use_scale": True, "score_mode": "concat"}, QVK),
    Case("Attention", {}, QV, {"mask": MASK, **SCORES}),
    Case("Attention", {}, QVK, {"mask": MASK, **CAUSAL, **SCORES}),
    Case("Attention", {}, QV, {"mask": [None, MASK[1]]}),
    Case("Attention", {}, QV, {"mask": [MASK[0], None]}),
    Case("Attention", {"dropout": 0.4, "seed": 5}, QV, {**TRAINING, **SCORES}),
    Case("Attention", {"dropout": 0.4, "seed": 5}, QV),
    Case("Attention", {}, [array(2, 3, 4, 5), array(2, 3, 6, 5)], SCORES),
    Case("AdditiveAttention", {}, QV, SCORES),
    Case("AdditiveAttention", {"use_scale": False}, QVK, CAUSAL),
    Case("AdditiveAttention", {}, QVK, {"mask": MASK}),
    Case("AdditiveAttention", {"dropout": 0.4, "seed": 5}, QV, TRAINING),
    Case("MultiHeadAttention", HEADS, SMALL),
    Case("MultiHeadAttention", HEADS, SMALL, SCORES),
    Case("MultiHeadAttention", HEADS, SMALL, CAUSAL),
    Case("MultiHeadAttention", HEADS, SMALL, VALUE_MASK),
    Case("MultiHeadAttention", HEADS, SMALL, {**VALUE_MASK, **CAUSAL, **SCORES}),
    Case("MultiHeadAttention", {**HEADS, "value_dim": 5}, SMALL),
    Case("MultiHeadAttention", {**HEADS, "use_bias": False}, SMALL),
    Case("MultiHeadAttention", {**HEADS, "use_gate": True}, SMALL),
    Case("MultiHeadAttention", {**HEADS, **PENALTIES}, SMALL),
    Case("MultiHeadAttention", {**HEADS, "output_shape": 7}, SMALL),
    Case("MultiHeadAttention", {**HEADS, "output_shape": (2, 5)}, SMALL),
    Case("MultiHeadAttention", HEADS, qv(2, 3, 6, features=5, key=7)),
    Case(
        "MultiHeadAttention",
        HEADS,
        qv(2, 3, 6, length=(5,), key=7),
        {"key_mask": np.array([[1, 0, 1, 1, 0], [1, 1, 1, 1, 0]], bool), **VALUE_MASK},
    ),
    Case("MultiHeadAttention", HEADS, LONG, CAUSAL),
    Case("MultiHeadAttention", {**HEADS, "sliding_window": 2}, SMALL),
    Case("MultiHeadAttention", {**HEADS, "sliding_window": 20}, LONG),
    Case("MultiHeadAttention", {**HEADS, "sliding_window": 20}, LONG, CAUSAL),
    Case("MultiHeadAttention", {**HEADS, "sliding_window": 1}, SMALL, SCORES),
    Case("MultiHeadAttention", {**HEADS, "sliding_window": 400}, LONG),
    Case(
        "MultiHeadAttention",
        HEADS,
        LONG,
        {"value_mask": np.arange(300)[None] < 210, **CAUSAL},
    ),
    Case(
        "MultiHeadAttention",
        HEADS,
        LONG,
        {"attention_mask": np.tri(300, 300, 40, dtype=bool)[None], **CAUSAL},
    ),
    Case(
        "MultiHeadAttention",
        HEADS,
        SMALL,
        {"attention_mask": array(2, 3, 5, low=0, high=2, dtype="int32")},
    ),
    Case(
        "MultiHeadAttention",
        HEADS,
        SMALL,
        {"attention_mask": array(2, 2, 3, 5, low=0, high=2, dtype="int32"), **SCORES},
    ),
    Case("MultiHeadAttention", HEADS, SMALL, NO_KEY),
    Case("MultiHeadAttention", {**HEADS, "dropout": 0.4, "seed": 5}, SMALL, TRAINING),
    Case("MultiHeadAttention", {**HEADS, "dropout": 0.4, "seed": 5}, SMALL),
    Case(
        "MultiHeadAttention",
        {**HEADS, "dropout": 0.4, "seed": 5},
        SMALL,
        {**TRAINING, **SCORES, **CAUSAL},
    ),
    Case(
        "MultiHeadAttention",
        {**HEADS, "dropout": 0.4, "seed": 5},
        LONG,
        {**TRAINING, **CAUSAL},
    ),
    Case("MultiHeadAttention", HEADS, qv(2, 3, 4, 6, length=(2, 5))),
    Case("MultiHeadAttention", HEADS, qv(2, 3, 4, 6, length=(2, 5)), SCORES),
    Case("MultiHeadAttention", {**HEADS, "attention_axes": 1}, qv(2, 3, 4, 6), SCORES),
    Case("MultiHeadAttention", {**HEADS, "attention_axes": -2}, qv(2, 4, 4, 6), CAUSAL),
    Case(
        "MultiHeadAttention",
        {**HEADS, "attention_axes": (2, 3), "use_gate": True},
        qv(2, 3, 4, 2, 6),
        {"attention_mask": array(4, 2, 4, 2, low=0, high=2, dtype="int32"), **SCORES},
    ),
    Case("GroupQueryAttention", GROUPS, SMALL),
    Case("GroupQueryAttention", GROUPS, SMALL, {**VALUE_MASK, **CAUSAL, **SCORES}),
    Case("GroupQueryAttention", {**GROUPS, "use_gate": True}, SMALL),
    Case("GroupQueryAttention", {**GROUPS, "use_bias": False}, SMALL),
    Case("GroupQueryAttention", {**GROUPS, **PENALTIES}, SMALL),
    Case("GroupQueryAttention", {**GROUPS, "num_key_value_heads": 1}, LONG, CAUSAL),
    Case("GroupQueryAttention", {**GROUPS, "sliding_window": 2}, SMALL, CAUSAL),
    Case("GroupQueryAttention", {**GROUPS, "dropout": 0.4, "seed": 5}, SMALL, TRAINING),
    Case(
        "GroupQueryAttention",
        GROUPS,
        SMALL,
        {"query_mask": np.array([[1, 1, 0], [1, 0, 1]], bool), **VALUE_MASK},
    ),
]
if keras.version().startswith("3.15."):
    # Where all values are masked, Keras 3.16 returns 0; ours still returns their mean.
    nothing = [None, np.zeros((2, 5), bool)]
    CASES.append(Case("Attention", {}, QV, {"mask": nothing, **SCORES}))


@pytest.mark.parametrize("case", CASES, ids=str)
def test_same_as_keras(case):
    """The bias of the keys shifts all scores of a query alike: softmax ignores it."""
    backend, masks = keras.backend.backend(), case.call
    if backend == "jax" and "value_dim" in case.kwargs:
        pytest.skip("on JAX, Keras's layer fails if value_dim is not key_dim")
    if backend == "torch" and ("query_mask" in masks or masks is NO_KEY):
        pytest.skip("on torch, Keras's gradient of a query without keys differs")
    assert_same_layer(dataclasses.replace(case, vanishes="gradient to key/bias"))


SELF_ATTENTION = {
    "MultiHeadAttention": lambda **kw: MultiHeadAttention(2, 4, **kw),
    "sliding window": lambda **kw: MultiHeadAttention(2, 4, sliding_window=5, **kw),
    "GroupQueryAttention": lambda **kw: GroupQueryAttention(4, 4, 2, **kw),
    "Attention": lambda **kw: _on_itself(Attention(**kw)),
    "AdditiveAttention": lambda **kw: _on_itself(AdditiveAttention(**kw)),
}
every_layer = pytest.mark.parametrize("name", SELF_ATTENTION)


def _on_itself(layer):
    """layer([query, value]), called as a layer with heads is called."""

    def call(query, value, value_mask=None, **options):
        mask = None if value_mask is None else [None, value_mask]
        return layer([query, value], mask=mask, **options)

    return call


@every_layer
@pytest.mark.parametrize("length", [7, 150])
@pytest.mark.parametrize("scores", [False, True])
def test_changing_future_tokens_changes_no_earlier_output(name, length, scores):
    layer = SELF_ATTENTION[name]()
    x = array(2, length, 8)
    now = length // 2
    changed = np.concatenate([x[:, :now], array(2, length - now, 8, seed=9)], 1)
    options = {**CAUSAL, "return_attention_scores": scores}
    y, z = (layer(a, a, **options) for a in (x, changed))
    y, z = (ops.convert_to_numpy(a[0] if scores else a) for a in (y, z))
    np.testing.assert_array_equal(y[:, :now], z[:, :now])
    assert np.abs(y - z)[:, now:].min(axis=-1).all()


@every_layer
@pytest.mark.parametrize("causal", [False, True])
@pytest.mark.parametrize("side", ["left", "right"])
@pytest.mark.parametrize("length", [6, 140])
def test_padding_changes_nothing(name, causal, side, length):
    layer = SELF_ATTENTION[name]()
    x, pad = array(2, length, 8), 1e3 * array(2, 3, 8, seed=4)
    parts = [x, pad] if side == "right" else [pad, x]
    is_token = [np.full(part.shape[:2], part is x) for part in parts]
    padded, mask = np.concatenate(parts, 1), np.concatenate(is_token, 1)
    y = layer(x, x, use_causal_mask=causal)
    z = layer(padded, padded, value_mask=mask, use_causal_mask=causal)
    z = ops.convert_to_numpy(z)[mask].reshape(2, length, -1)
    assert_close(z, y)


@every_layer
def test_a_permuted_batch_gives_permuted_outputs(name):
    layer, x, order = SELF_ATTENTION[name](), array(4, 5, 8), [2, 0, 3, 1]
    y = ops.convert_to_numpy(layer(x, x))
    assert_close(layer(x[order], x[order]), y[order])


@every_layer
def test_permuted_keys_change_nothing(name):
    if name == "sliding window":
        pytest.skip("with a window, the position of a key counts")
    layer, x, order = SELF_ATTENTION[name](), array(2, 5, 8), [2, 0, 4, 3, 1]
    assert_close(layer(x, x[:, order]), layer(x, x))


@every_layer
@pytest.mark.parametrize("dtype", ["float32", "mixed_float16", "mixed_bfloat16"])
@pytest.mark.parametrize("length", [4, 130])
def test_a_fully_masked_row_is_finite(name, dtype, length):
    x, nothing = 30 * array(2, length, 8), np.zeros((2, length), bool)
    y = SELF_ATTENTION[name](dtype=dtype)(x, x, value_mask=nothing, **CAUSAL)
    assert bool(ops.all(ops.isfinite(y)))


@every_layer
def test_large_scores_are_no_trouble_in_float16(name):
    x = 40 * array(2, 5, 8)
    y = SELF_ATTENTION[name](dtype="mixed_float16")(x, x, training=True, **CAUSAL)
    assert bool(ops.all(ops.isfinite(y)))


def test_attention_probabilities_by_hand():
    """Two heads of one feature, identity projections: softmax(q k / sqrt(1))."""
    layer = MultiHeadAttention(2, 1, use_bias=False)
    x = np.array([[[1.0, 0.0], [2.0, 1.0]]], "float32")
    layer(x, x)
    identity = np.eye(2, dtype="float32")
    layer.set_weights([identity[:, :, None]] * 3 + [identity[:, None, :]])
    y, P = layer(x, x, return_attention_scores=True)
    e = np.exp
    first = [[e(1), e(2)], [e(2), e(4)]]
    second = [[1, 1], [1, e(1)]]
    expected = np.array([first, second])
    expected /= expected.sum(-1, keepdims=True)
    assert_close(P[0], expected)
    assert_close(y[0], np.stack([expected[0] @ [1, 2], expected[1] @ [0, 1]], -1))


def test_an_input_keeps_its_mask_for_the_next_layer():
    """Keras removes the mask, so that its second layer attends to padding."""
    tokens = keras.Input((4,), dtype="int32")
    query = keras.Input((3, 8))
    source = keras.layers.Embedding(5, 8, mask_zero=True)(tokens)
    first, second = MultiHeadAttention(2, 4), MultiHeadAttention(2, 4)
    model = keras.Model([tokens, query], [first(query, source), second(query, source)])
    second.set_weights(first.get_weights())
    y, z = model([np.array([[1, 2, 0, 0]]), array(1, 3, 8)])
    assert_close(y, z, rtol=0)


def test_query_mask_passes_through():
    x = keras.layers.Embedding(5, 8, mask_zero=True)(np.array([[1, 2, 0, 0]]))
    y = MultiHeadAttention(2, 4)(x, x)
    assert_close(y._keras_mask, [[True, True, False, False]])


def test_lengths_unknown_until_the_call():
    layer = MultiHeadAttention(2, 4, sliding_window=40)
    x = keras.Input((None, 8))
    model = keras.Model(x, layer(x, x, use_causal_mask=True))
    a = array(2, 150, 8)
    y = model.predict(a, verbose=0)
    assert_close(y, layer(a, a, use_causal_mask=True))


def test_several_attention_axes_are_one_long_axis():
    layer = MultiHeadAttention(2, 4, attention_axes=(1, 2))
    x = array(2, 3, 4, 8)
    flat = x.reshape(2, 12, 8)
    y = layer(x, x, use_causal_mask=True)
    same = MultiHeadAttention(2, 4)
    same.build(flat.shape, flat.shape)
    same.set_weights(layer.get_weights())
    z = same(flat, flat, use_causal_mask=True)
    assert_close(ops.reshape(y, (2, 12, 8)), z)


@every_layer
def test_a_single_key_is_the_answer_to_every_query(name):
    if "Attention" in (name, name.removeprefix("Additive")):
        pytest.skip("as in Keras, ops.softmax warns")
    layer, x = SELF_ATTENTION[name](), array(2, 5, 8)
    y, P = layer(x, x[:, 1:2], return_attention_scores=True)
    assert_close(P, np.ones((2, *P.shape[1:]), "float32"))
    assert_close(y, ops.tile(y[:, :1], (1, 5, 1)))


def test_as_many_groups_as_heads_is_multi_head_attention():
    x = array(2, 5, 8)
    ours, same = GroupQueryAttention(3, 4, 4), MultiHeadAttention(4, 3)
    for layer in (ours, same):
        layer(x, x)
    ours.set_weights(same.get_weights())
    assert_close(ours(x, x), same(x, x))


def test_the_initializer_is_drawn_anew_for_every_projection():
    layer = MultiHeadAttention(2, 3, kernel_initializer="he_normal")
    layer.build((1, 2, 6), (1, 2, 6))
    kernels = [layer.query_dense.kernel, layer.key_dense.kernel]
    assert not np.array_equal(*[ops.convert_to_numpy(k) for k in kernels])


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: MultiHeadAttention(0, 4), "`num_heads`.*positive integer"),
        (lambda: MultiHeadAttention(2, 1.5), "`key_dim`.*positive integer"),
        (lambda: MultiHeadAttention(2, 4, value_dim=0), "`value_dim`.*positive"),
        (lambda: MultiHeadAttention(2, 4, output_shape=1.5), "Invalid `output_shape`"),
        (lambda: MultiHeadAttention(2, 4, attention_axes="a"), "`attention_axes` must"),
        (lambda: MultiHeadAttention(2, 4, sliding_window=0), "`sliding_window`"),
        (
            lambda: MultiHeadAttention(2, 4, flash_attention=True, dropout=0.1),
            "Dropout is not supported when flash attention",
        ),
        (
            lambda: MultiHeadAttention(2, 4, flash_attention=True)(
                QV[0], QV[1], return_attention_scores=True
            ),
            "Returning attention scores is not supported",
        ),
        (lambda: MultiHeadAttention(2, 4)(QV[0], QV[0], QV[1]), "must be equal"),
        (lambda: GroupQueryAttention(4, 3, 2), "must be divisible"),
        (lambda: GroupQueryAttention(0, 4, 2), "`head_dim`.*positive integer"),
        (lambda: Attention(score_mode="sum"), "Invalid value for argument score_mode"),
        (lambda: Attention()(QV[0]), "must be called on a list"),
        (lambda: Attention()(QV * 2), "length 2 or 3"),
        (lambda: Attention()(QV, mask=MASK[0]), "mask must be a list"),
        (lambda: Attention()(QV, mask=MASK[:1]), "length 2 or 3"),
    ],
)
def test_refuses(make, says):
    with pytest.raises(ValueError, match=says):
        make()
