"""Evaluation of a variational autoencoder and of embeddings in plain scripts."""

import matplotlib.pyplot as plt
import numpy as np
from keras import Model


def report_autoencoder(model, data, history, samples: int) -> dict[str, float]:
    """The log likelihood of the test images, and new images."""
    x, _ = data.test
    print(f"{samples} samples for each of {len(x)} images")
    mean = model.log_likelihood(x, samples).mean()
    print(f"test log likelihood: {mean:.2f}")

    figure, places = plt.subplots(8, 8)
    for axes, image in zip(places.flat, model.sample(64)):
        axes.imshow(image, "gray_r")
        axes.axis("off")
    figure.savefig("samples.png")
    return {"test log likelihood": mean}


def report_embeddings(network, first, data, history) -> dict[str, float]:
    """The accuracy of verification, and of recognition by one example each."""
    cosines, is_same = cosines_of_pairs(network, *data.validation)
    tries = np.sort(cosines)
    rights = [np.mean((cosines > each) == is_same) for each in tries]
    threshold = tries[np.argmax(rights)]
    cosines, is_same = cosines_of_pairs(network, *data.test)
    figures = {"verification accuracy": np.mean((cosines > threshold) == is_same)}

    half = len(data.classes) // 2
    x, y = data.train
    x_new, y_new = (part[data.test[1] >= half] for part in data.test)
    z = first.predict(x_new, 500, verbose=0)
    rng = np.random.default_rng(0)
    shares = []
    for _ in range(20):
        rows = [rng.choice(np.flatnonzero(y == label)) for label in np.unique(y_new)]
        examples = first.predict(x[rows], verbose=0)
        answers = half + np.argmax(z @ examples.T, -1)
        shares.append(np.mean(answers == y_new))
    figures["one-shot accuracy"] = np.mean(shares)

    for name, value in figures.items():
        print(f"{name}: {value:.4f}")
    return figures


def cosines_of_pairs(network: Model, x, y) -> tuple[np.ndarray, np.ndarray]:
    """Cosines of random pairs, and whether a pair is of one class: half of them are."""
    z = network.predict(x, 500, verbose=0)
    rng = np.random.default_rng(0)
    cosines, is_same = [], []
    for a, label in zip(z, y):
        for same in (True, False):
            b = z[rng.choice(np.flatnonzero((y == label) == same))]
            cosines.append(a @ b)
            is_same.append(same)
    return np.array(cosines), np.array(is_same)
