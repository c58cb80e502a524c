"""Checks of what a run folder says about its model: each field has one form."""

import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

from cookbook.errors import Mistake, harmless

LARGEST = 64 * 2**20  # bytes of a file
MOST = 100_000  # of a size or a count; arrays are made that are so long
LONGEST = 1_000_000  # samples of a sound


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _are_texts(value: Any) -> bool:
    return isinstance(value, list) and all(map(_is_text, value))


def _are_pairs(value: Any) -> bool:
    """Whether it is a list of lists of two texts each."""
    return isinstance(value, list) and all(
        _are_texts(pair) and len(pair) == 2 for pair in value
    )


def _is_count(value: Any, most: int = MOST) -> bool:
    is_whole = isinstance(value, int) and not isinstance(value, bool)
    return is_whole and 1 <= value <= most


def _are_sizes(value: Any) -> bool:
    return isinstance(value, list) and 0 < len(value) < 5 and all(map(_is_count, value))


def _is_number(value: Any) -> bool:
    is_real = isinstance(value, int | float) and not isinstance(value, bool)
    return is_real and math.isfinite(value)


def _are_numbers(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(map(_is_number, value))


def _is_range(value: Any) -> bool:
    return _are_numbers(value) and len(value) == 2 and value[0] < value[1]


# {field of a description: whether a value has its form}
FIELDS: dict[str, Callable[[Any], bool]] = {
    "alphabet": lambda value: _is_text(value) and len(value) > 1,
    "classes": _are_texts,
    "columns": _are_texts,
    "context": _is_count,
    "data": _is_text,
    "digits": _is_count,
    "horizon": _is_count,
    "kind": _is_text,
    "languages": lambda value: _are_texts(value) and len(value) == 2,
    "latent": _is_count,
    "length": _is_count,
    "letters": _is_count,
    "mean": _are_numbers,
    "merges": _are_pairs,
    "odd": _is_text,
    "pieces": _are_texts,
    "pixels": _is_range,  # the numbers that stand for black and for white
    "rate": _is_count,
    "recipe": _is_text,
    "samples": lambda value: _is_count(value, LONGEST),
    "scale": _are_numbers,
    "shape": _are_sizes,
    "tags": _are_texts,
    "window": _is_count,
    "words": _are_texts,
}


def checked(path: Path, content: dict, names: tuple[str, ...]) -> dict:
    """The named fields of what a file holds; raises Mistake if one has another form."""
    for name in names:
        if name not in content:
            raise damaged(path, f"it lacks {name!r}")
        if not FIELDS[name](content[name]):
            raise damaged(path, f"its {name!r} has another form")
    return {name: content[name] for name in names}


def read_content(path: Path) -> Any:
    """What a file of JSON holds; raises Mistake if it is damaged or too large."""
    try:
        if path.stat().st_size > LARGEST:
            raise damaged(path, f"it has more than {LARGEST} bytes")
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError, MemoryError) as error:
        raise damaged(path, str(error)) from None


def damaged(path: Path, reason: str) -> Mistake:
    """The error of a file beside a model that does not hold what a run writes."""
    text = f"{path} is damaged ({reason}): train again, or use another run"
    return Mistake(harmless(text))
