"""ReversibleEmbedding against Keras's, to the bit; what it does beyond it."""

import inspect

import keras
import numpy as np
import pytest
from keras import ops

from custom_layers.layers import ReversibleEmbedding
from oracle import Case, array, assert_close, assert_same_layer, run_layer

TOKENS = array(2, 3, low=0, high=5, dtype="int32")
VECTORS = array(2, 3, 4)
REVERSE = {"reverse": True}


def case(inputs, call=None, **more):
    arguments = {"input_dim": 5, "output_dim": 4, **more}
    return Case("ReversibleEmbedding", arguments, inputs, call or {})


CASES = [
    case(TOKENS),
    case(TOKENS, mask_zero=True, embeddings_regularizer="l2"),
    case(TOKENS.astype("float32"), tie_weights=False),
    case(VECTORS, REVERSE),
    case(VECTORS[:, 0], REVERSE, logit_soft_cap=2.0),
    case(VECTORS, REVERSE, tie_weights=False, embeddings_constraint="non_neg"),
    case(VECTORS, REVERSE, reverse_dtype="float64", activity_regularizer="l1"),
]


@pytest.mark.parametrize("case", CASES, ids=str)
def test_same_as_keras(case):
    if keras.backend.backend() == "jax" and "reverse_dtype" in case.kwargs:
        pytest.skip("JAX has no float64 unless it is told so")
    assert_same_layer(case)


def test_the_same_seed_gives_keras_weights_and_logits_to_the_bit():
    found = []
    for cls in (ReversibleEmbedding, keras.layers.ReversibleEmbedding):
        keras.utils.set_random_seed(3)
        layer = cls(50, 16, embeddings_initializer="random_normal")
        layer.build()
        results = run_layer(layer, array(4, 7, 16), reverse=True)
        found.append([*layer.get_weights(), *results.values()])
    for one, other in zip(*found, strict=True):
        np.testing.assert_array_equal(one, other)


def test_takes_keras_arguments_in_its_order():
    theirs = inspect.signature(keras.layers.ReversibleEmbedding).parameters
    ours = inspect.signature(ReversibleEmbedding).parameters
    assert {k: v.default for k, v in ours.items()} == {
        k: v.default for k, v in theirs.items()
    }
    assert [*ours] == [*theirs]


@pytest.mark.parametrize("tied", [True, False])
def test_loads_the_weights_and_the_config_of_keras(tied):
    theirs = keras.layers.ReversibleEmbedding(5, 4, tie_weights=tied, name="tokens")
    ours = ReversibleEmbedding.from_config(theirs.get_config())
    assert ours.get_config().keys() == theirs.get_config().keys() - {
        "quantization_config"
    }
    for layer in (ours, theirs):
        layer.build((2, 4))
    store = {}
    theirs.save_own_variables(store)
    ours.load_own_variables({k: np.asarray(v) for k, v in store.items()})
    names = [[w.path for w in layer.weights] for layer in (ours, theirs)]
    assert names[0] == names[1]
    for one, other in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_both_uses_train_one_table():
    """The gradient of sum(c * E[x] E^T) to E has a part from each use."""

    class Both(keras.layers.Layer):
        def __init__(self):
            super().__init__()
            self.embedding = ReversibleEmbedding(5, 4)
            self.embedding.build()
            self.built = True

        def call(self, tokens):
            return self.embedding(self.embedding(tokens), reverse=True)

    layer = Both()
    (E,) = layer.embedding.get_weights()
    found = run_layer(layer, TOKENS)
    c = array(2, 3, 5, seed=3)  # as run_layer has it
    expected = np.einsum("btv,btd->vd", c, E[TOKENS])
    np.add.at(expected, TOKENS, c @ E)
    (name,) = [key for key in found if "gradient" in key]
    assert_close(found[name], expected)


def test_vectors_keep_their_mask_in_reverse():
    """Keras drops it there, so that its loss counts padding."""
    tokens = np.array([[1, 2, 0], [3, 0, 0]])
    layer = ReversibleEmbedding(5, 4, mask_zero=True)
    inputs = keras.Input((None,), dtype="int32")
    model = keras.Model(inputs, layer(layer(inputs), reverse=True))
    for logits in (layer(layer(tokens), reverse=True), model(tokens)):
        np.testing.assert_array_equal(
            ops.convert_to_numpy(logits._keras_mask), tokens > 0
        )
    y = layer(tokens.astype("float32"))
    np.testing.assert_array_equal(ops.convert_to_numpy(y._keras_mask), tokens > 0)
    np.testing.assert_array_equal(layer.compute_mask(tokens), tokens > 0)


@pytest.mark.parametrize("reverse_dtype", [None, "float32"])
def test_logits_have_the_promised_dtype_in_mixed_precision(reverse_dtype):
    layer = ReversibleEmbedding(
        5, 4, dtype="mixed_bfloat16", reverse_dtype=reverse_dtype
    )
    vectors = ops.cast(VECTORS, "bfloat16")
    logits = layer(vectors, reverse=True)
    promised = layer(keras.Input((3, 4), dtype="bfloat16"), reverse=True)
    expected = reverse_dtype or "bfloat16"
    assert keras.backend.standardize_dtype(logits.dtype) == expected
    assert keras.backend.standardize_dtype(promised.dtype) == expected
    assert promised.shape == (None, 3, 5)
    assert layer.compute_output_shape((2, 3, 4), reverse=True) == (2, 3, 5)


def test_two_tables_start_apart():
    layer = ReversibleEmbedding(5, 4, tie_weights=False)
    layer.build()
    one, other = layer.get_weights()
    assert other.shape == (4, 5)
    assert not np.isin(one, other).any()


def test_logits_see_the_adapters_of_a_tied_table():
    layer = ReversibleEmbedding(5, 4, lora_rank=2)
    layer.build()
    layer.lora_embeddings_b.assign(array(2, 4))
    table = ops.convert_to_numpy(layer(np.arange(5)))  # E + A B
    assert_close(layer(VECTORS, reverse=True), VECTORS @ table.T)


@pytest.mark.parametrize("tied", [True, False])
def test_starts_from_given_weights(tied):
    tables = [array(5, 4), array(4, 5)][: 1 if tied else 2]
    layer = ReversibleEmbedding(5, 4, tie_weights=tied, weights=tables)
    transposed = tables[-1].T if tied else tables[-1]
    assert_close(layer(VECTORS, reverse=True), VECTORS @ transposed)


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda: ReversibleEmbedding(0, 4), "`input_dim`.*positive integer"),
        (lambda: ReversibleEmbedding(5, 4, logit_soft_cap=0), "`logit_soft_cap`"),
    ],
)
def test_refuses(make, says):
    with pytest.raises(ValueError, match=says):
        make()
