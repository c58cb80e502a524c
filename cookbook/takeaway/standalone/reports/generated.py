"""Evaluation of generated samples: how real they look, and how various they are."""

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any

import keras
import numpy as np

from cookbook.data.images import Images, centre
from cookbook.plots.gallery import draw_comparison
from cookbook.reports.generated.augmentation import (
    Accuracies,
    summary,
)
from cookbook.reports.generated.sample_quality import score_images
from cookbook.takeaway.standalone.base.folder import RunFolder
from cookbook.takeaway.standalone.base.run import (
    Expected,
    Figures,
    Run,
    finish,
    print_figures,
)
from cookbook.takeaway.standalone.reports.pictures import draw_contest, draw_curves
from cookbook.takeaway.standalone.training import seed_everything, train
from custom_layers.metrics import FrechetDistance, ModeOverlap
from custom_layers.models import AdversarialModel, DiffusionModel


@dataclasses.dataclass(frozen=True, kw_only=True)
class JudgedImages(Images):
    """An image set with pixels from -1 to 1, and a network that knows its classes."""

    judge: keras.Model  # from images to (features, logits)


def learned(
    build: Callable, config_class: type, data: Images, epochs: int
) -> keras.Model:
    """The network of another recipe, trained on the images."""
    print(f"First another network learns {data.name}")
    config = config_class(epochs=epochs)
    seed_everything(0)
    network = build(config, data)
    train(network, data, config)
    keras.backend.clear_session(free_memory=False)  # names of layers begin anew
    return network


def judged(
    data: Images, config: Any, build: Callable, config_class: type
) -> JudgedImages:
    """The image set with pixels from -1 to 1, and with a classifier as its judge.

    build, config_class: of the recipe whose network learns the image set first.
    """
    network = learned(build, config_class, data, epochs=4)
    images = keras.Input(data.shape)
    x = keras.layers.Rescaling(127.5, offset=127.5, name="to_bytes")(images)
    *layers, last = network.layers
    for layer in layers:
        if not type(layer).__name__.startswith("Random"):
            x = layer(x, training=False)
    judge = keras.Model(images, [x, last(x)])
    fields = {
        field.name: getattr(data, field.name) for field in dataclasses.fields(data)
    }
    return JudgedImages(**fields | centre(data), judge=judge)


def report_images(
    model: AdversarialModel,
    data: JudgedImages,
    history: list[dict],
    run: RunFolder,
    expected: Expected,
) -> Run:
    """Compares as many samples as data.test has images with these, and draws losses.

    A conditional model is asked for the classes of the test images, in their order.
    """
    x, y = data.test
    labels = y if model.conditional else None
    generated = model.sample(len(x), labels, seed=run.config.seed)
    distance = FrechetDistance(data.judge)
    answers = []
    for start in range(0, len(x), 500):
        batch = slice(start, start + 500)
        distance.update_state(x[batch], generated[batch])
        _, logits = data.judge(generated[batch], training=False)
        answers += np.argmax(logits, -1).tolist()
    counts = np.bincount(answers, minlength=len(data.classes))
    figures: Figures = {
        "Frechet distance": float(distance.result()),
        "images of each class, as the judge sees them": counts.tolist(),
    }
    if labels is not None:
        figures["asked class"] = float(np.mean(answers == labels))
    print_figures(figures)
    draw_contest(history, run)
    return finish(model, data, history, run, figures, expected)


def report_diffusion(
    model: DiffusionModel,
    data: JudgedImages,
    history: list[dict],
    run: RunFolder,
    expected: Expected,
    guidances: Sequence[float],
) -> Run:
    """Chooses the guidance on validation images, and scores what it makes.

    It is the one with the smallest distance among those that show the asked class in
    98.5 % of the images, or else the one that shows it most often.
    """
    x, y = (part[:1000] for part in data.validation)
    seed = run.config.seed
    found = {}
    for w in sorted({*guidances}):
        images = model.sample(len(x), y, seed=seed, guidance=w)
        scores = score_images(data.judge, x, images, y)
        found[w] = scores
        print(f"guidance {w:g}:")
        print_figures(scores)

    enough = [w for w in found if found[w]["asked class"] >= 0.985]
    if enough:
        model.guidance = min(enough, key=lambda w: found[w]["Frechet distance"])
    else:
        model.guidance = max(found, key=lambda w: found[w]["asked class"])

    x, y = data.test
    images = model.sample(len(x), y, seed=seed)
    figures = score_images(data.judge, x, images, y)
    figures["guidance"] = model.guidance
    print_figures(figures)
    draw_curves(history, run)
    return finish(model, data, history, run, figures, expected)


def report_ring(
    plain: AdversarialModel,
    cure: AdversarialModel,
    data: Any,
    history: list[dict],
    run: RunFolder,
    expected: Expected,
    count: int = 2500,
) -> Run:
    """Measures `count` samples of both GANs, and draws losses and samples."""
    samples = {
        "plain": plain.sample(count, seed=run.config.seed),
        "cure": cure.sample(count, seed=run.config.seed),
    }
    found = {}
    for name, points in samples.items():
        overlap = ModeOverlap(data.centres, data.spread)
        overlap.update_state(None, points)
        found[name] = overlap.figures()
    draw_contest(history, run)
    draw_comparison(samples, data.centres, found, run)
    headline = "high-quality share"
    figures = {headline: found["cure"][headline], **found["cure"]}
    figures |= {f"plain GAN's {key}": value for key, value in found["plain"].items()}
    print_figures(figures)
    return finish(cure, data, history, run, figures, expected)


def report_augmentation(
    model: keras.Model,
    gan: AdversarialModel,
    accuracies: Accuracies,
    data: Images,
    history: list[dict],
    run: RunFolder,
    expected: Expected,
) -> Run:
    """Compares the ways to augment, draws the curves, and finishes the run.

    accuracies: on the test set, with the real images alone first, with generated ones
        last.
    """
    real, *_, generated = accuracies
    figures = summary(accuracies, real, generated)
    print_figures(figures)
    draw_curves(history, run)
    return finish(model, data, history, run, figures, expected)
