"""Losses at their edges: huge logits, half precision, zero slopes, wrong arguments."""

import keras
import numpy as np
import pytest
from keras import ops

from custom_layers.losses import (
    BinaryCrossentropy,
    BinaryFocalCrossentropy,
    CategoricalCrossentropy,
    CategoricalFocalCrossentropy,
    CategoricalGeneralizedCrossEntropy,
    CategoricalHinge,
    Circle,
    CosineSimilarity,
    Huber,
    LogCosh,
    MeanSquaredError,
    Quantile,
    RootMeanSquaredError,
    SparseCategoricalCrossentropy,
    sparse_categorical_crossentropy,
)
from loss_cases import ROWS, AsLayer, data, function_name
from oracle import array, components, run_layer

needs_float64 = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow",
    reason="Keras computes in float32 in places on JAX and torch",
)


def value_and_gradient(loss, y_true, y_pred, **options):
    """(value, gradient to y_pred) of a loss with a scalar result."""
    result = run_layer(AsLayer(loss, y_true, **options), np.asarray(y_pred, loss.dtype))
    return result["output 0"], result["gradient to input 0"] / array(seed=3)


@needs_float64
@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row[0]}({row[1]})-{row[4]}")
def test_gradient_is_that_of_finite_differences(row):
    name, kwargs, true, pred, shape = row
    y_true, y_pred = data(true, shape, seed=1), data(pred, shape, seed=2)
    loss = components()[name](**kwargs, reduction="sum", dtype="float64")
    _, gradient = value_and_gradient(loss, y_true, y_pred)
    step = 1e-6
    for at in list(np.ndindex(shape))[:8]:
        up, down = y_pred.copy(), y_pred.copy()
        up[at] += step
        down[at] -= step
        slope = float(loss(y_true, up) - loss(y_true, down)) / (2 * step)
        scale = np.abs(gradient).max()
        assert gradient[at] == pytest.approx(slope, rel=1e-5, abs=1e-6 * scale)


BIG = 1e4
YES = np.array([[1.0, 0.0, 1.0, 0.0]])
YES_LOGITS = np.array([[BIG, -BIG, -BIG, BIG]])  # right, right, wrong, wrong
YES_SLOPE = np.array([[0.0, 0.0, -0.25, 0.25]])
ONEHOT = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
LOGITS = np.array([[BIG, -BIG, 0.0], [BIG, -BIG, 0.0]])  # right, wrong
SLOPE = np.array([[0.0, 0.0, 0.0], [1.0, -1.0, 0.0]])
FROM_LOGITS = [  # loss, y_true, logits, sum of the loss, its gradient
    (BinaryCrossentropy, YES, YES_LOGITS, BIG / 2, YES_SLOPE),
    (BinaryFocalCrossentropy, YES, YES_LOGITS, BIG / 2, YES_SLOPE),
    (CategoricalCrossentropy, ONEHOT, LOGITS, 2 * BIG, SLOPE),
    (SparseCategoricalCrossentropy, [0, 1], LOGITS, 2 * BIG, SLOPE),
    (CategoricalFocalCrossentropy, ONEHOT, LOGITS, BIG / 2, -ONEHOT / 4),
]


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
@pytest.mark.parametrize("case", FROM_LOGITS, ids=lambda case: case[0].__name__)
def test_logits_of_ten_thousand_give_the_right_value(case, dtype):
    cls, y_true, logits, expected, _ = case
    loss = cls(from_logits=True, reduction="sum", dtype=dtype)
    rel = {"float32": 1e-6, "float16": 1e-3, "bfloat16": 8e-3}[dtype]
    assert float(loss(y_true, logits)) == pytest.approx(expected, rel=rel)


@pytest.mark.parametrize("dtype", ["float32", "float16"])
@pytest.mark.parametrize("case", FROM_LOGITS[:4], ids=lambda case: case[0].__name__)
def test_logits_of_ten_thousand_give_the_right_gradient(case, dtype):
    cls, y_true, logits, _, expected = case
    loss = cls(from_logits=True, reduction="sum", dtype=dtype)
    _, gradient = value_and_gradient(loss, y_true, logits)
    np.testing.assert_allclose(gradient, expected, rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16"])
@pytest.mark.parametrize(
    "loss",
    [
        "BinaryCrossentropy",
        "CategoricalCrossentropy",
        "BinaryFocalCrossentropy",
        "CategoricalFocalCrossentropy",
    ],
)
def test_certain_probabilities_give_finite_losses(loss, dtype):
    loss = components()[loss](dtype=dtype)
    assert float(loss(ONEHOT, ONEHOT)) == pytest.approx(0, abs=1e-5)
    assert 2 < float(loss(ONEHOT, 1 - ONEHOT)) < 20


def test_logits_of_zero_have_the_gradient_one_half_minus_truth():
    loss = BinaryCrossentropy(from_logits=True, reduction="sum")
    _, gradient = value_and_gradient(loss, [[1.0], [0.0]], np.zeros((2, 1)))
    np.testing.assert_allclose(gradient, [[-0.5], [0.5]])


def test_what_is_nearly_known_keeps_its_digits():
    """log(1 + exp(-20)) is 2e-9, and so is the gradient: neither is rounded away."""
    loss = BinaryCrossentropy(from_logits=True)
    value, gradient = value_and_gradient(loss, [[1.0]], [[20.0]])
    assert value == pytest.approx(2.0611537e-9, rel=1e-5)
    assert gradient[0, 0] == pytest.approx(-2.0611537e-9, rel=1e-5)


@pytest.mark.parametrize("axis", [0, 1, -1, -2])
@pytest.mark.parametrize("ignore_class", [None, 2])
def test_any_axis_can_hold_the_classes(axis, ignore_class):
    y_pred, y_true = array(4, 5, 3), array(4, 5, low=0, high=3, dtype="int32")
    moved = np.moveaxis(y_pred, -1, axis)
    arguments = {"from_logits": True, "ignore_class": ignore_class}
    y = sparse_categorical_crossentropy(y_true, moved, axis=axis, **arguments)
    expected = sparse_categorical_crossentropy(y_true, y_pred, **arguments)
    np.testing.assert_allclose(y, expected, rtol=1e-6)
    singleton = np.expand_dims(y_true, axis)
    y = sparse_categorical_crossentropy(singleton, moved, axis=axis, **arguments)
    np.testing.assert_allclose(y, expected, rtol=1e-6)


@pytest.mark.parametrize("cls", [CategoricalCrossentropy, CategoricalFocalCrossentropy])
def test_smoothing_spreads_over_the_class_axis_wherever_it_is(cls):
    y_true, y_pred = data("onehot", (4, 5, 3)), data("distribution", (4, 5, 3))
    expected = cls(label_smoothing=0.2)(y_true, y_pred)
    moved = (np.moveaxis(y, -1, 1) for y in (y_true, y_pred))
    y = cls(label_smoothing=0.2, axis=1)(*moved)
    assert float(y) == pytest.approx(float(expected), rel=1e-5)


def test_ignored_samples_are_left_out_of_the_mean():
    loss = SparseCategoricalCrossentropy(from_logits=True, ignore_class=255)
    logits = np.array([[[2.0, 0.0], [0.0, 9.0], [1.0, 0.0]]])
    kept = loss([[0, 0]], logits[:, :2])
    assert float(loss([[0, 0, 255]], logits)) == pytest.approx(float(kept))


def test_a_label_that_is_not_a_class_gives_nan_and_not_zero():
    y = sparse_categorical_crossentropy([0, 3, -1], np.zeros((3, 3)), True)
    np.testing.assert_array_equal(ops.isnan(y), [False, True, True])
    y = CategoricalGeneralizedCrossEntropy(reduction=None)([0, 3, -1], np.eye(3))
    np.testing.assert_array_equal(ops.isnan(y), [False, True, True])


@pytest.mark.skipif(
    keras.backend.backend() == "jax", reason="a JAX array carries no logits"
)
@pytest.mark.parametrize("sign", [1, -1])
def test_a_saturated_softmax_still_learns(sign):
    """Keras's activations leave their logits behind, and the loss finds them."""
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(2, use_bias=False)])
    model.add(keras.layers.Activation("softmax"))
    model.compile(keras.optimizers.SGD(1.0), SparseCategoricalCrossentropy())
    model.set_weights([np.array([[200.0, -200.0]])])
    model.train_on_batch(np.array([[float(sign)]]), np.array([1]))
    change = model.get_weights()[0] - [[200.0, -200.0]]
    expected = [[-1.0, 1.0]] if sign == 1 else [[0.0, 0.0]]
    np.testing.assert_allclose(change, expected, atol=1e-5)


@pytest.mark.skipif(
    keras.backend.backend() == "jax", reason="a JAX array carries no logits"
)
def test_softmax_outputs_with_from_logits_are_noticed():
    p = keras.activations.softmax(ops.array([[2.0, 1.0]]))
    with pytest.warns(UserWarning, match="comes out of a softmax"):
        SparseCategoricalCrossentropy(from_logits=True)([0], p)


def test_one_class_under_a_softmax_is_noticed():
    with pytest.warns(SyntaxWarning, match=r"expected y_pred\.shape"):
        CategoricalCrossentropy()(np.ones((2, 1)), np.ones((2, 1)))


@pytest.mark.parametrize(
    "loss",
    [RootMeanSquaredError(), CosineSimilarity(), LogCosh()],
    ids=lambda loss: loss.name,
)
def test_gradient_at_zero_is_zero_and_not_nan(loss):
    _, gradient = value_and_gradient(loss, np.zeros((2, 3)), np.zeros((2, 3)))
    np.testing.assert_array_equal(gradient, np.zeros((2, 3)))


def test_generalized_cross_entropy_has_a_finite_gradient_at_zero():
    loss = CategoricalGeneralizedCrossEntropy()
    value, gradient = value_and_gradient(loss, [0], [[0.0, 1.0]])
    assert value == 2
    assert np.all(np.isfinite(gradient))


def test_generalized_cross_entropy_keeps_samples_apart():
    loss = CategoricalGeneralizedCrossEntropy(reduction=None)
    y_pred = data("distribution", (4, 3))
    np.testing.assert_allclose(
        loss([[0], [1], [2], [0]], y_pred), loss([0, 1, 2, 0], y_pred)
    )


def test_circle_has_finite_gradients_for_a_row_without_its_like():
    _, gradient = value_and_gradient(Circle(), [0, 0, 1], data("unit", (3, 2)))
    assert np.all(np.isfinite(gradient))


@pytest.mark.parametrize("error", [-1e4, -30.0, 30.0, 1e4])
def test_log_cosh_of_a_large_error_is_the_error_less_log_two(error):
    y = float(LogCosh()([[0.0]], [[error]]))
    assert y == pytest.approx(abs(error) - np.log(2))


def test_root_mean_squared_error_is_the_root_for_each_sample():
    y_true, y_pred = array(3, 4), array(3, 4, seed=1)
    expected = np.sqrt(np.mean((y_true - y_pred) ** 2, axis=1))
    loss = RootMeanSquaredError(reduction=None)
    np.testing.assert_allclose(loss(y_true, y_pred), expected, rtol=1e-6)


def test_quantile_is_the_pinball_formula_and_finds_the_quantile():
    y_true, y_pred = array(3, 4), array(3, 4, seed=1)
    e = y_true - y_pred
    expected = np.mean(np.where(e > 0, 0.9 * e, -0.1 * e), axis=1)
    loss = Quantile(0.9, reduction=None)
    np.testing.assert_allclose(loss(y_true, y_pred), expected, rtol=1e-6)
    sample = array(1000, 1, seed=4)
    levels = np.linspace(-2, 2, 81)
    costs = [float(Quantile(0.9)(sample, np.full((1000, 1), c))) for c in levels]
    assert levels[np.argmin(costs)] == pytest.approx(np.quantile(sample, 0.9), abs=0.05)


def test_a_flat_target_beside_a_column_of_predictions_is_not_an_outer_product():
    y_true, y_pred = array(4), array(4, 1, seed=1)
    expected = np.mean((y_true - y_pred[:, 0]) ** 2)
    assert float(MeanSquaredError()(y_true, y_pred)) == pytest.approx(expected)
    assert float(MeanSquaredError()(y_pred, y_true)) == pytest.approx(expected)
    longer = y_pred[None]
    assert MeanSquaredError(reduction=None)(longer, longer[..., 0]).shape == (1,)


def test_whole_numbers_are_predictions_too():
    assert float(components()["mean_absolute_error"]([1, 2], [3, 2])) == 1


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_refuses_shapes_that_do_not_fit(row):
    name, kwargs, true, pred, shape = row
    y_true, y_pred = data(true, shape), data(pred, shape)
    with pytest.raises(ValueError, match=r"must have the (same )?shape.*Received: y"):
        components()[name](**kwargs)(np.stack([y_true] * 2), y_pred[..., :1, :])


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_refuses_what_is_not_a_real_number(row):
    name, kwargs, true, pred, shape = row
    if name == "CategoricalGeneralizedCrossEntropy":
        kwargs = {"q": 0.5, **kwargs}
    y_pred = data(pred, shape).astype("complex64")
    with pytest.raises(ValueError, match=r"`y_pred` must hold real numbers.*complex64"):
        components()[function_name(name)](data(true, shape), y_pred, **kwargs)


@pytest.mark.parametrize(
    ("cls", "arguments", "message"),
    [
        (Huber, {"delta": 0}, "`delta` must be above 0"),
        (Quantile, {"quantile": 1.0}, r"`quantile` must lie in \(0, 1\)"),
        (BinaryCrossentropy, {"label_smoothing": -0.1}, r"must lie in \[0, 1\]"),
        (CategoricalCrossentropy, {"label_smoothing": 2}, r"must lie in \[0, 1\]"),
        (BinaryFocalCrossentropy, {"label_smoothing": 2}, r"must lie in \[0, 1\]"),
        (CategoricalFocalCrossentropy, {"label_smoothing": 2}, r"in \[0, 1\]"),
        (CategoricalGeneralizedCrossEntropy, {"q": 1}, r"interval \(0, 1\)"),
        (CategoricalHinge, {"reduction": "average"}, "Invalid value for argument"),
    ],
)
def test_refuses_arguments_out_of_range(cls, arguments, message):
    with pytest.raises(ValueError, match=message):
        cls(**arguments)


def test_refuses_a_boolean_axis():
    with pytest.raises(ValueError, match="`axis` must be of type `int`"):
        CategoricalCrossentropy(axis=True)(ONEHOT, ONEHOT)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_config_keeps_the_dtype_and_else_has_the_keys_of_keras(row):
    name, kwargs, *_ = row
    loss = components()[name](**kwargs, dtype="bfloat16")
    assert type(loss).from_config(loss.get_config()).dtype == "bfloat16"
    ours = components()[name]().get_config()
    theirs = getattr(keras.losses, name)().get_config()
    if not keras.version().startswith("3.15."):
        # Keras 3.16 adds arguments that 3.15 leaves out when they have their defaults.
        theirs = {key: value for key, value in theirs.items() if key in ours}
    assert ours == theirs
