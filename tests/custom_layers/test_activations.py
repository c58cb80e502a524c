"""Activations against Keras, their properties and their refusals."""

import inspect

import keras
import numpy as np
import pytest
from keras import ops

from custom_layers.activations import (
    gelu,
    glu,
    hard_swish,
    sigmoid,
    silu,
    softmax,
    softplus,
    sparsemax,
    swish,
)
from custom_layers.layers import GLU, LeakyReLU, Maxout, PReLU, ReLU, Softmax, Swish
from oracle import Case, array, assert_close, assert_same_layer, components, run_layer

X = array(3, 4, 6, seed=1) * 3
WIDE = array(5, 2, seed=2) * 40  # far into the tails
FUNCTIONS = {
    "celu": [{}, {"alpha": 0.5}],
    "elu": [{}, {"alpha": 0.5}],
    "exponential": [{}],
    "gelu": [{}, {"approximate": True}],
    "glu": [{}, {"axis": 1}],
    "hard_shrink": [{}, {"threshold": 1.5}],
    "hard_sigmoid": [{}],
    "hard_silu": [{}],
    "hard_tanh": [{}],
    "leaky_relu": [{}, {"negative_slope": 1.5}],
    "linear": [{}],
    "log_sigmoid": [{}],
    "log_softmax": [{}, {"axis": 0}, {"axis": (1, 2)}, {"axis": None}],
    "mish": [{}],
    "relu": [
        {},
        {"max_value": 6},
        {"max_value": 1.5},
        {"negative_slope": 0.5},
        {"negative_slope": 0.5, "max_value": 6},
        {"threshold": 0.7},
        {"threshold": -0.7, "max_value": 2.0},
        {"negative_slope": 0.5, "max_value": 2.0, "threshold": 0.7},
    ],
    "relu6": [{}],
    "selu": [{}],
    "sigmoid": [{}],
    "silu": [{}],
    "soft_shrink": [{}, {"threshold": 1.5}],
    "softmax": [{}, {"axis": 0}, {"axis": (1, 2)}, {"axis": None}],
    "softplus": [{}],
    "softsign": [{}],
    "sparse_plus": [{}],
    "sparse_sigmoid": [{}],
    "squareplus": [{}, {"b": 0.5}],
    "tanh": [{}],
    "tanh_shrink": [{}],
    "threshold": [{"threshold": 0.5, "default_value": -2.0}],
}
ROWS = [(name, kwargs) for name, table in FUNCTIONS.items() for kwargs in table]
LAYERS = [
    Case("ReLU", {}, X),
    Case("ReLU", {"max_value": 6.0, "negative_slope": 0.1}, X),
    Case("ReLU", {"max_value": 2.0, "negative_slope": 0.1, "threshold": 0.5}, X),
    Case("LeakyReLU", {}, X),
    Case("LeakyReLU", {"negative_slope": 0}, WIDE),
    Case("ELU", {}, X),
    Case("ELU", {"alpha": 0.5}, WIDE),
    Case("PReLU", {"alpha_initializer": "ones"}, X),
    Case(
        "PReLU", {"shared_axes": [1, 2], "alpha_regularizer": "l2"}, array(2, 3, 4, 5)
    ),
    Case("PReLU", {"shared_axes": 1}, X),
    Case("Softmax", {}, X),
    Case("Softmax", {"axis": [1, 2]}, X),
    Case("Softmax", {"axis": [1]}, X),
    Case("Softmax", {}, X, {"mask": array(3, 1, 6, seed=4) > 0}),
    Case("Softmax", {"axis": 1}, X, {"mask": array(4, 6, seed=4, low=0.0, high=1.0)}),
    Case("Softmax", {"axis": (0, 2)}, X, {"mask": array(3, 4, 6, seed=4) > 1.0}),
]


def activate(function, kwargs, x):
    """Value and gradient of a function, through a layer that only calls it."""
    return run_layer(keras.layers.Activation(lambda x: function(x, **kwargs)), x)


@pytest.mark.parametrize(("name", "kwargs"), ROWS, ids=lambda part: str(part))
@pytest.mark.parametrize("x", [X, WIDE], ids=["near", "far"])
def test_function_same_as_keras(name, kwargs, x):
    if kwargs.get("axis") not in (None, -1, 0) and x is WIDE:
        pytest.skip("has no such axis")
    actual = activate(components()[name], kwargs, x)
    desired = activate(getattr(keras.activations, name), kwargs, x)
    assert actual.keys() == desired.keys()
    for key in desired:
        assert_close(actual[key], desired[key], label=f"{name} {key}")


@pytest.mark.parametrize("case", LAYERS, ids=str)
def test_layer_same_as_keras(case):
    assert_same_layer(case)


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_function_takes_numpy_arrays_and_keeps_symbolic_shapes(name):
    function, kwargs = components()[name], FUNCTIONS[name][0]
    y = function(X, **kwargs)
    inputs = keras.Input(X.shape[1:])
    symbolic = function(inputs, **kwargs)
    assert symbolic.shape == (None, *y.shape[1:])
    assert_close(keras.Model(inputs, symbolic)(X), y)


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_function_keeps_half_precision(name):
    x = ops.cast(X, "float16")
    y = components()[name](x, **FUNCTIONS[name][0])
    assert keras.backend.standardize_dtype(y.dtype) == "float16"
    assert bool(ops.all(ops.isfinite(y)))


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_function_has_keras_arguments_and_defaults(name):
    def arguments(function):
        parameters = inspect.signature(function).parameters.values()
        return [(p.name, p.kind, p.default) for p in parameters]

    ours, theirs = components()[name], getattr(keras.activations, name)
    assert arguments(ours) == arguments(theirs)


def test_second_names_are_the_same_functions():
    assert swish is silu
    assert hard_swish.__name__ == "hard_silu"


def test_a_model_with_a_function_loads_with_its_own_function(tmp_path):
    inputs = keras.Input((4,))
    model = keras.Model(inputs, softplus(keras.layers.Dense(3)(inputs)))
    model.save(tmp_path / "model.keras")
    again = keras.models.load_model(tmp_path / "model.keras")
    assert_close(again(X[:, :, 0]), model(X[:, :, 0]))


@pytest.mark.parametrize(
    ("function", "loss"),
    [(softmax, "categorical_crossentropy"), (sigmoid, "binary_crossentropy")],
)
def test_keras_losses_find_the_logits_behind_a_probability(function, loss):
    """Without them, a certain and wrong answer would cost no more than 16."""
    if keras.backend.backend() != "tensorflow":
        pytest.skip("Keras looks for logits on TensorFlow only")
    y = function(ops.array([[100.0, -100.0]]))
    assert float(ops.max(keras.losses.get(loss)([[0.0, 1.0]], y))) >= 100


def test_softplus_has_a_second_derivative():
    if keras.backend.backend() != "tensorflow":
        pytest.skip("written for GradientTape")
    import tensorflow as tf

    x = tf.constant(0.5)
    with tf.GradientTape() as outer:
        outer.watch(x)
        with tf.GradientTape() as inner:
            inner.watch(x)
            y = softplus(x)
        slope = inner.gradient(y, x)
    s = 1 / (1 + np.exp(-0.5))
    assert_close(outer.gradient(slope, x), s * (1 - s))


def test_softmax_is_not_moved_by_a_large_constant():
    x = ops.array([[1.0, 2.0, 3.0]])
    assert_close(softmax(x + 1e4), softmax(x), rtol=1e-3)


@pytest.mark.parametrize("axis", [-1, 1, 0])
@pytest.mark.parametrize("scale", [0.2, 1.0, 30.0])
def test_sparsemax_is_the_shift_that_sums_to_one_and_its_gradient(axis, scale):
    """tau by bisection; dy_i = dx_i - mean of dx over the entries above 0."""
    x = array(3, 4, 6, seed=5).astype("float64") * scale
    low, high = [f(x, axis=axis, keepdims=True) for f in (np.min, np.max)]
    low = low - 1
    for _ in range(100):
        tau = (low + high) / 2
        is_low = np.maximum(x - tau, 0).sum(axis=axis, keepdims=True) > 1
        low, high = np.where(is_low, tau, low), np.where(is_low, high, tau)
    y = np.maximum(x - tau, 0)
    c, kept = array(*x.shape, seed=3), y > 1e-12
    count = kept.sum(axis=axis, keepdims=True)
    mean = (c * kept).sum(axis=axis, keepdims=True) / count
    found = activate(sparsemax, {"axis": axis}, x.astype("float32"))
    assert_close(found["output 0"], y)
    assert_close(found["gradient to input 0"], (c - mean) * kept)


def test_sparsemax_takes_numpy_arrays_symbolic_and_half_precision_inputs():
    inputs = keras.Input((4, 6))
    assert_close(keras.Model(inputs, sparsemax(inputs, axis=1))(X), sparsemax(X, 1))
    y = sparsemax(ops.cast(X, "float16"))
    assert keras.backend.standardize_dtype(y.dtype) == "float16"


def test_gelu_forms_agree_to_three_digits():
    assert_close(gelu(X, approximate=True), gelu(X), rtol=1e-3)


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
def test_masked_softmax_gives_zeros_where_nothing_is_kept(dtype):
    """And its gradient is finite there, in half precision as well."""
    mask = np.array([[True, False, True], [False, False, False]])
    x = ops.cast([[1.0, 9.0, 1.0], [1.0, 2.0, 3.0]], dtype)
    found = run_layer(Softmax(dtype=dtype), x, mask=mask)
    assert_close(found["output 0"].astype("float32"), [[0.5, 0.0, 0.5], [0.0] * 3])
    gradient = found["gradient to input 0"].astype("float32")
    assert np.all(np.isfinite(gradient))
    assert np.all(gradient[~mask] == 0)


def test_prelu_at_zero_is_relu_and_at_one_the_identity():
    assert_close(PReLU()(X), np.maximum(X, 0))
    assert_close(PReLU("ones")(X), X)


@pytest.mark.parametrize("axis", [-1, 1, None])
def test_swish_is_the_formula_with_its_gradients(axis):
    """y = x s, dy/dx = s + beta x s (1 - s), dy/dbeta = x^2 s (1 - s)."""
    layer = Swish(axis, beta_initializer=keras.initializers.Constant(1.5))
    layer.build(X.shape)
    shape = {-1: (1, 6), 1: (4, 1), None: (1, 1)}[axis]
    beta = array(*shape, seed=6)
    layer.set_weights([beta])
    found = run_layer(layer, X)
    c = array(*X.shape, seed=3)
    s = 1 / (1 + np.exp(-beta * X.astype("float64")))
    assert_close(found["output 0"], X * s)
    to_x = c * (s + beta * X * s * (1 - s))
    assert_close(found["gradient to input 0"], to_x)
    to_beta = c * X**2 * s * (1 - s)
    over = tuple(i for i, n in enumerate((1, *shape)) if n == 1)
    to_beta = to_beta.sum(axis=over, keepdims=True)[0]
    assert_close(found["gradient to beta"], to_beta, rtol=1e-4)


def test_swish_starts_as_silu():
    assert_close(Swish()(X), silu(X))


@pytest.mark.parametrize("activation", ["sigmoid", "silu", None])
def test_glu_layer_is_a_product_of_two_projections(activation):
    layer = GLU(2, activation, bias_initializer="ones")
    y = layer(X)
    w, c = [weight.astype("float64") for weight in layer.get_weights()]
    a, b = X @ w[:, :2] + c[:2], X @ w[:, 2:] + c[2:]
    s = 1 / (1 + np.exp(-b))
    gate = {"sigmoid": s, "silu": b * s, None: b}[activation]
    assert_close(y, a * gate)


def test_glu_layer_is_dense_and_then_glu():
    layer = GLU(3, use_bias=False)
    assert_close(layer(X), glu(ops.matmul(X, layer.kernel)))
    assert [w.name for w in layer.weights] == ["kernel"]


def test_maxout_passes_the_largest_of_each_group():
    expected = np.stack([X[..., :3].max(axis=-1), X[..., 3:].max(axis=-1)], axis=-1)
    assert_close(Maxout(2)(X), expected)
    assert_close(Maxout(4, axis=1)(X), X)
    gradient = run_layer(Maxout(2), X)["gradient to input 0"]
    assert np.count_nonzero(gradient) == expected.size


def test_maxout_and_softmax_take_axes_of_unknown_size():
    inputs = keras.Input((None, 6))
    assert Maxout(3)(inputs).shape == (None, None, 3)
    mask = keras.Input((None, 1), dtype="bool")
    assert Softmax(1)(inputs, mask=mask).shape == (None, None, 6)


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: ReLU(max_value=-1), "max_value of a ReLU layer cannot be a neg"),
        (lambda: ReLU(negative_slope=None), "negative_slope of a ReLU layer cannot be"),
        (lambda: ReLU(threshold=-1), "threshold of a ReLU layer cannot be None or"),
        (lambda: LeakyReLU(-0.1), "Leaky ReLU layer cannot be None or negative"),
        (lambda: PReLU()(keras.Input((None, 3))), "unknown size must be in `shared"),
        (lambda: PReLU(shared_axes=[5])(X), "`shared_axes` must be"),
        (lambda: Swish(axis=0)(X), "`axis` must be an axis of known size"),
        (lambda: Swish(axis=1)(keras.Input((None, 3))), "`axis` must be an axis of"),
        (lambda: glu(X, axis=0), "axis size must be divisible by 2"),
        (lambda: GLU(0), "`units`.*must be a positive integer"),
        (lambda: GLU(3)(array(4)), "expected min_ndim=2"),
        (lambda: Maxout(2.5), "`num_units`.*must be a positive integer"),
        (lambda: Maxout(4)(X), "known multiple of `num_units`"),
        (lambda: Softmax()(X, mask=np.ones((2, 4, 6))), "must be broadcastable"),
        (lambda: Softmax()(X, mask=np.ones((1, 3, 4, 6))), "not have more dimensions"),
    ],
)
def test_refuses_what_cannot_work(make, message):
    with pytest.raises(ValueError, match=message):
        make()
