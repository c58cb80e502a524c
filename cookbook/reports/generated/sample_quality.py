"""Report on generated samples: how real they look, and how various they are."""

import dataclasses
from collections.abc import Iterable
from types import ModuleType
from typing import Any

import keras
import numpy as np
from keras import ops

from cookbook.config import ExperimentConfig
from cookbook.data.images import Images, centre
from cookbook.plots.gallery import (
    draw_comparison,
    draw_contest,
    draw_histogram,
    draw_motion,
    draw_score,
)
from cookbook.reports.finish import Expected, Figures, Run, finish, print_figures
from cookbook.trained.load import kept_network
from cookbook.training.run_folder import RunFolder
from custom_layers.metrics import FrechetDistance, ModeOverlap
from custom_layers.models import AdversarialModel

JUDGE_EPOCHS = 4  # the judge must know the digits well, not perfectly
SURE = 0.9  # the probability of a class from which on the judge counts as sure

# What each figure says, for readers who see it for the first time.
MEANINGS = {
    "Frechet distance": (
        "How far the generated images are from the real test images, in the features "
        "of the judge. The judge is a classifier of real images. 0 is best."
    ),
    "asked class": (
        "The share of the generated images in which the judge sees the class that the "
        "generator was asked for. 1 is best."
    ),
    "sure share": (
        "The share of the generated images for which the judge gives one class a "
        f"probability above {SURE}. Blurred images, or mixtures of classes, lower it."
    ),
    "mode histogram": (
        "How many of the generated images the judge assigns to each class, the first "
        "class first. A class without images is a mode that the generator lost."
    ),
    "Frechet distance of training images": (
        "The same distance for real images: a generator can hardly do better."
    ),
    "modes": (
        "The number of Gaussians (modes) with at least one point within three standard "
        "deviations of the centre."
    ),
    "high-quality share": (
        "The share of the points within three standard deviations of a Gaussian's "
        "centre. 1 is best."
    ),
    "mode overlap": (
        "The share that the generated points have in common with the ring: it falls if "
        "points are off, and if Gaussians get too few of them. 1 is best."
    ),
}


@dataclasses.dataclass(frozen=True, kw_only=True)
class JudgedImages(Images):
    """An image set with pixels from -1 to 1, and a network that knows its classes."""

    judge: keras.Model  # from images to (features, logits)


def judged(
    data: Images,
    config: ExperimentConfig,
    recipe: ModuleType,
) -> JudgedImages:
    """The image set with pixels from -1 to 1, and with a recipe's network as judge.

    recipe: the module of a classifier of images, such as recipes.mnist_cnn. Its
        network learns the image set once and is kept in the folder of the runs.
    """
    network = kept_network(recipe, data, config, JUDGE_EPOCHS)
    fields = [field.name for field in dataclasses.fields(data)]
    parts = {name: getattr(data, name) for name in fields}
    parts.update(centre(data))
    return JudgedImages(**parts, judge=as_judge(network, data.shape))


def as_judge(network: keras.Model, shape: tuple[int, ...]) -> keras.Model:
    """A classifier of images from 0 to 255 as a judge of images from -1 to 1.

    The judge returns (features, logits): the input and the output of the last layer.
    """
    images = keras.Input(shape)
    x = keras.layers.Rescaling(127.5, offset=127.5, name="to_bytes")(images)
    for layer in network.layers[:-1]:
        x = layer(x, training=False)
    logits = network.layers[-1](x)
    return keras.Model(images, [x, logits])


def score_images(
    judge: keras.Model,
    real: np.ndarray,
    generated: np.ndarray,
    labels: np.ndarray | None = None,
) -> Figures:
    """Figures of generated images compared with real ones, both from -1 to 1.

    labels: the classes that a conditional GAN was asked for.
    """
    distance = FrechetDistance(judge)
    parts = []
    for start in range(0, len(generated), 500):
        batch = slice(start, start + 500)
        distance.update_state(real[batch], generated[batch])
        _, batch_logits = judge(generated[batch], training=False)
        parts.append(ops.convert_to_numpy(batch_logits))
    logits = np.concatenate(parts)
    answers = logits.argmax(-1)

    figures: Figures = {"Frechet distance": float(distance.result())}
    if labels is not None:
        figures["asked class"] = float(np.mean(answers == labels))
    probabilities = ops.softmax(logits)
    confidence = ops.convert_to_numpy(ops.max(probabilities, axis=-1))
    figures["sure share"] = float(np.mean(confidence > SURE))
    counts = np.bincount(answers, minlength=logits.shape[-1])
    figures["mode histogram"] = counts.tolist()
    return figures


def print_meanings(names: Iterable[str]) -> None:
    """Prints a line for each figure that says what it measures."""
    print("What the figures mean:")
    for name in names:
        print(f"  {name}: {MEANINGS[name]}")


def report_images(
    model: AdversarialModel,
    data: JudgedImages,
    history: list[dict],
    run: RunFolder,
    expected: Expected,
) -> Run:
    """Scores as many samples as data.test has images, draws, and finishes the run.

    A conditional model is asked for the classes of the test images, in their order.
    """
    x, y = data.test
    labels = y if model.conditional else None
    generated = model.sample(len(x), labels, seed=run.config.seed)
    figures = score_images(data.judge, x, generated, labels)
    training_images = data.train[0][: len(x)]
    best_possible = score_images(data.judge, x, training_images)
    name = "Frechet distance of training images"
    figures[name] = best_possible["Frechet distance"]
    print_figures(figures)
    print_meanings(figures)

    draw_contest(history, run)
    draw_score(history, "frechet_distance", "0 would be real images", run)
    draw_histogram(figures["mode histogram"], data.classes, run)
    draw_motion(run)
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
    """Scores `count` samples of both GANs, draws the pictures, and finishes the run.

    plain: the GAN whose samples may collapse to a few modes.
    cure: the GAN whose critic sees several points at once; history is of its training.
    data: a data set that also has the `centres` of its modes and their `spread`.
    """
    samples = {
        "plain": plain.sample(count, seed=run.config.seed),
        "cure": cure.sample(count, seed=run.config.seed),
    }
    found = {}
    for name, points in {**samples, "data": data.test[0]}.items():
        overlap = ModeOverlap(data.centres, data.spread)
        overlap.update_state(None, points)
        found[name] = overlap.figures()
        shown = ", ".join(f"{key} {value:.4g}" for key, value in found[name].items())
        print(f"{name:<6}{shown}")
    print_meanings(found["data"])

    draw_contest(history, run)
    draw_score(history, "mode_overlap", "1 would be the ring itself", run)
    draw_comparison(samples, data.centres, found, run)
    draw_motion(run, ("plain", "cure"))

    headline = "high-quality share"
    figures = {headline: found["cure"][headline]}
    figures.update(found["cure"])
    for key, value in found["plain"].items():
        figures[f"plain GAN's {key}"] = value
    return finish(cure, data, history, run, figures, expected)
