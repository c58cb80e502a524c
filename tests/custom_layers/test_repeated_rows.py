"""A token that occurs twice in a batch trains by the sum of its two gradients.

TensorFlow hands over the gradient of an embedding as rows, one for each place of a
token. Each optimizer must do with them what it does with their sum. Here values and
sums are multiples of 1/4, so that the order of summing does not matter.
"""

import os
import subprocess
import sys
from pathlib import Path

import keras
import numpy as np
import pytest
from keras import ops

import examples
from custom_layers.common.rows import dense, with_each_row_once
from custom_layers.layers import Dense, Embedding
from custom_layers.models import GradientPenalty
from custom_layers.optimizers import SGD, Adam
from making import make_optimizer
from oracle import components
from trajectory import gradient_of_table, slices

needs_tensorflow = pytest.mark.skipif(
    keras.backend.backend() != "tensorflow", reason="only TensorFlow has IndexedSlices"
)
NAMES = sorted(examples.OPTIMIZERS)
ROWS = [0, 4, 2, 4, 0, 4]
VALUES = (np.arange(18, dtype="float32").reshape(6, 3) - 7) / 4
CALLS = 7
OPTIONS = {
    "plain": {},
    "clipnorm": {"clipnorm": 0.5},
    "global_clipnorm": {"global_clipnorm": 0.5},
    "clipvalue": {"clipvalue": 0.5},
    "averages": {"use_ema": True, "ema_overwrite_frequency": 2},
    "accumulation": {"gradient_accumulation_steps": 2},
    "decay": {"weight_decay": 0.1},
    "loss scale": {"loss_scale_factor": 4.0},
}


def trained(optimizer, form, compiled=False):
    """The table, and a bias beside it, after so many calls that RAdam divides by v."""
    table = np.linspace(-1, 1, 18, dtype="float32").reshape(6, 3)
    variables = [
        keras.Variable(table, name="embedding"),
        keras.Variable(np.ones(2, "float32"), name="bias"),
    ]
    optimizer.build(variables)
    bias = ops.array([0.5, 2.0])

    def step():
        optimizer.apply([gradient_of_table(ROWS, VALUES, form), bias], variables)

    if compiled:
        import tensorflow as tf

        step = tf.function(step, jit_compile=True, autograph=False)
    for _ in range(CALLS):
        step()
    return [ops.convert_to_numpy(v) for v in variables]


def assert_rows_do_what_their_sum_does(make_optimizer):
    actual, once, expected = (
        trained(make_optimizer(), form) for form in ("rows", "sums", "dense")
    )
    for a, o, e in zip(actual, once, expected, strict=True):
        np.testing.assert_array_equal(a, o)
        np.testing.assert_allclose(a, e, rtol=1e-6, atol=1e-7)


@needs_tensorflow
@pytest.mark.parametrize(
    "options",
    [o if o == "plain" else pytest.param(o, marks=pytest.mark.slow) for o in OPTIONS],
)
@pytest.mark.parametrize("name", NAMES)
def test_repeated_rows_do_what_their_sum_does(name, options):
    assert_rows_do_what_their_sum_does(lambda: make_optimizer(name, **OPTIONS[options]))


@needs_tensorflow
@pytest.mark.parametrize("options", OPTIONS)
def test_options_of_the_base_class_see_the_sums(options):
    """So do all optimizers among the slow tests; Adam stands for them here."""
    assert_rows_do_what_their_sum_does(lambda: Adam(0.1, **OPTIONS[options]))


@needs_tensorflow
@pytest.mark.parametrize("clipping", ["clipnorm", "global_clipnorm", "clipvalue"])
def test_gradients_are_clipped_after_the_sum(clipping):
    """SGD squares nothing, so that only clipping can tell rows from their sum."""
    assert_rows_do_what_their_sum_does(lambda: SGD(1.0, **{clipping: 2.0}))


@needs_tensorflow
@pytest.mark.parametrize(
    "name",
    ["Lookahead", "SWA", "SAM", "MovingAverage", "GradientCentralization"],
)
def test_a_wrapper_sums_for_an_optimizer_of_keras(name):
    arguments = examples.OPTIMIZERS[name]
    assert arguments["inner_optimizer"] == "adam"
    assert_rows_do_what_their_sum_does(lambda: components()[name](**arguments))


def scaled(name):
    return keras.optimizers.LossScaleOptimizer(make_optimizer(name), initial_scale=4.0)


@needs_tensorflow
@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_loss_scaling_sees_the_sums(name):
    assert_rows_do_what_their_sum_does(lambda: scaled(name))


@needs_tensorflow
@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "make"),
    [(name, make_optimizer) for name in NAMES]
    + [(name, scaled) for name in ("Adam", "LazyAdam", "RMSprop")],
)
def test_xla_sums_the_rows(name, make):
    actual = trained(make(name), "rows", compiled=True)
    expected = trained(make(name), "dense")
    for a, e in zip(actual, expected, strict=True):
        np.testing.assert_allclose(a, e, rtol=1e-5, atol=1e-5)


ON_TWO_DEVICES = """
import sys
import numpy as np
import tensorflow as tf
(cpu,) = tf.config.list_physical_devices("CPU")
half = tf.config.LogicalDeviceConfiguration()
tf.config.set_logical_device_configuration(cpu, [half, half])
import keras
from making import make_optimizer
from test_repeated_rows import CALLS, ROWS, VALUES, trained
from trajectory import slices

strategy = tf.distribute.MirroredStrategy(["CPU:0", "CPU:1"])
for name in sys.argv[1:]:
    with strategy.scope():
        table = np.linspace(-1, 1, 18, dtype="float32").reshape(6, 3)
        table = keras.Variable(table, name="embedding")
        bias = keras.Variable(np.ones(2, "float32"), name="bias")
        optimizer = make_optimizer(name)
        optimizer.build([table, bias])

    def replica():
        # Rows 0 and 4 occur on both devices, row 4 twice on the second of them.
        half = tf.distribute.get_replica_context().replica_id_in_sync_group
        rows = slices(np.reshape(ROWS, (2, 3)), VALUES.reshape(2, 3, 3))
        gradient = tf.IndexedSlices(
            rows.values[half], rows.indices[half], rows.dense_shape
        )
        optimizer.apply([gradient, tf.constant([0.25, 1.0])], [table, bias])

    step = tf.function(lambda: strategy.run(replica), autograph=False)
    for _ in range(CALLS):
        step()
    expected = trained(make_optimizer(name), "dense")
    for variable, right in zip((table, bias), expected):
        for copy in strategy.experimental_local_results(variable.value):
            np.testing.assert_allclose(copy, right, rtol=1e-5, atol=1e-6, err_msg=name)
print("all right")
"""


@needs_tensorflow
@pytest.mark.slow
def test_rows_of_two_devices_are_summed():
    tests = Path(__file__).parent
    paths = [str(tests), str(tests.parent / "helpers"), str(tests.parents[1])]
    names = ["SGD", "Adagrad", "RMSprop", "Adam", "Lamb", "LazyAdam", "Lookahead"]
    process = subprocess.run(
        [sys.executable, "-c", ON_TWO_DEVICES, *names],
        env={**os.environ, "PYTHONPATH": os.pathsep.join(paths)},
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert process.returncode == 0, process.stderr[-2000:]
    assert process.stdout.strip() == "all right"


# On every backend.

TOKENS = np.array([[1, 3, 3, 0], [3, 1, 5, 3], [2, 3, 0, 0]])


@pytest.mark.parametrize(
    "name",
    [
        "SGD",
        "Adam",
        *(
            pytest.param(o, marks=pytest.mark.slow)
            for o in ("Adagrad", "RMSprop", "Lion", "Lamb")
        ),
    ],
)
def test_an_embedding_trains_like_the_product_with_one_hot_vectors(name):
    """A batch with repeated tokens, from the loss to the new weights."""
    vectors = np.linspace(-1, 1, 18, dtype="float32").reshape(6, 3)
    kernel = np.linspace(-1, 1, 12, dtype="float32").reshape(12, 1)
    x = {Embedding: TOKENS, Dense: np.eye(6, dtype="float32")[TOKENS]}
    weights = []
    for first in (Embedding(6, 3), Dense(3, use_bias=False)):
        layers = [first, keras.layers.Flatten(), Dense(1, use_bias=False)]
        model = keras.Sequential(layers)
        optimizer = components()[name](0.1, clipvalue=0.5)
        model.compile(optimizer, "mse", run_eagerly=True)
        model.build(x[type(first)].shape)
        model.set_weights([vectors, kernel])
        y = np.array([[1.0], [-1.0], [3.0]], "float32")
        model.fit(x[type(first)], y, epochs=4, batch_size=3, verbose=0)
        weights.append(model.get_weights())
    for a, e in zip(*weights, strict=True):
        assert np.abs(e - vectors if e.shape == (6, 3) else e - kernel).max() > 1e-3
        np.testing.assert_allclose(a, e, rtol=1e-5, atol=1e-5)


def test_a_gradient_penalty_sums_what_a_critic_takes_twice():
    """The gradients of the samples are (0, 4), (0, 0) and (8, 10): 16, 0 and 164."""
    x = ops.reshape(ops.arange(6, dtype="float32"), (3, 2))

    def critic(x):
        return ops.square(ops.take(x, ops.array([0, 0, 2]), axis=0))

    penalty = GradientPenalty(1.0, target=0.0, at="real")
    np.testing.assert_allclose(float(penalty(critic, x, x, seed=0)), 60.0, rtol=1e-5)


# The two functions.


def test_what_is_not_rows_is_returned_as_it_is():
    x = ops.ones((2, 3))
    for function in (with_each_row_once, dense):
        assert function(x) is x
        assert function(None) is None


@needs_tensorflow
@pytest.mark.parametrize("shape", [(), (3,), (2, 3)], ids=str)
@pytest.mark.parametrize("rows", [[], [5], [1, 1, 1], [3, 0, 3, 5, 0]], ids=str)
def test_rows_are_summed(rows, shape):
    import tensorflow as tf

    values = np.random.default_rng(0).integers(-9, 9, (len(rows), *shape))
    values = values.astype("float32")
    expected = np.zeros((6, *shape), "float32")
    np.add.at(expected, np.array(rows, int), values)
    for integers in ("int32", "int64"):
        gradient = tf.IndexedSlices(
            tf.constant(values), tf.constant(rows, integers), tf.constant([6, *shape])
        )
        once = with_each_row_once(gradient)
        assert sorted(once.indices.numpy()) == sorted(set(rows))
        assert once.indices.dtype == integers
        for x in (dense(gradient), dense(once)):
            np.testing.assert_array_equal(x, expected)


@needs_tensorflow
def test_slices_have_repeated_rows():
    """Else this file would test nothing."""
    indices = slices(ROWS, VALUES).indices.numpy()
    assert len(set(indices)) < len(indices)
