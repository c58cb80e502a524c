"""Series of the user: numeric columns of a table, with or without a column of dates."""

import dataclasses
import datetime
import re
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from cookbook.data.files.card import Card, plain_counts
from cookbook.data.files.given import name_of_path
from cookbook.data.files.tables import SUFFIXES, Table, is_table, read_table
from cookbook.errors import fail

MISSING = ("", "na", "n/a", "nan", "null", "none", "-", "?")
LONGEST_SHOWN = 40  # characters of a field in a message
MOSTLY = 0.9  # share of numbers from which on a column is one of numbers
DECIMAL_COMMA = re.compile(r"[+-]?\d+,(\d{1,2}|\d{4,})")  # 1,234 may be a thousand
# A rising column of one of these names counts rows or time; it is not to be forecast.
COUNTERS = ("id", "index", "row", "step", "time", "timestamp", "t", "year", "column 1")
FORMATS = ("%d.%m.%Y", "%m/%d/%Y", "%d.%m.%Y %H:%M", "%m/%d/%Y %H:%M", "%Y/%m/%d")


@dataclasses.dataclass(frozen=True)
class Series:
    """A series of one or several columns, in the order of time."""

    columns: tuple[str, ...]
    values: np.ndarray  # (T, C), without gaps
    notes: list[str]  # what is odd, one sentence each


def read_series(path: Path) -> Series:
    """The numeric columns of a table, sorted by its column of dates if it has one.

    Missing values are replaced by the straight line between their neighbours; a note
    says how many. What can't be a series ends the program with one line.
    """
    if path.is_dir() or not is_table(path):
        fail(f"{path} is no table: give a file that ends in {', '.join(SUFFIXES)}")
    table = read_table(path)
    notes: list[str] = []
    numbers, others = _numeric(table, path)
    times = _times(numbers, others)
    if not numbers:
        reasons = [f"{name!r}: {_obstacle(texts)}" for name, texts in others.items()]
        fail(
            f"{path} has no column of numbers, written as 1234.5, to forecast"
            f" ({'; '.join(reasons) or 'it has dates only'})"
        )
    for name, texts in others.items():
        notes.append(f"the column {name!r} is left out: {_obstacle(texts)}")

    order = _order(times, notes)
    names, columns = [], []
    for name, values in numbers.items():
        filled = _filled(path, name, values[order], notes)
        if filled.std() > 0:
            names.append(name)
            columns.append(filled)
        else:
            notes.append(f"the column {name!r} is left out: its value never changes")

    if not columns:
        fail(f"{path} has no column of numbers whose value changes")
    return Series(tuple(names), np.stack(columns, axis=-1), notes)


def _numeric(
    table: Table, path: Path
) -> tuple[dict[str, np.ndarray], dict[str, list[str]]]:
    """(columns of numbers, where NaN is missing; the other columns)."""
    numbers, others = {}, {}
    for name, texts in table.items():
        values = [_number(text) for text in texts]
        wrong = [i for i, value in enumerate(values) if value is None]
        if not wrong and not np.isnan(np.array(values, float)).all():
            numbers[name] = np.array(values, float)
        elif wrong and len(wrong) <= (1 - MOSTLY) * len(texts):
            fail(
                f"{path}: the column {name!r} has {texts[wrong[0]]!r} in row "
                f"{wrong[0] + 1} below the header, expected a finite number: correct "
                "it, or leave the field empty"
            )
        else:
            others[name] = texts
    return numbers, others


def _obstacle(texts: list[str]) -> str:
    """Why a column is none of numbers: the first field that holds none."""
    for row, text in enumerate(texts, 1):
        if _number(text) is None:
            return f"{text[:LONGEST_SHOWN]!r} in row {row} is no finite number"
    return "it has no values"


def _number(text: str) -> float | None:
    """The finite number in a field, NaN if it is missing, None if there is none."""
    text = text.strip()
    if text.lower() in MISSING:
        return float("nan")
    if DECIMAL_COMMA.fullmatch(text):
        text = text.replace(",", ".")
    try:
        value = float(text)
    except ValueError:
        return None
    return None if np.isinf(value) else value


def _times(
    numbers: dict[str, np.ndarray], others: dict[str, list[str]]
) -> np.ndarray | None:
    """The time of each row; its column is taken out of the numbers, or the others."""
    for name, texts in others.items():
        dates = [_date(text) for text in texts]
        if dates and None not in dates:
            del others[name]
            return np.array(dates, "datetime64[s]")
    for name in list(numbers):
        values = numbers[name]
        is_rising = len(values) > 1 and bool((np.diff(values) > 0).all())
        if is_rising and name.lower() in COUNTERS and len(numbers) > 1:
            return numbers.pop(name)
    return None


def _date(text: str) -> datetime.datetime | None:
    """The date in a field, without its time zone; None if there is none."""
    text = text.strip()
    try:
        return datetime.datetime.fromisoformat(text).replace(tzinfo=None)
    except ValueError:
        pass
    for form in FORMATS:
        try:
            return datetime.datetime.strptime(text, form)
        except ValueError:
            pass
    return None


def _order(times: np.ndarray | None, notes: list[str]) -> np.ndarray | slice:
    """The order of the rows in time; notes say what is odd about the times."""
    if times is None:
        return slice(None)

    order = np.argsort(times, kind="stable")
    steps = np.diff(times[order]).astype("float64")
    if not (np.diff(order) > 0).all():
        notes.append("the rows are not in the order of time: they are sorted")
    same = int((steps == 0).sum())
    if same:
        notes.append(f"rows that have the time of the row before them: {same:,}")
    gaps = int((steps > 1.5 * np.median(steps)).sum()) if len(steps) else 0
    if gaps:
        before = times[order][steps.argmax()]
        notes.append(
            f"gaps in time: {gaps:,}, the longest after {before}; the rows around a "
            "gap count as neighbours"
        )
    return order


def _filled(path: Path, name: str, values: np.ndarray, notes: list[str]) -> np.ndarray:
    """The values with straight lines in place of those that are missing."""
    is_there = ~np.isnan(values)
    missing = int((~is_there).sum())
    if not missing:
        return values
    if missing > len(values) / 2:
        fail(
            f"{path}: the column {name!r} lacks {missing:,} of {len(values):,} values: "
            "take the column out, or fill it"
        )
    notes.append(
        f"missing values of {name!r}: {missing:,}; straight lines replace them"
    )

    places = np.arange(len(values))
    return np.interp(places, places[is_there], values[is_there])


def series_card(path: Path, series: Series, sizes: dict[str, int]) -> Card:
    """The data card of a series that is cut into parts of these sizes."""
    lows, highs = series.values.min(0).tolist(), series.values.max(0).tolist()
    return Card(
        source=name_of_path(path),
        what="rows",
        counts=plain_counts(sizes),
        sizes={
            f"{name}, lowest and highest": pair
            for name, *pair in zip(series.columns, lows, highs)
        },
        notes=series.notes,
    )


def check_length(path: Path, sizes: Sequence[int], window: int, horizon: int) -> None:
    """Ends the program if the shortest part has no room for a few forecasts."""
    if min(sizes) < 2 * (window + horizon):
        fail(
            f"{path} has {sum(sizes):,} rows, and the shortest part gets {min(sizes):,}"
            f" of them: expected at least {2 * (window + horizon):,}, twice the sum of "
            f"--window {window} and --horizon {horizon}; give more rows, or lower these"
        )
