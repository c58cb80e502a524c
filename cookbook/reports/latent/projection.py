"""Pictures of vectors in a plane."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from cookbook.plots.figures import Folder, save_figure


def draw_projection(
    points: np.ndarray,
    labels: np.ndarray,
    classes: Sequence[str],
    title: str,
    axes_names: tuple[str, str],
    run: Folder,
    name: str,
) -> None:
    """NAME: points (N, 2), each in the colour of its class, and the classes' names.

    The name of a class stands at the median of its points.
    """
    figure = Figure(figsize=(7, 6.4), layout="constrained")
    axes = figure.subplots()
    axes.set(title=title, xlabel=axes_names[0], ylabel=axes_names[1])
    colours = "tab10" if len(classes) <= 10 else "turbo"
    x, y = points.T
    axes.scatter(x, y, s=5, c=labels, cmap=colours, vmin=0, vmax=max(9, labels.max()))
    for label in np.unique(labels):
        middle_x, middle_y = np.median(points[labels == label], axis=0)
        box = {"facecolor": "white", "alpha": 0.8, "pad": 2, "edgecolor": "none"}
        text = classes[label]
        axes.text(
            middle_x, middle_y, text, ha="center", va="center", weight="bold", bbox=box
        )
    save_figure(figure, run, name)
