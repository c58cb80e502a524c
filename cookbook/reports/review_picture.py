"""Picture of a review in which each word is coloured by its influence."""

from typing import Any

import keras
import numpy as np
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LinearSegmentedColormap, Normalize

from cookbook.data.text.reviews import Reviews
from cookbook.data.text.words import UNKNOWN
from cookbook.plots.figures import BLUE, ORANGE, panel, save_figure
from cookbook.training.run_folder import RunFolder
from custom_layers.explanation import influence

FOR_AND_AGAINST = LinearSegmentedColormap.from_list("", [ORANGE, "white", BLUE])
STRONGEST = 0.4  # how far the colour of the strongest word is from white; 0.5 is full
LINE = 80  # characters
FONT: dict[str, Any] = {"family": "monospace", "fontsize": 9.5, "va": "center"}


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
    title = f"Words that make the model answer {said} to a test review"
    height = 0.28 * count + 1.6
    figure, axes = panel(title, "", "", size=(9, height))
    axes.set_xlim(0, LINE + 4)
    axes.set_ylim(count - 0.4, -0.6)
    axes.set_axis_off()

    most = np.abs(influences).max() or 1
    for (line, start, word), value in zip(places, influences):
        shade = FOR_AND_AGAINST(0.5 + STRONGEST * value / most)
        box = {"facecolor": shade, "edgecolor": "none", "pad": 1}
        axes.text(start, line, word, bbox=box, **FONT)

    end = most / (2 * STRONGEST)
    scale = Normalize(-end, end)
    figure.colorbar(
        ScalarMappable(scale, FOR_AND_AGAINST),
        ax=axes,
        orientation="horizontal",
        aspect=60,
        label=f"log-odds of {said} due to the word",
    )
    save_figure(figure, run, "review.png")


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
