"""Pictures of a classifier's mistakes: confusion matrix, most confident mistakes."""

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from cookbook.plots.figures import Folder, panel, save_figure

COLUMNS = 8
SMALL = 5  # classes: up to here, a title in one line is wider than the picture
CENTRED: dict = {"ha": "center", "va": "center", "fontsize": 8}


def draw_confusion(
    labels: np.ndarray,
    predictions: np.ndarray,
    classes: Sequence[str],
    run: Folder,
) -> None:
    """confusion.png: counts by true and predicted class, mistakes in colour."""
    from sklearn.metrics import confusion_matrix

    numbers = range(len(classes))
    counts = confusion_matrix(labels, predictions, labels=numbers)
    mistakes = counts.copy()
    np.fill_diagonal(mistakes, 0)
    side = 1.5 + 0.5 * len(classes)
    found = counted(mistakes.sum(), "mistake")
    total = counted(counts.sum(), "test example")
    size = side + 1, side

    gap = " "
    if len(classes) <= SMALL:
        gap = "\n"
    title = f"{found}{gap}in {total}"

    figure, axes = panel(title, "predicted class", "true class", size)
    image = axes.imshow(mistakes, cmap="Oranges")
    dark = 0.6 * max(mistakes.max(), 1)  # from here on, the ground is dark
    for (i, j), count in np.ndenumerate(counts):
        is_on_dark = mistakes[i, j] > dark
        if count:
            colour = "white" if is_on_dark else "black"
            axes.text(j, i, count, color=colour, **CENTRED)
    has_long_names = max(map(len, classes)) > 3
    rotation = 90 if has_long_names else 0
    axes.set_xticks(numbers, classes, rotation=rotation)
    axes.set_yticks(numbers, classes)
    figure.colorbar(image, label="mistakes", shrink=0.7)
    save_figure(figure, run, "confusion.png")


def counted(count: int, what: str) -> str:
    """A number with its noun: "1 mistake", "2 mistakes"."""
    if count == 1:
        return f"1 {what}"
    return f"{count} {what}s"


def draw_mistakes(
    images: np.ndarray,
    labels: np.ndarray,
    probabilities: np.ndarray,
    classes: Sequence[str],
    run: Folder,
    count: int = 24,
) -> None:
    """mistakes.png: the wrong answers of which the model was most confident."""
    predictions = probabilities.argmax(-1)
    confidence = probabilities.max(-1)
    worst = worst_mistakes(labels, probabilities, count)
    rows = math.ceil(len(worst) / COLUMNS)
    rows = max(1, rows)
    width = 1.35 * COLUMNS
    height = 1.7 * rows + 0.5
    size = width, height
    figure = Figure(figsize=size, layout="constrained")
    for axes in figure.subplots(rows, COLUMNS, squeeze=False).flat:
        axes.set_axis_off()
    colours = None
    if images.shape[-1] == 1:
        colours = "gray_r"
    for axes, i in zip(figure.axes, worst):
        axes.imshow(images[i].squeeze(), cmap=colours)
        said = classes[predictions[i]]
        true = classes[labels[i]]
        title = f"{said} {confidence[i]:.0%}\ntrue {true}"
        axes.set_title(title, fontsize=8)
    total = (predictions != labels).sum()
    if total == 1:
        figure.suptitle("The only mistake: answer, confidence")
    elif total:
        shown = f"The {len(worst)} most confident of {total} mistakes"
        figure.suptitle(f"{shown}: answer, confidence")
    else:
        figure.suptitle("No mistakes")
    save_figure(figure, run, "mistakes.png")


def worst_mistakes(
    labels: np.ndarray,
    probabilities: np.ndarray,
    count: int,
) -> np.ndarray:
    """The rows of at most `count` wrong answers, the most confident ones first."""
    confidence = probabilities.max(-1)
    is_wrong = probabilities.argmax(-1) != labels
    wrong = np.flatnonzero(is_wrong)
    order = np.argsort(-confidence[wrong])
    return wrong[order][:count]
