"""Labelled images for a script."""

from typing import Any

from cookbook.data.images import TEST_SHARE, VALIDATION_SHARE, Images, _digits
from cookbook.takeaway.standalone.data.sources import Part, choose, hold_out, read


def load_images(
    name: str, default: str, quick: bool = False, seed: int = 0, **limits: Any
) -> Images:
    """The image set `name` of TensorFlow Datasets, or scikit-learn's small digits.

    limits: what the network asks of images, which is not checked here.
    """
    name, asked = choose(name, default, "digits", quick)
    (x, y), test, classes = _digits() if name == "digits" else _prepared(name)
    rest, held_out = hold_out(len(x), VALIDATION_SHARE, seed)

    return Images(
        name=name,
        asked=asked,
        train=(x[rest], y[rest]),
        validation=(x[held_out], y[held_out]),
        test=test,
        classes=classes,
    )


def _prepared(name: str) -> tuple[Part, Part, tuple[str, ...]]:
    """(train, test, names of the classes) of a set of TensorFlow Datasets."""
    import tensorflow_datasets as tfds

    info = tfds.builder(name).info
    classes = tuple(info.features["label"].names)
    x, y = read(name, "train", "image", "label")
    if "test" in info.splits:
        return (x, y), read(name, "test", "image", "label"), classes
    rest, held_out = hold_out(len(x), TEST_SHARE, seed=0)
    return (x[rest], y[rest]), (x[held_out], y[held_out]), classes
