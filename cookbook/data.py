"""Data sets by name, split honestly: train, validation (cut from train), test."""

import dataclasses
import difflib
import socket
import sys
import threading

import numpy as np

from cookbook.cli import fail

VALIDATION_SHARE = 1 / 12  # of the training examples: 5,000 of MNIST's 60,000
NETWORK_WAIT = 2.0  # seconds to find out whether a download can work
TFDS_HOST = "storage.googleapis.com"


@dataclasses.dataclass(frozen=True)
class Images:
    """A labelled image set; each part is (x, y), x uint8 (N, H, W, C), y int (N,)."""

    name: str  # the data set really used
    train: tuple
    validation: tuple
    test: tuple
    classes: tuple  # name of each label
    asked: str  # the data set that was asked for

    @property
    def shape(self):
        """(H, W, C) of one image."""
        return self.train[0].shape[1:]

    @property
    def note(self):
        """What a reader of a result must know of the data: name and any stand-in."""
        if self.name == self.asked:
            return self.name
        return f"{self.name}, NOT {self.asked}"


def load_images(name, default, stand_in="digits", quick=False, seed=0):
    """The image set `name`, or for "auto" `default`, or else the embedded stand-in.

    auto: prepared already -> used; network within 2 s -> downloaded with progress;
    else the stand-in, said loudly. A name given explicitly is never replaced: if it is
    not to be had, one line says how to get it and the exit status is 2.
    """
    asked = default if name == "auto" else name
    if quick and name == "auto":
        asked = stand_in
    if asked == "digits":
        return _split(*_digits(), name="digits", asked=asked, seed=seed)
    problem = _obstacle(asked)
    if problem and name != "auto":
        fail(problem)
    if problem:
        line = "=" * 78
        print(
            f"{line}\n{problem}\nUsing the embedded {stand_in} instead: "
            f"figures below are NOT {asked}'s.\n{line}",
            file=sys.stderr,
            flush=True,
        )
        return _split(*_digits(), name="digits", asked=asked, seed=seed)
    return _split(*_from_tfds(asked), name=asked, asked=asked, seed=seed)


def _split(train, test, classes, name, asked, seed):
    """Cuts the validation part from train, by seed; never touches test."""
    x, y = train
    order = np.random.default_rng(seed).permutation(len(x))
    count = round(len(x) * VALIDATION_SHARE)
    held_out, rest = order[:count], order[count:]
    return Images(
        name=name,
        train=(x[rest], y[rest]),
        validation=(x[held_out], y[held_out]),
        test=test,
        classes=classes,
        asked=asked,
    )


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


def _obstacle(name):
    """Why `name` can't be had right now, in one line; None if it can."""
    import tensorflow_datasets as tfds

    try:
        builder = tfds.builder(name)
    except tfds.core.registered.DatasetNotFoundError:
        fail(_unknown(name, tfds.list_builders(with_community_datasets=False)))
    if not {"image", "label"} <= set(builder.info.features or {}):
        fail(
            f"data set {name!r} has no labelled images: choose one that has, such as "
            "mnist, fashion_mnist, cifar10"
        )
    if builder.is_prepared():
        return None
    reason = "the network does not answer"
    if _network_answers():
        try:
            builder.download_and_prepare()
            return None
        except Exception as error:  # whatever a download can die of
            reason = f"its download failed ({_first_line(error)})"
    return (
        f"data set {name!r} is not prepared in {builder.data_path} and {reason}: "
        "run once with a network, or set TFDS_DATA_DIR to a folder that holds it, or "
        "use --data digits"
    )


def _first_line(error):
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:200]


def _unknown(name, known):
    near = difflib.get_close_matches(name, [*known, "digits"], n=3)
    hint = f"did you mean {' or '.join(near)}? " if near else ""
    return (
        f"unknown data set {name!r}: {hint}expected digits or an image set of "
        "TensorFlow Datasets with labels, such as mnist, fashion_mnist, cifar10"
    )


def _network_answers():
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


def _from_tfds(name):
    """(train, test, class names) of a labelled image set, checked against its size."""
    import tensorflow as tf
    import tensorflow_datasets as tfds

    builder = tfds.builder(name)
    parts = []
    for split in ("train", "test"):
        try:
            part = tfds.load(name, split=split, as_supervised=True, batch_size=-1)
            x, y = (tensor.numpy() for tensor in part)
        except (tf.errors.OpError, OSError, ValueError, AssertionError) as error:
            fail(_damaged(builder, _first_line(error)))
        if len(x) != builder.info.splits[split].num_examples:
            fail(_damaged(builder, f"{split} holds {len(x)} examples"))
        parts.append((x, y))
    return (*parts, tuple(builder.info.features["label"].names))


def _damaged(builder, reason):
    return (
        f"data set {builder.name!r} in {builder.data_path} can't be read ({reason}): "
        "delete that folder and run again to download it anew"
    )
