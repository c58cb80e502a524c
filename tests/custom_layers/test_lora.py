"""LoRA against Keras's: values, gradients, files; and where Keras is wrong."""

import keras
import numpy as np
import pytest
from keras import ops

from custom_layers.layers import Dense, EinsumDense, Embedding, MultiHeadAttention
from oracle import (
    Case,
    array,
    assert_close,
    assert_same_layer,
    keras_counterpart,
    run_layer,
)

EINSUM = {"equation": "btd,dhk->bthk", "output_shape": (None, 2, 3), "bias_axes": "k"}
X = array(3, 4)
TOKENS = array(3, 4, dtype="int32", low=0, high=5)
LAYERS = {  # {name: (class, arguments, input)}
    "Dense": (Dense, {"units": 3, "activation": "tanh"}, array(4, 5)),
    "EinsumDense": (EinsumDense, EINSUM, array(2, 3, 5)),
    "Embedding": (Embedding, {"input_dim": 5, "output_dim": 3}, TOKENS),
}
each_layer = pytest.mark.parametrize("name", LAYERS)
CASES = [
    *(Case(n, {**kwargs, "lora_rank": 2}, x) for n, (_, kwargs, x) in LAYERS.items()),
    Case("Dense", {"units": 2, "lora_rank": 1, "kernel_regularizer": "l2"}, X),
    Case("Embedding", {"input_dim": 5, "output_dim": 2, "lora_rank": 3}, TOKENS),
]
numbers = ops.convert_to_numpy


def adapted(name, cls=None, **options):
    """A layer with LoRA whose weights are all random."""
    ours, kwargs, x = LAYERS[name]
    layer = (cls or ours)(**kwargs, **options)
    layer(x)
    layer.enable_lora(2, lora_alpha=3.0)
    layer.set_weights([array(*w.shape, seed=7) for w in layer.weights])
    return layer


def stored(layer):
    """What the layer writes into a file."""
    store = {}
    layer.save_own_variables(store)
    return {key: numbers(value) for key, value in store.items()}


@pytest.mark.parametrize("case", CASES, ids=str)
def test_same_as_keras(case):
    assert_same_layer(case)


@each_layer
def test_a_built_layer_is_adapted_as_keras_does_it(name):
    ours, theirs = adapted(name), adapted(name, keras_counterpart(name))
    assert (ours.lora_rank, ours.lora_alpha) == (2, 3.0)
    found, desired = (run_layer(layer, LAYERS[name][2]) for layer in (ours, theirs))
    assert found.keys() == desired.keys()
    for key, value in desired.items():
        assert_close(found[key], value, label=key)
    for layer in (ours, theirs):
        assert layer.get_config()["lora_alpha"] == 3.0


@each_layer
def test_it_starts_as_the_layer_it_adapts_and_trains_a_and_b_alone(name):
    cls, kwargs, x = LAYERS[name]
    layer = cls(**kwargs)
    before = numbers(layer(x))
    old = [numbers(w) for w in layer.weights]
    layer.enable_lora(2)
    np.testing.assert_array_equal(numbers(layer(x)), before)
    trained = [w.name for w in layer.trainable_weights]
    weight = "embeddings" if name == "Embedding" else "kernel"
    pair = [f"lora_{weight}_a", f"lora_{weight}_b"]
    assert trained == [*["bias"] * (name != "Embedding"), *pair]
    model = keras.Sequential([layer])
    model.compile("sgd", "mse", jit_compile=False)
    for _ in range(2):  # A has no gradient while B is 0
        model.train_on_batch(x, np.ones_like(before))
    np.testing.assert_array_equal(numbers(layer.weights[0]), old[0])
    assert np.abs(numbers(layer(x)) - before).max() > 1e-4
    assert all(np.abs(numbers(w)).max() > 0 for w in layer.trainable_weights)


def test_the_alpha_of_the_constructor_counts():
    """Keras's Dense and Embedding forget it."""
    layer = Dense(3, use_bias=False, lora_rank=2, lora_alpha=6.0)
    layer.build((None, 4))
    W, A, B = (array(*w.shape, seed=1) for w in layer.weights)
    layer.set_weights([W, A, B])
    assert_close(layer(X), X @ (W + 3 * A @ B), 1e-4)
    assert_close(layer.kernel, W + 3 * A @ B)


@each_layer
def test_the_file_of_each_is_read_by_all(name):
    """It holds the sum, so that a layer without LoRA computes the same."""
    _, kwargs, x = LAYERS[name]
    for cls in (LAYERS[name][0], keras_counterpart(name)):
        writer = adapted(name, cls)
        written, desired = stored(writer), numbers(writer(x))
        for reader_class in (LAYERS[name][0], keras_counterpart(name)):
            for rank in (None, 3):
                reader = reader_class(**kwargs, lora_rank=rank)
                reader(x)
                reader.load_own_variables(written)
                assert_close(reader(x), desired, 1e-4)
        writer.load_own_variables(written)  # whose B is not 0
        assert_close(writer(x), desired, 1e-4)


def test_a_file_keeps_the_precision_of_the_weights():
    """Keras rounds the sum to float16 in a layer of mixed precision."""
    layer = adapted("Dense", dtype="mixed_float16")
    W, _, A, B = layer.get_weights()
    assert_close(stored(layer)["0"], W + 1.5 * A @ B, 1e-6)
    assert keras.backend.standardize_dtype(layer(LAYERS["Dense"][2]).dtype) == "float16"


def test_a_loaded_model_can_go_on_training(tmp_path):
    """Keras sets both A and B to 0, so that neither has a gradient any more."""
    model = keras.Sequential([keras.Input((4,)), Dense(3, lora_rank=2)])
    model.layers[0].set_weights([array(*w.shape) for w in model.layers[0].weights])
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    assert_close(again(X), model(X))
    layer = again.layers[0]
    assert layer.lora_enabled
    assert np.abs(numbers(layer.lora_kernel_a)).max() > 0
    again.compile("sgd", "mse", jit_compile=False)
    again.train_on_batch(X, np.ones((3, 3)))
    assert np.abs(numbers(layer.lora_kernel_b)).max() > 0


@each_layer
def test_the_weight_stays_frozen_in_a_layer_that_is_thawed(name):
    """`model.trainable = True` would train it with Keras's layer."""
    layer = adapted(name)
    wanted = [w.name for w in layer.trainable_weights]
    layer.trainable = False
    assert not layer.trainable_weights
    layer.trainable = True
    assert [w.name for w in layer.trainable_weights] == wanted


@each_layer
def test_a_configuration_of_keras_builds_it(name):
    theirs = adapted(name, keras_counterpart(name))
    ours = LAYERS[name][0].from_config(theirs.get_config())
    x = LAYERS[name][2]
    ours(x)
    ours.load_own_variables(stored(theirs))
    assert (ours.lora_enabled, ours.lora_rank, ours.lora_alpha) == (True, 2, 3.0)
    assert_close(ours(x), theirs(x), 1e-4)


def test_attention_adapts_the_projections_that_are_named():
    layer, x = MultiHeadAttention(2, 3), array(2, 4, 6)
    before = numbers(layer(x, x))
    layer.enable_lora(2)
    np.testing.assert_array_equal(numbers(layer(x, x)), before)
    frozen = [w.path.split("/")[-2] for w in layer.non_trainable_weights]
    assert frozen == ["query", "value"]
    layer.enable_lora(1, lora_alpha=2, projections=["output"])
    assert layer.output_dense.lora_alpha == 2
    assert not layer.key_dense.lora_enabled


def built(layer):
    layer.build((None, 4))
    return layer


REFUSALS = [
    (
        lambda: built(Dense(2, kernel_constraint="max_norm")),
        2,
        "with kernel constraint",
    ),
    (
        lambda: Embedding(5, 2, embeddings_constraint="max_norm"),
        2,
        "with embedding con",
    ),
    (lambda: Dense(2), 2, "isn't yet built"),
    (lambda: MultiHeadAttention(2, 3), 2, "isn't yet built"),
    (lambda: built(Dense(2, lora_rank=1)), 2, "lora is already enabled"),
    (lambda: built(Dense(2)), 0, "`rank` must be a positive integer"),
]


@pytest.mark.parametrize(("make", "rank", "message"), REFUSALS)
def test_refuses(make, rank, message):
    layer = make()
    with pytest.raises(ValueError, match=message):
        layer.enable_lora(rank)


def test_refuses_ranks_and_projections_that_do_not_exist():
    with pytest.raises(ValueError, match="`lora_rank` must be a positive integer"):
        Dense(2, lora_rank=0)
    layer = MultiHeadAttention(2, 3)
    layer.build((2, 4, 6), (2, 4, 6))
    with pytest.raises(ValueError, match="`projections` argument must be 'query' or"):
        layer.enable_lora(2, projections=["gate"])


def test_refuses_a_file_of_another_number_of_weights():
    layer = built(Dense(2, lora_rank=1))
    with pytest.raises(ValueError, match="expected 2 variables"):
        layer.load_own_variables({"0": np.ones((4, 2))})
