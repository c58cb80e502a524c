"""Figures: saving them, and the kinds of picture that many recipes draw."""

import textwrap
import typing
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path

import numpy as np
from matplotlib import rc_context
from matplotlib.animation import FuncAnimation, PillowWriter
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.figure import Figure
from matplotlib.image import AxesImage
from matplotlib.ticker import MaxNLocator

BLUE, ORANGE = "#0072B2", "#D55E00"  # colour-blind readers can tell these apart
COLOURS = (BLUE, ORANGE, "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
STYLES = ("-", "--", "-.", ":")
AGAINST_AND_FOR = LinearSegmentedColormap.from_list("", [ORANGE, "white", BLUE])
PER_INCH = 9  # characters of a title that an inch has room for


class Folder(typing.Protocol):
    """A folder that takes pictures, such as a RunFolder."""

    path: Path

    def write(self, name: str, save: Callable[[Path], object]) -> None:
        """Calls save(path) for a file that is to be called `name`."""


def save_figure(figure: Figure, run: Folder, name: str) -> None:
    """Writes the figure into the run folder, as PNG or SVG: its name says which.

    SVG suits lines, which stay sharp at any size, and PNG suits images. A box stands
    for a character that the font lacks, such as a Chinese one.
    """
    kind = name.rpartition(".")[2]
    # Without salt and date, each run of a recipe would write another SVG. Letters stay
    # letters, which takes a third of the bytes of their outlines and can be read aloud.
    settings: typing.Any = {"svg.hashsalt": name, "svg.fonttype": "none"}
    without_date = {"Date": None} if kind == "svg" else None

    def save(path: Path) -> None:
        with warnings.catch_warnings(), rc_context(settings):
            warnings.filterwarnings("ignore", "Glyph .* missing from")
            figure.savefig(path, dpi=120, format=kind, metadata=without_date)

    run.write(name, save)


def save_animation(
    figure: Figure,
    draw: Callable[[int], typing.Any],
    frames: int | Iterable[int],
    run: Folder,
    name: str,
    per_second: int = 12,
) -> None:
    """Writes an animated GIF: draw(frame) paints each of `frames` on the figure.

    frames: their number, or their numbers, where some are to appear more than once.
    """
    if isinstance(frames, int):
        frames = range(frames)
    frames = list(frames)
    FigureCanvasAgg(figure)
    draw(frames[0])
    figure.draw_without_rendering()  # places the axes, once for all frames
    figure.set_layout_engine("none")
    animation = FuncAnimation(figure, draw, frames=frames, init_func=lambda: None)
    run.write(name, lambda path: animation.save(path, PillowWriter(per_second)))


def panel(
    title: str, xlabel: str, ylabel: str, size: tuple[float, float] = (6, 4)
) -> tuple[Figure, Axes]:
    """(figure, axes) of a picture with one message, its title."""
    figure = Figure(figsize=size, layout="constrained")
    axes = figure.subplots()
    axes.set(title=in_lines(title, size[0]), xlabel=xlabel, ylabel=ylabel)
    return figure, axes


def in_lines(title: str, width: float) -> str:
    """The title in even lines, for which a picture of `width` inches has room."""
    most = max(12, int(PER_INCH * width))
    lines: list[str] = []
    for line in title.split("\n"):
        count = len(textwrap.wrap(line, most))
        narrowest = next(
            n for n in range(8, most + 1) if len(textwrap.wrap(line, n)) <= count
        )
        lines += textwrap.wrap(line, narrowest) or [""]
    return "\n".join(lines)


def draw_lines(
    lines: Mapping[str, tuple],
    title: str,
    xlabel: str,
    ylabel: str,
    run: Folder,
    name: str,
    **settings: typing.Any,
) -> None:
    """NAME: a picture of `lines`, {label: (x, y)}.

    settings: of the axes, such as yscale="log".
    """
    figure, axes = panel(title, xlabel, ylabel)
    for i, (label, (x, y)) in enumerate(lines.items()):
        style = STYLES[i % len(STYLES)]
        colour = COLOURS[i % len(COLOURS)]
        axes.plot(x, y, style, color=colour, label=label)
    if xlabel == "epoch":
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set(**settings)
    if "xticks" in settings:
        axes.minorticks_off()  # a log scale would add labels among these
    axes.grid(alpha=0.3)
    axes.legend(fontsize=9)
    save_figure(figure, run, name)


def draw_attention(
    maps: Sequence[np.ndarray] | np.ndarray,
    rows: Sequence[Sequence[str]],
    columns: Sequence[Sequence[str]],
    title: str,
    run: Folder,
) -> None:
    """attention.png: how much attention each row (a token written) pays each column.

    maps: a panel each; an array that begins with (len(row), len(column)) shares.
    rows, columns: for each panel, the labels of its rows and columns.
    """
    across = -(-len(maps) // 2)
    figure = Figure(figsize=(3 * across + 1, 6), layout="constrained")
    panels = figure.subplots(2, across, squeeze=False).flat
    for axes, shares, row, column in zip(panels, maps, rows, columns):
        image = attention_panel(axes, shares, row, column)
    figure.colorbar(image, ax=figure.axes, label="share of the attention", shrink=0.6)
    figure.suptitle(title)
    figure.supxlabel("read")
    figure.supylabel("written, from top to bottom")
    save_figure(figure, run, "attention.png")


def attention_panel(
    axes: Axes, shares: np.ndarray, row: Sequence[str], column: Sequence[str]
) -> AxesImage:
    """Draws how much attention each row pays each column; returns the image.

    shares: an array that begins with (len(row), len(column)) shares.
    """
    shares = shares[: len(row), : len(column)]
    image = axes.imshow(shares, cmap="Blues", vmin=0, vmax=1)
    has_words = max(map(len, column)) > 2  # level words would overlap
    axes.set_xticks(range(len(column)), column, rotation=90 if has_words else 0)
    axes.set_yticks(range(len(row)), row)
    return image


def draw_curves(history: Sequence[Mapping], run: Folder) -> None:
    """curves.png: loss and accuracy by epoch, on training and on validation data."""
    first = history[0]
    names = [name for name in first if f"val_{name}" in first]
    names = names or [name for name in first if name not in ("epoch", "seconds")]
    figure = Figure(figsize=(4.5 * len(names), 3.5), layout="constrained")
    panels = figure.subplots(1, len(names), squeeze=False)[0]
    for axes, name in zip(panels, names):
        _plot_by_epoch(axes, history, name, "training", BLUE)
        if f"val_{name}" in first:
            _plot_by_epoch(axes, history, f"val_{name}", "validation", ORANGE)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
        axes.set_xlabel("epoch")
        axes.set_ylabel(name)
        axes.grid(alpha=0.3)
        axes.legend()
        if name == "loss":
            axes.set_yscale("log")
    figure.suptitle("Learning curves")
    save_figure(figure, run, "curves.png")


def _plot_by_epoch(
    axes: Axes, history: Sequence[Mapping], name: str, label: str, colour: str
) -> None:
    epochs = [row["epoch"] for row in history]
    values = [row[name] for row in history]
    axes.plot(epochs, values, marker="o", ms=3, color=colour, label=label)
