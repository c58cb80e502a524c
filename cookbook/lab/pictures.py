"""Pictures of several experiments: panels with lines, and regions of the plane."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import keras
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cookbook.plots.figures import (
    BLUE,
    COLOURS,
    ORANGE,
    in_lines,
    panel,
    save_figure,
)
from cookbook.training.run_folder import RunFolder

Lines = Mapping[str, tuple[Any, Any]]  # {label: (x, y)}
Styles = Mapping[str, Mapping[str, Any]]  # {label: arguments of plot}
PALE_BLUE, PALE_ORANGE = "#C6DFF0", "#F9D9C4"
DASHES = ("-", "--", "-.", ":")
MOST_REGIONS = 3  # panels side by side


def moving_average(values: np.ndarray, count: int) -> np.ndarray:
    """The mean of every `count` neighbouring values."""
    return np.convolve(values, np.ones(count) / count, "valid")


def draw_panels(
    panels: Mapping[str, Lines],
    title: str,
    xlabel: str,
    ylabel: str,
    run: RunFolder,
    name: str,
    columns: int = 2,
    size: tuple[float, float] = (2.7, 2.4),
    styles: Styles | None = None,
    share: bool = True,
    **settings: Any,
) -> None:
    """Draws a picture with a panel for each entry of {heading: {label: (x, y)}}.

    Where all panels have the same labels, one legend below them explains these;
    otherwise every panel has its own.

    Args:
        panels: the headings and the lines of the panels.
        title: the message of the picture.
        xlabel: the label of every panel's x axis.
        ylabel: the label of every panel's y axis.
        run: the run folder.
        name: the file's name in it.
        columns: panels side by side.
        size: width and height of a panel in inches.
        styles: {label: arguments of `plot`}, for lines that need a style of their own.
        share: whether all panels have the same range of y.
        settings: further properties of the axes, such as yscale="log".
    """
    rows = -(-len(panels) // columns)  # rounded up
    width, height = size
    # a margin for the legend, and one for the title
    figsize = (columns * width, rows * height + 1)
    figure = Figure(figsize=figsize, layout="constrained")
    places = figure.subplots(rows, columns, sharex=True, sharey=share, squeeze=False)
    used = places.flat[: len(panels)]
    unused = places.flat[len(panels) :]

    for axes, (heading, lines) in zip(used, panels.items()):
        _draw_panel(axes, lines, styles or {})
        axes.set(title=heading, **settings)
    for axes in unused:
        axes.set_axis_off()

    labels = {tuple(lines) for lines in panels.values()}
    if len(labels) == 1:
        handles = used[0].get_legend_handles_labels()
        figure.legend(*handles, fontsize=9, loc="outside lower center", ncols=4)
    else:
        for axes in used:
            axes.legend(fontsize=8)

    figure.suptitle(in_lines(title, figsize[0]))
    for axes in used[-columns:]:  # a label of the figure would lie on the legend
        axes.set_xlabel(xlabel)
    figure.supylabel(ylabel, fontsize="medium")
    save_figure(figure, run, name)


def _draw_panel(axes: Axes, lines: Lines, styles: Styles) -> None:
    for i, (label, (x, y)) in enumerate(lines.items()):
        style = {
            "color": COLOURS[i % len(COLOURS)],
            "ls": DASHES[i % len(DASHES)],
            **styles.get(label, {}),
        }
        axes.plot(x, y, label=label, **style)
    axes.tick_params(labelbottom=True)
    axes.grid(alpha=0.3)


def draw_bars(
    bars: Mapping[str, Any],
    names: Sequence[str],
    title: str,
    label: str,
    run: RunFolder,
    name: str,
    **settings: Any,
) -> None:
    """Draws horizontal bars with their values, in groups: one for each of `names`.

    Args:
        bars: {label of the colour: a value for each of `names`}.
        names: the names of the groups.
        title: the message of the picture.
        label: what the length of a bar means.
        run: the run folder.
        name: the file's name in it.
        settings: properties of the axes, such as xscale="log".
    """
    count = len(bars) * len(names)
    tall = min(1.2 + 0.26 * count, 14)  # inches
    figure, axes = panel(title, label, "", size=(6, tall))
    middles = np.arange(len(names))
    height = 0.8 / len(bars)
    for i, (group, values) in enumerate(bars.items()):
        places = middles - 0.4 + (i + 0.5) * height
        drawn = axes.barh(places, values, height, color=COLOURS[i], label=group)
        shown = [f"{value:.3g}" for value in values]
        axes.bar_label(drawn, shown, padding=3, fontsize=9)

    axes.set_yticks(middles, names)
    axes.invert_yaxis()
    axes.grid(alpha=0.3, axis="x")
    axes.set(**settings)
    axes.margins(x=0.15)
    figure.legend(loc="outside lower center", ncols=len(bars), fontsize=9)
    save_figure(figure, run, name)


def draw_heat_map(
    values: np.ndarray,
    rows: Sequence,
    columns: Sequence | np.ndarray,
    labels: tuple[str, str, str],
    title: str,
    run: RunFolder,
    name: str,
) -> None:
    """Draws a table of numbers as colours, with a dot on the largest of each row.

    Args:
        values: the numbers, (rows, columns).
        rows: what is written beside the rows, from below.
        columns: the number of each column; every fifth is written below it.
        labels: what the columns, the rows and the colours are.
        title: the message of the picture.
        run: the run folder.
        name: the file's name in it.
    """
    xlabel, ylabel, meaning = labels
    figure, axes = panel(title, xlabel, ylabel, size=(8, 3.2))
    image = axes.imshow(values, "cividis", aspect="auto", origin="lower")
    axes.plot(values.argmax(1), range(len(rows)), "o", color="black", ms=8)

    places = range(0, len(columns), 5)
    axes.set_xticks(places, [f"{columns[place]:g}" for place in places])
    axes.set_yticks(range(len(rows)), rows)
    figure.colorbar(image, label=f"{meaning}\n(dot: the best)")
    save_figure(figure, run, name)


def draw_regions(
    networks: Mapping[str, Callable],
    x,
    y,
    title: str,
    run: RunFolder,
    name: str,
) -> None:
    """Draws where networks of two inputs answer 0 (orange) and 1 (blue).

    Args:
        networks: {heading: network}, a panel for each.
        x: points of the plane, (B, 2), drawn into every panel.
        y: their classes, 0 or 1.
        title: the message of the picture.
        run: the run folder.
        name: the file's name in it.
    """
    rows = -(-len(networks) // MOST_REGIONS)  # rounded up
    columns = -(-len(networks) // rows)
    size = 2.7 * columns, 2.9 * rows + 0.5
    figure = Figure(figsize=size, layout="constrained")

    line = np.linspace(-1.1, 1.1, 150) * np.abs(x).max()
    grid = np.stack(np.meshgrid(line, line), -1)  # (150, 150, 2)
    points = grid.reshape(-1, 2)
    places = figure.subplots(rows, columns, sharex=True, sharey=True, squeeze=False)
    for axes in places.flat:
        axes.set_axis_off()
    for axes, (heading, network) in zip(places.ravel(), networks.items()):
        axes.set_axis_on()
        answer = keras.ops.convert_to_numpy(network(points))
        answer = answer.reshape(150, 150)
        colours = [PALE_ORANGE, PALE_BLUE]
        axes.contourf(line, line, answer, [0, 0.5, 1], colors=colours)
        for label, marker, colour in ((0, "o", ORANGE), (1, "^", BLUE)):
            of_class = x[y == label].T
            axes.scatter(
                *of_class,
                s=9,
                marker=marker,
                color=colour,
                lw=0,
            )
        axes.set(xlabel="x1", ylabel="x2", aspect="equal")
        axes.set_title(heading, fontsize=10)
        axes.tick_params(labelbottom=True)
    figure.suptitle(in_lines(title, figure.get_figwidth()))
    save_figure(figure, run, name)
