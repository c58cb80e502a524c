"""Folders of the user: one sub-folder per class, in parts or not."""

import dataclasses
import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from cookbook.data.files.given import naturally
from cookbook.data.files.pictures import is_hidden
from cookbook.errors import fail, note

# {part: the names that a folder, or a file, of this part may have, in any case}
PART_NAMES = {
    "train": ("train", "training"),
    "validation": ("validation", "val", "valid", "dev"),
    "test": ("test", "testing"),
}
Finder = Callable[[Path], list[Path]]  # finds the files in a folder


@dataclasses.dataclass
class Labelled:
    """Examples of one part: files or texts, and the name of each one's class."""

    items: list
    labels: list[str]

    def __len__(self) -> int:
        return len(self.labels)

    def rows(self, rows: Sequence[int]) -> "Labelled":
        """The examples at these places."""
        items = [self.items[i] for i in rows]
        return Labelled(items, [self.labels[i] for i in rows])


Parts = dict[str, Labelled]  # at least "train"


def part_of(name: str) -> str | None:
    """The part that a file or folder of this name holds, if the name is that of one."""
    for part, names in PART_NAMES.items():
        if name.lower() in names:
            return part
    return None


def find_parts(
    root: Path, find: Finder, what: str, said: list[str] | None = None
) -> Parts:
    """The files below `root`, {part: files and classes}.

    Sub-folders named train, validation (or val) and test are parts, with a sub-folder
    per class in each. Else the sub-folders of `root` are the classes, and all files
    belong to the part train. A class holds the files of its sub-folders too.

    Args:
        root: a folder.
        find: finds the files in a folder and its sub-folders.
        what: what such files are, in the plural: "pictures".
        said: takes the sentences of the notes that this prints, for the data card.
    """
    said = [] if said is None else said
    if not root.is_dir():
        fail(f"{root} is a file, expected a folder with one sub-folder per class")
    folders = subfolders(root)
    by_part = paths_by_part({folder: folder.name for folder in folders})
    if not _holds_parts(folders, by_part, find):
        found, notes = _classes(root, find, what)
        said += notes
        return {"train": found}
    others = [f.name for f in folders if not part_of(f.name) and find(f)]
    if others:
        said.append(f"{', '.join(others)} is left out, because it is no part")
        note(f"{root}: {said[-1]}")
    parts = {}
    for part in PART_NAMES:
        if part in by_part:
            folder = by_part[part]
            parts[part], notes = _classes(folder, find, what)
            said += [f"{folder.name}: {sentence}" for sentence in notes]
    check_classes(parts, root, what)
    return parts


def paths_by_part(names: Mapping[Path, str]) -> dict[str, Path]:
    """{part: its path} of the paths whose names are those of parts.

    names: {path: its name}, which for a file lacks the ending. Two paths of one part
        end the program.
    """
    found: dict[str, Path] = {}
    for path, name in names.items():
        part = part_of(name)
        if part in found:
            fail(f"{found[part]} and {path} are both the part {part}: rename one")
        if part:
            found[part] = path
    return found


def check_classes(parts: Parts, root: Path, what: str) -> None:
    """Ends the program if a part has a class that the training part lacks."""
    known = {*parts["train"].labels}
    for part, found in parts.items():
        unknown = sorted({*found.labels} - known)
        if unknown:
            fail(
                f"{root}: the part {part} has the class {unknown[0]!r}, which the "
                f"training part lacks: give that {what} of this class, or leave it out"
            )


def _holds_parts(folders: list[Path], by_part: dict[str, Path], find: Finder) -> bool:
    """Whether sub-folders are parts; a class may be named "train" too."""
    if "train" not in by_part:
        return False
    train = by_part["train"]
    holds_classes = len(subfolders(train)) > 0 and not _direct(train, find(train))
    return holds_classes and (len(by_part) > 1 or len(folders) == 1)


def subfolders(folder: Path) -> list[Path]:
    """The folders in a folder, without hidden ones, sorted by name."""
    try:
        found = [Path(entry) for entry in os.scandir(folder) if entry.is_dir()]
    except OSError as error:
        fail(f"{folder} can't be read ({error.strerror}): give a folder that can be")
    shown = [path for path in found if not is_hidden(path.name)]
    return sorted(shown, key=lambda path: (naturally(path.name), path.name))


def _direct(folder: Path, files: list[Path]) -> list[Path]:
    """Those of the files that lie in the folder itself."""
    return [file for file in files if file.parent == folder]


def _classes(folder: Path, find: Finder, what: str) -> tuple[Labelled, list[str]]:
    """(the files in each sub-folder, named like their class; notes that it prints)."""
    found = Labelled([], [])
    for each in subfolders(folder):
        files = find(each)
        found.items += files
        found.labels += [each.name] * len(files)
    outside = _direct(folder, find(folder))
    if not found.items:
        there = f"{len(outside):,} {what} outside of" if outside else "no"
        fail(
            f"{folder} holds {there} sub-folders with {what}: make a sub-folder for "
            "each class, named after it, and put its files there"
        )
    notes = []
    if outside:
        notes.append(
            f"{what} outside of any class are left out: {len(outside):,}, such as "
            f"{outside[0].name}"
        )
    empty = [each.name for each in subfolders(folder) if each.name not in found.labels]
    if empty:
        notes.append(f"sub-folders without {what} are no classes: {', '.join(empty)}")
    for sentence in notes:
        note(f"{folder}: {sentence}")
    _refuse_wrapper(folder)
    return found, notes


def _refuse_wrapper(folder: Path) -> None:
    """Ends the program if the folder only wraps the one whose sub-folders are classes.

    Unpacked archives often do.
    """
    inner = subfolders(folder)
    if len(inner) == 1 and len(subfolders(inner[0])) > 1:
        fail(
            f"{folder} has one sub-folder only: give {inner[0]} if the sub-folders of "
            "that one are the classes"
        )
