"""Labelled images by name: any image set of TensorFlow Datasets, or the digits."""

import dataclasses

import numpy as np

from cookbook.data.sources import DataSet, Kind, choose, hold_out, read

VALIDATION_SHARE = 1 / 12  # of the training examples: 5,000 of MNIST's 60,000
IMAGES = Kind(
    what="labelled images",
    features=frozenset({"image", "label"}),
    examples=("mnist", "fashion_mnist", "cifar10"),
    stand_in="digits",
)


@dataclasses.dataclass(frozen=True, kw_only=True)
class Images(DataSet):
    """A labelled image set; each part is (x, y), x uint8 (N, H, W, C), y int (N,)."""

    classes: tuple  # name of each label

    @property
    def shape(self):
        """(H, W, C) of one image."""
        return self.train[0].shape[1:]


def load_images(name, default, quick=False, seed=0):
    """The image set `name`, or for "auto" `default`, or else the embedded digits.

    sources.choose says in which order; the validation part is cut from train, by seed.
    """
    name, asked = choose(name, default, IMAGES, quick)
    if name == IMAGES.stand_in:
        (x, y), test, classes = _digits()
    else:
        import tensorflow_datasets as tfds

        (x, y), test = read(name, "train"), read(name, "test")
        classes = tuple(tfds.builder(name).info.features["label"].names)
    rest, held_out = hold_out(len(x), VALIDATION_SHARE, seed)
    return Images(
        name=name,
        asked=asked,
        train=(x[rest], y[rest]),
        validation=(x[held_out], y[held_out]),
        test=test,
        classes=classes,
    )


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
