"""What --data was given: the path of files, or the name of a data set."""

import re
from collections.abc import Sequence
from pathlib import Path

from cookbook.errors import fail, note

# What no name of a data set looks like: ./photos, ~/photos, /photos, photos/, C:\photos
PATH = re.compile(r"[.~/].*|.*[/\\]|.*\\.*", re.DOTALL)
ENDING = re.compile(
    r".*\.(csv|tsv|tab|jsonl|ndjson|json|parquet|txt|zip|gz|xlsx?)", re.I | re.DOTALL
)
BETWEEN = ","  # between the paths of two files


def names_files(name: str) -> bool:
    """Whether --data got a path, not the name of a data set in TensorFlow Datasets.

    A path looks like one, as ./photos, photos/ and reviews.csv do, or exists. A name
    such as imagenet_resized/8x8 may have a slash too. A comma may stand between two
    paths.
    """
    if name == "auto" or not name.strip():
        return False
    return any(
        PATH.fullmatch(each) or ENDING.fullmatch(each) or _exists(each)
        for each in (name, *name.split(BETWEEN))
        if each
    )


def path_given(name: str, known: Sequence[str], expected: str) -> Path:
    """The path that --data got; ends the program if there is nothing.

    A file or folder wins against a data set of the same name, and a note says so.

    Args:
        name: the value of --data.
        known: names of data sets that the recipe takes.
        expected: what should be at the path, in words.
    """
    path = Path(name)
    if name.startswith("~"):
        try:
            path = path.expanduser()
        except RuntimeError:  # there is no such user
            fail(f"--data got {name!r}: there is no such home folder")
    if not _exists(str(path)):
        fail(f"--data got {name!r}: there is no such file or folder; give {expected}")
    if name in known:
        note(
            f"--data {name} is the path {path.absolute()} here, not the data set of "
            "that name: rename the path to get the data set"
        )
    return path


def name_of_path(path: Path) -> str:
    """The path in a form that no name of a data set has: photos becomes ./photos."""
    text = str(path)
    return text if PATH.fullmatch(text) else f"./{text}"


def naturally(name: str) -> list:
    """What names are sorted by so that 10 comes after 9."""
    pieces = re.split(r"([0-9]+)", name)  # every second piece is a number
    return [int(piece) if i % 2 else piece for i, piece in enumerate(pieces)]


def _exists(name: str) -> bool:
    try:
        return Path(name).exists()
    except (OSError, ValueError):  # too long, or with a NUL character
        return False
