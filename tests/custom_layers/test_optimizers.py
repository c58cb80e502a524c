"""Optimizers against Keras: dense and sparse gradients, every flag; refusals."""

import keras
import numpy as np
import pytest
from keras import ops

from custom_layers.optimizers import Adam, LazyAdam, Muon
from oracle import components, keras_counterpart
from trajectory import (
    DTYPES,
    FLOAT64,
    STEPS,
    embedding_path,
    error,
    error_to_keras,
    needs_float64,
    run,
    sequence,
    slices,
    tolerance,
)

# On TensorFlow and torch, Keras's takes the z after the step for the one before it; it
# is compared with the formula of its paper in test_optimizer_formulas.py.
SCHEDULE_FREE = [
    ("ScheduleFreeAdamW", {"learning_rate": 0.01}),
    ("ScheduleFreeAdamW", {"beta_1": 0.75, "epsilon": 0.01, "warmup_steps": 7}),
]
CASES = [
    *(SCHEDULE_FREE if keras.backend.backend() == "jax" else []),
    ("SGD", {"learning_rate": 0.1}),
    ("SGD", {"momentum": 0.9}),
    ("SGD", {"momentum": 0.9, "nesterov": True}),
    ("SGD", {"momentum": 1.0}),
    ("Adagrad", {"learning_rate": 0.1}),
    ("Adagrad", {"initial_accumulator_value": 0.0, "epsilon": 0.01}),
    ("Adadelta", {"learning_rate": 1.0}),
    ("Adadelta", {"rho": 0.5, "epsilon": 0.01}),
    ("RMSprop", {}),
    ("RMSprop", {"momentum": 0.9, "rho": 0.5}),
    ("RMSprop", {"centered": True, "epsilon": 0.01}),
    ("RMSprop", {"centered": True, "momentum": 0.5}),
    ("Adam", {"learning_rate": 0.01}),
    ("Adam", {"learning_rate": 0.1, "amsgrad": True, "epsilon": 0.01}),
    ("Adam", {"beta_1": 0.0, "beta_2": 0.5}),
    ("AdamW", {"learning_rate": 0.01, "weight_decay": 0.1}),
    ("AdamW", {"learning_rate": 0.01, "amsgrad": True}),
    ("Adamax", {"learning_rate": 0.1, "beta_2": 0.9}),
    ("Nadam", {"learning_rate": 0.1, "epsilon": 0.01}),
    ("Ftrl", {"learning_rate": 0.1}),
    (
        "Ftrl",
        {
            "learning_rate": 0.1,
            "learning_rate_power": -0.2,
            "initial_accumulator_value": 0.3,
            "l1_regularization_strength": 0.5,
            "l2_regularization_strength": 0.2,
            "l2_shrinkage_regularization_strength": 0.03,
            "beta": 0.3,
        },
    ),
    ("Lion", {"learning_rate": 0.01}),
    ("Lamb", {"learning_rate": 0.01, "epsilon": 0.01}),
    ("Adafactor", {"learning_rate": 0.1}),
    ("Adafactor", {"learning_rate": 0.5, "clip_threshold": 0.5, "epsilon_2": 0.1}),
    ("Muon", {"learning_rate": 0.01}),
    ("Muon", {"nesterov": False, "rms_rate": None, "adam_lr_ratio": 3}),
    ("Muon", {"exclude_layers": ["w0"], "weight_decay": None, "ns_steps": 2}),
]
# ScheduleFreeAdamW begins at the weights of the first step, which may have decayed.
CLASSES = sorted({name for name, _ in CASES} - {"ScheduleFreeAdamW"})
ALL_FEATURES = {
    "weight_decay": 0.01,
    "clipnorm": 1.0,
    "loss_scale_factor": 2.0,
    "learning_rate": keras.optimizers.schedules.InverseTimeDecay(0.1, 10, 0.5),
}
# Together, the two differ from Keras: see test_optimizer_steps.py.
EITHER_FEATURE = {
    "averages": {"use_ema": True, "ema_momentum": 0.9, "ema_overwrite_frequency": 7},
    "accumulation": {"gradient_accumulation_steps": 3},
}
ONE_FEATURE = [
    {"weight_decay": 0.1},
    {"clipvalue": 0.5},
    {"global_clipnorm": 0.5},
    {"use_ema": True},
    {"learning_rate": 0.1, "gradient_accumulation_steps": 2},
]


def ours_and_theirs(name):
    return components()[name], keras_counterpart(name)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize(("name", "kwargs"), CASES, ids=str)
def test_a_hundred_steps_equal_keras(name, kwargs, dtype):
    if name == "Muon" and dtype == "float64":
        pytest.skip("Keras's own Muon fails on float64; see the NumPy formula")
    assert error_to_keras(*ours_and_theirs(name), kwargs, dtype) <= tolerance(
        name, dtype
    )


@pytest.mark.slow
@pytest.mark.parametrize("feature", EITHER_FEATURE)
@pytest.mark.parametrize("name", CLASSES)
def test_features_of_the_base_class_equal_keras(name, feature):
    def prepare(optimizer, variables):
        optimizer.exclude_from_weight_decay(var_names=["w1"])

    features = {**ALL_FEATURES, **EITHER_FEATURE[feature]}
    worst = error_to_keras(*ours_and_theirs(name), features, "float32", prepare)
    assert worst <= tolerance(name, "float32")


@needs_float64
@pytest.mark.parametrize("feature", ONE_FEATURE, ids=str)
def test_each_feature_of_the_base_class_equals_keras(feature):
    assert error_to_keras(*ours_and_theirs("Adam"), feature, "float64") <= FLOAT64


@pytest.mark.parametrize("name", sorted({*CLASSES, "ScheduleFreeAdamW"}))
def test_slots_are_those_of_keras(name):
    """Names, shapes and order, so that a state of Keras's optimizer can be loaded."""
    layouts = []
    for cls in ours_and_theirs(name):
        variables = [keras.Variable(w, name="w") for w in sequence()[0]]
        optimizer = cls(name="it", **({"momentum": 0.9} if name == "SGD" else {}))
        optimizer.build(variables)
        layouts.append([(v.path, v.shape, v.dtype) for v in optimizer.variables])
    ours, theirs = layouts
    assert [row[1] for row in ours] == [row[1] for row in theirs]
    named = [i for i, row in enumerate(theirs) if row[0].startswith("it/")]
    assert [ours[i] for i in named] == [theirs[i] for i in named]


@pytest.mark.parametrize("name", CLASSES)
def test_a_variable_can_be_overwritten_with_its_gradient(name):
    starts, gradients = sequence(steps=3)
    paths = []
    for cls in ours_and_theirs(name):

        def prepare(_, variables):
            variables[3].overwrite_with_gradient = True

        paths.append(run(cls(0.1), starts, gradients, "float32", prepare))
    assert error(*paths) < tolerance(name, "float32")
    np.testing.assert_allclose(paths[0][-1][3], gradients[-1][3], rtol=1e-6)


@needs_float64
@pytest.mark.parametrize("name", CLASSES)
def test_weights_of_two_dtypes_are_updated_each_in_its_own(name):
    """Keras's bfloat16 weights do not move: its 1 - 0.999^t is zero in 16 bits."""
    starts, gradients = sequence([(2, 3)], steps=3)
    variables = [
        keras.Variable(starts[0], dtype=dtype, name="a")
        for dtype in ("float64", "bfloat16")
    ]
    optimizer = components()[name](0.1)
    for (g,) in gradients:
        optimizer.apply([ops.cast(g, v.dtype) for v in variables], variables)
    alone = run(components()[name](0.1), starts, gradients, "float64")[-1][0]
    np.testing.assert_allclose(variables[0].numpy(), alone, rtol=FLOAT64)
    narrow = ops.convert_to_numpy(ops.cast(variables[1], "float32"))
    np.testing.assert_allclose(narrow, alone, rtol=0.1, atol=0.1)


def test_numbers_of_a_step_are_computed_once_for_each_dtype():
    calls = []

    class Counting(Adam):
        def update_step(self, gradient, variable, learning_rate):
            def formula(t):
                calls.append(int(t))
                return t

            self.assign(variable, self._once_per_step(formula, variable))

    dtypes = ["float32", "float32", "bfloat16", "float32", "bfloat16"]
    variables = [keras.Variable(0.0, dtype=dtype) for dtype in dtypes]
    optimizer = Counting()
    for _ in range(3):
        optimizer.apply([ops.ones((), dtype) for dtype in dtypes], variables)
    assert calls == [1, 1, 2, 2, 3, 3]
    for variable in variables:
        assert ops.convert_to_numpy(ops.cast(variable, "float32")) == 3.0


# Sparse gradients, which TensorFlow has.

needs_tensorflow = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="only TensorFlow has IndexedSlices"
)
SPARSE = [*CASES, ("LazyAdam", {})]


@needs_tensorflow
@pytest.mark.parametrize(
    ("rows", "form"), [([0, 4, 2], "rows"), ([0, 4, 2, 4], "sums")]
)
@pytest.mark.parametrize(("name", "kwargs"), SPARSE[:-1], ids=str)
def test_sparse_gradients_equal_keras(name, kwargs, rows, form):
    """Keras sees a row that occurs twice once, with the sum that it does not make."""
    ours, theirs = ours_and_theirs(name)
    path = embedding_path(ours(**kwargs), rows)
    assert error(path, embedding_path(theirs(**kwargs), rows, form)) <= 1e-6


@needs_tensorflow
@pytest.mark.parametrize(("name", "kwargs"), SPARSE, ids=str)
def test_a_sparse_gradient_does_what_the_dense_one_does(name, kwargs):
    paths = [
        embedding_path(components()[name](**kwargs), [0, 4, 2], form)
        for form in ("rows", "dense")
    ]
    assert error(*paths) <= 1e-5


@needs_tensorflow
@pytest.mark.parametrize("amsgrad", [False, True])
def test_lazy_adam_leaves_absent_rows_and_sums_repeated_ones(amsgrad):
    variables = [keras.Variable(np.ones((6, 3), "f")) for _ in range(2)]
    lazy, adam = LazyAdam(0.1, amsgrad=amsgrad), Adam(0.1, amsgrad=amsgrad)
    rng = np.random.default_rng(0)
    for step, rows in enumerate([[1, 1, 5], [1, 5, 5], [3, 3, 3], [5, 1, 1]]):
        before = [v.numpy() for v in (variables[0], *lazy.variables[2:])]
        g = slices(rows, rng.normal(size=(3, 3)).astype("f"))
        lazy.apply([g], [variables[0]])
        absent = [row for row in range(6) if row not in rows]
        if step:
            for v, old in zip((variables[0], *lazy.variables[2:]), before):
                np.testing.assert_array_equal(v.numpy()[absent], old[absent])
        if step < 2:  # rows 1 and 5 take part in both: there, LazyAdam is Adam
            adam.apply([ops.add(g, ops.zeros((6, 3)))], [variables[1]])
            np.testing.assert_allclose(*(v.numpy() for v in variables), rtol=1e-6)


# Refusals.

REFUSALS = [
    ("SGD", {"momentum": -0.1}, "between \\[0, 1\\]"),
    ("SGD", {"momentum": 1}, "must be a float"),
    ("SGD", {"rho": 0.9}, "not recognized"),
    ("Adam", {"learning_rate": "fast"}, "should be float"),
    ("Adam", {"beta_1": 1.0}, "`beta_1` must be at least 0 and below 1"),
    ("Adam", {"beta_2": -0.1}, "`beta_2` must be at least 0 and below 1"),
    ("Adam", {"clipnorm": 1.0, "clipvalue": 1.0}, "Only one of"),
    ("AdamW", {"weight_decay": None}, "`weight_decay` must be a float"),
    ("RMSprop", {"rho": 1.5}, "`rho` must be"),
    ("Adadelta", {"rho": -1.0}, "`rho` must be"),
    ("RectifiedAdam", {"sma_threshold": 3}, "`sma_threshold` at least 4"),
    ("RectifiedAdam", {"beta_2": 0.0}, "`beta_2` must be above 0"),
    ("Ftrl", {"beta": 0.1, "learning_rate_power": 0.1}, "negative or zero"),
    ("Lion", {"beta_1": 0.0}, "degenerates to SignSGD"),
    ("ScheduleFreeAdamW", {"beta_1": 0.0}, "`beta_1` must be above 0"),
    ("COCOB", {"alpha": 0}, "`alpha` and `epsilon` must be positive"),
    ("ProximalAdagrad", {"initial_accumulator_value": 0}, "must be above 0"),
    ("ProximalAdagrad", {"l1_regularization_strength": -1}, "at least 0"),
    ("ConditionalGradient", {"lambda_": 0}, "`lambda_` must be above 0"),
    ("ConditionalGradient", {"ord": "max"}, "`ord` argument must be"),
    ("Rprop", {"decrease": 1.5}, "`decrease` must be between 0 and 1"),
    ("Rprop", {"shortest": 2.0, "longest": 1.0}, "at most `longest`"),
    ("MovingAverage", {"inner_optimizer": "sgd", "start_step": -1}, "start_step"),
    ("MovingAverage", {"inner_optimizer": "sgd", "average_decay": 1}, "average_decay"),
    ("Lookahead", {"inner_optimizer": "sgd", "sync_period": 0}, "positive integer"),
    ("Lookahead", {"inner_optimizer": "sgd", "slow_step_size": 2}, "at most 1"),
    ("SWA", {"inner_optimizer": "sgd", "average_period": 1.5}, "positive integer"),
    ("SWA", {"inner_optimizer": "sgd", "start_averaging": -1}, "start_averaging"),
    ("SAM", {"inner_optimizer": "sgd", "rho": 0}, "`rho` must be positive"),
]


@pytest.mark.parametrize(("name", "kwargs", "message"), REFUSALS, ids=str)
def test_refuses(name, kwargs, message):
    with pytest.raises(ValueError, match=message):
        components()[name](**kwargs)


def test_muon_refuses_to_make_a_vector_orthogonal():
    with pytest.raises(ValueError, match="at least 2 dimensions"):
        Muon().zeropower_via_newtonschulz5(ops.ones(3), STEPS)


def test_lazy_adam_without_variables_is_refused_until_it_is_built():
    with pytest.raises(ValueError, match="must already be built"):
        LazyAdam().apply([np.ones(2, "float32")])
