"""Picture of a review in which each word is coloured by its influence."""

from typing import Any

import keras
import numpy as np
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure

from cookbook.data.text.reviews import Reviews
from cookbook.data.text.words import UNKNOWN
from cookbook.plots.figures import AGAINST_AND_FOR, in_lines, save_figure
from cookbook.training.run_folder import RunFolder
from custom_layers.explanation import influence

STRONGEST = 0.4  # how far the colour of the strongest word is from white; 0.5 is full
LINE = 60  # characters, which a phone can show
SIZE = 10  # of the letters, in points
ADVANCE = 0.602 * SIZE / 72  # inches from one letter to the next
SPACING = 0.24  # inches from one line to the next
MARGIN = 0.2  # inches
FONT: dict[str, Any] = {
    "family": "DejaVu Sans Mono",  # which matplotlib brings
    "fontsize": SIZE,
    "va": "center",
}


def draw_review(
    model: keras.Model,
    data: Reviews,
    row: int,
    run: RunFolder,
) -> None:
    """Draws review.png: one review of the test set, with the influence of each word.

    row: of the review, in the test set.
    """
    x, y = data.test
    ids = x[row]
    ids = ids[ids != 0]
    label = y[row]
    influences = influence(model, ids, label, UNKNOWN)
    places = _laid_out(data.vocabulary.spell(ids))

    said = data.classes[label]
    count = 1 + max(line for line, _, _ in places)
    figure, axes, bar = _sheet(count)
    title = f"Words that make the model answer {said} (blue), and words against it"
    figure.suptitle(in_lines(title, figure.get_figwidth()), y=0.99, va="top")

    most = np.abs(influences).max() or 1
    for (line, start, word), value in zip(places, influences):
        shade = AGAINST_AND_FOR(0.5 + STRONGEST * value / most)
        box = {"facecolor": shade, "edgecolor": "none", "pad": 1.5}
        axes.text(start, line, word, bbox=box, **FONT)

    end = most / (2 * STRONGEST)
    scale = Normalize(-end, end)
    figure.colorbar(
        ScalarMappable(scale, AGAINST_AND_FOR),
        cax=bar,
        orientation="horizontal",
        label=f"log-odds of {said} due to the word",
    )
    save_figure(figure, run, "review.png")


def _sheet(count: int) -> tuple[Figure, Axes, Axes]:
    """(figure, axes for `count` lines, axes for the scale of colours)

    A unit of the first axes is a letter wide and a line high, so that words lie as far
    from each other as in any text.
    """
    width = LINE * ADVANCE + 2 * MARGIN
    top, lines, bottom = 0.55, SPACING * (count + 0.5), 0.85  # inches
    height = top + lines + bottom
    figure = Figure(figsize=(width, height))
    left, wide = MARGIN / width, 1 - 2 * MARGIN / width
    axes = figure.add_axes((left, bottom / height, wide, lines / height))
    axes.set(xlim=(0, LINE), ylim=(count - 0.4, -0.6))
    axes.set_axis_off()
    bar = figure.add_axes((left, 0.55 / height, wide, 0.13 / height))
    return figure, axes, bar


def _laid_out(words: list[str]) -> list[tuple[int, int, str]]:
    """(line, first column, word) of each word, in lines of up to LINE characters."""
    places = []
    line = 0
    column = 0
    for word in words:
        if column + len(word) > LINE:
            line += 1
            column = 0
        places.append((line, column, word))
        column += len(word) + 1
    return places
