"""Data of plain scripts: images, a series of numbers, and spoken digits."""

from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import keras
import numpy as np
import tensorflow_datasets as tfds
from sklearn.datasets import load_digits
from sklearn.model_selection import train_test_split

from cookbook.data.sounds.digit_strings import draw_strings
from cookbook.data.sounds.recordings import (
    Recording,
    as_loud_as_can_be,
    in_parts,
    loudest_stretch,
    melodies,
)


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
        x, y = load_digits(return_X_y=True)
        x = (255 / 16 * x).astype("uint8").reshape(-1, 8, 8, 1)
        x = x.repeat(3, axis=1).repeat(3, axis=2)  # 24 x 24
        x, x_test, y, y_test = train_test_split(x, y, test_size=360, random_state=0)
    else:
        parts = tfds.load(name, batch_size=-1, as_supervised=True)
        parts = tfds.as_numpy(parts)
        x, y = parts["train"]
        x_test, y_test = parts["test"]
    x, x_val, y, y_val = train_test_split(x, y, test_size=1 / 12, random_state=0)
    return SimpleNamespace(
        classes=[str(label) for label in np.unique(y)],
        shape=x.shape[1:],
        train=(x, y),
        validation=(x_val, y_val),
        test=(x_test, y_test),
    )


def only(data: SimpleNamespace, start: int, stop: int) -> SimpleNamespace:
    """The images of the classes start to stop - 1, whose labels become 0, 1, ..."""
    chosen = SimpleNamespace(**vars(data))
    chosen.classes = data.classes[start:stop]

    for part in ("train", "validation", "test"):
        x, y = getattr(data, part)
        rows = (start <= y) & (y < stop)
        setattr(chosen, part, (x[rows], y[rows] - start))
    return chosen


def few_of_each(data: SimpleNamespace, count: int, seed: int) -> SimpleNamespace:
    """The data with `count` random images of each class to train on."""
    x, y = data.train
    order = np.random.default_rng(seed).permutation(len(y))

    columns = []
    for label in range(len(data.classes)):
        rows = order[y[order] == label]
        columns.append(rows[:count])

    rows = np.stack(columns, axis=1).ravel()  # one of each class after another
    few = SimpleNamespace(**vars(data))
    few.train = x[rows], y[rows]
    return few


def one_hot(data: SimpleNamespace) -> SimpleNamespace:
    """The images with one-hot labels; all but the test part are trained on."""
    x, y = data.train
    more_x, more_y = data.validation
    x = np.concatenate([x, more_x])
    y = np.concatenate([y, more_y])
    data.train = x, keras.utils.to_categorical(y)
    data.validation = None
    return data


def centre(data: SimpleNamespace) -> SimpleNamespace:
    """The images with pixels from -1 to 1, the range of a tanh."""
    for part in ("train", "validation", "test"):
        x, y = getattr(data, part)
        x = x.astype("float32") / 127.5 - 1
        setattr(data, part, (x, y))
    return data


def load_series(window: int, horizon: int, quick: bool) -> SimpleNamespace:
    """Windows of the series, and the `horizon` values that follow each."""
    sizes = np.array([3000, 1000, 2000])
    if quick:
        sizes //= 4

    # Mean 0 and variance 1 in the training part
    series = mackey_glass(sizes.sum())
    training = series[: sizes[0]]
    mean = training.mean()
    spread = training.std()
    series = (series - mean) / spread
    series = series.astype("float32")

    data = SimpleNamespace()

    length = window + horizon
    borders = np.cumsum(sizes)
    parts = np.split(series, borders[:-1])

    for name, part in zip(("train", "validation", "test"), parts):
        views = np.lib.stride_tricks.sliding_window_view(part, length)
        x = views[:, :window, None]  # (windows, steps, 1)
        y = views[:, window:]
        setattr(data, name, (x, y))

    return data


def mackey_glass(count: int) -> np.ndarray:
    """dx/dt = 0.2 x(t - 17) / (1 + x(t - 17)^10) - 0.1 x(t), by Runge and Kutta."""
    h = 0.1  # ten steps per unit of time
    delay = 170
    steps = 10 * (500 + count)  # of which the first 500 units are left out
    x = np.full(delay + 1 + steps, 1.2)
    after = 0.24 / (1 + 1.2**10)  # what x(t - 17) adds, one step later

    for t in range(delay, len(x) - 1):
        # What the past adds, now and one step later
        late = x[t - delay + 1]
        before = after
        after = 0.2 * late / (1 + late**10)
        middle = (before + after) / 2

        # The four slopes of a step
        now = x[t]
        k1 = before - 0.1 * now
        k2 = middle - 0.1 * (now + h / 2 * k1)
        k3 = middle - 0.1 * (now + h / 2 * k2)
        k4 = after - 0.1 * (now + h * k3)

        x[t + 1] = now + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)

    return x[delay + 5010 :: 10]


def load_sounds(quick: bool, unheard: str | None = None) -> SimpleNamespace:
    """Spoken digits, or with `quick` melodies, as sounds of one length.

    unheard: a speaker to test on, whom the training does not hear.
    """
    parts = recordings_in_parts(quick)

    if unheard:
        everything = [each for part in parts.values() for each in part]
        theirs = [each for each in everything if each.speaker == unheard]

        for part, found in parts.items():
            parts[part] = [each for each in found if each.speaker != unheard]
        parts["test"] = theirs

    data = SimpleNamespace()
    data.classes = [str(digit) for digit in range(10)]
    data.rate = 8000
    data.samples = 8192

    for part, found in parts.items():
        x = np.zeros((len(found), data.samples), "float32")

        for row, each in zip(x, found):
            sound = loudest_stretch(each.sound, data.samples)
            row[: len(sound)] = sound

        y = np.array([int(each.word) for each in found])
        setattr(data, part, (x, y))

    return data


def load_strings(count: int, longest: int, quick: bool, seed: int) -> SimpleNamespace:
    """Strings of spoken digits, or with `quick` of melodies."""
    data = SimpleNamespace(spans={})
    data.classes = [str(digit) for digit in range(10)]
    data.rate = 8000
    data.samples = 6912 * longest

    few = 10 if quick else 1
    counts = {
        "train": count,
        "validation": 500 // few,
        "test": 1000 // few,
    }
    seeds = {
        "train": seed + 2,
        "validation": 0,
        "test": 1,
    }

    for part, found in recordings_in_parts(quick).items():
        strings = draw_strings(
            found,
            data.classes,
            counts[part],
            longest,
            seeds[part],
        )
        data.spans[part] = strings.spans
        x = strings[:]
        setattr(data, part, (x, strings.labels))

    return data


def recordings_in_parts(quick: bool) -> dict:
    """Recordings to train, to validate and to test on."""
    if quick:
        return in_parts(melodies())

    found = []
    examples = tfds.load("spoken_digit", split="train")

    for example in tfds.as_numpy(examples):
        file = example["audio/filename"].decode()
        name = file.removesuffix(".wav")
        word, speaker, number = name.split("_")

        sound = as_loud_as_can_be(example["audio"])
        found.append(Recording(sound, word, speaker, int(number)))

    return in_parts(found)
