"""Where data come from: TensorFlow Datasets, prepared or downloaded, or a stand-in."""

import contextlib
import dataclasses
import logging
import os
import re
import socket
import sys
import threading
import typing
from pathlib import Path

import numpy as np

from cookbook.data.kinds import Kind, check_data_folder
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
    card: typing.Any = None  # a Card, which says what the user's files hold, if any

    @property
    def note(self) -> str:
        """The name of the data; it also says so if they are not what was asked for."""
        if self.name == self.asked:
            return self.name
        return f"{self.name}, NOT {self.asked}"


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
    kind.check_name(asked)
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


def read(
    name: str, split: str, features: typing.Sequence[str] | None = None
) -> typing.Any:
    """One split as arrays, {feature: array} or (x, y), checked against its size.

    features: those that are read, in the first form; None reads all. Sequences of
        different lengths are padded at their end, with 0 or with empty texts.
    """
    import tensorflow as tf
    import tensorflow_datasets as tfds

    builder = tfds.builder(name)
    options: dict[str, typing.Any] = {}
    options["as_supervised"] = builder.info.supervised_keys is not None
    if features is not None:
        chosen = dict.fromkeys(features, True)
        options = {"decoders": tfds.decode.PartialDecoding(chosen)}
    try:
        with _only_errors():  # TFDS warns of itself where features are chosen
            part = tfds.load(name, split=split, batch_size=-1, **options)
        part = tf.nest.map_structure(lambda tensor: tensor.numpy(), part)
    except (tf.errors.ResourceExhaustedError, MemoryError):
        fail(f"data set {name!r} does not fit into memory: choose a smaller one")
    except Exception as error:  # a damaged file can raise anything
        fail(_damaged(name, builder.data_path, first_line(error)))
    sizes = {len(array) for array in tf.nest.flatten(part)}
    if sizes != {builder.info.splits[split].num_examples}:
        found = " or ".join(map(str, sorted(sizes)))
        fail(_damaged(name, builder.data_path, f"{split} holds {found} examples"))
    return part


@contextlib.contextmanager
def _only_errors() -> typing.Iterator[None]:
    """Within it, TensorFlow Datasets writes no warnings."""
    logger = logging.getLogger("absl")
    level = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(level)


def read_each(name: str, split: str) -> list[dict[str, typing.Any]]:
    """The examples of one split, {feature: array}, whose arrays may differ in length.

    Their number is checked against the split's size.
    """
    import tensorflow_datasets as tfds

    builder = tfds.builder(name)
    try:
        examples = list(tfds.as_numpy(tfds.load(name, split=split)))
    except MemoryError:
        fail(f"data set {name!r} does not fit into memory: choose a smaller one")
    except Exception as error:  # a damaged file can raise anything
        fail(_damaged(name, builder.data_path, first_line(error)))
    if len(examples) != builder.info.splits[split].num_examples:
        found = f"{split} holds {len(examples)} examples"
        fail(_damaged(name, builder.data_path, found))
    return examples


def first_line(error: BaseException) -> str:
    """An exception's message, shortened to what fits into one of ours."""
    # TensorFlow begins with the name of a node, as in {{node MatMul}}.
    text = re.sub(r"\{\{.*?\}\} ", "", str(error)).strip()
    first, *_ = text.splitlines() or [type(error).__name__]
    return first[:200].rstrip(".")


def _obstacle(name: str, kind: Kind) -> str | None:
    """Why the set can't be had right now, in one line; None if it can."""
    import tensorflow_datasets as tfds

    check_data_folder()
    builder = _builder(name, kind)
    kind.check_features(name, builder.info)
    reason = None
    if not builder.is_prepared():
        reason = "the network does not answer"
        if network_answers():
            reason = _download(builder)
    if reason is None:
        kind.check_parts(name, tfds.builder(name).info.splits)
        return None
    return (
        f"data set {name!r} is not prepared in {builder.data_path} and {reason}: "
        "run once with a network, or set TFDS_DATA_DIR to a folder that holds it, or "
        f"use --data {kind.stand_in}"
    )


def _builder(name: str, kind: Kind) -> typing.Any:
    """The builder of the set in TensorFlow Datasets; ends the program without one."""
    import tensorflow_datasets as tfds

    try:
        return tfds.builder(name)
    except tfds.core.registered.DatasetNotFoundError:
        kind.check_exists(name, tfds.list_builders(with_community_datasets=False))
        fail(f"data set {name!r} can't be found: {kind.advice}")
    except Exception as error:  # a damaged file can raise anything
        # TFDS begins with: Failed to construct dataset "mnist", builder_kwargs "{}":
        reason = first_line(error).split('": ')[-1]
        folder = Path(tfds.core.constants.DATA_DIR) / name
        if name.isidentifier() and folder.exists():
            fail(_damaged(name, folder, reason))
        fail(f"data set {name!r} can't be used ({reason}): {kind.advice}")


def _download(builder: typing.Any) -> str | None:
    """Downloads and prepares a set; returns why that failed, or None."""
    try:
        builder.download_and_prepare()
    except Exception as error:  # a download can raise anything
        return f"its download failed ({first_line(error)})"
    return None


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


def _damaged(name: str, folder: typing.Any, reason: str) -> str:
    return (
        f"data set {name!r} in {folder} can't be read ({reason}): "
        "delete that folder and run again to download it anew"
    )


def cache_folder() -> Path:
    """The folder, in Keras's home, for results that later runs can use again."""
    home = os.environ.get("KERAS_HOME") or os.path.expanduser("~/.keras")
    return Path(home) / "cookbook"
