"""Report on embeddings: verification of pairs, and recognition by one example each."""

import dataclasses
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
from matplotlib.figure import Figure

from cookbook.data.images import Images
from cookbook.plots.figures import (
    BLUE,
    ORANGE,
    Folder,
    draw_curves,
    panel,
    save_figure,
)
from cookbook.reports.finish import Expected, Figures, Run, finish, print_figures
from cookbook.reports.latent.projection import draw_projection
from cookbook.training.run_folder import RunFolder
from custom_layers.layers import Dense

DRAWS = 500  # times that one example of each new class is drawn
SHOWN = 1000  # images whose embeddings are drawn
WRONG = 12  # pairs that are shown
SCALE = 10.0  # of the cosines that are the logits of the classifier
Embed = Callable[[np.ndarray], np.ndarray]  # images -> vectors of length 1


def in_pairs(data: Images) -> Images:
    """The image set with pairs of one class to train on, (N / 2, 2, H, W, C).

    Each training and validation image is in one pair. Of a class with an odd number of
    images, one is left out.
    """

    def part(x, y):
        rng = np.random.default_rng(0)
        order = rng.permutation(len(y))
        rows = []
        for label in np.unique(y):
            of_class = order[y[order] == label]
            even = len(of_class) // 2 * 2
            of_class = of_class[:even]
            rows.append(of_class.reshape(-1, 2))
        pairs = np.concatenate(rows)
        first = pairs[:, 0]
        return x[pairs], y[first]

    return dataclasses.replace(
        data, train=part(*data.train), validation=part(*data.validation)
    )


def with_turned(data: Images) -> Images:
    """The image set with four times as many classes: turned images have their own.

    An image that is turned by a quarter of a circle shows something new, so that a
    network learns to tell more things apart. Images that are not square are turned by
    half a circle only. The test part stays as it is.
    """
    height, width, _ = data.shape
    turns = range(4) if height == width else (0, 2)
    count = len(data.classes)

    def part(x, y):
        images = []
        labels = []
        for i, quarters in enumerate(turns):
            turned = np.rot90(x, quarters, axes=(1, 2))
            images.append(turned)
            labels.append(y + i * count)
        return np.concatenate(images), np.concatenate(labels)

    names = []
    for turn in turns:
        angle = 90 * turn
        names += [f"{name}, {angle}" for name in data.classes]
    return dataclasses.replace(
        data,
        classes=tuple(names),
        train=part(*data.train),
        validation=part(*data.validation),
    )


def report_embeddings(
    network: keras.Model,
    first: keras.Model,
    data: Images,
    history: list[dict],
    run: RunFolder,
    expected: Expected,
) -> Run:
    """Measures what the embeddings of test images tell, draws, and finishes the run.

    network, first: map images to vectors of length 1. `network` has learned all
        classes, `first` the first half of them (and their turned images).

    The model that is saved is a classifier. Its logits are the cosines with the mean
    embedding of each class in the training images, times SCALE.
    """
    embed = embedder(network)
    x, y = data.test
    count = len(data.classes)
    new = data.only(count // 2, count)
    found = verification(embed, data)
    answers = classifier(network, data)
    logits = answers.predict(x, batch_size=500, verbose=0)
    is_right = logits.argmax(-1) == y
    pixels = verification(as_vectors, data)
    embed_first = embedder(first)
    shots = one_shot(embed_first, new)
    shots_of_pixels = one_shot(as_vectors, new)
    figures: Figures = {
        "verification accuracy": found["accuracy"],
        "verification accuracy of pixels": pixels["accuracy"],
        "one-shot accuracy": float(shots.mean()),
        "its standard deviation over examples": float(shots.std()),
        "one-shot accuracy of pixels": float(shots_of_pixels.mean()),
        "accuracy of the nearest class mean": float(is_right.mean()),
    }
    print_figures(figures)

    draw_curves(history, run)
    draw_cosines(found, run)
    draw_wrong_pairs(found, x, run)
    title = "Embeddings of test images"
    draw_embeddings(embed, data, title, run, "embedding.png")
    title = "Embeddings of classes that the network has never seen"
    draw_embeddings(embed_first, new, title, run, "new_classes.png")
    return finish(answers, data, history, run, figures, expected)


def embedder(network: keras.Model) -> Embed:
    """The network as a function of any number of images."""
    return lambda images: network.predict(images, batch_size=500, verbose=0)


def as_vectors(images: np.ndarray) -> np.ndarray:
    """The pixels of each image as a vector of length 1: an embedding without a network.

    An image without light becomes 0.
    """
    rows = images.reshape(len(images), -1)
    vectors = rows.astype("float32")
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors / np.maximum(length, 1e-6)


def verification(embed: Embed, data: Images) -> dict[str, Any]:
    """How often cosines tell whether two test images show the same class.

    Each image has a partner of its class and one of another class, drawn at random. The
    threshold is the one that is right most often for validation images.
    """
    cosines, is_same, _ = cosines_of_pairs(embed, *data.validation, seed=0)
    threshold = best_threshold(cosines, is_same)

    cosines, is_same, pairs = cosines_of_pairs(embed, *data.test, seed=1)
    answers = cosines > threshold
    is_right = answers == is_same
    return {
        "accuracy": float(is_right.mean()),
        "threshold": threshold,
        "cosines": cosines,
        "is_same": is_same,
        "pairs": pairs,
    }


def cosines_of_pairs(
    embed: Embed, x: np.ndarray, y: np.ndarray, seed: int
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """(cosines, is_same, rows of both images) of random pairs, two for each image.

    An image has no partner of its own class if it is alone in it.
    """
    rng = np.random.default_rng(seed)
    numbers = np.arange(len(y))
    pairs = []
    for row, label in enumerate(y):
        is_like = y == label
        is_other = numbers != row
        for is_candidate in (is_like & is_other, ~is_like):
            candidates = numbers[is_candidate]
            if len(candidates):
                partner = rng.choice(candidates)
                pairs.append((row, partner))

    rows = np.array(pairs)
    first, second = rows.T
    z = embed(x)
    products = z[first] * z[second]
    cosines = products.sum(1)
    is_same = y[first] == y[second]
    return cosines, is_same, rows


def best_threshold(cosines: np.ndarray, is_same: np.ndarray) -> float:
    """The number for which `cosines > number` is most often equal to `is_same`."""
    order = np.argsort(cosines)
    ranked = cosines[order]
    same = is_same[order]

    # For a threshold between two neighbours of the ranking: what lies below it
    below = np.arange(len(order) + 1)
    counts = np.cumsum(same)
    same_below = np.concatenate([[0], counts])
    same_above = np.sum(same) - same_below
    right = below - same_below + same_above
    best = int(right.argmax())

    ends = np.concatenate([[-1.0], ranked, [1.0]])
    around = ends[best : best + 2]
    return float(around.mean())


def one_shot(embed: Embed, new: Images) -> np.ndarray:
    """(DRAWS,): shares of test images whose class one example of each class tells.

    The examples are drawn from the training images. An image gets the class of the
    example that is nearest to it.
    """
    x, y = new.train
    rng = np.random.default_rng(0)
    columns = []
    for label in range(len(new.classes)):
        of_class = np.flatnonzero(y == label)
        drawn = rng.choice(of_class, DRAWS)
        columns.append(drawn)
    rows = np.stack(columns, axis=1)
    examples = embed(x[rows.ravel()])
    examples = examples.reshape(*rows.shape, -1)  # draws, classes, D

    images, labels = new.test
    z = embed(images)
    shares = []
    for vectors in examples:
        cosines = z @ vectors.T
        answers = cosines.argmax(-1)

        is_right = answers == labels
        share = is_right.mean()
        shares.append(share)
    return np.array(shares)


def classifier(network: keras.Model, data: Images) -> keras.Model:
    """The network with a last layer: cosines with the mean of each class, scaled."""
    x, y = data.train
    embed = embedder(network)
    z = embed(x)
    means = []
    for label in range(len(data.classes)):
        mean = z[y == label].mean(0)
        length = np.linalg.norm(mean)
        means.append(mean / length)

    last = Dense(len(means), use_bias=False, dtype="float32", name="class_means")
    images = keras.Input(data.shape)
    logits = last(network(images))
    model = keras.Model(images, logits)
    columns = np.stack(means, axis=1)
    kernel = SCALE * columns
    last.set_weights([kernel])
    return model


def draw_embeddings(
    embed: Embed, data: Images, title: str, run: Folder, name: str
) -> None:
    """NAME: test images as points whose neighbours are those of the embeddings."""
    from sklearn.manifold import TSNE

    x, y = data.test
    images = x[:SHOWN]
    labels = y[:SHOWN]
    z = embed(images)
    others = len(z) - 1
    perplexity = min(30, others / 3)
    plane = TSNE(perplexity=perplexity, init="pca", random_state=0)
    points = plane.fit_transform(z)
    axes_names = ("t-SNE", "")
    draw_projection(points, labels, data.classes, title, axes_names, run, name)


def draw_cosines(found: dict[str, Any], run: Folder) -> None:
    """verification.png: the cosines of pairs of one class, and of pairs of two."""
    wrong = 1 - found["accuracy"]
    title = f"The threshold is wrong for {wrong:.2%} of the pairs of test images"
    figure, axes = panel(title, "cosine of the embeddings", "pairs")
    edges = np.linspace(-1, 1, 101)
    bins = edges.tolist()
    cosines = found["cosines"]
    is_same = found["is_same"]
    like = cosines[is_same]
    unlike = cosines[~is_same]
    axes.hist(like, bins, color=BLUE, alpha=0.7, label="one class")
    axes.hist(unlike, bins, color=ORANGE, alpha=0.7, label="two classes")
    axes.axvline(found["threshold"], color="black", ls="--", label="threshold")
    axes.set_yscale("log")
    axes.legend()
    save_figure(figure, run, "verification.png")


def draw_wrong_pairs(found: dict[str, Any], x: np.ndarray, run: Folder) -> None:
    """wrong_pairs.png: the pairs that are farthest on the wrong side."""
    cosines = found["cosines"]
    is_same = found["is_same"]
    pairs = found["pairs"]
    excess = cosines - found["threshold"]
    wrongness = np.where(is_same, -excess, excess)
    is_wrong = wrongness > 0
    wrong = int(is_wrong.sum())
    order = np.argsort(-wrongness)
    worst = order[: min(WRONG, wrong)]
    figure = Figure(figsize=(12, 4.6), layout="constrained")
    title = f"The pairs that are most clearly mistaken, of {wrong} mistaken ones"
    figure.suptitle(title)
    columns = WRONG // 2
    places = figure.subplots(2, columns)
    for axes in places.flat:
        axes.set_axis_off()
    for axes, i in zip(places.flat, worst):
        left, right = pairs[i]
        both = np.concatenate([x[left], x[right]], axis=1)
        axes.imshow(both.squeeze(), cmap="gray_r")
        truth = "one class" if is_same[i] else "two classes"
        axes.set_title(f"{truth}, cosine {cosines[i]:.2f}", fontsize=9)
    save_figure(figure, run, "wrong_pairs.png")
