"""The fused loops of LSTM, GRU and SimpleRNN against Keras and the plain loops."""

import keras
import numpy as np
import pytest

from custom_layers.layers import GRU, LSTM, Bidirectional, SimpleRNN
from custom_layers.layers.recurrent import fused, layer
from oracle import Case, array, assert_close, assert_same_layer

pytestmark = [
    pytest.mark.one_backend,
    pytest.mark.skipif(
        keras.backend.backend() != "tensorflow", reason="fused loops are TensorFlow's"
    ),
]
LAYERS = [LSTM, GRU, SimpleRNN]
X = array(3, 5, 4)
RAGGED = np.array([[1, 1, 0, 1, 0], [0, 0, 1, 1, 1], [0, 0, 0, 0, 0]], bool)
STATES = [array(3, 2, seed=4), array(3, 2, seed=5)]
SEQUENCES = {"return_sequences": True, "return_state": True}
CASES = [
    ({}, {}),
    (SEQUENCES, {}),
    ({**SEQUENCES, "go_backwards": True}, {"mask": RAGGED, "initial_state": STATES}),
    ({"go_backwards": True, "return_state": True}, {"mask": RAGGED}),
    ({"return_sequences": True, "zero_output_for_mask": True}, {"mask": RAGGED}),
    ({"use_bias": False, "stateful": True}, {"initial_state": STATES}),
    ({"dropout": 0.5, "seed": 1}, {}),
    (
        {"dropout": 0.5, "seed": 1, "implementation": 1, "use_cudnn": False},
        {"mask": RAGGED},
    ),
]
ONLY_GATED = ("implementation", "use_cudnn")


@pytest.fixture
def without_compiling(monkeypatch):
    """The fused loops run step by step, so that a case takes milliseconds."""
    runs = []

    def uncompiled(function, **options):
        runs.append(function)
        return lambda *inputs: function(*inputs, **options)

    monkeypatch.setattr(layer, "can_fuse", lambda training, *tensors: training)
    monkeypatch.setattr(layer, "FEWEST_UNITS", 1)
    monkeypatch.setattr(fused, "FEWEST_ROWS", 1)  # so that a batch of 3 is cut in two
    monkeypatch.setattr(fused, "program_of", uncompiled)
    yield
    assert runs


@pytest.mark.parametrize("cls", LAYERS)
@pytest.mark.parametrize(("kwargs", "call"), CASES)
def test_fused_loop_is_that_of_keras(cls, kwargs, call, without_compiling):
    call = {**call, "training": True}
    if "initial_state" in call:
        call["initial_state"] = STATES[: 2 if cls is LSTM else 1]
    if cls is SimpleRNN:
        kwargs = {k: v for k, v in kwargs.items() if k not in ONLY_GATED}
    case = Case(cls.__name__, {"units": 2, **kwargs}, X, call)
    assert_same_layer(case)


@pytest.mark.parametrize(
    "options",
    [
        {"activation": "relu"},
        {"recurrent_activation": "hard_sigmoid"},
        {"recurrent_dropout": 0.5},
        {"reset_after": False},
        {"unroll": True},
        {"dtype": "mixed_bfloat16"},
        {"units": fused.FEWEST_UNITS - 1},
    ],
    ids=str,
)
def test_other_options_take_the_plain_loop(options, monkeypatch):
    monkeypatch.setattr(layer, "_run_fused", None)  # to call it is an error
    in_graph(GRU(**{"units": 32, **options}))(X, training=True)


def test_only_a_training_step_in_a_graph_is_fused(monkeypatch):
    """Whatever predicts, evaluates, exports or runs eagerly takes the plain loop."""
    monkeypatch.setattr(layer, "_run_fused", None)
    model = SimpleRNN(32)
    model(X, training=True)
    in_graph(model)(X)
    in_graph(model)(X, training=False)
    with pytest.raises(TypeError, match="NoneType"):
        in_graph(model)(X, training=True)


def in_graph(model):
    import tensorflow as tf

    return tf.function(model, autograph=False)


def gradients(model, x, jit_compile=False, order=1):
    """Those of the weights, in a graph that knows neither batch nor length."""
    import tensorflow as tf

    shape = x.shape if jit_compile else (None, None, x.shape[2])

    def loss(x):
        return tf.reduce_sum(tf.sin(3 * model(x, training=True)))

    def penalty(x):
        with tf.GradientTape() as tape:
            tape.watch(x)
            y = loss(x)
        return tf.reduce_sum(tape.gradient(y, x) ** 2)

    def gradient(x):
        with tf.GradientTape() as tape:
            y = (loss if order == 1 else penalty)(x)
        return tape.gradient(y, [w.value for w in model.trainable_weights])

    step = tf.function(gradient, jit_compile=jit_compile, autograph=False)
    return [g.numpy() for g in step.get_concrete_function(tf.TensorSpec(shape))(x)]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("cls", "jit_compile", "order"),
    [
        (LSTM, False, 1),
        (GRU, False, 1),
        (SimpleRNN, False, 1),
        (GRU, True, 1),
        (LSTM, False, 2),
        (SimpleRNN, True, 2),
    ],
)
def test_compiled_gradients_are_those_of_the_plain_loop(
    cls, jit_compile, order, monkeypatch
):
    import tensorflow as tf

    model, x = cls(32, return_sequences=True), tf.constant(array(7, 19, 3))
    model(x)
    found = gradients(model, x, jit_compile, order)
    monkeypatch.setattr(layer, "FEWEST_UNITS", 33)
    for actual, desired in zip(found, gradients(model, x, jit_compile, order)):
        np.testing.assert_allclose(actual, desired, atol=1e-5 * np.abs(desired).max())


@pytest.mark.slow
def test_a_batch_of_unknown_size_may_have_one_row_or_none():
    """XLA refuses to write into tables of no rows, as the first half has of one."""
    import tensorflow as tf

    model = GRU(fused.FEWEST_UNITS, return_sequences=True)
    model.build((None, None, 4))

    @tf.function(input_signature=[tf.TensorSpec((None, None, 4))], autograph=False)
    def step(x):
        return model(x, training=True)

    for rows in (0, 1):
        x = array(2, 3, 4)[:rows]
        assert_close(step(x), model(x))


def test_a_layer_without_bias_keeps_its_own_dtype(without_compiling):
    """The global dtype has no say in it."""
    keras.config.set_floatx("float64")
    try:
        y = GRU(2, use_bias=False, dtype="float32")(X, training=True)
    finally:
        keras.config.set_floatx("float32")
    assert keras.backend.standardize_dtype(y.dtype) == "float32"


def trained(x, y):
    """The weights after an epoch whose batches differ in size and in length."""
    import tensorflow as tf

    keras.utils.set_random_seed(3)
    hidden = Bidirectional(LSTM(32, return_sequences=True, dropout=0.2))
    model = keras.Sequential(
        [keras.layers.Masking(), hidden, GRU(32), keras.layers.Dense(1)]
    )
    model.compile("sgd", "mse")
    rows = [(x[:34], y[:34]), (x[34:68, :17], y[34:68]), (x[68:], y[68:])]
    signature = (tf.TensorSpec((None, None, 3)), tf.TensorSpec((None, 1)))
    data = tf.data.Dataset.from_generator(lambda: rows, output_signature=signature)
    model.fit(data, epochs=2, steps_per_epoch=None, verbose=0, shuffle=False)
    return [keras.ops.convert_to_numpy(w) for w in model.trainable_weights]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:.*ran out of data")
def test_fit_learns_the_weights_of_the_plain_loop_and_the_same_ones_twice(monkeypatch):
    x, y = array(73, 19, 3), array(73, 1)
    x[5:50, 12:] = 0  # masked
    once, twice = trained(x, y), trained(x, y)
    for a, b in zip(once, twice):
        np.testing.assert_array_equal(a, b)
    monkeypatch.setattr(layer, "FEWEST_UNITS", 33)
    for actual, desired in zip(once, trained(x, y)):
        assert_close(actual, desired, 1e-5)


def test_all_lengths_up_to_2000_make_29_programs():
    import tensorflow as tf

    steps = np.arange(1, 2001)
    rooms = fused._room_for(tf.constant(steps, "int32")).numpy()
    assert [*rooms[[0, 15, 16, 32, 399, 511]]] == [16, 16, 20, 40, 448, 512]
    assert np.all(rooms >= steps)
    assert np.all(rooms <= np.maximum(16, 1.25 * steps))
    assert len({*rooms}) == 29
