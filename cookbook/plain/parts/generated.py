"""What plain scripts do with generated images: anomalies, more examples, style."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import keras
import matplotlib.pyplot as plt
import numpy as np
from keras import ops
from sklearn.datasets import load_sample_image
from sklearn.metrics import roc_auc_score

from cookbook.plain.parts.images import centre
from cookbook.plain.parts.reports import finish


def odd_one_out(data: SimpleNamespace, odd: int) -> SimpleNamespace:
    """Class `odd` as the anomaly, label 1, which the training part lacks."""
    data = centre(data)
    (x, y), (x_test, y_test) = data.train, data.test
    data.train, data.test = (x[y != odd], y[y != odd] * 0), (x_test, y_test == odd)
    data.odd = data.classes[odd]
    return data


def in_batches(model: keras.Model) -> Callable:
    return lambda images: model.predict(images, 500, verbose=0)


def principal_subspace_distance(examples: np.ndarray, components: int) -> Callable:
    """The mean squared error that principal component analysis leaves of an image."""
    x = examples.reshape(len(examples), -1)
    m = x.mean(0)
    V = np.linalg.eigh((x - m).T @ (x - m))[1][:, -components:]

    def distance(others: np.ndarray) -> np.ndarray:
        apart = others.reshape(len(others), -1) - m
        return np.mean((apart - apart @ V @ V.T) ** 2, -1)

    return distance


def report_anomalies(
    model, scores: dict, rebuild: Callable, data, history: dict, expected: dict
) -> dict:
    """The area under the ROC curve of each score, and the most anomalous images."""
    x, y = data.test
    found = {name: score(x) for name, score in scores.items()}
    figures = {f"ROC AUC, {name}": roc_auc_score(y, s) for name, s in found.items()}
    worst = np.argsort(-found["f-AnoGAN"])[:12]
    figure, places = plt.subplots(2, 12, figsize=(13, 3))
    for row, images in zip(places, (x[worst], rebuild(x[worst]))):
        for axes, image, is_odd in zip(row, images, y[worst]):
            axes.imshow(image[..., 0], "gray_r")
            axes.set_title(data.odd if is_odd else "normal")
            axes.axis("off")
    figure.savefig("anomalies.png")
    return finish(data, figures, expected)


def repeated(data: SimpleNamespace, count: int) -> SimpleNamespace:
    """The data with `count` training images: the same few, again and again."""
    x, y = data.train
    rows = np.arange(count) % len(y)
    return SimpleNamespace(**{**vars(data), "train": (x[rows], y[rows])})


def with_generated(data, gan: keras.Model, share: float, seed: int) -> SimpleNamespace:
    """The data, with generated images of the same classes for a share of the images."""
    x, y = data.train
    rows = np.random.default_rng(seed).permutation(len(y))[: round(share * len(y))]
    mixed = x.copy()
    mixed[rows] = gan.generate(y[rows])
    return SimpleNamespace(**{**vars(data), "train": (mixed, y)})


def report_augmentation(
    model, gan, accuracies: dict, data, history: dict, expected: dict
) -> dict:
    """The mean accuracy of each way to augment, that with generated images first."""
    ways = reversed(accuracies.items())
    figures = {f"test accuracy, {way}": np.mean(values) for way, values in ways}
    plt.boxplot(list(accuracies.values()), tick_labels=list(accuracies))
    plt.savefig("accuracies.png")
    return finish(data, figures, expected)


def in_colour(images: SimpleNamespace) -> SimpleNamespace:
    """Images of three channels, which are alike where the images are grey."""
    x, y = images.train
    images.train = np.repeat(x, 3 // x.shape[-1], axis=-1), y
    images.shape = (*x.shape[1:3], 3)
    return images


def load_pair(content: str, style: str, size: int, images: Any) -> SimpleNamespace:
    """The two pictures, files or scikit-learn's china and flower, in one size."""
    pictures = []
    for name in (content, style):
        is_sample = name in ("china", "flower")
        file = f"{name}.jpg" if is_sample else name
        picture = load_sample_image(file) if is_sample else keras.utils.load_img(file)
        pictures.append(np.asarray(picture, "float32") / 255)
    height, width, _ = pictures[0].shape
    scale = size / max(height, width)
    frame = round(height * scale), round(width * scale)
    resize = keras.preprocessing.image.smart_resize
    content_picture, style_picture = (resize(p, frame) for p in pictures)
    return SimpleNamespace(
        name=images.name, content=content_picture, style=style_picture
    )


def resized(network: keras.Model, shape: tuple[int, ...]) -> keras.Model:
    """The network, with its weights, for pictures of another shape."""
    copy = keras.models.clone_model(network, keras.Input(shape))
    copy.set_weights(network.get_weights())
    return copy


def feature_layers(network: keras.Model) -> tuple[Any, list]:
    """The content layer, and the style layers: the first ReLU at each resolution."""
    active = [x for x in network.layers if isinstance(x, keras.layers.ReLU)]
    active = [x for x in active if min(x.output.shape[1:3]) >= 4]
    style = list({x.output.shape[1:3]: x for x in reversed(active)}.values())[::-1]
    return active[active.index(style[-2]) + 1], style


def root_mean_square(value: np.ndarray) -> float:
    return float(np.sqrt(np.mean(np.square(value)))) or 1.0


def towards(pair: SimpleNamespace, targets: dict, steps: int) -> SimpleNamespace:
    """The pair with `steps` equal examples, whose y are the targets, scaled to 1."""
    y = {}
    for name, value in targets.items():
        scaled = value / root_mean_square(value)
        y[name] = np.broadcast_to(scaled, (steps, *value.shape))
    pair.targets, pair.train = targets, (np.ones((steps, 1), "float32"), y)
    pair.validation = None
    return pair


def report_style(model, data, history: dict, describe, expected: dict) -> dict:
    """By what factor the style loss fell, and the picture."""
    picture = keras.Model(model.inputs, model.get_layer("picture").output)
    result = np.array(picture(np.ones((1, 1))))[0]
    losses = []
    for image in (data.content, result):
        pairs = zip(describe(image[None])[1:], describe(data.style[None])[1:])
        errors = [ops.sum((G - A) ** 2) / ops.sum(A**2) for G, A in pairs]
        losses.append(float(np.mean(errors)))
    plt.imsave("result.png", np.clip(result, 0, 1))
    figures = {"style loss falls by a factor of": losses[0] / losses[1]}
    return finish(data, figures, expected)
