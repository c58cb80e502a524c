"""Pictures of a script: learning curves, lines, confusion, mistakes, samples."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cookbook.takeaway.standalone.base.folder import RunFolder
from cookbook.takeaway.standalone.base.run import save_figure

ACROSS = 10  # images in a row of tiles


def panel(
    title: str, xlabel: str, ylabel: str, size: tuple[float, float] = (7, 4)
) -> tuple[Figure, Axes]:
    """(figure, axes) of a picture with one message, its title."""
    figure = Figure(figsize=size, layout="constrained")

    axes = figure.subplots()

    axes.set(title=title, xlabel=xlabel, ylabel=ylabel)

    return figure, axes


def draw_curves(history: Sequence[Mapping], run: RunFolder) -> None:
    """curves.png: loss and metrics by epoch, on training and on validation data."""
    names = [name for name in history[0] if f"val_{name}" in history[0]] or ["loss"]

    figure = Figure(figsize=(4.5 * len(names), 3.5), layout="constrained")

    for axes, name in zip(figure.subplots(1, len(names), squeeze=False)[0], names):
        for key in (name, f"val_{name}"):
            if key in history[0]:
                values = [row[key] for row in history]
                axes.plot([row["epoch"] for row in history], values, label=key)

        axes.set(xlabel="epoch", ylabel=name)

        axes.legend()
    save_figure(figure, run, "curves.png")


def draw_lines(
    lines: Mapping[str, tuple],
    title: str,
    xlabel: str,
    ylabel: str,
    run: RunFolder,
    name: str,
    **settings: Any,
) -> None:
    """NAME: a picture of `lines`, {label: (x, y)}, with settings such as yscale."""
    figure, axes = panel(title, xlabel, ylabel)

    for label, (x, y) in lines.items():
        axes.plot(x, y, label=label)

    axes.set(**settings)

    axes.grid(alpha=0.3)
    axes.legend(fontsize=8)
    save_figure(figure, run, name)


def draw_confusion(
    labels: np.ndarray,
    predictions: np.ndarray,
    classes: Sequence[str],
    run: RunFolder,
) -> None:
    """confusion.png: counts by true and predicted class, mistakes in colour."""
    numbers = np.arange(len(classes))
    counts = np.zeros((len(classes), len(classes)), int)
    np.add.at(counts, (labels, predictions), 1)
    side = 1.5 + 0.5 * len(classes)
    title = f"{np.sum(labels != predictions)} mistakes in {len(labels)} test examples"

    figure, axes = panel(title, "predicted class", "true class", (side, side))
    axes.imshow(np.where(np.eye(len(classes)), 0, counts), cmap="Oranges")

    for (i, j), count in np.ndenumerate(counts):
        axes.text(j, i, count or "", ha="center", va="center", fontsize=8)
    axes.set_xticks(numbers, classes, rotation=90)
    axes.set_yticks(numbers, classes)
    save_figure(figure, run, "confusion.png")


def draw_mistakes(
    images: np.ndarray,
    labels: np.ndarray,
    probabilities: np.ndarray,
    classes: Sequence[str],
    run: RunFolder,
) -> None:
    """mistakes.png: the 24 wrong answers of which the model was most confident."""
    answers = probabilities.argmax(-1)
    wrong = np.flatnonzero(answers != labels)
    worst = wrong[np.argsort(-probabilities.max(-1)[wrong])][:24]

    figure = Figure(figsize=(11, 6), layout="constrained")
    figure.suptitle(f"The most confident of {len(wrong)} mistakes")

    for axes in figure.subplots(3, 8).flat:
        axes.set_axis_off()

    for axes, i in zip(figure.axes, worst):
        axes.imshow(images[i].squeeze(), cmap="gray_r")
        axes.set_title(f"{classes[answers[i]]}\ntrue {classes[labels[i]]}", fontsize=8)
    save_figure(figure, run, "mistakes.png")


class Snapshots(keras.callbacks.Callback):
    """Draws NAME_001.png, ...: samples after each epoch, from the same noise."""

    def __init__(
        self,
        draw: Callable[[Axes, np.ndarray], object],
        run: RunFolder,
        count: int = 100,
        labels: np.ndarray | None = None,
        name: str = "samples",
    ) -> None:
        super().__init__()
        self.draw = draw
        self.run = run
        self.count = count
        self.labels = labels
        self.name = name

    def on_epoch_end(self, epoch: int, logs: dict | None = None) -> None:
        figure, axes = panel(f"{self.name}, epoch {epoch + 1}", "", "", (4, 4.2))
        self.draw(axes, self.model.sample(self.count, self.labels, seed=0))
        save_figure(figure, self.run, f"{self.name}_{epoch + 1:03d}.png")


def draw_tiles(axes: Axes, images: np.ndarray) -> None:
    """Images from -1 to 1 as a square of tiles, ACROSS in each row."""
    down = len(images) // ACROSS
    height, width, channels = images.shape[1:]
    tiles = images[: ACROSS * down].reshape(down, ACROSS, height, width, channels)
    tiles = tiles.swapaxes(1, 2).reshape(down * height, ACROSS * width, channels)
    axes.imshow((tiles.squeeze() + 1) / 2, cmap="gray_r", vmin=0, vmax=1)
    axes.set_axis_off()


def draw_points(axes: Axes, points: np.ndarray) -> None:
    """Points (N, 2) of the plane, from -1.5 to 1.5."""
    axes.plot(*points.T, ".", ms=2, alpha=0.5)
    axes.set(xlim=(-1.5, 1.5), ylim=(-1.5, 1.5), aspect="equal")


def draw_contest(history: Sequence[Mapping], run: RunFolder) -> None:
    """losses.png: the critic's loss against the generator's, by epoch."""
    epochs = [row["epoch"] for row in history]
    lines = {
        name: (epochs, [row[f"{name}_loss"] for row in history])
        for name in ("critic", "generator")
    }
    title = "The critic's loss against the generator's"
    draw_lines(lines, title, "epoch", "loss", run, "losses.png")


def draw_attention(
    maps: Sequence[np.ndarray] | np.ndarray,
    rows: Sequence[Sequence[str]],
    columns: Sequence[Sequence[str]],
    title: str,
    run: RunFolder,
) -> None:
    """attention.png: how much attention each token written pays each token read."""
    across = -(-len(maps) // 2)

    figure = Figure(figsize=(3 * across + 1, 6), layout="constrained")

    panels = figure.subplots(2, across, squeeze=False).flat

    for axes, shares, row, column in zip(panels, maps, rows, columns):
        axes.imshow(shares[: len(row), : len(column)], cmap="Blues", vmin=0, vmax=1)
        axes.set_xticks(range(len(column)), column, rotation=90)
        axes.set_yticks(range(len(row)), row)
    figure.suptitle(title)
    save_figure(figure, run, "attention.png")
