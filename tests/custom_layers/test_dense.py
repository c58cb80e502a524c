"""Dense and EinsumDense against Keras, their properties and refusals."""

import inspect

import keras
import numpy as np
import pytest
from keras import ops

from custom_layers.layers import Dense, EinsumDense, Embedding
from oracle import Case, array, assert_close, assert_same_layer, keras_counterpart

OPTIONS = {
    "kernel_regularizer": "l2",
    "bias_regularizer": "l1",
    "activity_regularizer": "l1",
    "kernel_constraint": "non_neg",
    "activation": "tanh",
}


def einsum(equation, output_shape, *shape, **more):
    kwargs = {"equation": equation, "output_shape": output_shape, **more}
    return Case("EinsumDense", kwargs, array(*shape))


CASES = [
    Case("Dense", {"units": 3}, array(2, 5)),
    Case("Dense", {"units": 4, "activation": "tanh"}, array(2, 3, 5)),
    Case("Dense", {"units": 2, "activation": "softmax"}, array(2, 3, 2, 3, 5)),
    Case("Dense", {"units": 1, "use_bias": False}, array(7, 1)),
    Case("Dense", {"units": 3, **OPTIONS}, array(3, 4)),
    einsum("ab,bc->ac", 4, 2, 3),
    einsum("ab,b->a", (), 2, 3),
    einsum("abc,cd->abd", (None, 4), 2, 5, 3, bias_axes="d", **OPTIONS),
    einsum("btd,dhk->bthk", (7, 2, 3), 2, 7, 5, bias_axes="h"),
    einsum("abc,cde->abde", (7, 2, 3), 2, 7, 5, bias_axes="be"),
    einsum("bthk,hkd->btd", (None, 5), 2, 7, 2, 3, bias_axes="d"),
    einsum("ibd,nd->ibn", (3, 4), 2, 3, 5, activation="relu"),
    einsum("...x,xy->...y", 4, 2, 3, 5, bias_axes="y"),
    einsum("...x,xy->...y", 4, 2, 3, 2, 3, 5, bias_axes="y"),
    einsum("...bc,bc->...b", (3,), 2, 2, 3, 5),
    einsum("...c,cde->...de", (3, 4), 2, 1, 2, bias_axes="d"),
    einsum("bc...,cd->bd...", (4,), 2, 3, 2, 5),
    einsum("bc...,cde->bde...", (4, 3), 2, 3, 2, 5, bias_axes="d"),
]


if keras.backend.backend() != "jax":  # which has no float64 unless told at the start
    x = array(3, 4, dtype="float64")
    CASES.append(Case("Dense", {"units": 3, "dtype": "float64"}, x))


@pytest.mark.parametrize("case", CASES, ids=str)
def test_same_as_keras(case):
    assert_same_layer(case)


@pytest.mark.parametrize("cls", [Dense, EinsumDense])
def test_takes_keras_arguments_in_its_order(cls):
    theirs = inspect.signature(keras_counterpart(cls.__name__)).parameters
    left_out = "gptq_unpacked_column_size quantization_config"
    theirs = {k: v.default for k, v in theirs.items() if k not in left_out.split()}
    ours = {k: v.default for k, v in inspect.signature(cls).parameters.items()}
    assert list(ours.items()) == list(theirs.items())


@pytest.mark.parametrize(
    ("cls", "kwargs", "shape"),
    [
        (Dense, {"units": 3}, (2, 4)),
        (EinsumDense, {"equation": "ab,bc->ac", "output_shape": 3}, (2, 4)),
    ],
)
def test_loads_the_weights_and_the_config_of_keras(cls, kwargs, shape):
    theirs, ours = keras_counterpart(cls.__name__)(**kwargs), cls(**kwargs)
    left_out = {"quantization_config"}
    assert ours.get_config().keys() == theirs.get_config().keys() - left_out
    for layer in (ours, theirs):
        layer.build(shape)
    store = {}
    theirs.save_own_variables(store)
    ours.load_own_variables({k: np.asarray(v) for k, v in store.items()})
    for mine, its in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_array_equal(mine, its)


@pytest.mark.parametrize(
    "layer",
    [
        Dense(3, kernel_constraint="max_norm", bias_constraint="non_neg"),
        EinsumDense(
            "ab,bc->ac",
            3,
            bias_axes="c",
            kernel_constraint="max_norm",
            bias_constraint="non_neg",
        ),
    ],
    ids=lambda layer: layer.name,
)
def test_each_weight_has_the_constraint_of_its_name(layer):
    layer.build((2, 4))
    kinds = [keras.constraints.MaxNorm, keras.constraints.NonNeg]
    for weight, kind in zip(layer.weights, kinds):
        assert type(weight.constraint) is kind


# Dense


def test_each_unit_is_a_weighted_sum_plus_bias():
    layer = Dense(2)
    layer.build((1, 2))
    layer.set_weights([np.array([[1.0, -2.0], [3.0, -4.0]]), np.array([5.0, -6.0])])
    assert_close(layer(np.array([[-1.0, 2.0]])), np.array([[10.0, -12.0]], "float32"))


def test_a_mask_passes_through_dense():
    x = keras.layers.Masking()(np.array([[[1.0], [0.0]]]))
    np.testing.assert_array_equal(Dense(2)(x)._keras_mask, [[True, False]])


def test_dense_of_one_hot_rows_is_an_embedding():
    x, rows = array(2, 3, dtype="int32", low=0, high=5), array(5, 4)
    dense, embedding = Dense(4, use_bias=False), Embedding(5, 4, weights=rows)
    dense.build((None, 5))
    dense.set_weights([rows])
    assert_close(dense(ops.one_hot(x, 5)), embedding(x))


# EinsumDense


def test_einsum_dense_is_dense():
    x = array(2, 3, 5)
    dense, einsum = Dense(4), EinsumDense("...x,xy->...y", 4, bias_axes="y")
    for layer in (dense, einsum):
        layer.build(x.shape)
        layer.set_weights([array(5, 4), array(4)])
    assert_close(einsum(x), dense(x))


@pytest.mark.parametrize(
    ("equation", "output_shape", "input_shape", "expected"),
    [
        ("abc,cd->abd", (None, 4), (None, 3, 8), (None, 3, 4)),
        ("abc,cd->abd", (None, 4), (None, None, 8), (None, None, 4)),
        ("...c,cd->...d", 4, (None, 2, 3, 5, 8), (None, 2, 3, 5, 4)),
        ("...c,cd->...d", 4, (2, 8), (2, 4)),
        ("bc...,cd->bd...", 4, (None, 8, 5, 6), (None, 4, 5, 6)),
    ],
)
def test_einsum_dense_knows_its_output_shape(
    equation, output_shape, input_shape, expected
):
    layer = EinsumDense(equation, output_shape)
    assert layer.compute_output_shape(input_shape) == expected
    assert layer(keras.Input(batch_shape=input_shape)).shape == expected


def test_the_bias_of_einsum_dense_stands_on_its_axis_among_axes_of_one_size():
    """Keras on TensorFlow adds it along the last axis in this case."""
    layer = EinsumDense("btd,dhk->bthk", (None, 3, 3), bias_axes="h")
    layer.build((None, 2, 5))
    bias = np.arange(3.0).reshape(3, 1)
    layer.set_weights([np.zeros((5, 3, 3)), bias])
    y = ops.convert_to_numpy(layer(array(1, 2, 5)))
    np.testing.assert_array_equal(y, np.broadcast_to(bias, (1, 2, 3, 3)))


@pytest.mark.parametrize(
    "initializer", ["he_normal", "lecun_uniform", keras.initializers.GlorotUniform(3)]
)
def test_einsum_kernels_start_as_wide_as_keras_starts_them(initializer):
    kwargs = {"equation": "bthk,hkd->btd", "output_shape": (None, 64)}
    std = []
    for cls in (EinsumDense, keras.layers.EinsumDense):
        layer = cls(**kwargs, kernel_initializer=initializer)
        layer.build((None, 2, 32, 16))
        std.append(np.std(layer.get_weights()[0]))
    np.testing.assert_allclose(*std, rtol=0.02)


@pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="TensorFlow's own kind of tensor"
)
def test_sparse_inputs_give_what_dense_ones_give_and_sparse_gradients():
    import tensorflow as tf

    layer = Dense(3)
    dense = tf.constant([[0, 2, 0, 4]], "float32")
    sparse = tf.sparse.from_dense(dense)
    assert_close(layer(sparse), layer(dense))
    with tf.GradientTape() as tape:
        y = layer(sparse)
    gradient = tape.gradient(y, layer.trainable_weights[0].value)
    assert isinstance(gradient, tf.IndexedSlices)


REFUSALS = [
    (lambda: Dense(0), "`units` must be a positive integer"),
    (lambda: Dense(-1), "`units` must be a positive integer"),
    (lambda: Dense(2.5), "units=2.5 .of type float"),
    (lambda: Dense("3"), "units=3 .of type str"),
    (lambda: Dense(None), "units=None"),
    (lambda: EinsumDense("ab,bc", 3).build((2, 3)), "Invalid einsum equation"),
    (lambda: EinsumDense("...b,bc->c...", 3).build((2, 3)), "Invalid einsum equation"),
    (lambda: EinsumDense("a1,1c->ac", 3).build((2, 3)), "Invalid einsum equation"),
    (
        lambda: EinsumDense("abc,cd->abd", (4, 3)).build((2, 5, 3)),
        "do not match .* 'b'",
    ),
    (lambda: EinsumDense("ab,bc->acd", 3).build((2, 3)), r"\['d'\]"),
    (lambda: EinsumDense("ab,bz->ac", 3).build((2, 3)), r"\['z'\]"),
    (lambda: EinsumDense("ab,bc->ac", 3, bias_axes="b").build((2, 3)), r"\['b'\]"),
    (lambda: Dense(3)(np.ones(4)), "expected min_ndim=2"),
]


@pytest.mark.parametrize(("make", "message"), REFUSALS)
def test_refuses(make, message):
    with pytest.raises(ValueError, match=message):
        make()


def test_refuses_another_number_of_features_than_it_was_built_for():
    layer = Dense(3)
    layer(np.ones((2, 4)))
    with pytest.raises(ValueError, match="incompatible with the layer"):
        layer(np.ones((2, 5)))
