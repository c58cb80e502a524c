"""Scoreboard: how good and how various the samples of a generator are, in numbers."""

import dataclasses

import keras
import numpy as np
from keras import ops

from cookbook.data.images import Images, centre
from cookbook.gallery import (
    draw_comparison,
    draw_contest,
    draw_histogram,
    draw_motion,
    draw_score,
)
from cookbook.report import finish
from cookbook.trained import kept_network

JUDGE_EPOCHS = 4  # enough: the judge must know the digits, not win a contest


@dataclasses.dataclass(frozen=True, kw_only=True)
class JudgedImages(Images):
    """Images from -1 to 1, and a network that knows their classes."""

    judge: keras.Model  # images -> (features, logits)


def judged(data, config):
    """The image set from -1 to 1, with mnist_cnn's network as its judge."""
    parts = {
        field.name: getattr(data, field.name) for field in dataclasses.fields(data)
    }
    return JudgedImages(**{**parts, **centre(data)}, judge=_load_judge(data, config))


def _load_judge(data, config):
    """(features, logits) of images, by mnist_cnn's network that learned them."""
    network = kept_network("mnist_cnn", data, config, JUDGE_EPOCHS)
    images = keras.Input(data.shape)
    x = keras.layers.Rescaling(127.5, offset=127.5, name="to_bytes")(images)
    for layer in network.layers[:-1]:
        x = layer(x, training=False)
    return keras.Model(images, [x, network.layers[-1](x)])


class FrechetDistance(keras.metrics.Metric):
    """Distance of real and generated images in a judge's features: 0 if they agree.

    |m - n|^2 + trace(S + T - 2 (S T)^(1/2)), of the means m, n and covariances S, T

    Paper: Heusel et al., "GANs trained by a two time-scale update rule converge to a
    local Nash equilibrium", 2017, https://arxiv.org/abs/1706.08500, where the features
    are Inception's; those of another judge give other numbers.
    """

    def __init__(self, judge, name="frechet_distance"):
        super().__init__(name=name, dtype="float64")
        self.judge = judge
        D = judge.outputs[0].shape[-1]
        self.count = self.add_variable((), "zeros", "float64", name="count")
        self.sums = self.add_variable((2, D), "zeros", "float64", name="sums")
        self.products = self.add_variable(
            (2, D, D), "zeros", "float64", name="products"
        )

    def update_state(self, real, generated, sample_weight=None):
        parts = (self.judge(x, training=False)[0] for x in (real, generated))
        f = ops.cast(ops.stack(list(parts)), "float64")  # 2, B, D
        self.count.assign_add(ops.cast(ops.shape(f)[1], "float64"))
        self.sums.assign_add(ops.sum(f, axis=1))
        self.products.assign_add(ops.matmul(ops.transpose(f, (0, 2, 1)), f))

    def result(self):
        n = ops.maximum(self.count, 2)  # before the first update all is 0
        means = self.sums / n
        outer = means[:, :, None] * means[:, None, :]
        covariances = (self.products - n * outer) / (n - 1)
        is_finite = ops.all(ops.isfinite(covariances))
        S, T = ops.unstack(ops.where(is_finite, covariances, 0))
        values, vectors = ops.linalg.eigh(S)  # which stops at what is not finite
        root = vectors * ops.sqrt(ops.maximum(values, 0)) @ ops.transpose(vectors)
        shared = ops.linalg.eigh(root @ T @ root)[0]  # those of S T
        apart = ops.sum(ops.square(means[0] - means[1])) + ops.trace(S + T)
        distance = apart - 2 * ops.sum(ops.sqrt(ops.maximum(shared, 0)))
        return ops.where(is_finite, distance, float("nan"))


class ModeOverlap(keras.metrics.Metric):
    """Share of the real distribution that the samples fill: 1 if every mode gets its.

    sum over modes of min(share of samples near the mode, 1 / modes), where near is
    within three standard deviations: "high quality" in the papers on mode collapse.

    Paper: Srivastava et al., "VEEGAN: reducing mode collapse in GANs using implicit
    variational learning", 2017. https://arxiv.org/abs/1705.07761
    """

    def __init__(self, centres, spread, name="mode_overlap"):
        super().__init__(name=name)
        self.centres = np.asarray(centres, "float32")
        self.reach = 3 * spread
        self.total = self.add_variable((), "zeros", name="total")
        self.counts = self.add_variable((len(centres),), "zeros", name="counts")

    def update_state(self, real, generated, sample_weight=None):
        offsets = generated[:, None] - self.centres  # B, modes, 2
        distances = ops.sqrt(ops.sum(ops.square(offsets), axis=-1))
        near = ops.cast(distances < self.reach, "float32")
        self.counts.assign_add(ops.sum(near, axis=0))
        self.total.assign_add(ops.cast(ops.shape(near)[0], "float32"))

    def result(self):
        shares = self.counts / self.total
        return ops.sum(ops.minimum(shares, 1 / len(self.centres)))

    def figures(self):
        """{name: value}: modes with a sample near them, share of samples near one."""
        counts = ops.convert_to_numpy(self.counts)
        return {
            "modes": int(np.sum(counts > 0)),
            "high-quality share": float(np.sum(counts) / float(self.total)),
            "mode overlap": float(self.result()),
        }


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
    finish(model, data, history, run, figures, expected)


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
    finish(cure, data, history, run, figures, expected)
