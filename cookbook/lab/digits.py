"""The handwritten digits for experiments: small images, wrong labels, batches."""

import numpy as np

from cookbook.data.images import load_images

Part = tuple[np.ndarray, np.ndarray]  # (x, y)


def small_digits(seed: int = 0) -> list[Part]:
    """(x, y) to train, to validate and to test on; x are 8x8 pixels from 0 to 1.

    These are the images of scikit-learn's digits in their original size.
    """
    digits = load_images("digits", "digits", seed=seed)
    # Each original pixel was enlarged to 3x3, inside a margin of 2.
    middles = slice(3, 27, 3)
    parts = []
    for x, y in (digits.train, digits.validation, digits.test):
        x = x[:, middles, middles, 0]  # (N, 28, 28, 1) -> (N, 8, 8)
        x = x.reshape(-1, 64) / 255
        parts.append((x.astype("float32"), y))
    return parts


def flat_digits() -> tuple[Part, Part]:
    """(x, y) to train on and (x, y) to test on; x are 784 pixels from 0 to 1."""
    digits = load_images("digits", "digits")
    x, y = digits.train
    x_test, y_test = digits.test

    # (N, 28, 28, 1) -> (N, 784)
    x = x.reshape(-1, 784) / 255
    x_test = x_test.reshape(-1, 784) / 255
    return (x, y), (x_test, y_test)


def mislabel(y, share: float, rng: np.random.Generator) -> np.ndarray:
    """The labels, of which about `share` are replaced by a wrong digit."""
    is_wrong = rng.random(len(y)) < share
    shift = rng.integers(1, 10, len(y))  # never 0: the label would stay right
    wrong = (y + shift) % 10
    return np.where(is_wrong, wrong, y)


def shuffled(count: int, batch_size: int, steps: int, seed: int = 0) -> np.ndarray:
    """Rows of `count` examples, (steps, batch_size): every example once per pass."""
    rng = np.random.default_rng(seed)
    needed = steps * batch_size

    passes = -(-needed // count)  # rounded up
    orders = [rng.permutation(count) for _ in range(passes)]
    rows = np.concatenate(orders)[:needed]
    return rows.reshape(steps, batch_size)
