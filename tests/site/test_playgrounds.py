"""What the playgrounds compute is what the components compute, to 0.00001."""

import inspect
import re
import subprocess
import types

import keras
import numpy as np
import pytest
from keras import ops

from custom_layers import activations, initializers
from custom_layers.activations import glu, threshold
from custom_layers.common.gradients import gradient
from custom_layers.layers import Dense
from custom_layers.layers.attention.scaled_dot_product import scaled_dot_product
from custom_layers.losses import MeanSquaredError
from playground import NODE, PLAYGROUNDS, float64, javascript, near

pytestmark = pytest.mark.one_backend

GRID = np.linspace(-6, 6, 241) + 0.0137  # no curve bends exactly at one of these
# {name: (our function, the value of its parameter)}; of the others the name is enough.
CURVES = {
    "leaky_relu": (lambda x: activations.leaky_relu(x, 0.05), 0.05),
    "elu": (lambda x: activations.elu(x, 0.5), 0.5),
    "celu": (lambda x: activations.celu(x, 0.5), 0.5),
    "gelu, approximate": (lambda x: activations.gelu(x, approximate=True), None),
    "glu": (lambda x: glu(ops.stack([x, -1.5 + 0 * x])[..., None], axis=0), -1.5),
    "snake": (lambda x: activations.snake(x, 3.0), 3.0),
    "squareplus": (lambda x: activations.squareplus(x, 1.0), 1.0),
    "soft_shrink": (lambda x: activations.soft_shrink(x, 1.25), 1.25),
    "hard_shrink": (lambda x: activations.hard_shrink(x, 1.25), 1.25),
    "threshold": (lambda x: threshold(x, -0.5, 0.0), -0.5),
}
ALIASES = {"swish", "hard_swish"}


# Activations


def our_curve(name):
    function, parameter = CURVES.get(name, (getattr(activations, name, None), None))

    def curve(x):
        return ops.reshape(function(x), (-1,))

    return curve, parameter


@pytest.fixture(scope="module")
def curves():
    """{name: {values, slopes}}"""
    parameters = {name: value for name, (_, value) in CURVES.items()}
    return javascript(
        """
        const { ACTIVATIONS } = await load("activations");
        const result = {};
        for (const [name, { f, slope }] of Object.entries(ACTIVATIONS)) {
          const value = given.parameters[name] ?? undefined;
          result[name] = {
            values: given.grid.map((x) => f(x, value)),
            slopes: given.grid.map((x) => slope(x, value)),
          };
        }
    """,
        grid=GRID.tolist(),
        parameters=parameters,
    )


def test_every_activation_and_its_slope_are_ours(curves):
    for name, found in curves.items():
        curve, _ = our_curve(name)
        x = float64(GRID)
        near(found["values"], ops.convert_to_numpy(curve(x)))
        slopes = gradient(lambda x, curve=curve: ops.sum(curve(x)), x)
        near(found["slopes"], ops.convert_to_numpy(slopes))


def test_defaults_of_curves_are_ours():
    result = javascript(
        """
        const { ACTIVATIONS } = await load("activations");
        const result = {};
        for (const [name, { f }] of Object.entries(ACTIVATIONS)) {
          result[name] = given.grid.map((x) => f(x));
        }
    """,
        grid=GRID.tolist(),
    )
    for name in set(CURVES) - {"gelu, approximate", "glu", "threshold"}:
        function = getattr(activations, name)
        near(result[name], ops.convert_to_numpy(function(float64(GRID))))


def test_the_page_offers_every_activation(curves):
    names = javascript(
        'const result = Object.keys((await load("activations")).DISTRIBUTIONS)'
    )
    functions = {
        name
        for name, value in vars(activations).items()
        if isinstance(value, types.FunctionType)
    }
    assert functions - ALIASES == {*curves, *names} - {"gelu, approximate"}


@pytest.mark.parametrize("name", ["softmax", "log_softmax", "sparsemax"])
def test_shares_of_scores_and_their_slopes_are_ours(name):
    rows = [[1.5, 0.5, -1.0], [0.0, 3.0, 2.5], [-0.2, 0.1, 0.3]]
    result = javascript(
        f"""
        const {{ DISTRIBUTIONS, SLOPES }} = await load("activations");
        const result = given.rows.map((x) => ({{
          values: DISTRIBUTIONS.{name}(x),
          slopes: x.map((_, j) => SLOPES.{name}(x, j)),
        }}));
    """,
        rows=rows,
    )
    function = getattr(activations, name)
    for row, found in zip(rows, result):
        near(found["values"], ops.convert_to_numpy(function(float64(row))))
        for i in range(3):
            slopes = gradient(lambda x, i=i: function(x)[i], float64(row))
            near([line[i] for line in found["slopes"]], ops.convert_to_numpy(slopes))


# Initializers and signals


@pytest.fixture
def draws(monkeypatch):
    """What our initializers ask of keras.random, in the words of the playground."""
    asked = []

    def recorded(name, describe):
        original = getattr(keras.random, name)

        def draw(*arguments, **options):
            bound = inspect.signature(original).bind(*arguments, **options)
            asked.append(describe(bound.arguments))
            return original(*arguments, **options)

        monkeypatch.setattr(keras.random, name, draw)

    recorded("uniform", lambda a: {"kind": "uniform", "limit": a["maxval"]})
    for name in ("normal", "truncated_normal"):
        recorded(name, lambda a, k=name: {"kind": k, "stddev": a.get("stddev", 1.0)})
    return asked


SIZES = (37, 64)  # inputs and outputs


def test_initializers_draw_from_our_distributions(draws):
    found = javascript(
        """
        const { INITIALIZERS } = await load("initializers");
        const result = {};
        for (const [name, distribution] of Object.entries(INITIALIZERS)) {
          result[name] = distribution(...given.sizes);
        }
    """,
        sizes=SIZES,
    )
    random = set(found) - {"Orthogonal", "Identity", "Ones", "Zeros"}
    for name in random:
        draws.clear()
        getattr(initializers, name)(seed=1)(SIZES)
        (expected,) = draws
        assert found[name] == pytest.approx(expected), name
    known = {"Constant", "VarianceScaling"}  # general forms of the others
    assert set(found) | known == {
        name for name, value in vars(initializers).items() if inspect.isclass(value)
    }


def test_variances_of_start_values_are_ours():
    result = javascript("""
        const { INITIALIZERS, drawMatrix, variance } = await load("initializers");
        const result = {};
        for (const [name, distribution] of Object.entries(INITIALIZERS)) {
          const what = distribution(200, 200);
          const values = drawMatrix(what, 200, 7).flatMap((row) => [...row]);
          const mean = values.reduce((sum, w) => sum + w, 0) / values.length;
          const squares = values.reduce((sum, w) => sum + (w - mean) ** 2, 0);
          result[name] = [variance(what, 200), squares / values.length];
        }
    """)
    for name, (formula, drawn) in result.items():
        options = {} if name in ("Identity", "Ones", "Zeros") else {"seed": 3}
        W = ops.convert_to_numpy(getattr(initializers, name)(**options)((200, 200)))
        assert drawn == pytest.approx(formula, rel=0.03, abs=1e-12), name
        assert W.var() == pytest.approx(formula, rel=0.03, abs=1e-12), name


def test_orthogonal_matrices_are_ours(monkeypatch):
    A = np.random.default_rng(0).normal(size=(6, 6))
    monkeypatch.setattr(keras.random, "normal", lambda *_, **__: float64(A))
    expected = ops.convert_to_numpy(initializers.Orthogonal()((6, 6)))
    found = javascript(
        """
        const { orthonormal } = await load("initializers");
        const result = orthonormal(given.A).map((row) => [...row]);
    """,
        A=A.tolist(),
    )
    near(found, expected)


@pytest.mark.parametrize("activation", ["tanh", "relu", "selu"])
def test_signals_through_layers_are_those_of_dense_layers(activation):
    rng = np.random.default_rng(0)
    x, last = rng.normal(size=(2, 5, 8))
    matrices = rng.normal(0, 0.4, (4, 8, 8))
    found = javascript(
        """
        const { rootMeanSquare, throughDepth } = await load("initializers");
        const { x, matrices, activation, last } = given;
        const { signals, gradients } = throughDepth(x, matrices, activation, last);
        const rows = (all) => all.map((row) => [...row]);
        const result = {
          signal: rows(signals.at(-1)),
          gradient: rows(gradients[0]),
          size: rootMeanSquare(signals.at(-1)),
        };
    """,
        x=x.tolist(),
        matrices=matrices.tolist(),
        activation=activation,
        last=last.tolist(),
    )
    layers = [Dense(8, activation, use_bias=False, dtype="float64") for _ in matrices]
    model = keras.Sequential([keras.Input((8,), dtype="float64"), *layers])
    model.set_weights([*matrices])
    y = ops.convert_to_numpy(model(x))
    near(found["signal"], y)
    assert found["size"] == pytest.approx(np.sqrt((y**2).mean()))
    slopes = gradient(lambda x: ops.sum(model(x) * float64(last)), float64(x))
    near(found["gradient"], ops.convert_to_numpy(slopes))


# Networks that learn


def our_gradients(model, x, y):
    """(loss, gradient of each weight) of the mean squared error"""
    import tensorflow as tf

    with tf.GradientTape() as tape:
        loss = MeanSquaredError(dtype="float64")(y, model(x))
    weights = [w.value for w in model.trainable_weights]
    return float(loss), [np.array(g) for g in tape.gradient(loss, weights)]


@pytest.mark.parametrize("activation", ["sigmoid", "tanh", "relu", "gelu"])
def test_the_xor_network_answers_and_learns_as_our_layers_do(activation):
    found = javascript(
        """
        const xor = await load("xor");
        const { X, Y, forward, lossAndGradient, startWeights, step } = xor;
        const weights = startWeights(3, 5);
        const { loss, gradient } = lossAndGradient(weights, given.activation);
        const answers = X.map((x) => forward(weights, x, given.activation).o);
        const next = step(weights, given.activation, 0.5);
        const result = { X, Y, weights, loss, gradient, answers, next };
    """,
        activation=activation,
    )
    layers = [
        Dense(3, activation, dtype="float64"),
        Dense(1, "sigmoid", dtype="float64"),
    ]
    model = keras.Sequential([keras.Input((2,), dtype="float64"), *layers])

    def listed(values):
        W2, b2 = np.reshape(values["W2"], (3, 1)), [values["b2"]]
        return [np.array(w) for w in (values["W1"], values["b1"], W2, b2)]

    model.set_weights(listed(found["weights"]))
    x, y = np.array(found["X"], "float64"), np.reshape(found["Y"], (4, 1))
    assert y.ravel().tolist() == [0, 1, 1, 0]
    loss, gradients = our_gradients(model, x, float64(y))
    near(found["answers"], ops.convert_to_numpy(model(x))[:, 0])
    near(found["loss"], loss)
    mine = listed(found["gradient"])
    for g, expected, w, after in zip(
        mine, gradients, listed(found["weights"]), listed(found["next"])
    ):
        near(g, expected)
        near(after, w - 0.5 * expected)


@pytest.mark.parametrize("activation", ["sigmoid", "tanh", "relu", "softplus"])
def test_the_neuron_learns_as_our_layer_does(activation):
    points = [[-2.0, 0.0], [-0.5, 1.0], [1.0, 0.5], [2.5, 1.0]]
    found = javascript(
        """
        const { lossAndGradient } = await load("neuron");
        const neuron = { w: 0.7, b: -0.2 };
        const result = lossAndGradient(neuron, given.points, given.activation);
    """,
        points=points,
        activation=activation,
    )
    model = keras.Sequential(
        [keras.Input((1,), dtype="float64"), Dense(1, activation, dtype="float64")]
    )
    model.set_weights([np.array([[0.7]]), np.array([-0.2])])
    x, y = np.array(points).T[..., None]
    loss, (dw, db) = our_gradients(model, x, float64(y))
    near([found["loss"], found["dw"], found["db"]], [loss, dw[0, 0], db[0]])


@pytest.mark.parametrize("causal", [False, True])
def test_attention_weights_are_ours(causal):
    found = javascript(
        """
        const { HEADS, scaledDotProduct, wordsOf } = await load("attention");
        const result = Object.values(HEADS).map((head) => {
          const parts = head(wordsOf("The dog saw her, and it ran home."));
          const { P, y } = scaledDotProduct(parts.Q, parts.K, parts.V, given);
          return { ...parts, P, y };
        });
    """,
        causal=causal,
    )
    for head in found:
        Q, K, V = (float64([head[name]]) for name in "QKV")
        y, P = scaled_dot_product(Q, K, V, causal=causal, return_weights=True)
        near(head["P"], ops.convert_to_numpy(P)[0])
        near(head["y"], ops.convert_to_numpy(y)[0])


def test_a_pronoun_finds_its_noun():
    found = javascript("""
        const { HEADS, scaledDotProduct, wordsOf } = await load("attention");
        const words = wordsOf("the dog chased the ball because it was fast");
        const { Q, K, V } = HEADS["A pronoun looks for its noun"](words);
        const { P } = scaledDotProduct(Q, K, V);
        const before = HEADS["The word before"](words);
        const places = scaledDotProduct(before.Q, before.K, before.V).P;
        const best = (row) => row.indexOf(Math.max(...row));
        const result = { noun: words[best(P[6])], before: places.slice(1).map(best) };
    """)
    assert found["noun"] == "dog"
    assert found["before"] == list(range(8))


# The pages


def test_every_page_has_its_element_and_its_script():
    for page in PLAYGROUNDS.glob("*.md"):
        text = page.read_text(encoding="utf-8")
        script = PLAYGROUNDS / f"{page.stem}.js"
        assert f'<script type="module" src="{script.name}"></script>' in text
        (element,) = re.findall(r'<div class="playground" id="([\w-]+)">', text)
        assert f'ui.page("{element}"' in script.read_text(encoding="utf-8")


def test_every_script_is_valid_and_asks_for_nothing_from_elsewhere():
    if NODE is None:
        pytest.skip("node is not installed, which checks scripts")
    for script in PLAYGROUNDS.rglob("*.js"):
        done = subprocess.run([NODE, "--check", script], capture_output=True, text=True)
        assert done.returncode == 0, done.stderr
        assert "//cdn" not in script.read_text(encoding="utf-8")
        assert not re.search("https?://", script.read_text(encoding="utf-8"))
