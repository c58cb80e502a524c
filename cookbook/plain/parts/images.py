"""Data of plain scripts: images, and a series of numbers."""

from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import numpy as np
import tensorflow_datasets as tfds
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split


@dataclass(frozen=True, kw_only=True)
class DataSet:
    """Examples in three parts (x, y), the last of which is used once, at the end."""

    name: str
    train: Any
    validation: Any
    test: Any


def load_images(name: str, quick: bool) -> SimpleNamespace:
    """Images of TensorFlow Datasets, or with `quick` scikit-learn's small digits."""
    if quick:
        name, (x, y) = "digits", load_digits(return_X_y=True)
        x = np.kron(x.reshape(-1, 8, 8), np.ones((1, 3, 3))) * 255 / 16
        x = np.pad(x, ((0, 0), (2, 2), (2, 2)))[..., None].astype("uint8")  # 28 x 28
        x, x_test, y, y_test = train_test_split(x, y, test_size=360, random_state=0)
    else:
        options = {"as_supervised": True, "batch_size": -1}
        splits = tfds.load(name, split=["train", "test"], **options)
        (x, y), (x_test, y_test) = tfds.as_numpy(splits)
    data = SimpleNamespace(name=name, shape=x.shape[1:], test=(x_test, y_test))
    data.classes = [str(label) for label in np.unique(y)]
    parts = train_test_split(x, y, test_size=1 / 12, random_state=0)
    data.train, data.validation = parts[::2], parts[1::2]
    return data


def only(data: SimpleNamespace, start: int, stop: int) -> SimpleNamespace:
    """The images of the classes start to stop - 1, whose labels become 0, 1, ..."""
    chosen = SimpleNamespace(**vars(data))
    chosen.classes = data.classes[start:stop]
    for name in ("train", "validation", "test"):
        x, y = getattr(data, name)
        rows = (start <= y) & (y < stop)
        setattr(chosen, name, (x[rows], y[rows] - start))
    return chosen


def few_of_each(data: SimpleNamespace, count: int, seed: int) -> SimpleNamespace:
    """The data with `count` random images of each class to train on."""
    x, y = data.train
    order = np.random.default_rng(seed).permutation(len(y))
    labels = range(len(data.classes))
    rows = np.stack([order[y[order] == label][:count] for label in labels], 1).ravel()
    return SimpleNamespace(**{**vars(data), "train": (x[rows], y[rows])})


def one_hot(data: SimpleNamespace) -> SimpleNamespace:
    """The images with one-hot labels; all but the test part are trained on."""
    x, y = (np.concatenate(both) for both in zip(data.train, data.validation))
    data.train, data.validation = (x, np.eye(len(data.classes))[y]), None
    return data


def centre(data: SimpleNamespace) -> SimpleNamespace:
    """The images with pixels from -1 to 1, the range of a tanh."""
    for part in ("train", "validation", "test"):
        x, y = getattr(data, part)
        setattr(data, part, (x.astype("float32") / 127.5 - 1, y))
    return data


def load_mackey_glass(window: int, horizon: int, quick: bool) -> SimpleNamespace:
    """Windows of the series, and the `horizon` values that follow each."""
    sizes = np.array([3000, 1000, 2000]) // (4 if quick else 1)
    series = mackey_glass(sizes.sum())
    training = series[: sizes[0]]
    series = ((series - training.mean()) / training.std()).astype("float32")
    data = SimpleNamespace(name="mackey_glass")
    parts = np.split(series, np.cumsum(sizes)[:-1])
    for name, part in zip(("train", "validation", "test"), parts):
        views = np.lib.stride_tricks.sliding_window_view(part, window + horizon)
        setattr(data, name, (views[:, :window, None], views[:, window:]))
    return data


def mackey_glass(count: int) -> np.ndarray:
    """dx/dt = 0.2 x(t - 17) / (1 + x(t - 17)^10) - 0.1 x(t), by Runge and Kutta."""
    h, delay = 0.1, 170  # ten steps per unit of time
    x = np.full(delay + 1 + 10 * (500 + count), 1.2)
    after = 0.24 / (1 + 1.2**10)  # what x(t - 17) adds, one step later
    for t in range(delay, len(x) - 1):
        before, late = after, x[t - delay + 1]
        after = 0.2 * late / (1 + late**10)
        middle = (before + after) / 2
        k1 = before - 0.1 * x[t]
        k2 = middle - 0.1 * (x[t] + h / 2 * k1)
        k3 = middle - 0.1 * (x[t] + h / 2 * k2)
        k4 = after - 0.1 * (x[t] + h * k3)
        x[t + 1] = x[t] + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
    return x[delay + 5010 :: 10]
