"""MixerBlock and SequencePooling against NumPy formulas written from their papers."""

import keras
import numpy as np
import pytest

from custom_layers.layers import MixerBlock, SequencePooling
from mutation import mutated
from oracle import array, assert_close, run_layer
from transformer_formulas import np_norm, np_silu, randomize

X = array(2, 4, 3)
MASK = np.array([[1, 0, 1, 0], [1, 1, 1, 1]], "bool")


def np_pooling(x, w, mask=None):
    """The sum over the tokens of softmax(x w) times x, where the mask is True."""
    scores = (x @ w)[..., 0]
    if mask is not None:
        scores = np.where(mask, scores, -np.inf)
    e = np.exp(scores - scores.max(-1, keepdims=True))
    p = e / e.sum(-1, keepdims=True)
    return np.einsum("bt,btd->bd", p, x)


def np_mixer(layer, x):
    """X + W2 f(W1 norm(X)) along the tokens, and the same along the channels."""
    weights = {w.path.split("/", 1)[1]: w.numpy() for w in layer.weights}

    def dense(name, x):
        return x @ weights[f"{name}/kernel"] + weights[f"{name}/bias"]

    y = np_norm(weights, "token", x, 1e-6).swapaxes(1, 2)
    y = dense("contract_tokens", np_silu(dense("expand_tokens", y)))
    x = x + y.swapaxes(1, 2)
    y = np_norm(weights, "channel", x, 1e-6)
    return x + dense("contract_channels", np_silu(dense("expand_channels", y)))


def pooling(cls=SequencePooling):
    layer = cls()
    layer.build((None, None, 3))
    return randomize(layer)


def mixer(cls=MixerBlock):
    layer = cls(5, 6, activation="silu")
    layer.build((None, 4, 3))
    return randomize(layer)


def pools_by_the_formula(cls):
    layer = pooling(cls)
    weights = layer.get_weights()
    assert_close(layer(X), np_pooling(X, *weights))
    x = np.where(MASK[..., None], X, np.float32(9))
    assert_close(layer(x, mask=MASK), np_pooling(X, *weights, MASK))


def mixes_by_the_formula(cls):
    layer = mixer(cls)
    assert_close(layer(X), np_mixer(layer, X))


def test_sequence_pooling_is_the_formula_of_the_paper():
    pools_by_the_formula(SequencePooling)
    layer = pooling()
    assert_close(keras.ops.sum(layer.shares(X), -1), np.ones(2, "float32"))
    assert layer.compute_output_shape((2, None, 3)) == (2, 3)


def test_a_token_that_the_mask_hides_changes_nothing_whatever_it_holds():
    layer = pooling()
    desired = layer(X, mask=MASK)
    for value in (0.0, 1e3, np.nan):
        x = np.where(MASK[..., None], X, np.float32(value))
        assert_close(layer(x, mask=MASK), desired)


def test_a_sequence_without_a_token_is_zero_with_a_finite_gradient():
    found = run_layer(pooling(), X, mask=np.zeros((2, 4), "bool"))
    np.testing.assert_array_equal(found["output 0"], 0)
    assert all(np.all(np.isfinite(value)) for value in found.values())


def test_mixer_block_is_the_formula_of_the_paper():
    mixes_by_the_formula(MixerBlock)
    assert MixerBlock(5, 6).compute_output_shape((2, 4, 3)) == (2, 4, 3)


def test_mixer_block_treats_all_channels_alike_when_it_mixes_tokens():
    layer = mixer()
    for name in ("channel_norm", "expand_channels", "contract_channels"):
        part = getattr(layer, name)
        part.set_weights([np.zeros_like(w) for w in part.get_weights()])
    layer.token_norm.set_weights([np.ones(3), np.zeros(3)])
    turned = layer(X[..., ::-1].copy())
    assert_close(turned, keras.ops.flip(layer(X), axis=-1))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: MixerBlock(0, 3), "`tokens_dim`.*positive integer"),
        (lambda: MixerBlock(3, 2.5), "`channels_dim`.*positive integer"),
        (lambda: MixerBlock(3, 4)(keras.Input((None, 3))), "axis 1|size"),
        (lambda: SequencePooling()(keras.Input((4, None))), "axis|size"),
    ],
)
def test_sizes_that_do_not_fit_are_refused(make, message):
    with pytest.raises(ValueError, match=message):
        make()


CHECKS = {
    "SequencePooling": ("pooling.sequence_pooling", pools_by_the_formula),
    "MixerBlock": ("mixer", mixes_by_the_formula),
}
MUTANTS = {  # mistake: what is checked, text taken out, text put in
    "shares over the batch": (
        "SequencePooling",
        "ops.softmax(scores, axis=-1)",
        "ops.softmax(scores, axis=0)",
    ),
    "hidden tokens have a share": (
        "SequencePooling",
        "e = ops.where(mask, ops.exp(scores), 0.0)",
        "e = ops.exp(scores)",
    ),
    "shares do not sum to 1": (
        "SequencePooling",
        "total = ops.sum(e, axis=-1, keepdims=True)",
        "total = ops.max(e, axis=-1, keepdims=True)",
    ),
    "no residual along the tokens": (
        "MixerBlock",
        "x = x + self.dropout_layer(y",
        "x = self.dropout_layer(y",
    ),
    "channels mixed without a norm": (
        "MixerBlock",
        "self.expand_channels(self.channel_norm(x))",
        "self.expand_channels(x)",
    ),
    "tokens normalized over the tokens": (
        "MixerBlock",
        "ops.swapaxes(self.token_norm(x), 1, 2)",
        "ops.swapaxes((x - ops.mean(x, 1, keepdims=True)), 1, 2)",
    ),
}


@pytest.mark.one_backend
@pytest.mark.parametrize("mistake", MUTANTS)
def test_mistake_is_found(mistake):
    name, *change = MUTANTS[mistake]
    path, check = CHECKS[name]
    room, _, file = f"custom_layers.layers.{path}".rpartition(".")
    with pytest.raises(AssertionError):
        check(mutated(name, room, [file], *change))
