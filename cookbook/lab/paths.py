"""Pictures of descents: the paths that optimizers take over a function's surface."""

from collections.abc import Callable, Mapping

import numpy as np
from matplotlib.figure import Figure

from cookbook.plots.figures import COLOURS, save_animation, save_figure
from cookbook.training.run_folder import RunFolder

Surface = tuple[Callable, tuple[float, float]]  # f(x, y), and its largest x and y
HEIGHTS = np.geomspace(0.01, 1000, 11)  # where contour lines are drawn
STRIDE = 3  # steps from one picture of the animation to the next


def draw_paths(
    surfaces: Mapping[str, Surface],
    paths: Mapping[str, Mapping[str, np.ndarray]],
    title: str,
    run: RunFolder,
    name: str,
    frames: int,
) -> None:
    """Draws an animation of paths, {name}.gif, and its last picture, {name}.png.

    Args:
        surfaces: {heading: surface}, a panel for each.
        paths: {heading: {label: path}}; a path has shape (steps, 2).
        title: the message of the picture.
        run: the run folder.
        name: the files' name in it, without the ending.
        frames: pictures of the animation.
    """
    count = len(surfaces)

    figure = Figure(figsize=(3.5 * count, 4), layout="constrained")
    (places,) = figure.subplots(1, count, squeeze=False)
    moving = []
    for axes, (heading, (f, sides)) in zip(places, surfaces.items()):
        _draw_contours(axes, f, sides)
        axes.set(xlabel="x", ylabel="y", title=heading)
        for (label, path), colour in zip(paths[heading].items(), COLOURS):
            (line,) = axes.plot([], [], "o-", color=colour, markevery=[-1], label=label)
            moving.append((line, path))

        axes.legend(fontsize=7, markerscale=0.6, loc="lower right", title="steps")

    def frame(i):
        step = STRIDE * i
        for line, path in moving:
            line.set_data(*path[: step + 1].T)
        figure.suptitle(f"{title} (step {step})")

    save_animation(figure, frame, frames, run, f"{name}.gif")
    save_figure(figure, run, f"{name}.png")


def _draw_contours(axes, f, sides):
    width, height = sides
    x, y = np.meshgrid(
        np.linspace(-width, width, 200),
        np.linspace(-height, height, 200),
    )
    axes.contour(x, y, f(x, y), HEIGHTS, colors="#BBBBBB")
