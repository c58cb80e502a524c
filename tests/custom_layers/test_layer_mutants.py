"""Classic mistakes in layers and decoding, made on purpose: a check must find each.

A mutant is a change of the source text of one file, which is executed anew in
isolation; nothing of it reaches the real classes.
"""

import functools
import importlib.util
import types
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import ops

from custom_layers.generation import SPACE
from custom_layers.layers import CRF
from custom_layers.losses import CRFLoss
from oracle import Case, array, assert_close, assert_same_layer

pytestmark = pytest.mark.one_backend  # the mistakes are in the formulas
X = array(3, 5, 4)


def same_as_keras(name, **kwargs):
    def check(module):
        assert_same_layer(Case(name, kwargs, X), ours=getattr(module, name))

    return check


def is_attention(name):
    """softmax(Q K^T / sqrt(d)) V in NumPy, where a query sees no later keys."""

    def check(module):
        Q, K, V = (array(2, 300, 4, seed=i) for i in range(3))
        scores = np.where(np.tri(300), Q @ K.transpose(0, 2, 1) / 2, -np.inf)
        e = np.exp(scores - scores.max(-1, keepdims=True))
        tensors = (ops.convert_to_tensor(x) for x in (Q, K, V))
        y = getattr(module, name)(*tensors, causal=True)
        assert_close(y, e / e.sum(-1, keepdims=True) @ V)

    return check


def has_the_gradient_of_the_formula(module):
    """The gradient of sum(y^2), by central differences, at one entry of each input."""

    def loss(inputs):
        return float(ops.sum(module.blockwise_attention(*inputs, causal=True) ** 2))

    inputs = [ops.convert_to_tensor(array(1, 3, 2, seed=i)) for i in range(3)]
    found = _gradients(module.blockwise_attention, inputs)
    step = 1e-2
    for i, gradient in enumerate(found):
        moved = []
        for sign in (1, -1):
            values = [ops.convert_to_numpy(x).copy() for x in inputs]
            values[i][0, 1, 0] += sign * step
            moved.append(loss([ops.convert_to_tensor(v) for v in values]))
        slope = (moved[0] - moved[1]) / (2 * step)
        np.testing.assert_allclose(gradient[0, 1, 0], slope, rtol=0.02, atol=1e-3)


def turns_back_in_its_gradient(module):
    """A rotation keeps lengths, and its gradient is the rotation back."""
    angle = ops.convert_to_tensor(array(3, 2))
    x = ops.convert_to_tensor(array(5, 3, 4))
    cos, sin = ops.cos(angle), ops.sin(angle)
    (y,), saved = module._turn(x, cos, sin)
    dx, *_ = module._turn_back((x, cos, sin), saved, (y,))
    assert_close(ops.sum(y**2), ops.sum(x**2))
    assert_close(dx, x)


def _gradients(attention, inputs):
    import tensorflow as tf

    with tf.GradientTape() as tape:
        tape.watch(inputs)
        loss = tf.reduce_sum(attention(*inputs, causal=True) ** 2)
    return [g.numpy() for g in tape.gradient(loss, inputs)]


def has_the_gradients_of_its_loops(module):
    """Those written by hand are those that TensorFlow derives from the forward loop."""
    import tensorflow as tf

    module.compiled = lambda function, **options: functools.partial(
        _call, function, options
    )
    x, mask = tf.constant(X), tf.constant(array(3, 5, seed=6) > 0)
    seen = tf.transpose(mask)[:, :, None]
    for formula, gates, states in (
        (module._FORMULA_OF_LSTM, 4, 2),
        (module._FORMULA_OF_GRU, 3, 1),
        (module._FORMULA_OF_SIMPLE_RNN, 1, 1),
    ):
        W, U = (
            tf.constant(array(4, 2 * gates)),
            tf.constant(array(2, 2 * gates, seed=1)),
        )
        b = tf.constant(array(*[2] * (gates == 3), 2 * gates, seed=2))
        starts = [tf.constant(array(3, 2, seed=3 + i)) for i in range(states)]
        with tf.GradientTape(persistent=True) as tape:
            tape.watch([x, W, U, b, *starts])
            last, hs = module._run_fused(formula, [x], (W, U, b), starts, mask, True)
            ours = sum(tf.reduce_sum(v**2) for v in (*last, hs))
            x_W = tf.transpose(x @ W, (1, 0, 2))
            tables, _ = module._forward(x_W, U, b, starts, [seen], 5, formula)
            plain = sum(tf.reduce_sum(table[-1] ** 2) for table in tables)
            plain += tf.reduce_sum(tables[0][1:] ** 2)
        found = tape.gradient(ours, [x, W, U, b, *starts])
        for actual, desired in zip(found, tape.gradient(plain, [x, W, U, b, *starts])):
            assert_close(actual, desired, 1e-4)


def _call(function, options, *inputs):
    return function(*inputs, **options)


def learns_the_most_frequent_pairs(module):
    subwords = module.Subwords.learn(["low lower", "low"], 50)
    assert subwords.merges == [("l", "o"), ("lo", "w"), (SPACE, "low")]
    assert subwords.decode(subwords.encode("lower low")) == "lower low"
    frequent = module.Subwords.learn(["ab ab ab cd ce"], 50)
    assert frequent.merges[0] == ("a", "b")
    apart = module.Subwords.learn(["a b, a b, a b, a b,"], 50)
    assert apart.merges == [(SPACE, "a"), (SPACE, "b")]


def prefers_long_rows(module):
    """Ending at once has p = 0.45, going on has 0.55 per step."""
    logits = np.log(np.array([1e-9, 0.55, 1e-9, 1e-9, 0.45], "float32"))

    def coin(tokens, index, state):
        return ops.tile(
            ops.convert_to_tensor(logits[None]), (tokens.shape[0], 1)
        ), state

    options = {"beam_width": 8, "end_token": 4}
    long, scores = module.beam_search(coin, [[1]], 5, length_penalty=5.0, **options)
    assert ops.convert_to_numpy(long)[0, 0].tolist() == [1, 1, 1, 1, 1]
    score = 4 * np.log(0.55) / (9 / 6) ** 5
    assert_close(scores[0, 0], np.float32(score), 1e-4)
    short, _ = module.beam_search(coin, [[1]], 5, **options)
    assert ops.convert_to_numpy(short)[0, 0].tolist() == [1, 4, 0, 0, 0]


def finds_the_best_tags(module):
    """Two steps of two tags: the transition from 0 to 1 decides."""
    layer = module.CRF()
    layer.build((1, 2, 2))
    layer.set_weights([np.array([[0.0, 5.0], [0.0, 0.0]]), np.zeros(2), np.zeros(2)])
    psi = layer(np.array([[[1.0, 2.0], [1.0, 0.0]]], "float32"))
    assert ops.convert_to_numpy(module.viterbi(psi)).tolist() == [[0, 1]]
    log_z = np.log(np.exp([2.0, 6.0, 3.0, 2.0]).sum())
    loss = CRFLoss()(np.array([[0, 1]]), psi)
    assert_close(loss, np.float32(log_z - 6.0))


def is_the_likelihood_of_the_tags(module):
    """Two steps of two tags behind a masked one, whose label is a tag."""
    x = np.array([[[5.0, 5.0], [1.0, 2.0], [1.0, 0.0]]], "float32")
    psi = CRF()(x, mask=np.array([[False, True, True]]))
    log_z = np.log(np.exp([2.0, 1.0, 3.0, 2.0]).sum())
    loss = module.CRFLoss()(np.array([[1, 1, 0]]), psi)
    assert_close(loss, np.float32(log_z - 3.0))


CHECKS = {  # file: what it must pass
    "layers.recurrent.simple_rnn": same_as_keras("SimpleRNN", units=2),
    "layers.recurrent.lstm": same_as_keras("LSTM", units=2),
    "layers.recurrent.gru": same_as_keras("GRU", units=2),
    "layers.recurrent.fused": has_the_gradients_of_its_loops,
    "layers.attention.scaled_dot_product": is_attention("scaled_dot_product"),
    "layers.attention.blockwise_attention": has_the_gradient_of_the_formula,
    "layers.fused_rotation": turns_back_in_its_gradient,
    "layers.crf": finds_the_best_tags,
    "losses.crf": is_the_likelihood_of_the_tags,
    "generation.beam_search": prefers_long_rows,
    "generation.subwords": learns_the_most_frequent_pairs,
}
MUTANTS = {  # the mistake: (file, old text, new text)
    "fused LSTM: d_c without the slope of tanh": (
        "layers.recurrent.fused",
        "d_c += d_h * o * (1 - tanh_c * tanh_c)",
        "d_c += d_h * o",
    ),
    "fused LSTM: d_f with the new carry": (
        "layers.recurrent.fused",
        "d_f = d_c * c_tm1 * f",
        "d_f = d_c * c * f",
    ),
    "fused GRU: d_h_U without the reset gate": (
        "layers.recurrent.fused",
        "[d_z, d_r, d_n * r]",
        "[d_z, d_r, d_n]",
    ),
    "fused SimpleRNN: slope of another function": (
        "layers.recurrent.fused",
        "d_h * (1 - h * h)",
        "d_h * h * (1 - h)",
    ),
    "fused loop: d_U with the h of the same step": (
        "layers.recurrent.fused",
        "tables[0][:-1]",
        "tables[0][1:]",
    ),
    "fused loop: masked steps change the gradients of the states": (
        "layers.recurrent.fused",
        "d_states = [tf.where(is_seen, new, same) for new, same in pairs]",
        "d_states = [new for new, same in pairs]",
    ),
    "fused loop: masked steps have gradients of their own": (
        "layers.recurrent.fused",
        "d_zs = [tf.where(is_seen, d_z, 0.0) for d_z in d_zs]",
        "pass",
    ),
    "SimpleRNN: no activation": (
        "layers.recurrent.simple_rnn",
        "h = self.activation(z)",
        "h = z",
    ),
    "LSTM: the gates i and f exchanged": (
        "layers.recurrent.lstm",
        "z_i, z_f, z_g, z_o = ops",
        "z_f, z_i, z_g, z_o = ops",
    ),
    "LSTM: output without the activation of the carry": (
        "layers.recurrent.lstm",
        "h = o * self.activation(c)",
        "h = o * c",
    ),
    "LSTM: the carry is not kept": (
        "layers.recurrent.lstm",
        "c = f * c_tm1 + i * self.activation(z_g)",
        "c = i * self.activation(z_g)",
    ),
    "GRU: z and 1 - z exchanged": (
        "layers.recurrent.gru",
        "        h = z * h_tm1 + (1 - z) * n",  # not the formula of the docstring
        "        h = (1 - z) * h_tm1 + z * n",
    ),
    "GRU: the reset gate has no effect": (
        "layers.recurrent.gru",
        "h_n = r * h_n",
        "h_n = h_n",
    ),
    "attention without its scale": (
        "layers.attention.scaled_dot_product",
        "Q * (1 / math.sqrt(d))",
        "Q",
    ),
    "attention scaled by d, not by its root": (
        "layers.attention.scaled_dot_product",
        "1 / math.sqrt(d)",
        "1 / d",
    ),
    "attention ignores its mask": (
        "layers.attention.scaled_dot_product",
        "P = _softmax(scores, allowed)",
        "P = _softmax(scores, None)",
    ),
    "gradient of the softmax without its row sum": (
        "layers.attention.blockwise_attention",
        "concatenate([dy, -rowsum]",
        "concatenate([dy, 0 * rowsum]",
    ),
    "gradients to keys and values exchanged": (
        "layers.attention.blockwise_attention",
        "return dq, dk, dv",
        "return dq, dv, dk",
    ),
    "a rotation whose gradient turns on": (
        "layers.fused_rotation",
        "cos, -sin)",
        "cos, sin)",
    ),
    "a rotation that stretches": (
        "layers.fused_rotation",
        "second * cos + first * sin",
        "second * cos - first * sin",
    ),
    "CRF: transitions transposed": (
        "layers.crf",
        "A = ops.convert_to_tensor(self.transition)",
        "A = ops.transpose(self.transition)",
    ),
    "viterbi: a sum in place of the maximum": (
        "layers.crf",
        "delta_t = ops.max(scores, axis=1)",
        "delta_t = ops.sum(scores, axis=1)",
    ),
    "CRFLoss: the maximum in place of log sum exp": (
        "losses.crf",
        "return ops.logsumexp(alpha, axis=-1)",
        "return ops.max(alpha, axis=-1)",
    ),
    "CRFLoss: labels at masked steps count": (
        "losses.crf",
        "y = ops.where(is_masked, 0, y)",
        "y = ops.where(is_masked, y, y)",
    ),
    "beam search: ended rows grow older": (
        "generation.beam_search",
        "ops.where(beam.ended, beam.new, beam.new + 1)",
        "beam.new + 1",
    ),
    "beam search: length penalty forgotten": (
        "generation.beam_search",
        "return total / ((5 + new) / 6) ** length_penalty",
        "return total",
    ),
    "beam search: the rank of a token in place of the token": (
        "generation.beam_search",
        "ops.take_along_axis(tokens, best, axis=1)",
        "best % N",
    ),
    "Subwords: the rarest pair first": (
        "generation.subwords",
        "(-self.counts[pair], pair)",
        "(self.counts[pair], pair)",
    ),
    "Subwords: pairs cross the words": (
        "generation.subwords",
        r'rf"{SPACE}?\w+|{SPACE}?[^\w\s]"',
        r'".+"',
    ),
    "Subwords: words count once": (
        "generation.subwords",
        "self.counts[pair] += n",
        "self.counts[pair] += 1",
    ),
}


def mutated(file, old="", new=""):
    """The module as it is with `old` replaced by `new`."""
    name = f"custom_layers.{file}"
    text = Path(importlib.util.find_spec(name).origin).read_text()
    if old:
        assert text.count(old) == 1, f"{old!r} has to be in {file} once"
        text = text.replace(old, new)
    module = types.ModuleType(f"{name}_mutant")
    module.__package__ = name.rpartition(".")[0]
    patch = pytest.MonkeyPatch()
    patch.setattr(
        keras.saving, "register_keras_serializable", lambda package: lambda cls: cls
    )
    try:
        exec(compile(text, file, "exec"), module.__dict__)
    finally:
        patch.undo()
    return module


@pytest.mark.parametrize("file", CHECKS)
def test_unchanged_source_passes(file):
    CHECKS[file](mutated(file))


@pytest.mark.parametrize("mistake", MUTANTS)
def test_mistake_is_found(mistake):
    file, old, new = MUTANTS[mistake]
    module = mutated(file, old, new)
    with pytest.raises(AssertionError):
        CHECKS[file](module)
