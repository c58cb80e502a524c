"""Pictures of a classifier's answers: confusion matrix, right and wrong answers."""

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.colors import ListedColormap
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from cookbook.plots.figures import BLUE, ORANGE, Folder, in_lines, panel, save_figure

COLUMNS = 6
MOST_LETTERS = 6  # of the name of a class, to leave room beside it in a title
SMALL = 5  # classes: up to here, a title in one line is wider than the picture
RIGHT = ListedColormap(["#C6DFF0"])  # the ground of right answers, a pale blue
CENTRED: dict = {"ha": "center", "va": "center", "fontsize": 8}


def draw_confusion(
    labels: np.ndarray,
    predictions: np.ndarray,
    classes: Sequence[str],
    run: Folder,
) -> None:
    """confusion.png: counts by true and predicted class; mistakes are orange."""
    from sklearn.metrics import confusion_matrix

    numbers = range(len(classes))
    counts = confusion_matrix(labels, predictions, labels=numbers)
    mistakes = counts.copy()
    np.fill_diagonal(mistakes, 0)
    most = max(mistakes.max(), 1)
    side = 1.5 + 0.5 * len(classes)
    size = side + mistakes.any(), side  # with room for the scale

    found = mistakes.sum()
    total = counts.sum()
    title = _count_mistakes(found, total, len(classes))
    figure, axes = panel(title, "predicted class", "true class", size)
    image = axes.imshow(mistakes, cmap="Oranges", vmin=0, vmax=most)
    if mistakes.any():
        whole = MaxNLocator(6, integer=True)
        figure.colorbar(image, label="mistakes", shrink=0.7, ticks=whole)
    elsewhere = ~np.eye(len(classes), dtype=bool)
    diagonal = np.ma.masked_where(elsewhere, counts > 0)
    axes.imshow(diagonal, cmap=RIGHT)

    dark = 0.6 * most  # from here on, the ground is dark
    for (i, j), count in np.ndenumerate(counts):
        is_on_dark = mistakes[i, j] > dark
        if count:
            colour = "white" if is_on_dark else "black"
            axes.text(j, i, count, color=colour, **CENTRED)
    has_long_names = max(map(len, classes)) > 3
    rotation = 90 if has_long_names else 0
    axes.set_xticks(numbers, classes, rotation=rotation)
    axes.set_yticks(numbers, classes)
    save_figure(figure, run, "confusion.png")


def _count_mistakes(mistakes: int, total: int, classes: int) -> str:
    found = counted(mistakes, "mistake") if mistakes else "No mistake"
    gap = "\n" if classes <= SMALL else " "
    return f"{found}{gap}in {counted(total, 'test example')}"


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
    """mistakes.png: wrong answers, the surest first, and right but unsure ones.

    There are `count` images, or fewer if there are not so many.
    """
    predictions = probabilities.argmax(-1)
    confidence = probabilities.max(-1)
    wrong, right = telling_answers(labels, probabilities, count)
    shown = [*wrong, *right]

    is_long = max(map(len, classes)) > MOST_LETTERS
    between = "\n" if is_long else ", "  # a name and how sure the network is of it

    rows = math.ceil(len(shown) / COLUMNS)
    width = 1.25 * COLUMNS
    height = (1.8 if is_long else 1.6) * rows + 0.7
    size = width, height
    figure = Figure(figsize=size, layout="constrained")
    places = figure.subplots(rows, COLUMNS, squeeze=False).ravel()
    for axes in places:
        axes.set_axis_off()

    *_, channels = images.shape
    colours = "gray_r" if channels == 1 else None
    for axes, i in zip(places, shown):
        axes.imshow(images[i].squeeze(), cmap=colours)
        said = classes[predictions[i]]
        true = classes[labels[i]]
        is_wrong = i in wrong
        judged = f"not {true}" if is_wrong else "right"
        colour = ORANGE if is_wrong else BLUE
        title = f"{said}{between}{confidence[i]:.0%} sure\n{judged}"
        axes.set_title(title, fontsize=10, color=colour)

    total = np.sum(predictions != labels)
    title = _title_of_answers(total, len(wrong), len(right))
    figure.suptitle(in_lines(title, width))
    save_figure(figure, run, "mistakes.png")


def _title_of_answers(mistakes: int, wrong: int, right: int) -> str:
    """The title of a picture with `wrong` of the mistakes and `right` right answers."""
    if not mistakes:
        return f"No mistake: the {right} right answers that are least sure"
    if mistakes == 1:
        above = "The only mistake"
    elif wrong == mistakes:
        above = "Both mistakes" if mistakes == 2 else f"All {mistakes} mistakes"
    else:
        above = f"The {wrong} surest of {mistakes} mistakes"
    if not right:
        return above
    return f"{above} (orange), and the right answers that are least sure (blue)"


def telling_answers(
    labels: np.ndarray,
    probabilities: np.ndarray,
    count: int,
) -> tuple[np.ndarray, np.ndarray]:
    """Rows of wrong answers, the surest first, and of right ones, the least sure first.

    There are `count` in all, if there are as many, and a third of them are right.
    """
    confidence = probabilities.max(-1)
    is_wrong = probabilities.argmax(-1) != labels

    right = np.flatnonzero(~is_wrong)
    right = right[confidence[right].argsort(kind="stable")]
    wrong = np.flatnonzero(is_wrong)
    doubt = -confidence[wrong]
    wrong = wrong[doubt.argsort(kind="stable")]

    kept = min(count // 3, len(right))
    room = count - kept
    wrong = wrong[:room]
    return wrong, right[: count - len(wrong)]
