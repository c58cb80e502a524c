"""Pictures of a classifier's mistakes: confusion matrix, most confident mistakes."""

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure

from cookbook.plots.figures import Folder, save_figure

COLUMNS = 8


def draw_confusion(
    labels: np.ndarray, predictions: np.ndarray, classes: Sequence[str], run: Folder
) -> None:
    """confusion.png: counts by true and predicted class, mistakes in colour."""
    from sklearn.metrics import confusion_matrix

    counts = confusion_matrix(labels, predictions, labels=range(len(classes)))
    mistakes = counts * (1 - np.eye(len(classes), dtype=int))
    side = 1.5 + 0.5 * len(classes)
    figure = Figure(figsize=(side + 1, side), layout="constrained")
    axes = figure.subplots()
    image = axes.imshow(mistakes, cmap="Oranges")
    dark = 0.6 * max(mistakes.max(), 1)  # from here on, the ground is dark
    for (i, j), count in np.ndenumerate(counts):
        if count:
            colour = "white" if mistakes[i, j] > dark else "black"
            axes.text(j, i, count, ha="center", va="center", fontsize=8, color=colour)
    has_long_names = max(map(len, classes)) > 3
    rotation = 90 if has_long_names else 0
    axes.set_xticks(range(len(classes)), classes, rotation=rotation)
    axes.set_yticks(range(len(classes)), classes)
    axes.set_xlabel("predicted class")
    axes.set_ylabel("true class")
    axes.set_title(f"{mistakes.sum()} mistakes in {counts.sum()} test examples")
    figure.colorbar(image, label="mistakes", shrink=0.7)
    save_figure(figure, run, "confusion.png")


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
    wrong = np.flatnonzero(predictions != labels)
    worst = wrong[np.argsort(-confidence[wrong])][:count]
    rows = max(1, -(-len(worst) // COLUMNS))
    figure = Figure(figsize=(1.35 * COLUMNS, 1.7 * rows + 0.5), layout="constrained")
    for axes in figure.subplots(rows, COLUMNS, squeeze=False).flat:
        axes.set_axis_off()
    colours = "gray_r" if images.shape[-1] == 1 else None
    for axes, i in zip(figure.axes, worst):
        axes.imshow(images[i].squeeze(), cmap=colours)
        said, true = classes[predictions[i]], classes[labels[i]]
        axes.set_title(f"{said} {confidence[i]:.0%}\ntrue {true}", fontsize=8)
    if len(worst):
        shown = f"The {len(worst)} most confident of {len(wrong)} mistakes"
        figure.suptitle(f"{shown}: answer, confidence")
    else:
        figure.suptitle("No mistakes")
    save_figure(figure, run, "mistakes.png")
