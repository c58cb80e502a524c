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
    figures = score_images(data.judge, x, model.sample(len(x), y, seed=seed), y)
    real = score_images(data.judge, x, data.train[0][: len(x)])
    figures[f"{DISTANCE} of training images"] = real[DISTANCE]
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
    draw_path(model, run)
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
    x, y = (part[:COMPARED] for part in data.validation)
    found = {}
    for w in sorted({*guidances}):
        generated = model.sample(len(x), y, seed=seed, guidance=w)
        found[w] = score_images(data.judge, x, generated, y)
        distance, asked = found[w][DISTANCE], found[w][ASKED]
        print(f"guidance {w:g}: {DISTANCE} {distance:.4f}, {ASKED} {asked:.4f}")
    return found


def best(found: Scores) -> float:
    """The guidance with the smallest distance among those that show what is asked.

    If none reaches ENOUGH, it is the one that shows it most often.
    """
    enough = [w for w in found if found[w][ASKED] >= ENOUGH]
    if not enough:
        return max(found, key=lambda w: found[w][ASKED])
    return min(enough, key=lambda w: found[w][DISTANCE])


def draw_guidance(found: Scores, chosen: float, run: Folder) -> None:
    """guidance.png: distance and share of the asked class, by guidance."""
    figure = Figure(figsize=(8, 3.6), layout="constrained")
    left, right = figure.subplots(1, 2)
    w = [*found]
    distances = [found[each][DISTANCE] for each in w]
    shares = [100 * found[each][ASKED] for each in w]
    left.plot(w, distances, "o-", color=BLUE)
    left.set(ylabel=DISTANCE, title="The smaller, the more like real images")
    right.plot(w, shares, "o-", color=BLUE)
    right.set(ylabel="images of the asked class (%)", title="The larger, the better")
    for axes in (left, right):
        axes.axvline(chosen, color=ORANGE, ls="--", label="chosen")
        axes.set_xlabel("guidance")
        axes.grid(alpha=0.3)
        axes.legend()
    figure.suptitle("What guidance changes, on validation images")
    save_figure(figure, run, "guidance.png")


def draw_scales(model: DiffusionModel, found: Scores, run: Folder) -> None:
    """scales.png: images of each class out of the same noise, a row per guidance."""
    labels = np.arange(model.classes or 1)[:ACROSS]
    figure = Figure(figsize=(6, 0.9 * len(found) + 0.5), layout="constrained")
    rows: Any = figure.subplots(len(found), 1, squeeze=False)
    for axes, w in zip(rows[:, 0], found):
        images = np.resize(
            model.sample(len(labels), labels, 0, guidance=w), _row(model)
        )
        draw_tiles(axes, images)
        axes.set_title(f"guidance {w:g}", fontsize=9)
    figure.suptitle("The same noise, with more and more guidance")
    save_figure(figure, run, "scales.png")


def _row(model: DiffusionModel) -> tuple[int, ...]:
    """The shape of as many images as fill a row of tiles."""
    return ACROSS, *model.sample_shape


def draw_path(model: DiffusionModel, run: Folder) -> None:
    """path.png: how noise becomes an image of each class, a row for each."""
    labels = np.arange(model.classes or 1)[:ACROSS]
    noise = np.random.default_rng(0).standard_normal((len(labels), *model.sample_shape))
    way = np.stack(model.path(noise.astype("float32"), labels))  # moment, class, ...
    moments = np.linspace(0, len(way) - 1, ACROSS).round().astype(int)
    images = np.concatenate(way[moments].swapaxes(0, 1))
    figure = Figure(figsize=(6, 0.6 * len(labels) + 0.4), layout="constrained")
    axes = figure.subplots()
    draw_tiles(axes, np.clip(images, -1, 1))
    axes.set_title(f"From noise to images in {len(way) - 1} steps, a class in each row")
    save_figure(figure, run, "path.png")
