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
        order = np.random.default_rng(0).permutation(len(y))
        rows = []
        for label in np.unique(y):
            of_class = order[y[order] == label]
            even = len(of_class) // 2 * 2
            rows.append(of_class[:even].reshape(-1, 2))
        pairs = np.concatenate(rows)
        return x[pairs], y[pairs[:, 0]]

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
        images = [np.rot90(x, quarters, axes=(1, 2)) for quarters in turns]
        labels = [y + i * count for i in range(len(turns))]
        return np.concatenate(images), np.concatenate(labels)

    names = [f"{name}, {90 * turn}" for turn in turns for name in data.classes]
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
    embed, x, y = embedder(network), *data.test
    new = data.only(len(data.classes) // 2, len(data.classes))
    found = verification(embed, data)
    answers = classifier(network, data)
    logits = answers.predict(x, batch_size=500, verbose=0)
    shots = one_shot(embedder(first), new)
    figures: Figures = {
        "verification accuracy": found["accuracy"],
        "verification accuracy of pixels": verification(as_vectors, data)["accuracy"],
        "one-shot accuracy": float(shots.mean()),
        "its standard deviation over examples": float(shots.std()),
        "one-shot accuracy of pixels": float(one_shot(as_vectors, new).mean()),
        "accuracy of the nearest class mean": float(np.mean(logits.argmax(-1) == y)),
    }
    print_figures(figures)

    draw_curves(history, run)
    draw_cosines(found, run)
    draw_wrong_pairs(found, x, run)
    for name, part, title in (
        ("embedding", data, "Embeddings of test images"),
        ("new_classes", new, "The same of classes that the network has never seen"),
    ):
        images, labels = (array[:SHOWN] for array in part.test)
        z = (embed if part is data else embedder(first))(images)
        names = ("t-SNE", "")
        draw_projection(
            in_plane(z), labels, part.classes, title, names, run, f"{name}.png"
        )
    return finish(answers, data, history, run, figures, expected)


def embedder(network: keras.Model) -> Embed:
    """The network as a function of any number of images."""
    return lambda images: network.predict(images, batch_size=500, verbose=0)


def as_vectors(images: np.ndarray) -> np.ndarray:
    """The pixels of each image as a vector of length 1: an embedding without a network.

    An image without light becomes 0.
    """
    vectors = images.reshape(len(images), -1).astype("float32")
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return vectors / np.maximum(length, 1e-6)


def verification(embed: Embed, data: Images) -> dict[str, Any]:
    """How often cosines tell whether two test images show the same class.

    Each image has a partner of its class and one of another class, drawn at random. The
    threshold is the one that is right most often for validation images.
    """
    threshold = best_threshold(*cosines_of_pairs(embed, *data.validation, seed=0)[:2])
    cosines, is_same, pairs = cosines_of_pairs(embed, *data.test, seed=1)
    return {
        "accuracy": float(np.mean((cosines > threshold) == is_same)),
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
    pairs = []
    for row, label in enumerate(y):
        for candidates in (np.flatnonzero(y == label), np.flatnonzero(y != label)):
            candidates = candidates[candidates != row]
            if len(candidates):
                pairs.append((row, rng.choice(candidates)))
    rows = np.array(pairs)
    z = embed(x)
    cosines = np.sum(z[rows[:, 0]] * z[rows[:, 1]], axis=1)
    return cosines, y[rows[:, 0]] == y[rows[:, 1]], rows


def best_threshold(cosines: np.ndarray, is_same: np.ndarray) -> float:
    """The number for which `cosines > number` is most often equal to `is_same`."""
    order = np.argsort(cosines)
    ranked = cosines[order].astype("float64")
    same_below = np.concatenate([[0], np.cumsum(is_same[order])])
    below = np.arange(len(order) + 1)
    right = (below - same_below) + (same_below[-1] - same_below)
    best = int(right.argmax())
    ends = np.concatenate([[-1.0], ranked, [1.0]])
    return float((ends[best] + ends[best + 1]) / 2)


def one_shot(embed: Embed, new: Images) -> np.ndarray:
    """(DRAWS,): shares of test images whose class one example of each class tells.

    The examples are drawn from the training images. An image gets the class of the
    example that is nearest to it.
    """
    x, y = new.train
    rng = np.random.default_rng(0)
    of_class = [np.flatnonzero(y == label) for label in range(len(new.classes))]
    rows = np.stack([rng.choice(rows, DRAWS) for rows in of_class], axis=1)
    examples = embed(x[rows.ravel()]).reshape(*rows.shape, -1)  # draws, classes, D
    images, labels = new.test
    z = embed(images)
    shares = [np.mean((z @ each.T).argmax(-1) == labels) for each in examples]
    return np.array(shares)


def classifier(network: keras.Model, data: Images) -> keras.Model:
    """The network with a last layer: cosines with the mean of each class, scaled."""
    x, y = data.train
    z = embedder(network)(x)
    means = np.stack([z[y == label].mean(0) for label in range(len(data.classes))])
    means /= np.linalg.norm(means, axis=1, keepdims=True)
    last = Dense(len(means), use_bias=False, dtype="float32", name="class_means")
    images = keras.Input(data.shape)
    model = keras.Model(images, last(network(images)))
    last.set_weights([SCALE * means.T])
    return model


def in_plane(z: np.ndarray) -> np.ndarray:
    """Points (N, 2) whose neighbours are those of the vectors z, by t-SNE."""
    from sklearn.manifold import TSNE

    perplexity = min(30, (len(z) - 1) / 3)
    return TSNE(perplexity=perplexity, init="pca", random_state=0).fit_transform(z)


def draw_cosines(found: dict[str, Any], run: Folder) -> None:
    """verification.png: the cosines of pairs of one class, and of pairs of two."""
    wrong = 1 - found["accuracy"]
    title = f"The threshold is wrong for {wrong:.2%} of the pairs of test images"
    figure, axes = panel(title, "cosine of the embeddings", "pairs")
    bins = np.linspace(-1, 1, 101).tolist()
    cosines, is_same = found["cosines"], found["is_same"]
    axes.hist(cosines[is_same], bins, color=BLUE, alpha=0.7, label="one class")
    axes.hist(cosines[~is_same], bins, color=ORANGE, alpha=0.7, label="two classes")
    axes.axvline(found["threshold"], color="black", ls="--", label="threshold")
    axes.set_yscale("log")
    axes.legend()
    save_figure(figure, run, "verification.png")


def draw_wrong_pairs(found: dict[str, Any], x: np.ndarray, run: Folder) -> None:
    """wrong_pairs.png: the pairs that are farthest on the wrong side."""
    excess = found["cosines"] - found["threshold"]
    wrongness = np.where(found["is_same"], -excess, excess)
    worst = np.argsort(-wrongness)[: min(WRONG, int(np.sum(wrongness > 0)))]
    figure = Figure(figsize=(12, 4.6), layout="constrained")
    figure.suptitle(f"The pairs that are most clearly mistaken ({len(worst)} shown)")
    places = figure.subplots(2, WRONG // 2)
    for axes in places.flat:
        axes.set_axis_off()
    for axes, i in zip(places.flat, worst):
        both = np.concatenate([x[row] for row in found["pairs"][i]], axis=1)
        axes.imshow(both.squeeze(), cmap="gray_r")
        truth = "one class" if found["is_same"][i] else "two classes"
        axes.set_title(f"{truth}, cosine {found['cosines'][i]:.2f}", fontsize=9)
    save_figure(figure, run, "wrong_pairs.png")
