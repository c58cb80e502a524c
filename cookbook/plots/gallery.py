"""Gallery: what a generator makes, after each epoch, at the end, and in motion."""

import keras
import numpy as np
from matplotlib.figure import Figure
from matplotlib.image import imread

from cookbook.plots.figures import BLUE, ORANGE, draw_lines, save_animation, save_figure


class Snapshots(keras.callbacks.Callback):
    """NAME_001.png, ...: the same latent vectors' samples after each epoch.

    draw(axes, samples): paints them; labels: the classes to ask for, if conditional.
    """

    def __init__(self, draw, run, count=100, labels=None, name="samples"):
        super().__init__()
        self.draw, self.run, self.count = draw, run, count
        self.labels, self.name = labels, name

    def on_epoch_end(self, epoch, logs=None):
        samples = self.model.sample(self.count, self.labels, seed=0)
        figure = Figure(figsize=(4, 4.2), layout="constrained")
        axes = figure.subplots()
        self.draw(axes, samples)
        axes.set_title(f"{self.name}, epoch {epoch + 1}")
        save_figure(figure, self.run, f"{self.name}_{epoch + 1:03d}.png")


def draw_motion(run, names=("samples",), per_second=4):
    """training.gif: the snapshots of each of `names`, side by side, one epoch a frame.

    The last frame stays for a second.
    """
    films = [sorted(run.path.glob(f"{name}_[0-9]*.png")) for name in names]
    figure = Figure(figsize=(5 * len(names), 5.4), layout="constrained")
    panels = figure.subplots(1, len(names), squeeze=False)[0]

    def draw(i):
        for axes, film in zip(panels, films):
            axes.clear()
            axes.set_axis_off()
            axes.imshow(imread(film[i]))

    last = min(map(len, films)) - 1
    frames = [*range(last), *[last] * per_second]
    save_animation(figure, draw, frames, run, "training.gif", per_second)


def draw_tiles(axes, images):
    """Images from -1 to 1 as a square of tiles, ten in a row."""
    rows = len(images) // 10
    height, width, channels = images.shape[1:]
    tiles = images[: 10 * rows].reshape(rows, 10, height, width, channels)
    tiles = tiles.transpose(0, 2, 1, 3, 4).reshape(rows * height, 10 * width, channels)
    grey = {"cmap": "gray_r", "vmin": -1, "vmax": 1} if channels == 1 else {}
    axes.imshow(tiles.squeeze() if channels == 1 else (tiles + 1) / 2, **grey)
    axes.set_axis_off()


def draw_points(axes, points):
    """Points of the plane, from -1.5 to 1.5."""
    axes.plot(*points.T, ".", color=BLUE, ms=2, alpha=0.5)
    axes.set(xlim=(-1.5, 1.5), ylim=(-1.5, 1.5), xlabel="x", ylabel="y", aspect="equal")


def draw_contest(history, run):
    """losses.png: the critic's loss against the generator's, by epoch."""
    epochs = [row["epoch"] for row in history]
    lines = {
        name: (epochs, [row[f"{name}_loss"] for row in history])
        for name in ("critic", "generator")
    }
    title = "The critic's loss against the generator's"
    draw_lines(lines, title, "epoch", "loss", run, "losses.png")


def draw_score(history, name, wanted, run):
    """curves.png: the scoreboard's figure on validation data, by epoch.

    Without such data, as after a search, which learns from them at its end, none.
    """
    if f"val_{name}" not in history[0]:
        return
    lines = {"generated": [row[f"val_{name}"] for row in history]}
    epochs = [row["epoch"] for row in history]
    title = f"{name.replace('_', ' ')} on validation data: {wanted}"
    xy = {label: (epochs, values) for label, values in lines.items()}
    draw_lines(xy, title, "epoch", name.replace("_", " "), run, "curves.png")


def draw_histogram(counts, classes, run):
    """modes.png: how many of the generated images the judge takes for each class."""
    figure = Figure(figsize=(7, 4), layout="constrained")
    axes = figure.subplots()
    axes.bar(classes, counts, color=BLUE)
    fair = np.mean(counts)
    axes.axhline(fair, color=ORANGE, ls="--", label=f"all alike: {fair:.0f} each")
    axes.set_title(f"What {sum(counts)} generated images show")
    axes.set(xlabel="class, as the judge sees it", ylabel="images")
    axes.legend(loc="lower right")
    save_figure(figure, run, "modes.png")


def draw_comparison(parts, centres, found, run):
    """samples.png: each of `parts`, {name: points}, with its figures as the title."""
    figure = Figure(figsize=(5 * len(parts), 5.4), layout="constrained")
    for axes, (name, points) in zip(figure.subplots(1, len(parts)), parts.items()):
        axes.plot(*centres.T, "o", mfc="none", color=ORANGE, ms=12, label="mode")
        draw_points(axes, points)
        modes, share = found[name]["modes"], found[name]["high-quality share"]
        axes.set_title(f"{name}: {modes} of {len(centres)} modes, {share:.1%} near one")
        axes.legend(loc="center")
    save_figure(figure, run, "samples.png")
