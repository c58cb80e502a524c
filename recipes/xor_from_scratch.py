"""XOR from scratch: backpropagation in NumPy beside the same network in Keras.

    python recipes/xor_from_scratch.py
    python recipes/xor_from_scratch.py --hidden 3 --seed 1

A 2-4-1 sigmoid network learns what no single line can separate. Forward pass, deltas
and updates are written out; one step is printed as a worked example, and Keras with
our components takes the same path, weight by weight. Expected: four right answers and
a distance below 1e-6 after 10,000 epochs, in about 60 s on two CPU cores.
Paper: Rumelhart, Hinton, Williams, "Learning representations by back-propagating
errors", 1986. https://doi.org/10.1038/323533a0
"""

from dataclasses import dataclass

from cookbook.start import start

start(__name__)

import keras
import numpy as np
from matplotlib.figure import Figure

from cookbook.config import Count, ExperimentConfig, Rate
from cookbook.lab.claims import Claim, conclude
from cookbook.plots.figures import save_animation, save_figure
from cookbook.training.launch import launch
from cookbook.training.run_folder import RunFolder
from cookbook.training.train import seed_everything
from custom_layers.layers import Dense
from custom_layers.losses import MeanSquaredError
from custom_layers.optimizers import SGD

X = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], "float64")  # B = 4 examples
Y = np.array([[0], [1], [1], [0]], "float64")


@dataclass(frozen=True)
class Config(ExperimentConfig):
    epochs: Count = 10_000  # gradient steps, each on all four examples
    hidden: Count = 4  # units in the hidden layer
    learning_rate: Rate = 4.0  # step size
    frames: Count = 50  # pictures in the animation


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def step(weights, learning_rate):
    """One gradient step on mean((o - y)^2): (new weights, every quantity by name)."""
    W1, b1, W2, b2 = weights
    q = {"z1": X @ W1 + b1}  # weighted sums of the hidden layer, (B, H)
    q["h"] = sigmoid(q["z1"])
    q["z2"] = q["h"] @ W2 + b2  # weighted sum of the output, (B, 1)
    q["o"] = sigmoid(q["z2"])
    q["loss"] = np.mean((q["o"] - Y) ** 2)
    # delta = d loss / d z, from the output back; sigmoid'(z) = s (1 - s)
    q["delta2"] = 2 * (q["o"] - Y) / len(X) * q["o"] * (1 - q["o"])
    q["delta1"] = q["delta2"] @ W2.T * q["h"] * (1 - q["h"])
    q["dW1"], q["db1"] = X.T @ q["delta1"], q["delta1"].sum(0)
    q["dW2"], q["db2"] = q["h"].T @ q["delta2"], q["delta2"].sum(0)
    gradients = (q["dW1"], q["db1"], q["dW2"], q["db2"])
    return [w - learning_rate * g for w, g in zip(weights, gradients)], q


def build(config, weights):
    """The same network in Keras, with the same start weights, in float64."""
    model = keras.Sequential(
        [
            keras.Input((2,), dtype="float64"),
            Dense(config.hidden, activation="sigmoid", dtype="float64"),
            Dense(1, activation="sigmoid", dtype="float64"),
        ]
    )
    model.set_weights(weights)
    model.compile(SGD(config.learning_rate), MeanSquaredError(dtype="float64"))
    return model


def show_worked_example(before, after, q):
    """Prints every quantity of the first step, as named there; rows are examples."""
    print("Step 1, worked out, for the examples (0,0) (0,1) (1,0) (1,1)")
    names = ("W1", "b1", "W2", "b2")
    after = {f"{name} - learning_rate * d{name}": w for name, w in zip(names, after)}
    with np.printoptions(precision=5, suppress=True, floatmode="fixed"):
        for name, value in {**dict(zip(names, before)), **q, **after}.items():
            print(f"{name} =\n{value}")


def surface(weights, side=80):
    """The network's answer over the square [-0.5, 1.5]^2."""
    W1, b1, W2, b2 = weights
    grid = np.stack(np.meshgrid(*[np.linspace(-0.5, 1.5, side)] * 2), -1)
    return sigmoid(sigmoid(grid @ W1 + b1) @ W2 + b2)[..., 0]


def draw(snapshots, losses, run):
    figure = Figure(figsize=(8, 3.8), layout="constrained")
    left, right = figure.subplots(1, 2)

    def frame(i):
        epoch, weights = snapshots[i]
        left.clear()
        extent = (-0.5, 1.5, -0.5, 1.5)
        left.imshow(
            surface(weights),
            "PuOr",
            None,
            vmin=0,
            vmax=1,
            extent=extent,
            origin="lower",
        )
        colours = ["#E66101" if y == 0 else "#5E3C99" for y in Y[:, 0]]
        left.scatter(*X.T, c=colours, edgecolors="white", s=120, linewidths=2)
        left.set(
            xlabel="x1", ylabel="x2", title=f"purple: answer 1, after {epoch} epochs"
        )
        right.clear()
        right.loglog(np.arange(1, len(losses) + 1), losses, color="#0072B2")
        right.axvline(max(epoch, 1), color="#D55E00")
        right.set(xlabel="epoch", ylabel="mean squared error", title="loss")

    save_animation(figure, frame, len(snapshots), run, "surface.gif")
    frame(len(snapshots) - 1)
    save_figure(figure, run, "surface.png")


def main(config):
    run = RunFolder.open("xor_from_scratch", config)
    seed_everything(config.seed)
    epochs = min(config.epochs, 1_000) if config.quick else config.epochs
    frames = min(config.frames, 8) if config.quick else config.frames
    rng = np.random.default_rng(config.seed)
    shapes = [(2, config.hidden), (config.hidden,), (config.hidden, 1), (1,)]
    weights = [rng.normal(size=shape) for shape in shapes]
    model = build(config, weights)
    keep = set(np.unique(np.geomspace(1, epochs, frames).astype(int)))
    snapshots, losses, distance = [(0, weights)], [], 0.0
    for epoch in range(1, epochs + 1):
        before = weights
        weights, q = step(weights, config.learning_rate)
        if epoch == 1:
            show_worked_example(before, weights, q)
        model.train_on_batch(X, Y)
        pairs = zip(weights, model.get_weights())
        distance = max([distance, *(np.abs(a - b).max() for a, b in pairs)])
        losses.append(q["loss"])
        if epoch in keep:
            snapshots.append((epoch, weights))
    draw(snapshots, losses, run)
    answers = step(weights, 0)[1]["o"]
    claims = [
        Claim("right answers of 4", float(((answers > 0.5) == Y).sum()), 4),
        Claim(
            "largest error of an answer", float(np.abs(answers - Y).max()), 0.1, True
        ),
        Claim("largest distance to Keras's weights at any step", distance, 1e-6, True),
    ]
    return conclude(run, claims)


if __name__ == "__main__":
    launch(main, Config)
