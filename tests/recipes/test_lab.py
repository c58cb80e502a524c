"""Claims, the animation, and the lab's gradients against NumPy."""

import json

import keras
import numpy as np
import pytest
from matplotlib.figure import Figure
from matplotlib.image import imread

from cookbook.config import ExperimentConfig
from cookbook.lab.claims import Claim, conclude
from cookbook.lab.gradients import flow, gradient_norms, slope, take_steps
from cookbook.plots.figures import save_animation, save_figure
from cookbook.training.run_folder import RunFolder


def test_a_claim_holds_on_its_side_of_the_bound():
    assert Claim("c", 2.0, 1.0).holds
    assert not Claim("c", 0.5, 1.0).holds
    assert Claim("c", 0.5, 1.0, at_most=True).holds
    assert not Claim("c", 2.0, 1.0, at_most=True).holds
    assert not Claim("c", float("nan"), 1.0).holds


def test_conclude_prints_every_claim_and_writes_them(tmp_path, capsys):
    run = RunFolder.open("r", ExperimentConfig(run_dir=tmp_path, seed=3))
    conclude(run, [Claim("big", 2.0, 1.0), Claim("small", 2.0, 1.0, at_most=True)])
    lines = capsys.readouterr().out.strip().splitlines()
    assert lines[0] == "holds  big: 2 (at least 1)"
    assert lines[1] == "FAILS  small: 2 (at most 1)"
    assert lines[2].startswith("1 of 2 claims hold | ")
    metrics = json.loads((run.path / "metrics.json").read_text())
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
