"""Evaluation of autoencoders, embeddings and diffusion models in plain scripts."""

import matplotlib.pyplot as plt
import numpy as np
from keras import Model
from scipy.linalg import sqrtm

from cookbook.plain.parts.images import only


def report_autoencoder(model, data, history, samples: int) -> dict[str, float]:
    """The log likelihood of the test images, and new images."""
    x, _ = data.test
    print(f"{samples} samples for each of {len(x)} images")
    log_p = model.log_likelihood(x, samples)
    mean = log_p.mean()
    print(f"test log likelihood: {mean:.2f}")

    images = model.sample(64)
    figure, places = plt.subplots(8, 8)

    for axes, image in zip(places.flat, images):
        axes.imshow(image, "gray_r")
        axes.axis("off")

    figure.savefig("samples.png")

    return {"test log likelihood": mean}


def report_embeddings(network, first, data, history) -> dict[str, float]:
    """The accuracy of verification, and of recognition by one example each."""
    cosines, is_same = cosines_of_pairs(network, *data.validation)
    tries = np.sort(cosines)
    rights = []
    for each in tries:
        answers = cosines > each
        rights.append(np.mean(answers == is_same))

    best = np.argmax(rights)
    threshold = tries[best]

    cosines, is_same = cosines_of_pairs(network, *data.test)
    answers = cosines > threshold
    verified = np.mean(answers == is_same)
    print(f"verification accuracy: {verified:.4f}")

    half = len(data.classes) // 2
    new = only(data, half, len(data.classes))
    recognized = one_shot(first, *new.train, *new.test)
    print(f"one-shot accuracy: {recognized:.4f}")
    return {"verification accuracy": verified, "one-shot accuracy": recognized}


def one_shot(network: Model, x, y, queries, labels) -> float:
    """How often one random example of each class tells the class of an image."""
    rng = np.random.default_rng(0)
    z = network.predict(queries, 500, verbose=0)
    classes = np.unique(labels)
    shares = []

    for _ in range(20):
        rows = []

        for label in classes:
            of_class = np.flatnonzero(y == label)
            rows.append(rng.choice(of_class))

        examples = network.predict(x[rows], verbose=0)
        cosines = z @ examples.T
        answers = cosines.argmax(-1)
        shares.append(np.mean(answers == labels))

    return np.mean(shares)


def cosines_of_pairs(network: Model, x, y) -> tuple[np.ndarray, np.ndarray]:
    """Cosines of random pairs, and whether a pair is of one class: half of them are."""
    z = network.predict(x, 500, verbose=0)
    rng = np.random.default_rng(0)
    cosines = []
    is_same = []

    for a, label in zip(z, y):
        for rows in (y == label, y != label):
            candidates = np.flatnonzero(rows)
            partner = rng.choice(candidates)
            cosine = a @ z[partner]
            cosines.append(cosine)

        is_same += [True, False]

    return np.array(cosines), np.array(is_same)


def report_diffusion(model, data, history, guidances) -> dict[str, float]:
    """The Frechet distance to test images, with the guidance that validation chose."""
    x, y = data.validation
    x = x[:1000].astype("float32") / 127.5 - 1
    found = {}

    for w in guidances:
        generated = images_of(model, y[:1000], w)
        apart = distance(data.judge, x, generated)
        print(f"guidance {w}: Frechet distance {apart:.3f} in validation")
        found[w] = apart

    x, y = data.test
    best = min(found, key=lambda w: found[w])
    generated = images_of(model, y, best)
    last = distance(data.judge, x, generated)
    print(f"Frechet distance: {last:.3f}")

    order = np.argsort(y)
    step = len(y) // 100
    rows = order[::step]
    shown = generated[rows]
    figure, places = plt.subplots(10, 10)

    for axes, image in zip(places.flat, shown):
        axes.imshow(image, "gray_r")
        axes.axis("off")
    figure.savefig("samples.png")

    return {"Frechet distance": last}


def images_of(model, labels, guidance: float) -> np.ndarray:
    """Images of the classes, 500 at a time."""
    parts = []
    for i in range(0, len(labels), 500):
        some = labels[i : i + 500]
        part = model.sample(some, guidance)
        parts.append(part)

    return np.concatenate(parts)


def distance(judge, real, generated) -> float:
    """The Frechet distance of images to real ones, in the features of the judge."""
    f, _ = judge.predict(real, batch_size=500, verbose=0)
    g, _ = judge.predict(generated, batch_size=500, verbose=0)

    apart = f.mean(0) - g.mean(0)
    S = np.cov(f.T)
    T = np.cov(g.T)
    root = sqrtm(S @ T).real

    spread = np.trace(S + T - 2 * root)
    return apart @ apart + spread
