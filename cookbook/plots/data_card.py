"""The data card in the run folder: data_card.json, and data.png with examples."""

import dataclasses
import itertools
import json
import textwrap
from pathlib import Path
from typing import Any

import numpy as np

from cookbook.plots.figures import Folder, panel, save_figure
from cookbook.plots.picture_table import COLUMNS, draw_picture_table

ROWS = 8  # classes that the picture shows
BARS = 24  # classes whose sizes it shows
LOOKED_AT = 20_000  # rows among which examples are looked for


def write_card(data: Any, run: Folder) -> None:
    """Writes the card of a data set that was read from the user's files, if it has one.

    data: a DataSet. data.png shows pictures of each class or, of texts, how many
        examples each class has.
    """
    card = data.card
    if card is None:
        return
    facts = dataclasses.asdict(card)
    text = json.dumps(facts, indent=2)

    def save(path: Path) -> None:
        path.write_text(text, encoding="utf-8")

    run.write("data_card.json", save)

    x, y = data.train
    if getattr(x, "ndim", 0) == 4:
        _draw_pictures(x, y, data.classes, run)
    elif len(card.counts["train"]) > 1:
        _draw_counts(card, run)


def _draw_pictures(x: Any, y: np.ndarray, classes: Any, run: Folder) -> None:
    """A row of pictures for each of the first classes."""
    labels = y[:LOOKED_AT]
    if labels.ndim == 2:  # a row of 0s with a 1 at the class
        labels = labels.argmax(-1)

    rows, names = [], []
    for label, name in enumerate(classes[:ROWS]):
        places = np.flatnonzero(labels == label)
        if len(places):
            some = x[places[:COLUMNS]]
            rows.append(_in_colour(some))
            names.append(name)

    if rows:
        draw_picture_table(rows, "Examples to learn from", run, "data", names)


def _in_colour(pictures: np.ndarray) -> np.ndarray:
    """Pictures as RGB from 0 to 1; floats are from -1 to 1, the range of a tanh."""
    if pictures.dtype == np.uint8:
        scaled = pictures / 255
    else:
        scaled = (pictures + 1) / 2
    N, H, W, _ = scaled.shape
    return np.broadcast_to(scaled, (N, H, W, 3))


def _draw_counts(card: Any, run: Folder) -> None:
    """Bars for the largest classes."""
    ranking = itertools.islice(card.counts["train"].items(), BARS)
    names, counts = zip(*ranking)
    size = 7, 1.2 + len(names) / 4  # inches
    title = f"{card.what} to learn from".capitalize()
    figure, axes = panel(title, "", "", size)

    places = range(len(names))
    axes.barh(places, counts)
    axes.set_yticks(places, [textwrap.shorten(name, 30) for name in names])
    axes.invert_yaxis()
    save_figure(figure, run, "data.png")
