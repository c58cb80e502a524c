"""Scoreboard: how good and how various the samples of a generator are, in numbers."""

import dataclasses

import keras
import numpy as np
from keras import ops

from cookbook.data.images import Images, centre
from cookbook.plots.gallery import (
    draw_comparison,
    draw_contest,
    draw_histogram,
    draw_motion,
    draw_score,
)
from cookbook.reports.finish import finish
from cookbook.trained.load import kept_network
from custom_layers.metrics import FrechetDistance, ModeOverlap

JUDGE_EPOCHS = 4  # enough: the judge must know the digits, not win a contest


@dataclasses.dataclass(frozen=True, kw_only=True)
class JudgedImages(Images):
    """Images from -1 to 1, and a network that knows their classes."""

    judge: keras.Model  # images -> (features, logits)


def judged(data, config, recipe):
    """The image set from -1 to 1, with a recipe's network as its judge.

    recipe: the module of a classifier of images, such as recipes.mnist_cnn.
    """
    parts = {
        field.name: getattr(data, field.name) for field in dataclasses.fields(data)
    }
    return JudgedImages(
        **{**parts, **centre(data)}, judge=_load_judge(data, config, recipe)
    )


def _load_judge(data, config, recipe):
    """(features, logits) of images, by the recipe's network that learned them."""
    network = kept_network(recipe, data, config, JUDGE_EPOCHS)
    images = keras.Input(data.shape)
    x = keras.layers.Rescaling(127.5, offset=127.5, name="to_bytes")(images)
    for layer in network.layers[:-1]:
        x = layer(x, training=False)
    return keras.Model(images, [x, network.layers[-1](x)])


def score_images(judge, real, generated, labels=None):
    """{name: value} of generated images beside real ones, both from -1 to 1.

    labels: the classes asked for, of a conditional GAN.
    """
    distance = FrechetDistance(judge)
    logits = []
    for start in range(0, len(generated), 500):
        batch = slice(start, start + 500)
        distance.update_state(real[batch], generated[batch])
        logits.append(ops.convert_to_numpy(judge(generated[batch], training=False)[1]))
    logits = np.concatenate(logits)
    answers = logits.argmax(-1)
    counts = np.bincount(answers, minlength=logits.shape[-1])
    figures = {"Frechet distance": float(distance.result())}
    if labels is not None:
        figures["asked class"] = float(np.mean(answers == labels))
    confidence = ops.convert_to_numpy(ops.max(ops.softmax(logits), axis=-1))
    return {
        **figures,
        "sure share": float(np.mean(confidence > 0.9)),
        "mode histogram": counts.tolist(),
    }


def report_images(model, data, history, run, expected):
    """The scoreboard on data.test, the pictures, and `finish`.

    A conditional model is asked for the classes of the test images, in their order.
    """
    x, y = data.test
    labels = y if model.conditional else None
    generated = model.sample(len(x), labels, seed=run.config.seed)
    figures = score_images(data.judge, x, generated, labels)
    real = score_images(data.judge, x, data.train[0][: len(x)])
    figures["Frechet distance of training images"] = real["Frechet distance"]
    for name, value in figures.items():
        print(f"{name:<40}{value if isinstance(value, list) else round(value, 4)}")
    draw_contest(history, run)
    draw_score(history, "frechet_distance", "0 would be real images", run)
    draw_histogram(figures["mode histogram"], data.classes, run)
    draw_motion(run)
    return finish(model, data, history, run, figures, expected)


def report_ring(plain, cure, data, history, run, expected, count=2500):
    """The plain GAN's samples beside the cure's: figures, pictures, and `finish`."""
    parts = {
        name: model.sample(count, seed=run.config.seed)
        for name, model in (("plain", plain), ("cure", cure))
    }
    found = {}
    for name, points in {**parts, "data": data.test[0]}.items():
        overlap = ModeOverlap(data.centres, data.spread)
        overlap.update_state(None, points)
        found[name] = overlap.figures()
        print(f"{name:<6}" + ", ".join(f"{k} {v:.4g}" for k, v in found[name].items()))
    draw_contest(history, run)
    draw_score(history, "mode_overlap", "1 would be the ring itself", run)
    draw_comparison(parts, data.centres, found, run)
    draw_motion(run, ("plain", "cure"))
    figures = {
        "high-quality share": found["cure"].pop("high-quality share"),
        **found["cure"],
        **{f"plain GAN's {key}": value for key, value in found["plain"].items()},
    }
    return finish(cure, data, history, run, figures, expected)
