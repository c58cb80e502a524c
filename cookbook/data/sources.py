"""Where data come from: TensorFlow Datasets, prepared or downloaded, or a stand-in."""

import dataclasses
import difflib
import os
import socket
import sys
import threading
from pathlib import Path

import numpy as np

from cookbook.errors import fail

NETWORK_WAIT = 2.0  # seconds to find out whether a download can work
TFDS_HOST = "storage.googleapis.com"


@dataclasses.dataclass(frozen=True, kw_only=True)
class DataSet:
    """Examples for one recipe; each part is (x, y), of which either may be nested."""

    name: str  # the data set really used
    asked: str  # the data set that was asked for
    train: tuple
    validation: tuple  # cut from train, by seed, where the source has none
    test: tuple  # looked at once, at the end

    @property
    def note(self):
        """What a reader of a result must know of the data: name and any stand-in."""
        if self.name == self.asked:
            return self.name
        return f"{self.name}, NOT {self.asked}"


@dataclasses.dataclass(frozen=True)
class Kind:
    """The sets of TensorFlow Datasets that a recipe can learn from."""

    what: str  # "labelled images"
    features: frozenset  # names of the features that such a set has
    examples: tuple  # names of sets
    stand_in: str  # name of the embedded set used offline
    problem: callable = lambda info: None  # why no recipe can use it, or None


def choose(name, default, kind, quick=False):
    """(data set to use, data set asked for); "auto" asks for `default`.

    auto: prepared already -> used; network within 2 s -> downloaded with progress;
    else the stand-in, said loudly; with --quick the stand-in at once. A name given
    explicitly is never replaced: if it is not to be had, one line says how to get it
    and the exit status is 2.
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


def hold_out(count, share, seed):
    """(rows for training, rows for validation): a random `share` is held out."""
    order = np.random.default_rng(seed).permutation(count)
    held_out = round(count * share)
    return order[held_out:], order[:held_out]


def read(name, split):
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


def first_line(error):
    """An exception's message, shortened to what fits into one of ours."""
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]


def _obstacle(name, kind):
    """Why `name` can't be had right now, in one line; None if it can."""
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
        except Exception as error:  # whatever a download can die of
            reason = f"its download failed ({first_line(error)})"
    return (
        f"data set {name!r} is not prepared in {builder.data_path} and {reason}: "
        "run once with a network, or set TFDS_DATA_DIR to a folder that holds it, or "
        f"use --data {kind.stand_in}"
    )


def _unknown(name, known, kind):
    near = difflib.get_close_matches(name, [*known, kind.stand_in], n=3)
    hint = f"did you mean {' or '.join(near)}? " if near else ""
    return (
        f"unknown data set {name!r}: {hint}expected {kind.stand_in} or a set of "
        f"TensorFlow Datasets with {kind.what}, such as {', '.join(kind.examples)}"
    )


def network_answers():
    """Whether TFDS's host can be reached; a name server may hang, so a thread asks."""
    answer = []

    def ask():
        try:
            socket.create_connection((TFDS_HOST, 443), NETWORK_WAIT).close()
            answer.append(True)
        except OSError:
            pass

    thread = threading.Thread(target=ask, daemon=True)
    thread.start()
    thread.join(NETWORK_WAIT)
    return bool(answer)


def _damaged(builder, reason):
    return (
        f"data set {builder.name!r} in {builder.data_path} can't be read ({reason}): "
        "delete that folder and run again to download it anew"
    )


def cache_folder():
    """Where what was worked out once is kept: a folder in Keras's home."""
    home = os.environ.get("KERAS_HOME") or os.path.expanduser("~/.keras")
    return Path(home) / "cookbook"
