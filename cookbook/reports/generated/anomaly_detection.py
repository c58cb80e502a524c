"""Report on anomaly detection: how well scores find a class held out of training."""

import dataclasses
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from keras import ops
from matplotlib.axes import Axes
from matplotlib.figure import Figure, SubFigure

from cookbook.data.images import Images, centre
from cookbook.errors import fail
from cookbook.plots.figures import BLUE, ORANGE, draw_curves, draw_lines, save_figure
from cookbook.reports.finish import Expected, Run, finish, print_figures
from cookbook.training.run_folder import RunFolder

Scores = dict[str, np.ndarray]  # {name of a method: the score of each test image}
BATCH = 500  # images that a model answers at once
SHOWN = 12  # images of each kind in anomalies.png


@dataclasses.dataclass(frozen=True, kw_only=True)
class OddImages(Images):
    """An image set with one class as the anomaly: label 1; all others have label 0.

    Pixels go from -1 to 1. The parts train and validation lack the odd class.
    """

    odd: str  # the name of the odd class
    mixed: tuple  # the validation images, those of the odd class included


def odd_one_out(data: Images, odd: int) -> OddImages:
    """The image set with class number `odd` as the anomaly, held out of training."""
    count = len(data.classes)
    if odd >= count:
        fail(f"--odd-one got {odd}, expected a class of {data.name}: 0 to {count - 1}")
    parts = {}
    for name, (x, y) in centre(data).items():
        is_odd = y == odd
        parts[name] = x, is_odd.astype("int64")
    return OddImages(
        name=data.name,
        asked=data.asked,
        train=_normal(*parts["train"]),
        validation=_normal(*parts["validation"]),
        test=parts["test"],
        classes=("normal", "odd"),
        odd=data.classes[odd],
        mixed=parts["validation"],
    )


def _normal(x: np.ndarray, y: np.ndarray) -> tuple:
    """The images of a part that are not anomalies, and their labels."""
    rows = y == 0
    return x[rows], y[rows]


def in_batches(model: keras.Model) -> Callable[[np.ndarray], np.ndarray]:
    """The model as a function of any number of images.

    It calls the model itself: `predict` would compile each model anew for each number
    of images, and TensorFlow would warn of that.
    """

    def answers(images: np.ndarray) -> np.ndarray:
        parts = []
        for start in range(0, len(images), BATCH):
            y = model(images[start : start + BATCH], training=False)
            parts.append(ops.convert_to_numpy(y))
        return np.concatenate(parts)

    return answers


def report_anomalies(
    model: keras.Model,
    scores: dict[str, Callable],
    rebuild: Callable,
    data: OddImages,
    history: list[dict],
    run: RunFolder,
    expected: Expected,
) -> Run:
    """Measures the ROC AUC of each score on data.test, draws, and finishes the run.

    scores: {name: function}, the recipe's own first. A function takes images and
        returns a number for each, the larger the more anomalous the image looks.
    rebuild: rebuild(images) returns what the generator makes of the images.
    """
    from sklearn.metrics import roc_auc_score

    x, y = data.test
    found = {name: score(x) for name, score in scores.items()}
    areas = {name: roc_auc_score(y, values) for name, values in found.items()}
    own, *others = scores
    figures = {"ROC AUC": areas[own], "method": own, "odd class": data.odd}
    for name in others:
        figures[f"ROC AUC, {name}"] = areas[name]
    if "val_loss" in history[0]:  # after a search that part has been learned from
        x_mixed, y_mixed = data.mixed
        for name, score in scores.items():
            area = roc_auc_score(y_mixed, score(x_mixed))
            figures[f"validation ROC AUC, {name}"] = area
    print_figures(figures)

    draw_roc(found, y, areas, data.odd, run)
    draw_score_histograms(found, y, areas, data.odd, run)
    draw_anomalies(x, y, found[own], rebuild, data.odd, run)
    draw_curves(history, run)
    return finish(model, data, history, run, figures, expected)


def draw_roc(
    found: Scores,
    y: np.ndarray,
    areas: dict[str, float],
    odd: str,
    run: RunFolder,
) -> None:
    """Draws roc.png: the share of anomalies found, against the false alarms."""
    from sklearn.metrics import roc_curve

    curves: dict = {}
    for name, values in found.items():
        false_alarms, hits, _ = roc_curve(y, values)
        label = f"{name}: area {areas[name]:.3f}"
        curves[label] = 100 * false_alarms, 100 * hits
    curves["chance: area 0.5"] = [0, 100], [0, 100]
    draw_lines(
        curves,
        f"Test images of class {odd}, never learned, among the others",
        "false alarms (% of the normal)",
        f"found (% of class {odd})",
        run,
        "roc.png",
    )


def draw_score_histograms(
    found: Scores,
    y: np.ndarray,
    areas: dict[str, float],
    odd: str,
    run: RunFolder,
) -> None:
    """Draws scores.png: for each method, the scores of normal and of odd images."""
    size = (4 * len(found), 3.6)
    figure = Figure(figsize=size, layout="constrained")
    panels = figure.subplots(1, len(found), squeeze=False)
    for axes, (name, values) in zip(panels[0], found.items()):
        normal, anomalous = values[y == 0], values[y == 1]
        ends = [np.quantile(part, (0, 0.98)) for part in (normal, anomalous)]
        bins = np.linspace(np.min(ends), np.max(ends), 50)
        look = {"density": True, "alpha": 0.6}
        axes.hist(normal, bins, color=BLUE, label="normal", **look)
        axes.hist(anomalous, bins, color=ORANGE, label=f"class {odd}", **look)
        axes.set_title(f"{name}: area {areas[name]:.3f}")
        axes.set_xlabel("score")
        axes.set_yticks([])
        axes.legend()
    figure.suptitle("The less the two overlap, the better the score")
    save_figure(figure, run, "scores.png")


def draw_anomalies(
    x: np.ndarray,
    y: np.ndarray,
    score: np.ndarray,
    rebuild: Callable,
    odd: str,
    run: RunFolder,
) -> None:
    """Draws anomalies.png: the images with the highest and with the lowest scores.

    Under each image stands what the generator makes of it.
    """
    order = np.argsort(-score, kind="stable")
    parts = {
        "The most anomalous test images": order[:SHOWN],
        "The least anomalous": order[::-1][:SHOWN],
    }
    figure = Figure(figsize=(1.1 * SHOWN, 5.8), layout="constrained")
    halves: Any = figure.subfigures(2, 1)
    for half, (title, rows) in zip(halves, parts.items()):
        _draw_rows(half, x[rows], rebuild(x[rows]), y[rows], score[rows], odd)
        count = int(np.sum(y[rows]))
        half.suptitle(f"{title}, and what they became: {count} of class {odd}")
    save_figure(figure, run, "anomalies.png")


def _draw_rows(
    half: SubFigure,
    images: np.ndarray,
    rebuilt: np.ndarray,
    y: np.ndarray,
    score: np.ndarray,
    odd: str,
) -> None:
    """Draws a row of images, titled with score and class, and a row of rebuilt ones."""
    above, below = half.subplots(2, len(images))
    for i, axes in enumerate(above):
        _draw_image(axes, images[i])
        name, colour = (odd, ORANGE) if y[i] else ("normal", BLUE)
        axes.set_title(f"{score[i]:.3f}\n{name}", fontsize=8, color=colour)
    for axes, image in zip(below, rebuilt):
        _draw_image(axes, image)


def _draw_image(axes: Axes, image: np.ndarray) -> None:
    """Draws one image whose pixels go from -1 to 1, grey or of three channels."""
    if image.shape[-1] == 3:
        axes.imshow((image + 1) / 2)
    else:
        axes.imshow(image[..., 0], cmap="gray_r", vmin=-1, vmax=1)
    axes.set_axis_off()
