"""Data sets of TensorFlow Datasets as arrays, with a stand-in where there is none."""

import dataclasses
import typing

import numpy as np

Part = tuple[typing.Any, typing.Any]  # (x, y), either of which may be nested


@dataclasses.dataclass(frozen=True, kw_only=True)
class DataSet:
    """Examples for one recipe, in three parts (x, y)."""

    name: str  # the data set really used
    asked: str  # the data set that was asked for
    train: Part
    validation: Part  # cut from train at random, where the source has none
    test: Part  # used once, at the end

    @property
    def note(self) -> str:
        """The name of the data; it also says so if they are not what was asked for."""
        is_same = self.name == self.asked
        return self.name if is_same else f"{self.name}, NOT {self.asked}"


def choose(name: str, default: str, stand_in: str, quick: bool) -> tuple[str, str]:
    """(data set to use, data set asked for), for the flag --data.

    The name "auto" asks for `default`; where that can't be had, and with --quick, the
    small data set `stand_in` is used, which the script makes itself.
    """
    if name != "auto":
        return name, name
    if quick:
        return stand_in, stand_in
    import tensorflow_datasets as tfds

    try:
        tfds.builder(default).download_and_prepare()
    except Exception as problem:  # a download can raise anything
        print(f"{default} can't be had ({problem}): {stand_in} stands in for it")
        return stand_in, default
    return default, default


def read(name: str, split: str, *features: str) -> typing.Any:
    """These features of one split, each as an array."""
    import tensorflow_datasets as tfds

    part = tfds.as_numpy(tfds.load(name, split=split, batch_size=-1))
    return [part[feature] for feature in features]


def texts_of(column: typing.Iterable[bytes]) -> list[str]:
    return [text.decode("utf-8", "replace") for text in column]


def hold_out(count: int, share: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """(rows for training, rows for validation): a random `share` is held out."""
    order = np.random.default_rng(seed).permutation(count)
    held_out = round(count * share)
    return order[held_out:], order[:held_out]
