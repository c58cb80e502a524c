"""Report on augmentation: what a classifier gains from more images made out of few."""

import dataclasses
from collections.abc import Sequence

import keras
import numpy as np
from matplotlib.figure import Figure

from cookbook.data.images import Images
from cookbook.plots.figures import (
    BLUE,
    COLOURS,
    ORANGE,
    draw_curves,
    panel,
    save_figure,
)
from cookbook.plots.gallery import draw_tiles
from cookbook.reports.finish import Expected, Figures, Run, finish, print_figures
from cookbook.training.run_folder import RunFolder
from custom_layers.models import AdversarialModel

Accuracies = dict[str, list[float]]  # {way to augment: accuracy of each repetition}
GAIN = "gain by generated images"
ERROR = "standard error of the gain"
SHOWN = 10  # images of each class in beside.png


def repeated(data: Images, count: int) -> Images:
    """The image set with `count` training images: the same few, again and again."""
    x, y = data.train
    rows = np.arange(count) % len(y)
    train = x[rows], y[rows]
    return dataclasses.replace(data, train=train)


def with_generated(
    data: Images,
    model: AdversarialModel,
    share: float,
    seed: int,
) -> Images:
    """The image set, in which generated images replace a share of the training images.

    model: a conditional AdversarialModel. It is asked for the classes of the images
        that it replaces. So the set keeps its size, and each class its share of it.
    """
    x, y = data.train
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(y))
    count = round(share * len(y))
    rows = order[:count]
    mixed = x.copy()
    mixed[rows] = model.sample(len(rows), y[rows], seed=seed)
    return dataclasses.replace(data, train=(mixed, y))


def summary(
    accuracies: Accuracies,
    real: str,
    generated: str,
) -> Figures:
    """The figures of all repetitions, the mean accuracy with generated images first.

    real, generated: the two ways that are compared. The gain is the mean of their
        differences, repetition by repetition, and comes with its standard error.
    """
    headline = np.mean(accuracies[generated])
    figures: Figures = {"test accuracy": float(headline)}
    for name, values in accuracies.items():
        mean = np.mean(values)
        figures[f"test accuracy, {name}"] = float(mean)
        if len(values) > 1:
            deviation = _standard_deviation(values)
            figures[f"standard deviation, {name}"] = deviation
        figures[f"each, {name}"] = [float(value) for value in values]

    gain = np.subtract(accuracies[generated], accuracies[real])
    figures[GAIN] = float(gain.mean())
    if len(gain) > 1:
        deviation = _standard_deviation(gain)
        figures[ERROR] = deviation / len(gain) ** 0.5
    return figures


def _standard_deviation(values: Sequence[float] | np.ndarray) -> float:
    """The standard deviation of a population, estimated from two or more values."""
    return float(np.std(values, ddof=1))


def report_augmentation(
    model: keras.Model,
    gan: AdversarialModel,
    curve: dict[int, Accuracies],
    data: Images,
    history: list[dict],
    run: RunFolder,
    expected: Expected,
) -> Run:
    """Compares the ways to augment, draws the pictures, and finishes the run.

    model, history: of the last training.
    gan: the model that generated the images of that training.
    curve: {images of each class to learn from: accuracies on the test set, with the
        real images alone first, with generated ones last}. The last number is the one
        in question.
    """
    *others, number = curve
    accuracies = curve[number]
    real, *_, generated = accuracies
    figures = summary(accuracies, real, generated)
    for other in others:
        of_other = summary(curve[other], real, generated)
        for name in (*(f"test accuracy, {way}" for way in accuracies), GAIN, ERROR):
            if name in of_other:
                figures[f"{name}, {other} per class"] = of_other[name]
    print_figures(figures)

    draw_accuracies(accuracies, figures, run)
    if others:
        draw_curve(curve, run)
    draw_beside(gan, data, run)
    draw_curves(history, run)
    return finish(model, data, history, run, figures, expected)


def draw_accuracies(
    accuracies: Accuracies,
    figures: Figures,
    run: RunFolder,
) -> None:
    """Draws accuracies.png: each way's mean, standard deviation and repetitions."""
    gain = 100 * figures[GAIN]
    title = f"Generated images: {gain:+.2f} points of accuracy"
    if ERROR in figures:
        error = 100 * figures[ERROR]
        title += f" (standard error {error:.2f})"
    figure, axes = panel(title, "", "test accuracy (%)")

    ways = list(accuracies)
    percent = 100 * np.array(list(accuracies.values()))  # way, repetition
    for i, values in enumerate(percent):
        mean = np.mean(values)
        spread = None
        if len(values) > 1:
            spread = _standard_deviation(values)
        axes.errorbar(i, mean, spread, fmt="o", ms=9, capsize=8, color=BLUE)
        place = (i - 0.08, mean)
        axes.annotate(f"{mean:.2f}", place, ha="right", va="center")

    places = np.arange(len(percent)) + 0.12
    for values in percent.T:  # of one repetition, in each way
        axes.plot(places, values, ".-", color=ORANGE, lw=0.6)

    axes.set_xticks(range(len(ways)), ways)
    axes.set_xlim(-0.5, len(ways) - 0.5)
    axes.grid(axis="y", alpha=0.3)
    save_figure(figure, run, "accuracies.png")


def draw_curve(curve: dict[int, Accuracies], run: RunFolder) -> None:
    """Draws images_per_class.png: the mistakes of each way by the number of images."""
    numbers = sorted(curve)
    ways = list(curve[numbers[0]])
    helped = []
    for number in numbers:
        figures = summary(curve[number], ways[0], ways[-1])
        if figures[GAIN] > 2 * figures.get(ERROR, 0.0):
            helped.append(str(number))
    title = "Generated images help with none of these numbers of images"
    if helped:
        title = f"Generated images help with {' or '.join(helped)} images of each class"
    figure, axes = panel(title, "real images of each class", "test error (%)")

    for way, color in zip(ways, COLOURS):
        errors = 100 - 100 * np.array([curve[number][way] for number in numbers])
        means = errors.mean(axis=1)
        axes.errorbar(
            numbers, means, errors.std(axis=1), fmt="o-", color=color, label=way
        )
    axes.set_xscale("log")
    axes.set_yscale("log")
    axes.set_xticks(numbers, [str(number) for number in numbers])
    axes.set_xticks([], minor=True)
    axes.yaxis.set_major_formatter("{x:g}")
    axes.yaxis.set_minor_formatter("{x:g}")
    axes.legend()
    axes.grid(alpha=0.3)
    save_figure(figure, run, "images_per_class.png")


def draw_beside(
    gan: AdversarialModel,
    data: Images,
    run: RunFolder,
) -> None:
    """Draws beside.png: real and generated images, a row for each class."""
    x, y = data.train
    classes = np.arange(len(data.classes))
    rows = []
    for label in classes:
        of_class = np.flatnonzero(y == label)
        rows.append(np.resize(of_class, SHOWN))
    labels = np.repeat(classes, SHOWN)
    parts = {
        "real": x[np.concatenate(rows)],
        "generated": gan.sample(len(labels), labels, seed=0),
    }

    figure = Figure(figsize=(9, 5), layout="constrained")
    for axes, (name, images) in zip(figure.subplots(1, 2), parts.items()):
        draw_tiles(axes, images)
        axes.set_title(name)
    different = len(np.unique(x, axis=0))
    figure.suptitle(f"Ten images of each class, of {different} to learn")
    save_figure(figure, run, "beside.png")
