"""Tables of the user: CSV, TSV, JSON lines and Parquet, as columns of texts."""

import codecs
import csv
import io
import json
import typing
from collections.abc import Iterable, Sequence
from pathlib import Path

from cookbook.errors import fail

SUFFIXES = (".csv", ".tsv", ".tab", ".jsonl", ".ndjson", ".parquet")
DELIMITERS = (",", ";", "\t", "|")
LOOKED_AT = 50  # rows of which a delimiter is guessed
FEW = 1000  # classes: more of them are hardly labels
TEXT_NAMES = ("text", "review", "sentence", "content", "comment", "message", "body")
LABEL_NAMES = ("label", "class", "category", "sentiment", "target", "topic", "y")
Table = dict[str, list[str]]  # {column: its values}; a missing value is ""


def is_table(path: Path) -> bool:
    """Whether a file has the name of a table that `read_table` reads."""
    return path.name.lower().endswith(SUFFIXES)


def read_table(path: Path, columns: Sequence[str] = ()) -> Table:
    """{column: its values as texts} of a table with a header; missing values are "".

    A field in quotes may hold the delimiter and line breaks. The delimiter of a CSV
    file is guessed: a comma, a semicolon, a tab or a bar. What can't be read ends the
    program with one line, which names the line of the file where that is known.

    Args:
        path: a file; the end of its name says what it is: csv, tsv, jsonl, parquet.
        columns: columns that the table must have.
    """
    kind = path.suffix.lower()
    if kind == ".parquet":
        table = _read_parquet(path)
    elif kind in (".jsonl", ".ndjson"):
        table = _read_json_lines(path)
    else:
        table = _read_delimited(path)
    for column in columns:
        check_column(table, path, column)
    return table


def check_column(table: Table, path: Path, column: str, flag: str = "") -> None:
    """Ends the program if the table lacks a column that a flag, or a run, asks for."""
    if column not in table:
        wanted = f"{flag} got {column!r}, but " if flag else ""
        lacking = "" if flag else f"the column {column!r} is missing: "
        fail(f"{wanted}{lacking}{path} has the columns {_listed(table)}")


def text_column(table: Table, path: Path, asked: str | None = None) -> str:
    """The column that holds texts: the one asked for, or else a guess.

    That is a column named "text", "review" or the like, or else the column with the
    longest values.
    """
    if asked is not None:
        check_column(table, path, asked, "--text-column")
        return asked
    named = _named(table, TEXT_NAMES)
    if named:
        return named
    lengths = {column: sum(map(len, values)) for column, values in table.items()}
    return max(lengths, key=lambda column: lengths[column])


def label_column(
    table: Table, path: Path, asked: str | None = None, text: str | None = None
) -> str:
    """The column that holds labels: the one asked for, or else a guess.

    That is a column named "label", "class" or the like, or else the one column, beside
    that of the `text`, whose values come several times each.
    """
    if asked is not None:
        check_column(table, path, asked, "--label-column")
        return asked
    others = {column: table[column] for column in table if column != text}
    if not others:
        fail(
            f"{path} has the column {_listed(table)} only, expected a column of labels "
            "too: add one, which says the class of each text"
        )
    found = _named(others, LABEL_NAMES)
    repeated = [column for column in others if _is_repeated(others[column])]
    if not found and len(repeated) == 1:
        found = repeated[0]
    for column in [found] if found else others:
        if column in others[column]:
            fail(
                f"{path} seems to lack a header, because {column!r} in its first line "
                "is also a value below it: put a line such as text,label before it"
            )
    if not found:
        fail(
            f"{path} has the columns {_listed(table)}, and none of them is clearly "
            "that of the labels: name it with --label-column"
        )
    return found


def _named(table: Table, names: Sequence[str]) -> str | None:
    """The first column whose name is one of these, in any case, or ends in one."""
    for name in names:
        for column in table:
            if column.strip().lower() == name:
                return column
    for name in names[:-1]:
        for column in table:
            if column.strip().lower().endswith(f"_{name}"):
                return column
    return None


def _is_repeated(values: list[str]) -> bool:
    """Whether values look like classes: few, and each several times on average."""
    different = len(set(values))
    return 1 < different <= min(FEW, len(values) / 2)


def _listed(table: Table) -> str:
    return ", ".join(map(repr, table)) or "(none)"


def read_text(path: Path) -> str:
    """The text in a file, UTF-8, or UTF-16 that says so, without the mark at its start.

    Bytes that are no text end the program with one line, which names their line.
    """
    content = read_bytes(path)
    encoding = "utf-8-sig"
    if content.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        encoding = "utf-16"
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        byte = content[error.start]
        fail(
            f"{path}, line {line}: the byte 0x{byte:02x} is not UTF-8: save the file "
            "with the encoding UTF-8"
        )


def read_bytes(path: Path) -> bytes:
    """What a file holds; one line ends the program if it can't be read."""
    if path.exists() and not path.is_file():
        fail(f"{path} is not a file: give the path of a file")
    try:
        return path.read_bytes()
    except OSError as error:
        fail(f"{path} can't be read ({error.strerror}): give the path of a file")


def _read_delimited(path: Path) -> Table:
    """The table in a CSV or TSV file."""
    text = read_text(path)
    if not text.strip():
        fail(f"{path} is empty: expected a line with the names of columns, then rows")
    if path.suffix.lower() in (".tsv", ".tab"):
        delimiter = "\t"
    else:
        delimiter = _delimiter(text)
    try:
        rows = _rows(text, delimiter)
        return _columns(path, rows)
    except csv.Error as error:
        plain = _without_quotes(text, delimiter)
        if plain:
            return _columns(path, plain)
        fail(f'{path}, {error}: write a quote inside quotes twice, as in "a ""b"""')


def _rows(text: str, delimiter: str) -> list[tuple[int, list[str]]]:
    """[(line of the file, fields), ...]; empty lines are left out."""
    csv.field_size_limit(max(csv.field_size_limit(), len(text) + 1))
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter, strict=True)
    rows = []
    line = 1
    try:
        for fields in reader:
            if any(field.strip() for field in fields):
                rows.append((line, fields))
            line = reader.line_num + 1
    except csv.Error as error:
        raise csv.Error(f"line {line}: {error}") from error
    return rows


def _without_quotes(text: str, delimiter: str) -> list[tuple[int, list[str]]]:
    """The rows of a TSV file whose quotes are mere characters; [] if it is not one."""
    if delimiter != "\t":
        return []
    lines = [(i, line.split("\t")) for i, line in enumerate(text.splitlines(), 1)]
    rows = [(i, fields) for i, fields in lines if any(fields)]
    return rows if len({len(fields) for _, fields in rows}) == 1 else []


def _delimiter(text: str) -> str:
    """The delimiter that cuts the first rows into equally many fields, and most.

    Where the rows differ, so that one of them is wrong, the first one decides.
    """
    lines = text.splitlines()
    beginning = "\n".join(lines[: 4 * LOOKED_AT])
    widths = {each: _width(beginning, each) for each in DELIMITERS}
    if max(widths.values()) < 2:
        widths = {each: lines[0].count(each) for each in DELIMITERS}
    return max(DELIMITERS, key=lambda each: widths[each])


def _width(text: str, delimiter: str) -> int:
    """Fields per row if all rows have equally many, or else 0."""
    reader = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter)
    widths = set()
    try:
        for i, fields in enumerate(reader):
            if i < LOOKED_AT and fields:
                widths.add(len(fields))
    except csv.Error:
        return 0
    return widths.pop() if len(widths) == 1 else 0


def _columns(path: Path, rows: list[tuple[int, list[str]]]) -> Table:
    """The table of rows, of which the first holds the names of the columns."""
    (_, header), *body = rows
    names = [name.strip() for name in header]
    while names and not names[-1]:  # a delimiter at the end of a line
        names.pop()
    # Pandas writes the numbers of the rows as a column without a name.
    names = [name or f"column {i}" for i, name in enumerate(names, 1)]
    _check_names(path, names)
    for line, fields in body:
        if len(fields) < len(names) or any(fields[len(names) :]):
            fail(
                f"{path}, line {line}: {len(fields)} fields, expected {len(names)}, as "
                "in its first line: put texts that hold the delimiter into quotes"
            )
    return {name: [fields[i] for _, fields in body] for i, name in enumerate(names)}


def _check_names(path: Path, names: list[str]) -> None:
    for i, name in enumerate(names):
        if not name:
            fail(f"{path}: column {i + 1} has no name in the first line: give it one")
        if name in names[:i]:
            fail(f"{path} has two columns named {name!r}: rename one of them")


def _read_json_lines(path: Path) -> Table:
    """The table in a file with one JSON object per line."""
    rows = []
    for line, text in enumerate(read_text(path).split("\n"), 1):
        if not text.strip():
            continue
        try:
            row = json.loads(text)
        except (ValueError, RecursionError) as error:
            fail(f"{path}, line {line}: no JSON ({error}): write one object per line")
        if not isinstance(row, dict):
            fail(
                f"{path}, line {line}: a {type(row).__name__}, expected an object such "
                'as {"text": "...", "label": "..."}'
            )
        rows.append(row)
    if not rows:
        fail(f"{path} is empty: expected one JSON object per line")
    return _of_objects(rows)


def _of_objects(rows: Sequence[dict]) -> Table:
    names = list(dict.fromkeys(name for row in rows for name in row))
    return {name: _written(row.get(name) for row in rows) for name in names}


def _written(values: Iterable[typing.Any]) -> list[str]:
    """Values as texts; None, and what is not a number, is missing."""
    return ["" if value is None or value != value else str(value) for value in values]


def _read_parquet(path: Path) -> Table:
    """The table in a Parquet file, where a reader of that is installed."""
    read_bytes(path)
    try:
        from pyarrow import parquet
    except ImportError:
        fail(
            f"{path} is a Parquet file, which pyarrow reads, and pyarrow is not "
            "installed: run `pip install pyarrow`, or save the table as CSV"
        )
    try:
        table = parquet.read_table(path)
    except Exception as error:  # a damaged file can raise anything
        first, *_ = str(error).splitlines() or [type(error).__name__]
        fail(f"{path} can't be read as Parquet ({first[:200]}): save it anew")
    _check_names(path, table.column_names)
    return {
        name: _written(column.to_pylist())
        for name, column in zip(table.column_names, table.columns)
    }
