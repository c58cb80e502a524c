"""Labelled images by name: any image set of TensorFlow Datasets, or the digits."""

import dataclasses
from functools import partial

import numpy as np

from cookbook.data.sources import DataSet, Kind, choose, hold_out, read

VALIDATION_SHARE = 1 / 12  # of the training examples: 5,000 of MNIST's 60,000
TEST_SHARE = 1 / 6  # of all examples, where the source has one part only


def _problem(info, smallest=1):
    """Why the images are no array for a network, by the set's own description."""
    height, width, _ = info.features["image"].shape
    if None in (height, width):
        return "has images of varying size: choose a set of one size"
    if min(height, width) < smallest:
        return (
            f"has images of {height} x {width} pixels: choose a set of at least "
            f"{smallest} x {smallest}, which this network needs"
        )
    return None


IMAGES = Kind(
    what="labelled images",
    features=frozenset({"image", "label"}),
    examples=("mnist", "fashion_mnist", "cifar10"),
    stand_in="digits",
    problem=_problem,
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Images(DataSet):
    """A labelled image set; each part is (x, y), x uint8 (N, H, W, C), y int (N,)."""

    classes: tuple  # name of each label

    @property
    def shape(self):
        """(H, W, C) of one image."""
        return self.train[0].shape[1:]

    def one_hot(self):
        """The same images, to train with labels as rows of 0 and a single 1."""

        def rows(x, y):
            return x, np.eye(len(self.classes), dtype="float32")[y]

        return dataclasses.replace(
            self, train=rows(*self.train), validation=rows(*self.validation)
        )

    def only(self, start, stop):
        """The images of classes start to stop - 1, which become 0, 1, ..."""

        def part(x, y):
            rows = (start <= y) & (y < stop)
            return x[rows], y[rows] - start

        parts = ("train", "validation", "test")
        chosen = {name: part(*getattr(self, name)) for name in parts}
        return dataclasses.replace(self, classes=self.classes[start:stop], **chosen)

    def few(self, count, seed=0):
        """At most `count` images of each class, drawn by seed; the test part whole."""
        rng = np.random.default_rng(seed)

        def part(x, y):
            order = rng.permutation(len(y))
            labels = range(len(self.classes))
            rows = [order[y[order] == label][:count] for label in labels]
            rows = rng.permutation(np.concatenate(rows))  # any part of them is mixed
            return x[rows], y[rows]

        chosen = {name: part(*getattr(self, name)) for name in ("train", "validation")}
        return dataclasses.replace(self, **chosen)


def load_images(name, default, quick=False, seed=0, smallest=1):
    """The image set `name`, or for "auto" `default`, or else the embedded digits.

    sources.choose says in which order; the validation part is cut from train, by seed.
    A set without a part named test gives up a share of train, always the same one.
    smallest: pixels that each side must have, of a network whose layers shrink images.
    """
    kind = dataclasses.replace(IMAGES, problem=partial(_problem, smallest=smallest))
    name, asked = choose(name, default, kind, quick)
    if name == IMAGES.stand_in:
        (x, y), test, classes = _digits()
    else:
        import tensorflow_datasets as tfds

        info = tfds.builder(name).info
        classes = tuple(info.features["label"].names)
        (x, y), test = _parts(name, info)
    rest, held_out = hold_out(len(x), VALIDATION_SHARE, seed)
    return Images(
        name=name,
        asked=asked,
        train=(x[rest], y[rest]),
        validation=(x[held_out], y[held_out]),
        test=test,
        classes=classes,
    )


def _parts(name, info):
    """(x, y) of train and of test."""
    x, y = _labelled(name, "train")
    if "test" in info.splits:
        return (x, y), _labelled(name, "test")
    rest, held_out = hold_out(len(x), TEST_SHARE, seed=0)
    return (x[rest], y[rest]), (x[held_out], y[held_out])


def _labelled(name, split):
    """(x, y) of a split, whatever else its examples hold."""
    part = read(name, split)
    return (part["image"], part["label"]) if isinstance(part, dict) else part


def centre(images):
    """{part: (x, y)} with pixels from -1 to 1, as a tanh makes them, in float32."""
    return {
        part: (x.astype("float32") / 127.5 - 1, y)
        for part in ("train", "validation", "test")
        for x, y in [getattr(images, part)]
    }


def _digits():
    """scikit-learn's 1,797 digits of 8x8, enlarged to MNIST's 28x28."""
    from sklearn.datasets import load_digits

    bunch = load_digits()
    x = np.kron(bunch.images, np.ones((1, 3, 3))) * (255 / 16)
    x = np.pad(x, ((0, 0), (2, 2), (2, 2)))[..., None].astype("uint8")
    y = bunch.target.astype("int64")
    order = np.random.default_rng(0).permutation(len(x))  # the same test set always
    test, train = order[:360], order[360:]
    classes = tuple(str(digit) for digit in range(10))
    return (x[train], y[train]), (x[test], y[test]), classes
