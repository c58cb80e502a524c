"""The data card in the run folder: data_card.json, and data.png with examples."""

import dataclasses
import json
from pathlib import Path
from typing import Any

import numpy as np

from cookbook.plots.figures import Folder, panel, save_figure
from cookbook.plots.picture_table import COLUMNS, draw_picture_table

ROWS = 8  # classes that the picture shows
LOOKED_AT = 20_000  # rows among which examples are looked for


def write_card(data: Any, run: Folder) -> None:
    """Writes the card of a data set that was read from the user's files, if it has one.

    data: a DataSet. data.png shows pictures of each class or, of texts, how many
        examples each class has.
    """
    card = data.card
    if card is None:
        return
    text = json.dumps(dataclasses.asdict(card), indent=2, ensure_ascii=True)

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
    labels = y[:LOOKED_AT] if y.ndim == 1 else y[:LOOKED_AT].argmax(-1)
    rows, names = [], []
    for label in range(min(ROWS, len(classes))):
        places = np.flatnonzero(labels == label)[:COLUMNS]
        if len(places):
            rows.append(_in_colour(x[places]))
            names.append(classes[label])
    if rows:
        draw_picture_table(rows, "Examples to learn from", run, "data", names)


def _in_colour(pictures: np.ndarray) -> np.ndarray:
    """Pictures as RGB from 0 to 1; floats are from -1 to 1, the range of a tanh."""
    scaled = pictures / 255 if pictures.dtype == np.uint8 else (pictures + 1) / 2
    return np.broadcast_to(scaled, (*scaled.shape[:3], 3))


def _draw_counts(card: Any, run: Folder) -> None:
    """Bars for the largest classes."""
    counts = [*card.counts["train"].items()][: 3 * ROWS]
    names = [name if len(name) < 30 else f"{name[:27]}..." for name, _ in counts]
    figure, axes = panel(
        f"{card.what} to learn from", "", "", (7, 1.2 + len(names) / 4)
    )
    axes.barh(range(len(names)), [count for _, count in counts])
    axes.set_yticks(range(len(names)), names)
    axes.invert_yaxis()
    save_figure(figure, run, "data.png")
