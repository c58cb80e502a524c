"""Claims, the animation, and the lab's gradients against NumPy."""

import json

import keras
import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.image import imread

from cookbook.config import ExperimentConfig
from cookbook.lab.claims import Claim, conclude
from cookbook.lab.gradients import flow, gradient_norms, numeric_gradient, slope
from cookbook.lab.pictures import draw_panels
from cookbook.lab.training import accuracy_of, loss_and_accuracy, take_steps
from cookbook.plots.figures import save_animation, save_figure
from cookbook.training.run_folder import RunFolder


def test_a_claim_holds_on_its_side_of_the_bound():
    assert Claim("c {}", 2.0, at_least=1.0).holds
    assert not Claim("c {}", 0.5, at_least=1.0).holds
    assert Claim("c {}", 0.5, at_most=1.0).holds
    assert not Claim("c {}", 2.0, at_most=1.0).holds
    assert not Claim("c {}", float("nan"), at_least=1.0).holds
    assert not Claim("c {}", float("nan"), at_most=1.0).holds
    assert Claim("c {}", 1.0, at_least=1.0).holds
    assert Claim("c {}", 0.0, at_most=0.0).holds


@pytest.mark.parametrize(
    ("text", "measured", "bound", "sentence"),
    [
        ("It takes {} steps", 85.5, 161.4, "It takes 85.5 steps (at most 161)"),
        ("It errs {} times", 55, 1039.2, "It errs 55 times (at most 1,039)"),
        ("{percent} die", 0.5156, 0.3, "51.6 % die (at most 30 %)"),
        ("It is {} times larger", 6.99e18, 1e15, "It is 6.99e18 times larger"),
        ("It is off by {}", 4.857e-17, 1e-12, "It is off by 4.86e-17 (at most 1e-12)"),
        (
            "It costs nothing ({points})",
            -0.014,
            0.05,
            "It costs nothing (-1.4 points; at most 5 points)",
        ),
    ],
)
def test_a_claim_is_a_sentence_with_its_number_and_bound(
    text, measured, bound, sentence
):
    assert Claim(text, measured, at_most=bound).sentence.startswith(sentence)
    at_least = sentence.replace("at most", "at least")
    assert Claim(text, measured, at_least=bound).sentence.startswith(at_least)


def test_a_claim_needs_one_number_and_one_bound():
    for text in ("no number", "two {} {}"):
        with pytest.raises(ValueError, match=r"expected one \{\}"):
            Claim(text, 1.0, at_most=2.0)
    for bounds in ({}, {"at_least": 0.0, "at_most": 2.0}):
        with pytest.raises(ValueError, match="either at_least or at_most"):
            Claim("c {}", 1.0, **bounds)


def test_conclude_prints_every_claim_and_writes_them(tmp_path, capsys):
    run = RunFolder.open("r", ExperimentConfig(run_dir=tmp_path, seed=3))
    claims = [
        Claim("It is as big as {}", 2.0, at_least=1.0),
        Claim("It is as small as {}", np.float32(2.0), at_most=1.0),
    ]
    conclude(run, claims)
    lines = capsys.readouterr().out.strip().splitlines()
    assert lines[0] == "holds  It is as big as 2 (at least 1)"
    assert lines[1] == "FAILS  It is as small as 2 (at most 1)"
    assert lines[2].startswith("1 of 2 claims hold | ")
    metrics = json.loads((run.path / "metrics.json").read_text())
    assert metrics["claims"][1] == {
        "text": "It is as small as 2 (at most 1)",
        "measured": 2.0,
        "bound": 1.0,
        "holds": False,
    }
    assert [claim["holds"] for claim in metrics["claims"]] == [True, False]
    assert metrics["settings"]["seed"] == 3


def test_an_animation_has_its_frames(tmp_path):
    run = RunFolder.open("r", ExperimentConfig(run_dir=tmp_path))
    figure = Figure(figsize=(1, 1))
    axes = figure.subplots()
    save_animation(figure, lambda i: axes.plot([0, i]), 3, run, "a.gif")
    save_figure(figure, run, "a.png")
    assert (run.path / "a.gif").read_bytes().startswith(b"GIF89a")
    assert imread(run.path / "a.png").std() > 0


@pytest.mark.parametrize("columns", [1, 2])
def test_panels_with_and_without_common_labels_are_drawn(columns, tmp_path):
    run = RunFolder.open("r", ExperimentConfig(run_dir=tmp_path))
    line = [0, 1], [1, 3]
    for second in ("a", "b"):
        panels = {"one": {"a": line}, "two": {second: line}, "three": {"a": line}}
        name = f"{second}.png"
        draw_panels(panels, "t", "x", "y", run, name, columns, yscale="log")
        assert imread(run.path / name).std() > 0


def test_accuracy_is_the_share_of_right_answers():
    x = np.eye(4, dtype="float32")
    assert accuracy_of(lambda x: 2 * x, x, np.array([0, 1, 2, 0])) == 0.75


def test_loss_and_accuracy_are_the_same_of_classes_and_of_one_hot_targets():
    z = np.array([[2.0, 0.0], [0.0, 1.0], [3.0, 0.0]])
    y = np.array([0, 1, 1])
    expected = np.mean(np.log(np.exp(z).sum(1)) - z[range(3), y])
    losses = (
        keras.losses.SparseCategoricalCrossentropy,
        keras.losses.CategoricalCrossentropy,
    )
    for targets, loss in zip((y, np.eye(2)[y]), losses):
        found = loss_and_accuracy(lambda z: z, z, targets, loss(from_logits=True))
        np.testing.assert_allclose(found, (expected, 2 / 3), rtol=1e-6)


@pytest.mark.parametrize("batch_size", [None, 2])
def test_steps_are_gradient_descent(batch_size):
    x = np.array([[1.0], [2.0], [4.0]], "float32")
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1, use_bias=False)])
    model.set_weights([np.array([[0.0]])])
    model.compile(keras.optimizers.SGD(0.01), "mse")
    take_steps(model, x, 3 * x, 5, batch_size, seed=1)
    w, rng = 0.0, np.random.default_rng(1)
    drawn = rng.integers(3, size=10).reshape(5, 2) if batch_size else [range(3)] * 5
    for rows in drawn:
        w -= 0.01 * np.mean(2 * (w - 3) * x[list(rows)] ** 2)
    np.testing.assert_allclose(model.get_weights()[0], [[w]], rtol=1e-5)


def test_steps_of_several_outputs_are_the_steps_of_each_alone():
    x = np.array([[1.0], [2.0], [4.0]], "float32")

    def learned(targets):
        inputs = keras.Input((1,))
        heads = [keras.layers.Dense(1, "linear", False)(inputs) for _ in targets]
        model = keras.Model(inputs, heads)
        model.set_weights([np.zeros((1, 1))] * len(targets))
        model.compile(keras.optimizers.SGD(0.01), "mse")
        take_steps(model, x, targets, 5, 2, seed=1)
        return np.ravel(model.get_weights())

    alone = [*learned([3 * x]), *learned([-x])]
    np.testing.assert_allclose(learned([3 * x, -x]), alone, rtol=1e-5)


def test_gradient_norms_are_those_of_the_kernels_from_the_first_layer():
    x, y = np.array([[1.0, 2.0]], "float32"), np.array([[1.0]], "float32")
    layers = [keras.layers.Dense(1), keras.layers.Dense(1)]
    model = keras.Sequential([keras.Input((2,)), *layers])
    weights = ([[1.0], [1.0]], [0.0], [[2.0]], [0.0])
    model.set_weights([np.array(w) for w in weights])  # h = 1 + 2 = 3, out = 2 * 3 = 6
    model.compile(loss="mse")
    # dL/dout = 2 (6 - 1) = 10; of layer 2 10 * h = 30; of layer 1 10 * 2 * x
    np.testing.assert_allclose(gradient_norms(model, x, y), [20 * 5**0.5, 30])


def test_the_numeric_gradient_is_the_slope_in_every_direction_and_leaves_its_array():
    w = np.array([[1.0, -2.0], [0.5, 3.0]])
    before = w.copy()
    gradient = numeric_gradient(lambda: np.sum(w**3), w)
    np.testing.assert_allclose(gradient, 3 * before**2, atol=1e-8)
    np.testing.assert_allclose(w, before, atol=1e-15)


def test_slope_is_the_derivative_even_of_tiny_numbers():
    x = np.array([-2.0, -1e-20, 1e-20, 2.0])
    np.testing.assert_array_equal(slope(keras.ops.relu, x), [0, 0, 1, 1])
    np.testing.assert_allclose(slope(keras.ops.tanh, x), 1 - np.tanh(x) ** 2)


def test_flow_is_the_gradient_of_a_network():
    rng = np.random.default_rng(0)
    x, g = rng.normal(size=(2, 3)), rng.normal(size=(2, 3))
    weights, own = rng.normal(size=(4, 3, 3)), rng.normal(size=(4, 2, 3))
    h = flow(x, weights, keras.ops.tanh, g, own)[0]
    back = flow(x, weights, keras.ops.tanh, g, own)[1]
    assert len(h) == len(back) == 4

    def loss(first):
        y = np.tanh(first)
        for W, mine in zip(weights[1:], own[1:]):
            y = np.tanh(y @ W + mine)
        return np.sum(g * y)

    z = x @ weights[0] + own[0]
    numeric = np.zeros_like(z)
    for place in np.ndindex(z.shape):
        step = np.zeros_like(z)
        step[place] = 1e-6
        numeric[place] = (loss(z + step) - loss(z - step)) / 2e-6
    np.testing.assert_allclose(back[0], np.sqrt(np.mean(numeric**2)), rtol=1e-6)
    np.testing.assert_allclose(h[0], np.sqrt(np.mean(np.tanh(z) ** 2)))
