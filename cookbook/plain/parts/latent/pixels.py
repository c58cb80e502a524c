"""Images of plain scripts: black and white, in pairs, and turned."""

from types import SimpleNamespace

import numpy as np

from cookbook.plain.parts.images import centre


def binarized(data: SimpleNamespace) -> SimpleNamespace:
    """Black and white test images, drawn once; training draws its own in each step."""
    data = centre(data)
    x, y = data.test

    rng = np.random.default_rng(1)

    chance = rng.random(x.shape)
    is_white = 2 * chance - 1 < x
    x = np.where(is_white, 1, -1)
    data.test = x.astype("float32"), y
    return data


def in_pairs(data: SimpleNamespace) -> SimpleNamespace:
    """The data with pairs of training images of one class, (N, 2, H, W, C)."""
    paired = SimpleNamespace(**vars(data))
    for part in ("train", "validation"):
        x, y = getattr(data, part)
        rows = []
        for label in np.unique(y):
            of_class = np.flatnonzero(y == label)
            even = len(of_class) // 2 * 2
            rows.append(of_class[:even].reshape(-1, 2))

        pairs = np.concatenate(rows)
        labels = y[pairs[:, 0]]
        setattr(paired, part, (x[pairs], labels))

    paired.shape = (2, *data.shape)
    return paired


def with_turned(data: SimpleNamespace) -> SimpleNamespace:
    """The data with turned images as classes of their own, four times as many."""
    more = SimpleNamespace(**vars(data))
    count = len(data.classes)
    for part in ("train", "validation"):
        x, y = getattr(data, part)

        images = [np.rot90(x, turns, axes=(1, 2)) for turns in range(4)]
        labels = [y + turns * count for turns in range(4)]
        setattr(more, part, (np.concatenate(images), np.concatenate(labels)))
    return more
