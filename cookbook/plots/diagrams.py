"""Diagrams: small networks with the numbers of their units and edges."""

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from cookbook.plots.figures import BLUE, ORANGE, Folder, in_lines, save_figure

Layer = Mapping[str, np.ndarray]  # "in", "w", "b" and "out", see draw_networks
MOST_EDGES = 40  # of a network whose weights can be read
WIDTH = 6.0  # inches
HEIGHT = 3.6  # inches of a network
ALONG = 0.36  # where on an edge its weight stands; half way, edges cross
MIDDLE: dict = {
    "ha": "center",
    "va": "center",
    "fontsize": 9,
}
FRAME: dict = {
    "facecolor": "white",
    "edgecolor": "none",
    "pad": 0.5,
}


def draw_networks(
    networks: Mapping[str, Sequence[Layer]],
    title: str,
    run: Folder,
    name: str,
) -> None:
    """Draws networks: units with their answers and biases, edges with their weights.

    Networks of more than MOST_EDGES weights are not drawn: nobody could read them.

    Args:
        networks: {heading: layers}, a panel for each. A layer has what it gets, "in"
            (inputs,), its weights "w" (units, inputs), its biases "b" (units,) and what
            it answers, "out" (units,).
        title: the message of the picture.
        run: the run folder.
        name: the file's name in it.
    """
    for layers in networks.values():
        edges = [layer["w"].size for layer in layers]
        if sum(edges) > MOST_EDGES:
            return
    count = len(networks)
    size = WIDTH, HEIGHT * count + 0.5
    figure = Figure(figsize=size, layout="constrained")
    places = figure.subplots(count, 1, squeeze=False).ravel()
    for axes, heading in zip(places, networks):
        _draw_network(axes, networks[heading])
        axes.set_title(heading)
    figure.suptitle(in_lines(title, WIDTH))
    save_figure(figure, run, name)


def _draw_network(axes: Axes, layers: Sequence[Layer]) -> None:
    inputs = layers[0]["in"]
    places = _heights(len(inputs))
    for height, value in zip(places, inputs):
        _draw_unit(axes, 0, height, f"{value:.3g}")

    for right, layer in enumerate(layers, 1):
        below = places
        places = _heights(len(layer["out"]))
        for height, weights in zip(places, layer["w"]):
            for start, weight in zip(below, weights):
                _draw_edge(axes, right, start, height, weight)
        for height, value, bias in zip(places, layer["out"], layer["b"]):
            text = f"{value:.3g}\nb {bias:.3g}"
            _draw_unit(axes, right, height, text)

    end = len(layers)
    axes.set_xlim(-0.25, end + 0.25)
    axes.set_ylim(-1.4, 1.4)
    axes.set_axis_off()


def _draw_unit(axes: Axes, x: int, y: float, text: str) -> None:
    axes.plot(x, y, "o", ms=44, mfc="white", mec="black")
    axes.text(x, y, text, **MIDDLE)


def _draw_edge(axes: Axes, right: int, start: float, end: float, weight: float) -> None:
    """A line that ends at (right, end): blue above 0, and the wider the larger."""
    left = right - 1
    colour = BLUE if weight > 0 else ORANGE
    width = min(0.8 + 1.5 * abs(weight), 4)
    axes.plot(
        [left, right],
        [start, end],
        color=colour,
        lw=width,
        zorder=0,
    )
    x = left + ALONG
    y = start + ALONG * (end - start)
    axes.text(x, y, f"{weight:.4g}", bbox=FRAME, **MIDDLE)


def _heights(count: int) -> np.ndarray:
    """Where the units of a layer stand, from above."""
    if count == 1:
        return np.zeros(1)
    return np.linspace(1, -1, count)
