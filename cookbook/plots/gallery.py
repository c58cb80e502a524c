"""Gallery: what a generator makes, after each epoch, at the end, and in motion."""

import statistics
from collections.abc import Callable, Mapping, Sequence

import keras
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.image import imread

from cookbook.plots.figures import (
    BLUE,
    ORANGE,
    Folder,
    draw_lines,
    panel,
    save_animation,
    save_figure,
)

ACROSS = 10  # images in a row of tiles
LIMITS = (-1.5, 1.5)  # of a plane with points


class Snapshots(keras.callbacks.Callback):
    """NAME_001.png, ...: samples after each epoch, from the same latent vectors.

    Args:
        draw: draw(axes, samples) paints the samples.
        run: the folder that the pictures go into.
        count: number of samples.
        labels: the classes to ask a conditional generator for.
        name: beginning of the files' names.
    """

    def __init__(
        self,
        draw: Callable[[Axes, np.ndarray], object],
        run: Folder,
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
        """Draws the samples of this epoch."""
        samples = self.model.sample(self.count, self.labels, seed=0)
        figure = Figure(figsize=(4, 4.2), layout="constrained")
        axes = figure.subplots()
        self.draw(axes, samples)
        number = epoch + 1
        axes.set_title(f"{self.name}, epoch {number}")
        save_figure(figure, self.run, f"{self.name}_{number:03d}.png")


def draw_motion(
    run: Folder,
    names: Sequence[str] = ("samples",),
    per_second: int = 4,
) -> None:
    """training.gif: the snapshots of each of `names`, side by side, a frame per epoch.

    The last frame stays for a second.
    """
    # One film for each name: its snapshots in the order of the epochs.
    films = []
    for name in names:
        files = run.path.glob(f"{name}_[0-9]*.png")
        films.append(sorted(files))

    size = 5 * len(names), 5.4
    figure = Figure(figsize=size, layout="constrained")
    panels = figure.subplots(1, len(names), squeeze=False)[0]

    def draw(i: int) -> None:
        for axes, film in zip(panels, films):
            axes.clear()
            axes.set_axis_off()
            axes.imshow(imread(film[i]))

    shortest = min(map(len, films))
    last = shortest - 1
    frames = [*range(last)] + [last] * per_second
    save_animation(figure, draw, frames, run, "training.gif", per_second)


def draw_tiles(axes: Axes, images: np.ndarray) -> None:
    """Images from -1 to 1 as a square of tiles, ACROSS in each row."""
    # (N, H, W, C) becomes one image of (down * H, across * W, C).
    down = len(images) // ACROSS
    height, width, channels = images.shape[1:]
    tiles = images[: ACROSS * down]
    tiles = tiles.reshape(down, ACROSS, height, width, channels)
    tiles = tiles.transpose(0, 2, 1, 3, 4)  # down, H, across, W, C
    tiles = tiles.reshape(down * height, ACROSS * width, channels)
    if channels == 1:
        axes.imshow(tiles.squeeze(), cmap="gray_r", vmin=-1, vmax=1)
    else:
        axes.imshow((tiles + 1) / 2)
    axes.set_axis_off()


def draw_points(axes: Axes, points: np.ndarray) -> None:
    """Points (N, 2) of the plane, from -1.5 to 1.5."""
    x, y = points.T
    axes.plot(x, y, ".", color=BLUE, ms=2, alpha=0.5)
    axes.set(xlim=LIMITS, ylim=LIMITS, xlabel="x", ylabel="y", aspect="equal")


def draw_contest(
    history: Sequence[Mapping],
    run: Folder,
) -> None:
    """losses.png: the critic's loss against the generator's, by epoch."""
    epochs = [row["epoch"] for row in history]
    lines = {}
    for name in ("critic", "generator"):
        key = f"{name}_loss"
        losses = [row[key] for row in history]
        lines[name] = epochs, losses
    title = "The critic's loss against the generator's"
    draw_lines(lines, title, "epoch", "loss", run, "losses.png")


def draw_score(history: Sequence[Mapping], name: str, wanted: str, run: Folder) -> None:
    """curves.png: the score `name` on validation data, by epoch.

    After a search there is no picture, as its last training learns from these data too.
    wanted: the words for which values are good, such as "small is good".
    """
    key = f"val_{name}"
    if key not in history[0]:
        return
    epochs = [row["epoch"] for row in history]
    scores = [row[key] for row in history]
    words = name.replace("_", " ")
    title = f"{words} on validation data: {wanted}"
    lines = {"generated": (epochs, scores)}
    draw_lines(lines, title, "epoch", words, run, "curves.png")


def draw_histogram(counts: Sequence[int], classes: Sequence[str], run: Folder) -> None:
    """modes.png: how many of the generated images the judge takes for each class."""
    title = f"What {sum(counts)} generated images show"
    figure, axes = panel(title, "class, as the judge sees it", "images")
    axes.bar(classes, counts, color=BLUE)
    fair = statistics.fmean(counts)
    label = f"all classes alike: {fair:.0f} each"
    axes.axhline(fair, color=ORANGE, ls="--", label=label)
    axes.legend(loc="lower right")
    save_figure(figure, run, "modes.png")


def draw_comparison(
    parts: Mapping[str, np.ndarray],
    centres: np.ndarray,
    found: Mapping[str, Mapping],
    run: Folder,
) -> None:
    """samples.png: points side by side, each panel's title with its figures.

    parts: {name: points}; centres: of the modes; found: {name: its figures}.
    """
    size = 5 * len(parts), 5.4
    figure = Figure(figsize=size, layout="constrained")
    panels = figure.subplots(1, len(parts))
    x, y = centres.T
    for axes, (name, points) in zip(panels, parts.items()):
        # A circle around each mode's centre, then the points.
        axes.plot(x, y, "o", mfc="none", color=ORANGE, ms=12, label="mode")
        draw_points(axes, points)
        figures = found[name]
        modes = figures["modes"]
        share = figures["high-quality share"]
        counted = f"{modes} of {len(centres)} modes"
        axes.set_title(f"{name}: {counted}, {share:.1%} near one")
        axes.legend(loc="center")
    save_figure(figure, run, "samples.png")
