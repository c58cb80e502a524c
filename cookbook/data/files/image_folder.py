"""A folder of pictures, one sub-folder per class, as arrays in three parts."""

import dataclasses
import math
import typing
from collections.abc import Hashable
from pathlib import Path

import numpy as np

from cookbook.data.files.card import Card, counts_of, oddities
from cookbook.data.files.folders import Parts, find_parts
from cookbook.data.files.given import name_of_path
from cookbook.data.files.parts import (
    class_names,
    completed,
    contents_of,
    numbers_of,
)
from cookbook.data.files.pictures import picture_files
from cookbook.data.files.reading import IN_MEMORY, colours, read_pictures
from cookbook.errors import fail

PICTURES = "pictures"
LARGE = 20_000  # files: reading so many takes a while


@dataclasses.dataclass(frozen=True)
class ImageFolder:
    """What a folder of pictures holds: {part: (x, y)}, x uint8 (N, H, W, C)."""

    parts: dict[str, tuple[typing.Any, np.ndarray]]
    classes: tuple[str, ...]
    card: Card


def read_image_folder(
    root: Path, size: int, shares: dict[str, float], seed: int
) -> ImageFolder:
    """The pictures in a folder; what is wrong with it ends the program with one line.

    A training part of more than IN_MEMORY bytes is a Stream.

    Args:
        root: the folder.
        size: pixels of a side, to which pictures are scaled and cut.
        shares: {part: its share of the training part}, where the folder lacks the part.
        seed: random seed of the validation part.
    """
    said: list[str] = []
    found = find_parts(root, picture_files, PICTURES, said)
    contents = {part: contents_of(each.items) for part, each in found.items()}
    parts, keys = completed(found, contents, shares, seed)
    files = []
    for examples in found.values():
        files += examples.items
    shape = size, size, colours(files)
    if len(files) > LARGE:
        print(f"{root}: reading {len(files):,} {PICTURES}", flush=True)

    arrays, broken = _read_parts(parts, keys, shape)
    _refuse_few(root, parts, broken)
    classes = class_names(parts)
    notes = said.copy()
    notes += oddities(parts, keys, PICTURES, broken)

    card = Card(
        source=name_of_path(root),
        what=PICTURES,
        counts=counts_of(parts),
        sizes={"height, width, channels": shape},
        notes=notes,
        broken=broken,
    )
    card.tell(said)

    pairs = {}
    for name, part in parts.items():
        pairs[name] = arrays[name], numbers_of(part.labels, classes)
    return ImageFolder(pairs, classes, card)


def _read_parts(
    parts: Parts, keys: dict[str, list[Hashable]], shape: tuple[int, int, int]
) -> tuple[dict[str, typing.Any], list[str]]:
    """({part: its pictures}, broken files, which leave the parts and their keys)."""
    arrays = {}
    broken: list[str] = []
    for name, part in parts.items():
        is_large = len(part) * math.prod(shape) > IN_MEMORY
        stream = is_large and name == "train"
        x, good, problems = read_pictures(part.items, shape, stream)
        arrays[name] = x
        parts[name] = part.rows(good)
        of_part = keys[name]
        keys[name] = [of_part[i] for i in good]
        broken += problems

    return arrays, broken


def _refuse_few(root: Path, parts: Parts, broken: list[str]) -> None:
    """Ends the program if a part has no picture, or a class none to learn from."""
    counts = {part: len(examples) for part, examples in parts.items()}
    if not all(counts.values()):
        each = ", ".join(f"{count} for {part}" for part, count in counts.items())
        reason = f"; {len(broken)} could not be read: {broken[0]}" if broken else ""
        fail(
            f"{root} has too few {PICTURES} ({each}{reason}): give at least three of "
            "each class"
        )

    unknown = {*parts["validation"].labels, *parts["test"].labels}
    lacking = sorted(unknown - {*parts["train"].labels})
    if lacking:
        fail(
            f"{root}: no picture of the class {lacking[0]!r} is left to learn from: "
            "give it more"
        )
