"""A table of small pictures, drawn as one figure."""

from collections.abc import Sequence

import numpy as np

from cookbook.plots.figures import Folder, panel, save_figure

CELL = 96  # pixels per side of each picture in the table
STEP = CELL + 4  # from one picture to the next
COLUMNS = 8


def draw_picture_table(
    rows: Sequence[np.ndarray],
    title: str,
    run: Folder,
    name: str,
    labels: Sequence[str] = (),
    columns: Sequence[str] = (),
) -> None:
    """NAME.png: rows of RGB pictures, each row (N, H, W, 3), in cells of one size.

    labels: what stands beside the rows; columns: what stands below the columns.
    """
    table = np.ones((STEP * len(rows), STEP * COLUMNS, 3))
    for i, row in enumerate(rows):
        for j, picture in enumerate(row):
            top, left = STEP * i, STEP * j
            table[top : top + CELL, left : left + CELL] = _enlarged(picture)
    size = 0.9 * COLUMNS + 1.5, 0.9 * len(rows) + 0.9
    figure, axes = panel(title, "", "", size)
    axes.imshow(table)
    centres = CELL / 2 + STEP * np.arange(max(len(rows), COLUMNS))
    axes.set_yticks(centres[: len(labels)], labels)
    axes.set_xticks(centres[: len(columns)], columns, fontsize=8)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    save_figure(figure, run, f"{name}.png")


def _enlarged(picture: np.ndarray) -> np.ndarray:
    """The picture with CELL pixels per side, each a copy of the nearest one."""
    height, width = picture.shape[:2]
    down = np.arange(CELL) * height // CELL
    right = np.arange(CELL) * width // CELL
    return picture[down][:, right]
