"""Parts of the user's examples: cut by seed within each class, and looked over."""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Hashable, Mapping, Sequence
from pathlib import Path

import numpy as np

from cookbook.data.files.folders import Labelled, Parts
from cookbook.data.files.given import naturally

FEWEST = 3  # examples of a class that gives some to each part
IMBALANCE = 3  # the largest class has so many times the examples of the smallest
Keys = Mapping[
    str, Sequence[Hashable]
]  # {part: for each example, what its copies share}


def class_names(parts: Parts) -> tuple[str, ...]:
    """The classes of the training part; 10 comes after 9."""
    names = set(parts["train"].labels)
    return tuple(sorted(names, key=lambda name: (naturally(name), name)))


def numbers_of(labels: Sequence[str], classes: Sequence[str]) -> np.ndarray:
    """int64 (N,): the number of each label's class."""
    number = {name: i for i, name in enumerate(classes)}
    return np.array([number[label] for label in labels], "int64")


def completed(
    parts: Parts, keys: Keys, shares: dict[str, float], seed: int
) -> tuple[Parts, dict[str, list[Hashable]]]:
    """Three parts: those that are missing are cut from the training part.

    Each class gives up the same share, at least one example if it has FEWEST. Copies of
    one example stay in one part. The rows of every part are shuffled.

    Args:
        parts: the examples, at least those of "train".
        keys: for each example, what only its copies share.
        shares: {part: its share of the training part, from which it is cut}, in the
            order in which they are cut.
        seed: random seed of the validation part. The test part is always the same.
    """
    parts = dict(parts)
    found = {part: list(each) for part, each in keys.items()}
    for part, share in shares.items():
        if part in parts:
            continue
        train, of_train = parts["train"], found["train"]
        cut_seed = 0 if part == "test" else seed
        is_cut = _held_out(train, of_train, share, cut_seed)
        for name, rows in {part: is_cut, "train": ~is_cut}.items():
            chosen = np.flatnonzero(rows).tolist()
            parts[name] = train.rows(chosen)
            found[name] = [of_train[i] for i in chosen]

    for part, examples in parts.items():
        order = np.random.default_rng(0).permutation(len(examples)).tolist()
        parts[part] = examples.rows(order)
        found[part] = [found[part][i] for i in order]
    return parts, found


def _held_out(
    examples: Labelled, keys: Sequence[Hashable], share: float, seed: int
) -> np.ndarray:
    """bool (N,): which examples are held out, the same share of each class."""
    first = {key: i for i, key in reversed([*enumerate(keys)])}
    of_class = defaultdict(list)
    for i in sorted(first.values()):
        of_class[examples.labels[i]].append(i)

    rng = np.random.default_rng(seed)
    held_out: set[int] = set()
    for label in sorted(of_class):
        rows = rng.permutation(of_class[label])
        count = round(share * len(rows))
        if len(rows) >= FEWEST:
            count = max(1, count)
        held_out.update(rows[:count].tolist())
    return np.array([first[key] in held_out for key in keys], bool)


def repeated_in_training(keys: Keys) -> dict[str, int]:
    """{part: how many of its examples are also in the training part}."""
    known = set(keys["train"])
    counts = {
        part: sum(key in known for key in keys[part])
        for part in keys
        if part != "train"
    }
    return {part: count for part, count in counts.items() if count}


def copies_in(keys: Keys) -> int:
    """How many examples are copies of another one, in whatever part."""
    everything = [key for part in keys.values() for key in part]
    return len(everything) - len(set(everything))


def imbalance_of(labels: Sequence[str], what: str) -> str | None:
    """A sentence about classes of very different sizes; None if they are alike."""
    counts = Counter(labels).most_common()
    (largest, most), (smallest, fewest) = counts[0], counts[-1]
    if most < IMBALANCE * fewest:
        return None
    return (
        f"the classes differ in size: {largest!r} has {most:,} {what} to learn from, "
        f"{smallest!r} has {fewest:,}; --class-weight balanced evens that out"
    )


def contents_of(files: Sequence[Path]) -> list[Hashable]:
    """For each file, what only files with the same content share.

    Only files of one size can be equal, so only these are read.
    """
    sizes = [_size(file) for file in files]
    counts = Counter(sizes)
    return [
        _digest(file) if counts[size] > 1 else str(file)
        for file, size in zip(files, sizes)
    ]


def _size(file: Path) -> int:
    try:
        return file.stat().st_size
    except OSError:
        return -1  # it is named later, when it can't be read


def _digest(file: Path) -> Hashable:
    try:
        with file.open("rb") as content:
            return hashlib.file_digest(content, "sha256").digest()
    except OSError:
        return str(file)
