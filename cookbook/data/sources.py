"""Where data come from: TensorFlow Datasets, prepared or downloaded, or a stand-in."""

import dataclasses
import difflib
import os
import socket
import sys
import threading
import typing
from collections.abc import Callable
from pathlib import Path

import numpy as np

from cookbook.errors import fail

NETWORK_WAIT = 2.0  # seconds to find out whether a download can work
TFDS_HOST = "storage.googleapis.com"
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
        if self.name == self.asked:
            return self.name
        return f"{self.name}, NOT {self.asked}"


@dataclasses.dataclass(frozen=True)
class Kind:
    """The sets of TensorFlow Datasets that a recipe can learn from."""

    what: str  # "labelled images"
    features: frozenset[str]  # names of the features that such a set has
    examples: tuple[str, ...]  # names of such sets
    stand_in: str  # name of the embedded set, for use without a network
    # Why a recipe can't use the set that this description is of, or None.
    problem: Callable[[typing.Any], str | None] = lambda info: None


def choose(name: str, default: str, kind: Kind, quick: bool = False) -> tuple[str, str]:
    """(data set to use, data set asked for), for a recipe's --data.

    The name "auto" asks for `default`. A prepared set is used. One that is not prepared
    is downloaded if the network answers within two seconds. Otherwise the recipe uses
    the kind's stand-in and says so loudly; with `quick` it does so at once. A name that
    the user gave is never replaced: if the set can't be had, one line says how to get
    it, and the exit status is 2.
    """
    asked = default if name == "auto" else name
    if quick and name == "auto":
        asked = kind.stand_in
    if asked == kind.stand_in:
        return asked, asked
    problem = _obstacle(asked, kind)
    if not problem:
        return asked, asked
    if name != "auto":
        fail(problem)
    line = "=" * 78
    print(
        f"{line}\n{problem}\nUsing the embedded {kind.stand_in} instead: "
        f"figures below are NOT {asked}'s.\n{line}",
        file=sys.stderr,
        flush=True,
    )
    return kind.stand_in, asked


def hold_out(count: int, share: float, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """(rows for training, rows for validation): a random `share` is held out."""
    order = np.random.default_rng(seed).permutation(count)
    held_out = round(count * share)
    return order[held_out:], order[:held_out]


def read(name: str, split: str) -> typing.Any:
    """One split as arrays, {feature: array} or (x, y), checked against its size."""
    import tensorflow as tf
    import tensorflow_datasets as tfds

    builder = tfds.builder(name)
    supervised = builder.info.supervised_keys is not None
    try:
        part = tfds.load(name, split=split, as_supervised=supervised, batch_size=-1)
        part = tf.nest.map_structure(lambda tensor: tensor.numpy(), part)
    except (tf.errors.OpError, OSError, ValueError, AssertionError) as error:
        fail(_damaged(builder, first_line(error)))
    (size,) = {len(array) for array in tf.nest.flatten(part)}
    if size != builder.info.splits[split].num_examples:
        fail(_damaged(builder, f"{split} holds {size} examples"))
    return part


def first_line(error: BaseException) -> str:
    """An exception's message, shortened to what fits into one of ours."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]


def _obstacle(name: str, kind: Kind) -> str | None:
    """Why the set can't be had right now, in one line; None if it can."""
    import tensorflow_datasets as tfds

    try:
        builder = tfds.builder(name)
    except tfds.core.registered.DatasetNotFoundError:
        fail(_unknown(name, tfds.list_builders(with_community_datasets=False), kind))
    if not kind.features <= set(builder.info.features or {}):
        fail(
            f"data set {name!r} has no {kind.what}: choose one that has, such as "
            + ", ".join(kind.examples)
        )
    if problem := kind.problem(builder.info):
        fail(f"data set {name!r} {problem}, such as {', '.join(kind.examples)}")
    if builder.is_prepared():
        return None
    reason = "the network does not answer"
    if network_answers():
        try:
            builder.download_and_prepare()
            return None
        except Exception as error:  # a download can raise anything
            reason = f"its download failed ({first_line(error)})"
    return (
        f"data set {name!r} is not prepared in {builder.data_path} and {reason}: "
        "run once with a network, or set TFDS_DATA_DIR to a folder that holds it, or "
        f"use --data {kind.stand_in}"
    )


def _unknown(name: str, known: list[str], kind: Kind) -> str:
    near = difflib.get_close_matches(name, [*known, kind.stand_in], n=3)
    hint = f"did you mean {' or '.join(near)}? " if near else ""
    return (
        f"unknown data set {name!r}: {hint}expected {kind.stand_in} or a set of "
        f"TensorFlow Datasets with {kind.what}, such as {', '.join(kind.examples)}"
    )


def network_answers() -> bool:
    """Whether the host of TensorFlow Datasets can be reached.

    A thread asks, because the look-up of the name may hang longer than NETWORK_WAIT.
    """
    answer = []

    def ask() -> None:
        try:
            socket.create_connection((TFDS_HOST, 443), NETWORK_WAIT).close()
            answer.append(True)
        except OSError:
            pass

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(NETWORK_WAIT)
    return bool(answer)


def _damaged(builder: typing.Any, reason: str) -> str:
    return (
        f"data set {builder.name!r} in {builder.data_path} can't be read ({reason}): "
        "delete that folder and run again to download it anew"
    )


def cache_folder() -> Path:
    """The folder, in Keras's home, for results that later runs can use again."""
    home = os.environ.get("KERAS_HOME") or os.path.expanduser("~/.keras")
    return Path(home) / "cookbook"
