"""Updates compiled as programs: equal to the plain ones, and only where they may be."""

import keras
import numpy as np
import pytest

from custom_layers import optimizers
from custom_layers.optimizers import Adam, base, fused

pytestmark = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="only TensorFlow compiles updates"
)
SHAPES = [(4, 3), (3,), (4, 3), (3,), (4, 3), (4, 3), (4, 3), (2, 2)]
STEPS = 5
QUICK = [
    ("Adam", {"weight_decay": 0.1, "clipnorm": 1.0, "gradient_accumulation_steps": 2}),
    ("Nadam", {"use_ema": True, "ema_overwrite_frequency": 2}),
    ("Muon", {"exclude_layers": ["w0"], "adam_lr_ratio": 0.5}),
]
SLOW = [
    ("AdaBelief", {}),
    ("Adadelta", {}),
    ("Adafactor", {}),
    ("Adagrad", {"loss_scale_factor": 8.0}),
    ("Adam", {"amsgrad": True, "global_clipnorm": 1.0}),
    ("AdamW", {"weight_decay": 0.1}),
    ("Adamax", {}),
    ("COCOB", {}),
    ("Ftrl", {}),
    ("Lamb", {}),
    ("Lion", {}),
    ("NovoGrad", {}),
    ("ProximalAdagrad", {}),
    ("RMSprop", {"centered": True, "momentum": 0.5}),
    ("RectifiedAdam", {}),
    ("Rprop", {}),
    ("SGD", {"momentum": 0.9, "nesterov": True}),
    ("SGD", {"weight_decay": 0.1}),
    ("ScheduleFreeAdamW", {}),
    ("Yogi", {}),
]
RATE = keras.optimizers.schedules.InverseTimeDecay(0.05, 3, 0.5)


def never(*ignored):
    return []


@pytest.fixture
def any_size(monkeypatch):
    monkeypatch.setattr(fused, "FEWEST_ENTRIES", 0)


def variables():
    rng = np.random.default_rng(0)
    return [
        keras.Variable(rng.normal(size=shape).astype("f"), name=f"w{i}")
        for i, shape in enumerate(SHAPES)
    ]


def trained(optimizer, jit_compile=None):
    """The weights and the state of the optimizer after a few steps in a graph."""
    import tensorflow as tf

    weights, rng = variables(), np.random.default_rng(1)
    optimizer.build(weights)
    optimizer.exclude_from_weight_decay(var_list=weights[1:2])

    @tf.function(jit_compile=jit_compile)
    def step(*gradients):
        optimizer.apply(list(gradients), weights)

    for _ in range(STEPS):
        step(*(tf.constant(rng.normal(size=w.shape), "float32") for w in weights))
    return [np.asarray(state) for state in (*weights, *optimizer.variables)]


def programs_of(optimizer, weights, gradients):
    """How many calls of programs `apply` makes in a graph."""
    import tensorflow as tf

    numbers = []
    optimizer.build(weights)

    @tf.function
    def step():
        numbers.append(len(fused.pieces_to_fuse(optimizer, gradients, weights)))

    step()
    return numbers[0]


@pytest.mark.parametrize(
    ("name", "options"),
    [*QUICK, *(pytest.param(*case, marks=pytest.mark.slow) for case in SLOW)],
    ids=str,
)
def test_programs_compute_what_the_plain_updates_compute(
    name, options, any_size, monkeypatch
):
    make = getattr(optimizers, name)
    found = trained(make(learning_rate=RATE, **options))
    monkeypatch.setattr(base, "pieces_to_fuse", never)
    expected = trained(make(learning_rate=RATE, **options))
    for x, y in zip(found, expected, strict=True):
        np.testing.assert_allclose(x, y, rtol=2e-6, atol=2e-6 * np.abs(y).max())


def test_variables_of_equal_shape_share_a_program(any_size):
    weights = variables()
    calls = programs_of(Adam(), weights, [w.value.read_value() for w in weights])
    assert calls == 4  # (4, 3) twice, because five are more than a program takes


def test_only_marked_updates_of_float32_and_of_some_size_are_compiled(monkeypatch):
    class ByName(Adam):
        def update_step(self, gradient, variable, learning_rate):
            super().update_step(gradient, variable, learning_rate)

    weights = variables()
    gradients = [w.value.read_value() for w in weights]
    assert programs_of(Adam(), weights, gradients) == 0
    monkeypatch.setattr(fused, "FEWEST_ENTRIES", 0)
    assert programs_of(ByName(), weights, gradients) == 0
    doubles = [keras.Variable(w, dtype="float64") for w in weights]
    gradients = [w.value.read_value() for w in doubles]
    assert programs_of(Adam(), doubles, gradients) == 0


def test_rows_of_an_embedding_take_the_plain_update(any_size):
    import tensorflow as tf

    w = keras.Variable(np.ones((4, 3), "f"))
    rows = tf.IndexedSlices(tf.ones((1, 3)), tf.constant([2]), tf.constant([4, 3]))
    assert programs_of(Adam(), [w], [rows]) == 0
    assert programs_of(Adam(), [w], [tf.ones((4, 3))]) == 1


def test_a_step_that_is_compiled_whole_equals_the_others(any_size):
    for x, y in zip(trained(Adam(0.1)), trained(Adam(0.1), jit_compile=True)):
        np.testing.assert_allclose(x, y, rtol=1e-6, atol=1e-6)


def fitted(any_seed=1):
    keras.utils.set_random_seed(any_seed)
    frozen = keras.layers.Dense(5, trainable=False)
    model = keras.Sequential([keras.layers.Dense(5), frozen, keras.layers.Dense(1)])
    model.compile(Adam(0.01), "mse")
    x = np.random.default_rng(0).normal(size=(10, 5)).astype("f")
    to_zero = keras.callbacks.LearningRateScheduler(lambda epoch: 0.01 * (epoch < 2))
    weights = []
    each_epoch = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda *ignored: weights.append(model.get_weights())
    )
    data = {"batch_size": 4, "verbose": 0, "epochs": 3}
    model.fit(x, x[:, :1], callbacks=[to_zero, each_epoch], **data)
    return weights


def test_fit_repeats_itself_and_follows_the_learning_rate(any_size):
    first, second = fitted(), fitted()
    for epoch, again in zip(first, second):
        for x, y in zip(epoch, again):
            np.testing.assert_array_equal(x, y)
    for x, y in zip(first[1], first[2]):  # the rate of the last epoch is zero
        np.testing.assert_array_equal(x, y)
    assert np.abs(first[0][0] - first[1][0]).max() > 0
