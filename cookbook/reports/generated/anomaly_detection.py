"""Anomalies: a class that is never learned, and how well scores pick it out."""

import dataclasses

import numpy as np
from matplotlib.figure import Figure

from cookbook.data.images import Images, centre
from cookbook.errors import fail
from cookbook.plots.figures import BLUE, ORANGE, draw_curves, draw_lines, save_figure
from cookbook.reports.finish import finish


@dataclasses.dataclass(frozen=True, kw_only=True)
class OddImages(Images):
    """Images from -1 to 1, labelled 1 if of the odd class, which is an anomaly, else 0.

    train and validation, which training may join, hold none of it.
    """

    odd: str  # name of the odd class
    mixed: tuple  # validation images with the odd class's among them


def odd_one_out(data, odd):
    """The image set with class number `odd` as the anomaly."""
    count = len(data.classes)
    if odd >= count:
        fail(f"--odd-one got {odd}, expected a class of {data.name}: 0 to {count - 1}")
    parts = {
        name: (x, (y == odd).astype("int64")) for name, (x, y) in centre(data).items()
    }
    normal = {name: _normal(*parts[name]) for name in ("train", "validation")}
    return OddImages(
        name=data.name,
        asked=data.asked,
        **normal,
        test=parts["test"],
        classes=("normal", "odd"),
        odd=data.classes[odd],
        mixed=parts["validation"],
    )


def _normal(x, y):
    return x[y == 0], y[y == 0]


def plane_distance(x, size):
    """A function: mean square distance of images to the plane that x lies nearest to.

    (1/n) |(x - m) - V V^T (x - m)|^2, V the first `size` principal axes, m the mean

    Paper: Pearson, "On lines and planes of closest fit to systems of points in space",
    1901. https://doi.org/10.1080/14786440109462720
    """
    flat = x.reshape(len(x), -1).astype("float64")
    m = flat.mean(0)
    _, vectors = np.linalg.eigh((flat - m).T @ (flat - m))  # by rising eigenvalue
    V = vectors[:, -size:]

    def distance(images):
        apart = images.reshape(len(images), -1) - m
        return np.mean(np.square(apart - apart @ V @ V.T), axis=-1)

    return distance


def in_batches(model):
    """The model as a function of any number of images."""
    return lambda images: model.predict(images, batch_size=500, verbose=0)


def report_anomalies(model, scores, rebuild, data, history, run, expected):
    """The ROC AUC of each of `scores` on data.test, the pictures, and `finish`.

    scores: {name: images -> numbers, larger for what looks more anomalous}, the
    recipe's own first; rebuild(images): what the generator makes of them.
    """
    from sklearn.metrics import roc_auc_score, roc_curve

    x, y = data.test
    found = {name: score(x) for name, score in scores.items()}
    areas = {name: roc_auc_score(y, values) for name, values in found.items()}
    own = next(iter(scores))
    figures = {"ROC AUC": areas[own], "method": own, "odd class": data.odd}
    figures.update((f"ROC AUC, {name}", areas[name]) for name in list(scores)[1:])
    if "val_loss" in history[0]:  # else, as after a search, that part was learned
        x_mixed, y_mixed = data.mixed
        for name, score in scores.items():
            area = roc_auc_score(y_mixed, score(x_mixed))
            figures[f"validation ROC AUC, {name}"] = area
    for name, value in figures.items():
        print(f"{name:<40}{value if isinstance(value, str) else round(value, 4)}")
    curves = {}
    for name, values in found.items():
        false, true, _ = roc_curve(y, values)
        curves[f"{name}: area {areas[name]:.3f}"] = 100 * false, 100 * true
    curves["chance: area 0.5"] = [0, 100], [0, 100]
    title = f"Test images of class {data.odd}, never learned, among the others"
    axes = "false alarms (% of the normal)", f"found (% of class {data.odd})"
    draw_lines(curves, title, *axes, run, "roc.png")
    draw_score_histograms(found, y, areas, data.odd, run)
    draw_anomalies(x, y, found[own], rebuild, data.odd, run)
    draw_curves(history, run)
    return finish(model, data, history, run, figures, expected)


def draw_score_histograms(found, y, areas, odd, run):
    """scores.png: of each of `found`, {name: scores}, the normal and the odd apart."""
    figure = Figure(figsize=(4 * len(found), 3.6), layout="constrained")
    panels = figure.subplots(1, len(found), squeeze=False)[0]
    for axes, (name, values) in zip(panels, found.items()):
        shown = [np.quantile(values[y == label], (0, 0.98)) for label in (0, 1)]
        bins = np.linspace(np.min(shown), np.max(shown), 50)
        for label, colour, text in ((0, BLUE, "normal"), (1, ORANGE, f"class {odd}")):
            axes.hist(
                values[y == label],
                bins,
                density=True,
                alpha=0.6,
                color=colour,
                label=text,
            )
        axes.set(title=f"{name}: area {areas[name]:.3f}", xlabel="score", yticks=[])
        axes.legend()
    figure.suptitle("The less the two overlap, the better the score")
    save_figure(figure, run, "scores.png")


def draw_anomalies(x, y, score, rebuild, odd, run, count=12):
    """anomalies.png: highest and lowest scores; under each image what it became."""
    order = np.argsort(-score, kind="stable")
    figure = Figure(figsize=(1.1 * count, 5.8), layout="constrained")
    halves = figure.subfigures(2, 1)
    for half, rows, title in (
        (halves[0], order[:count], "The most anomalous test images"),
        (halves[1], order[::-1][:count], "The least anomalous"),
    ):
        grid = half.subplots(2, count)
        for line, images in zip(grid, (x[rows], rebuild(x[rows]))):
            for axes, image in zip(line, images):
                grey = {"cmap": "gray_r", "vmin": -1, "vmax": 1}
                colour = image.shape[-1] == 3
                axes.imshow((image + 1) / 2 if colour else image[..., 0], **grey)
                axes.set_axis_off()
        for axes, i in zip(grid[0], rows):
            name = odd if y[i] else "normal"
            colour = ORANGE if y[i] else BLUE
            axes.set_title(f"{score[i]:.3f}\n{name}", fontsize=8, color=colour)
        right = int(np.sum(y[rows]))
        half.suptitle(f"{title}, and what they became: {right} of class {odd}")
    save_figure(figure, run, "anomalies.png")
