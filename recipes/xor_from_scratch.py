"""XOR from scratch: backpropagation in NumPy beside the same network in Keras.

    python recipes/xor_from_scratch.py
    python recipes/xor_from_scratch.py --hidden 3 --seed 1

Can a few lines of NumPy do what Keras does? A 2-4-1 sigmoid network learns XOR, whose
classes no line separates. The recipe prints every quantity of its first step as a
worked example, and trains the same network with our Keras components beside it.
Expected: four right answers after 10,000 epochs, and weights within 1e-6 of Keras's at
every step; in about 60 s on two CPU cores.
Paper: Rumelhart, Hinton, Williams, "Learning representations by back-propagating
errors", 1986. https://doi.org/10.1038/323533a0
"""

from dataclasses import dataclass

from cookbook.start import start

start(__name__, float64=True)

import keras
import numpy as np
from matplotlib.figure import Figure

from cookbook.config import Count, ExperimentConfig, Rate, Repeats, Size
from cookbook.lab.claims import ROUNDING, Claim, conclude
from cookbook.plots.figures import (
    AGAINST_AND_FOR,
    BLUE,
    ORANGE,
    save_animation,
    save_figure,
)
from cookbook.reports.finish import Run
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
    hidden: Size = 4  # units in the hidden layer
    learning_rate: Rate = 4.0  # step size of gradient descent
    frames: Repeats = 50  # pictures in the animation

    in_quick = {"epochs": 1_000, "frames": 8}


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def step(weights, learning_rate):
    """One gradient step on mean((o - y)^2): (new weights, every quantity by name)."""
    W1, b1, W2, b2 = weights

    # Forward: z are weighted sums; h are the hidden units, o is the output.
    z1 = X @ W1 + b1  # (B, H)
    h = sigmoid(z1)
    z2 = h @ W2 + b2  # (B, 1)
    o = sigmoid(z2)
    loss = np.mean((o - Y) ** 2)

    # Backward: delta = d loss / d z, from the output back.
    # The slope of s = sigmoid(z) is s (1 - s).
    delta2 = 2 * (o - Y) / len(X) * o * (1 - o)
    delta1 = delta2 @ W2.T * h * (1 - h)
    gradients = {
        "dW1": X.T @ delta1,
        "db1": delta1.sum(0),
        "dW2": h.T @ delta2,
        "db2": delta2.sum(0),
    }
    new = [w - learning_rate * g for w, g in zip(weights, gradients.values())]
    quantities = {"z1": z1, "h": h, "z2": z2, "o": o, "loss": loss}
    quantities |= {"delta2": delta2, "delta1": delta1, **gradients}
    return new, quantities


def build(config: Config, weights):
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


def show_worked_example(before, after, quantities):
    """Prints the weights, every quantity of the first step, and the new weights."""
    print("Step 1, worked out, for the examples (0,0) (0,1) (1,0) (1,1)")
    names = ("W1", "b1", "W2", "b2")
    updates = [f"{name} - learning_rate * d{name}" for name in names]
    rows = [
        *zip(names, before),
        *quantities.items(),
        *zip(updates, after),
    ]
    with np.printoptions(precision=5, suppress=True, floatmode="fixed"):
        for name, value in rows:
            print(f"{name} =\n{value}")


def train(config: Config, weights):
    """Trains both networks: (snapshots, losses, largest distance between weights)"""
    model = build(config, weights)
    drawn = np.geomspace(1, config.epochs, config.frames).astype(int)
    snapshots = [(0, weights)]
    losses = []
    distance = 0.0
    for epoch in range(1, config.epochs + 1):
        before = weights
        weights, quantities = step(weights, config.learning_rate)
        if epoch == 1:
            show_worked_example(before, weights, quantities)

        model.train_on_batch(X, Y)
        for ours, theirs in zip(weights, model.get_weights()):
            distance = max(distance, np.abs(ours - theirs).max())

        losses.append(quantities["loss"])
        if epoch in drawn or epoch == config.epochs:
            snapshots.append((epoch, weights))
    return snapshots, losses, distance


def draw_answers(axes, weights):
    """The network's answers over a square, and the line of each hidden unit.

    A hidden unit answers 1/2 on its line, where x w + b = 0.
    """
    W1, b1, W2, b2 = weights

    line = np.linspace(-0.5, 1.5, 80)
    grid = np.stack(np.meshgrid(line, line), -1)  # (80, 80, 2)
    h = sigmoid(grid @ W1 + b1)
    answers = sigmoid(h @ W2 + b2)[..., 0]

    axes.contourf(line, line, answers, np.linspace(0, 1, 11), cmap=AGAINST_AND_FOR)

    for w, b in zip(W1.T, b1):
        place = -b * w / (w @ w)  # the point of the line that is nearest to the origin
        along = place + np.array([-w[1], w[0]])
        axes.axline(place, along, color="black", ls="--", lw=1)

    for answer, marker, colour in ((0, "o", ORANGE), (1, "^", BLUE)):
        points = X[Y[:, 0] == answer].T
        axes.plot(*points, marker, color=colour, mec="white", ms=13, mew=2, ls="")

    axes.set(xlabel="x1", ylabel="x2", xticks=(0, 1), yticks=(0, 1))
    axes.axis((-0.5, 1.5, -0.5, 1.5))
    axes.set_title("Blue: 1, orange: 0; dashed: hidden units")


def draw(snapshots, losses, run: RunFolder):
    """Draws the answers and the loss, epoch by epoch; surface.png is the last epoch."""
    figure = Figure(figsize=(8.5, 3.8), layout="constrained")
    left, right = figure.subplots(1, 2)

    def frame(i):
        epoch, weights = snapshots[i]

        left.clear()
        draw_answers(left, weights)

        right.clear()
        right.loglog(np.arange(1, len(losses) + 1), losses, color=BLUE)
        right.axvline(max(epoch, 1), color=ORANGE)
        right.set(xlabel="epoch", ylabel="mean squared error")
        right.set_title(f"The error falls (the line: epoch {epoch})")

    save_animation(figure, frame, len(snapshots), run, "surface.gif")
    frame(len(snapshots) - 1)
    save_figure(figure, run, "surface.png")


def main(config: Config) -> Run:
    run = RunFolder.open("xor_from_scratch", config)
    seed_everything(config.seed)

    rng = np.random.default_rng(config.seed)
    shapes = [(2, config.hidden), (config.hidden,), (config.hidden, 1), (1,)]
    weights = [rng.normal(size=shape) for shape in shapes]
    snapshots, losses, distance = train(config, weights)
    draw(snapshots, losses, run)

    _, weights = snapshots[-1]
    _, quantities = step(weights, learning_rate=0)
    answers = quantities["o"]
    right = np.sum((answers > 0.5) == Y)  # a yes is right where Y is 1
    error = np.abs(answers - Y).max()

    bound = max(1e-6, 1e4 * ROUNDING)
    claims = [
        Claim("The network gives {} of the 4 answers right", right, at_least=4),
        Claim("No answer is off by more than {}", error, at_most=0.1),
        Claim("The weights stay within {} of Keras's", distance, at_most=bound),
    ]
    return conclude(run, claims)


if __name__ == "__main__":
    launch(main, Config)
