"""Pictures of descents: the paths that optimizers take over a function's surface."""

import itertools
from collections.abc import Callable, Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cookbook.plots.figures import COLOURS, save_animation, save_figure
from cookbook.training.run_folder import RunFolder

Surface = tuple[Callable, tuple[float, float]]  # f(x, y), and its largest x and y
HEIGHTS = np.geomspace(0.01, 1000, 11)  # where contour lines are drawn
GRID = 201  # points per side; the odd number makes (0, 0) one of them
STRIDE = 3  # steps from one picture of the animation to the next
ROWS = 2  # of panels, so that no panel has too many paths to be told apart


def draw_paths(
    surfaces: Mapping[str, Surface],
    paths: Mapping[str, Mapping[str, np.ndarray]],
    title: str,
    run: RunFolder,
    name: str,
    frames: int,
) -> None:
    """Draws an animation of paths, {name}.gif, and its last picture, {name}.png.

    A star marks each minimum, and a small black dot where the paths begin.

    Args:
        surfaces: {heading: surface}, a column of panels for each.
        paths: {heading: {label: path}}; a path has shape (steps, 2).
        title: the message of the picture.
        run: the run folder.
        name: the files' name in it, without the ending.
        frames: pictures of the animation.
    """
    count = len(surfaces)
    figure = Figure(figsize=(3.2 * count, 4.4 * ROWS))
    figure.set_layout_engine("constrained", rect=(0, 0, 1, 0.95))  # below the title
    places = figure.subplots(ROWS, count, squeeze=False)
    moving = []
    for column, (heading, surface) in zip(places.T, surfaces.items()):
        parts = _parts(paths[heading])
        for axes, part in zip(column, parts):
            _draw_surface(axes, *surface)
            axes.set(xlabel="x", ylabel="y", title=heading)
            moving += _lines(axes, part)

    def frame(i):
        step = STRIDE * i
        for line, path in moving:
            line.set_data(*path[: step + 1].T)
        figure.suptitle(f"{title} (step {step})")

    save_animation(figure, frame, frames, run, f"{name}.gif")
    save_figure(figure, run, f"{name}.png")


def _parts(paths: Mapping[str, np.ndarray]) -> list[list]:
    """ROWS parts of (label, path, colour), of which each panel shows one."""
    labelled = []
    for (label, path), colour in zip(paths.items(), COLOURS):
        labelled.append((label, path, colour))
    count = len(labelled)
    ends = [count * row // ROWS for row in range(ROWS + 1)]
    return [labelled[start:end] for start, end in itertools.pairwise(ends)]


def _lines(axes: Axes, part: list) -> list[tuple]:
    """(line, path) of each path that the panel shows; lines are still empty."""
    found = []
    for label, path, colour in part:
        x, y = path[0]
        axes.plot(x, y, "o", color="black", ms=4)
        (line,) = axes.plot(
            [],
            [],
            "o-",
            color=colour,
            lw=1.5,
            label=label,
            markevery=[-1],
        )
        found.append((line, path))
    axes.legend(
        fontsize=9,
        frameon=False,
        title="steps",
        loc="upper center",
        bbox_to_anchor=(0.5, -0.16),  # below the panel
    )
    return found


def _draw_surface(axes: Axes, f: Callable, sides: tuple[float, float]) -> None:
    """Contour lines of f, and a star at each of its lowest places."""
    x, y = (np.linspace(-side, side, GRID) for side in sides)
    heights = f(*np.meshgrid(x, y))
    axes.contour(x, y, heights, HEIGHTS, colors="#CCCCCC")
    is_lowest = heights < heights.min() + 1e-9
    for row, column in np.argwhere(is_lowest):
        axes.plot(x[column], y[row], "*", color="black", ms=14, mfc="#F0E442")
