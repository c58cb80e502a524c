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
    shape = len(rows), STEP, COLUMNS, STEP, 3
    table = np.ones(shape)  # white
    for i, row in enumerate(rows):
        for j, picture in enumerate(row):
            table[i, :CELL, j, :CELL] = _enlarged(picture)

    # Each picture takes 0.9 inches, and the labels the rest.
    width = 0.9 * COLUMNS + 1.5
    height = 0.9 * len(rows) + 0.9
    figure, axes = panel(title, "", "", (width, height))
    axes.imshow(table.reshape(STEP * len(rows), STEP * COLUMNS, 3))
    down, across = _centres(labels), _centres(columns)
    axes.set_yticks(down, labels)
    axes.set_xticks(across, columns, fontsize=8)
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    save_figure(figure, run, f"{name}.png")


def _centres(labels: Sequence[str]) -> np.ndarray:
    """The middle of the first cells in a row or a column, one for each label."""
    return CELL / 2 + STEP * np.arange(len(labels))


def _enlarged(picture: np.ndarray) -> np.ndarray:
    """The picture with CELL pixels per side, each a copy of the nearest one."""
    height, width = picture.shape[:2]
    down = np.arange(CELL) * height // CELL
    right = np.arange(CELL) * width // CELL
    stretched = picture[down]
    return stretched[:, right]
