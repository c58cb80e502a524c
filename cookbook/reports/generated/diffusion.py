"""Report on a diffusion model: its samples, its guidance, and its way out of noise.

Images have pixels from -1 to 1.
"""

from collections.abc import Sequence
from typing import Any

import numpy as np
from matplotlib.figure import Figure

from cookbook.plots.figures import BLUE, ORANGE, Folder, draw_curves, save_figure
from cookbook.plots.gallery import ACROSS, draw_histogram, draw_motion, draw_tiles
from cookbook.reports.finish import Expected, Figures, Run, finish, print_figures
from cookbook.reports.generated.sample_quality import (
    JudgedImages,
    print_meanings,
    score_images,
)
from cookbook.training.run_folder import RunFolder
from custom_layers.models import DiffusionModel

COMPARED = 1000  # validation images on which guidances are compared
ENOUGH = 0.985  # share of images of the asked class that a guidance should reach
DISTANCE, ASKED = "Frechet distance", "asked class"
Scores = dict[float, Figures]  # {guidance: figures of the images made with it}


def report_diffusion(
    model: DiffusionModel,
    data: JudgedImages,
    history: list[dict],
    run: RunFolder,
    expected: Expected,
    guidances: Sequence[float],
) -> Run:
    """Chooses the guidance, scores samples, draws, and finishes the run.

    guidances: those that are compared on validation images. The best one makes as many
        images as data.test has, of the classes of these.
    """
    seed = run.config.seed
    found = compared(model, data, guidances, seed)
    model.guidance = best(found)

    x, y = data.test
    print(f"Guidance {model.guidance:g} makes {len(x)} images, which are judged")
    generated = model.sample(len(x), y, seed=seed)
    figures = score_images(data.judge, x, generated, y)
    training_images = data.train[0][: len(x)]
    best_possible = score_images(data.judge, x, training_images)
    figures[f"{DISTANCE} of training images"] = best_possible[DISTANCE]
    print_figures(figures)
    print_meanings(figures)
    figures["guidance"] = model.guidance
    for w, scores in found.items():
        for name in (DISTANCE, ASKED):
            figures[f"validation {name}, guidance {w:g}"] = scores[name]

    draw_curves(history, run)
    draw_motion(run)
    draw_histogram(figures["mode histogram"], data.classes, run)
    draw_guidance(found, model.guidance, run)
    draw_scales(model, found, run)
    draw_denoising(model, run)
    return finish(model, data, history, run, figures, expected)


def compared(
    model: DiffusionModel,
    data: JudgedImages,
    guidances: Sequence[float],
    seed: int,
) -> Scores:
    """The figures of images made with each guidance out of the same noise.

    They are compared with COMPARED validation images, and have their classes.
    """
    x, y = data.validation
    x = x[:COMPARED]
    y = y[:COMPARED]
    found = {}

    for w in sorted({*guidances}):
        generated = model.sample(len(x), y, seed=seed, guidance=w)

        scores = score_images(data.judge, x, generated, y)
        found[w] = scores
        distance = scores[DISTANCE]
        asked = scores[ASKED]
        print(f"guidance {w:g}: {DISTANCE} {distance:.4f}, {ASKED} {asked:.4f}")
    return found


def best(found: Scores) -> float:
    """The guidance with the smallest distance among those that show what is asked.

    If none reaches ENOUGH, it is the one that shows it most often.
    """
    asked = {w: scores[ASKED] for w, scores in found.items()}
    enough = [w for w, share in asked.items() if share >= ENOUGH]
    if not enough:
        return max(found, key=lambda w: asked[w])

    return min(enough, key=lambda w: found[w][DISTANCE])


def draw_guidance(found: Scores, chosen: float, run: Folder) -> None:
    """guidance.png: distance and share of the asked class, by guidance."""
    figure = Figure(figsize=(8, 3.6), layout="constrained")
    left, right = figure.subplots(1, 2)
    w = list(found)

    distances = [scores[DISTANCE] for scores in found.values()]
    left.plot(w, distances, "o-", color=BLUE)
    left.set_ylabel(DISTANCE)
    left.set_title("The smaller, the more like real images")

    shares = [100 * scores[ASKED] for scores in found.values()]
    right.plot(w, shares, "o-", color=BLUE)
    right.set_ylabel("images of the asked class (%)")
    right.set_title("The larger, the better")

    for axes in (left, right):
        axes.axvline(chosen, color=ORANGE, ls="--", label="chosen")
        axes.set_xlabel("guidance")
        axes.grid(alpha=0.3)
        axes.legend()

    figure.suptitle("What guidance changes, on validation images")
    save_figure(figure, run, "guidance.png")


def draw_scales(model: DiffusionModel, found: Scores, run: Folder) -> None:
    """scales.png: images of each class out of the same noise, a row per guidance."""
    labels = _shown_classes(model)
    size = 6, 0.9 * len(found) + 0.5
    figure = Figure(figsize=size, layout="constrained")
    rows: Any = figure.subplots(len(found), 1, squeeze=False)
    row_shape = ACROSS, *model.sample_shape

    for axes, w in zip(rows.flat, found):
        images = model.sample(len(labels), labels, seed=0, guidance=w)
        images = np.resize(images, row_shape)  # few classes fill a row repeatedly
        draw_tiles(axes, images)
        axes.set_title(f"guidance {w:g}", fontsize=9)

    figure.suptitle("The same noise, with more and more guidance")
    save_figure(figure, run, "scales.png")


def _shown_classes(model: DiffusionModel) -> np.ndarray:
    """The numbers of the classes that pictures show: as many as fill a row."""
    numbers = np.arange(model.classes or 1)
    return numbers[:ACROSS]


def draw_denoising(model: DiffusionModel, run: Folder) -> None:
    """path.png: how noise becomes an image of each class, a row for each."""
    labels = _shown_classes(model)
    rng = np.random.default_rng(0)
    shape = len(labels), *model.sample_shape
    noise = rng.standard_normal(shape, "float32")

    entries = model.path(noise, labels)
    way = np.stack(entries)  # moment, class, H, W, C
    steps = len(way) - 1
    moments = np.linspace(0, steps, ACROSS)
    moments = moments.round().astype(int)
    way = way[moments]

    images = np.concatenate(way.swapaxes(0, 1))
    images = np.clip(images, -1, 1)

    size = 6, 0.6 * len(labels) + 0.4
    figure = Figure(figsize=size, layout="constrained")
    axes = figure.subplots()

    draw_tiles(axes, images)
    axes.set_title(f"From noise to images in {steps} steps, a class in each row")
    save_figure(figure, run, "path.png")
