"""What plain scripts do with generated images: anomalies, more examples, style."""

from collections.abc import Callable
from types import SimpleNamespace

import keras
import matplotlib.pyplot as plt
import numpy as np
from keras import Model
from keras.layers import ReLU
from keras.preprocessing.image import smart_resize
from sklearn.datasets import load_sample_image
from sklearn.decomposition import PCA
from sklearn.metrics import roc_auc_score

from cookbook.plain.parts.images import centre


def odd_one_out(data: SimpleNamespace, odd: int) -> SimpleNamespace:
    """Class `odd` as the anomaly, label 1, which the training part lacks."""
    data = centre(data)
    x, y = data.train
    normal = y != odd
    data.train = x[normal], y[normal] * 0

    x, y = data.test
    data.test = x, y == odd
    data.odd = data.classes[odd]
    return data


def in_batches(model: Model) -> Callable:
    return lambda images: model.predict(images, 500, verbose=0)


def principal_subspace_distance(examples: np.ndarray, components: int) -> Callable:
    """The mean squared error that principal component analysis leaves of an image."""
    pca = PCA(components).fit(examples.reshape(len(examples), -1))

    def distance(images: np.ndarray) -> np.ndarray:
        x = images.reshape(len(images), -1)
        rebuilt = pca.inverse_transform(pca.transform(x))
        return np.mean((x - rebuilt) ** 2, axis=-1)

    return distance


def report_anomalies(scores: dict, rebuild: Callable, data) -> dict[str, float]:
    """The area under the ROC curve of each score, and the most anomalous images."""
    x, y = data.test
    found = {name: score(x) for name, score in scores.items()}
    figures = {}

    for name, values in found.items():
        figures[f"ROC AUC, {name}"] = area = roc_auc_score(y, values)
        print(f"ROC AUC, {name}: {area:.3f}")

    worst = np.argsort(-found["f-AnoGAN"])[:12]
    figure, places = plt.subplots(2, 12, figsize=(13, 3))

    for row, images in zip(places, (x[worst], rebuild(x[worst]))):
        for axes, image, is_odd in zip(row, images, y[worst]):
            axes.imshow(image[..., 0], "gray_r")
            axes.set_title(data.odd if is_odd else "normal")
            axes.axis("off")

    figure.savefig("anomalies.png")

    return figures


def repeated(data: SimpleNamespace, count: int) -> SimpleNamespace:
    """The data with `count` training images: the same few, again and again."""
    x, y = data.train
    rows = np.arange(count) % len(y)

    more = SimpleNamespace(**vars(data))
    more.train = x[rows], y[rows]

    return more


def with_generated(data, gan: Model, share: float, seed: int) -> SimpleNamespace:
    """The data, with generated images of the same classes for a share of the images."""
    x, y = data.train
    order = np.random.default_rng(seed).permutation(len(y))
    rows = order[: round(share * len(y))]
    x = x.copy()
    x[rows] = gan.generate(y[rows])

    mixed = SimpleNamespace(**vars(data))
    mixed.train = x, y

    return mixed


def report_augmentation(curve: dict) -> dict[str, float]:
    """The mean accuracies of the last number of images, of generated ones first."""
    for number, accuracies in curve.items():
        print(f"{number} images per class")
        figures = {}
        for way, values in reversed(accuracies.items()):
            mean = np.mean(values)
            figures[f"test accuracy, {way}"] = mean
            print(f"  test accuracy, {way}: {mean:.4f}")

    plt.boxplot(list(accuracies.values()), tick_labels=list(accuracies))
    plt.savefig("accuracies.png")
    return figures


def in_colour(images: SimpleNamespace) -> SimpleNamespace:
    """Images of three channels, which are alike where the images are grey."""
    x, y = images.train
    channels = x.shape[-1]
    x = np.repeat(x, 3 // channels, axis=-1)
    images.train = x, y
    images.shape = x.shape[1:]

    return images


def load_pair(content: str, style: str, size: int) -> SimpleNamespace:
    """The two pictures, files or scikit-learn's china and flower, in one size."""
    pair = SimpleNamespace()
    pair.content = load_picture(content)

    height, width, _ = pair.content.shape
    scale = size / max(height, width)
    frame = round(height * scale), round(width * scale)
    pair.content = smart_resize(pair.content, frame)
    pair.style = smart_resize(load_picture(style), frame)

    return pair


def load_picture(name: str) -> np.ndarray:
    """A picture with pixels from 0 to 1."""
    if name in ("china", "flower"):
        picture = load_sample_image(f"{name}.jpg")
    else:
        picture = keras.utils.load_img(name)

    return np.asarray(picture, "float32") / 255


def resized(network: Model, shape: tuple[int, ...]) -> Model:
    """The network, with its weights, for pictures of another shape."""
    images = keras.Input(shape)
    copy = keras.models.clone_model(network, images)
    copy.set_weights(network.get_weights())

    return copy


def feature_layers(network: Model) -> tuple:
    """The content layer, and the style layers: the first ReLU at each resolution."""
    style: dict = {}  # {side: layer}
    active = []

    for layer in network.layers:
        if isinstance(layer, ReLU) and min(layer.output.shape[1:3]) >= 4:
            active.append(layer)
            style.setdefault(layer.output.shape[1], layer)

    *_, last_but_one, _ = style.values()
    content = active[active.index(last_but_one) + 1]

    return content, list(style.values())


def root_mean_square(value: np.ndarray) -> float:
    mean = np.mean(np.square(value))
    return float(np.sqrt(mean)) or 1.0


def towards(pair: SimpleNamespace, targets: dict, steps: int) -> SimpleNamespace:
    """The pair with `steps` equal examples, whose y are the targets, scaled to 1."""
    y = {}
    for name, value in targets.items():
        scaled = value / root_mean_square(value)
        y[name] = np.broadcast_to(scaled, (steps, *value.shape))

    pair.targets = targets
    pair.train = np.ones((steps, 1), "float32"), y
    pair.validation = None

    return pair


def report_style(model, data, describe) -> dict[str, float]:
    """By what factor the style loss fell, and the picture."""
    pixels = model.get_layer("picture").output
    picture = Model(model.inputs, pixels)
    result = np.array(picture(np.ones((1, 1))))[0]
    plt.imsave("result.png", np.clip(result, 0, 1))

    losses = []
    _, *A = map(np.array, describe(data.style[None]))

    for image in (data.content, result):
        _, *G = map(np.array, describe(image[None]))
        errors = [np.sum((g - a) ** 2) / np.sum(a**2) for g, a in zip(G, A)]
        losses.append(np.mean(errors))

    factor = losses[0] / losses[1]
    print(f"The style loss falls by a factor of {factor:.1f}.")

    return {"style loss falls by a factor of": factor}
