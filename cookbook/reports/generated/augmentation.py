"""Augmentation: more images out of few, and what each way of it gains."""

import dataclasses

import numpy as np
from matplotlib.figure import Figure

from cookbook.plots.figures import BLUE, ORANGE, draw_curves, panel, save_figure
from cookbook.plots.gallery import draw_tiles
from cookbook.reports.finish import finish

GAIN, ERROR = "gain by generated images", "standard error of the gain"


def repeated(data, count):
    """The image set with `count` training images, each as often as any other."""
    x, y = data.train
    rows = np.arange(count) % len(y)
    return dataclasses.replace(data, train=(x[rows], y[rows]))


def with_generated(data, model, share, seed):
    """The image set with a `share` of its training images generated, class by class.

    model: a conditional AdversarialModel. It is asked for the classes of the images
    that it replaces, so that the set keeps its size and its classes' shares.
    """
    x, y = data.train
    rows = np.random.default_rng(seed).permutation(len(y))[: round(share * len(y))]
    mixed = x.copy()
    mixed[rows] = model.sample(len(rows), y[rows], seed=seed)
    return dataclasses.replace(data, train=(mixed, y))


def summary(accuracies, real, generated):
    """{name: value} of `accuracies`, {way: one of each repetition}; headline first.

    real, generated: two of the ways, whose difference is taken repetition by repetition
    and given with the standard error of its mean.
    """
    figures = {"test accuracy": float(np.mean(accuracies[generated]))}
    for name, values in accuracies.items():
        figures[f"test accuracy, {name}"] = float(np.mean(values))
        if len(values) > 1:
            figures[f"standard deviation, {name}"] = _spread(values)
        figures[f"each, {name}"] = [float(value) for value in values]
    gain = np.subtract(accuracies[generated], accuracies[real])
    figures[GAIN] = float(gain.mean())
    if len(gain) > 1:
        figures[ERROR] = _spread(gain) / len(gain) ** 0.5
    return figures


def _spread(values):
    """Standard deviation of what the values are drawn from, of which there are two."""
    return float(np.std(values, ddof=1))


def report_augmentation(model, gan, accuracies, data, history, run, expected):
    """The figures of `summary`, the pictures, and `finish`.

    accuracies: {way: test accuracies}, of the real images alone first, of the generated
    ones last; model, history: of the last training; gan: what generated its images.
    """
    ways = list(accuracies)
    figures = summary(accuracies, ways[0], ways[-1])
    for name, value in figures.items():
        print(f"{name:<52}{value if isinstance(value, list) else round(value, 4)}")
    draw_spread(accuracies, figures, run)
    draw_beside(gan, data, run)
    draw_curves(history, run)
    return finish(model, data, history, run, figures, expected)


def draw_spread(accuracies, figures, run):
    """accuracies.png: each way's mean, standard deviation and single repetitions."""
    title = f"Generated images: {100 * figures[GAIN]:+.2f} points of accuracy"
    if ERROR in figures:
        title += f" (standard error {100 * figures[ERROR]:.2f})"
    figure, axes = panel(title, "", "test accuracy (%)")
    for i, values in enumerate(accuracies.values()):
        mean = 100 * np.mean(values)
        spread = 100 * _spread(values) if len(values) > 1 else None
        axes.errorbar(i, mean, spread, fmt="o", ms=9, capsize=8, color=BLUE)
        axes.annotate(f"{mean:.2f}", (i - 0.08, mean), ha="right", va="center")
    for values in zip(*accuracies.values()):  # what one repetition got in each way
        places = np.arange(len(values)) + 0.12
        axes.plot(places, 100 * np.array(values), ".-", color=ORANGE, lw=0.6)
    axes.set_xticks(range(len(accuracies)), accuracies)
    axes.set_xlim(-0.5, len(accuracies) - 0.5)
    axes.grid(axis="y", alpha=0.3)
    save_figure(figure, run, "accuracies.png")


def draw_beside(gan, data, run):
    """beside.png: real training images and generated ones, a row for each class."""
    x, y = data.train
    count = len(data.classes)
    real = np.concatenate([np.resize(np.flatnonzero(y == c), 10) for c in range(count)])
    asked = np.repeat(range(count), 10)
    figure = Figure(figsize=(9, 5), layout="constrained")
    parts = {"real": x[real], "generated": gan.sample(len(asked), asked, seed=0)}
    for axes, (name, images) in zip(figure.subplots(1, 2), parts.items()):
        draw_tiles(axes, images)
        axes.set_title(name)
    figure.suptitle(
        f"Ten images of each class, of {len(np.unique(x, axis=0))} to learn"
    )
    save_figure(figure, run, "beside.png")
