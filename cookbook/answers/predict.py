"""The command `predict`: the answers of a trained model as CSV or JSON lines."""

import argparse
import contextlib
import csv
import itertools
import json
import os
import sys
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from pathlib import Path
from typing import Any, TextIO

from PIL import Image

from cookbook import load_run
from cookbook.answers.inputs import STDIN, Item, attempt, read_inputs
from cookbook.answers.numbers import Generator, ImageTranslator, as_sheet
from cookbook.errors import Mistake, complain, fail, harmless, note
from cookbook.trained.trained_run import TrainedRun

JSON_LINES = (".jsonl", ".ndjson", ".json")
Row = dict[str, Any]


def predict_command(arguments: argparse.Namespace) -> None:
    """Answers every input; ends with status 2 if some of them have no answer."""
    refuse_mistakes(arguments)
    try:
        run = load_run(arguments.run, arguments.run_dir)
    except Mistake as problem:
        fail(str(problem))
    items: Iterable[Item] = read_inputs(run, arguments.inputs, arguments.column)
    if STDIN not in arguments.inputs:
        items = list(items)
    if isinstance(run, Generator | ImageTranslator):
        write_samples(run, [*items], arguments)
        return
    count = failed = 0
    strange: list[str] = []
    with (
        opened_output(arguments.out) as file,
        shown_progress(items) as advance,
    ):
        write = row_writer(arguments, run, file)
        for batch in _batches(items, arguments.batch_size):
            for row in answered(run, batch):
                write(row)
                count += 1
                failed += "error" in row
            file.flush()
            advance(len(batch))
            strange += [x.name for x in batch if not x.error and not run.knows(x.value)]
    if arguments.out:
        print(f"{count} answers are in {harmless(str(arguments.out))}")
    if strange:
        note(
            f"the model knows nothing of {len(strange)} of {count} inputs, such as "
            f"{strange[0][:40]!r}: its answers to them mean nothing"
        )
    if failed:
        complain(f"{failed} of {count} inputs have no answer: `error` says why")
        raise SystemExit(2)


def refuse_mistakes(arguments: argparse.Namespace) -> None:
    """Ends the program for arguments that can't be right, before anything is loaded."""
    if not arguments.inputs:
        fail("predict got no INPUT: give files, folders, texts, or - for stdin")
    if arguments.batch_size < 1:
        fail(f"--batch-size got {arguments.batch_size}, expected at least 1")
    out = arguments.out
    if out:
        refuse_output(out)
    if out and any(_is_same(out, word) for word in arguments.inputs):
        fail(f"--out got {out}, which is an input: give the name of another file")


def refuse_output(out: Path) -> None:
    """Ends the program if no file can be written there."""
    if out.is_dir():
        fail(f"--out got {out}, which is a folder, expected the name of a file")
    if not out.parent.is_dir():
        fail(f"--out got {out}, but there is no folder {out.parent}: make it first")


def _is_same(out: Path, word: str) -> bool:
    try:
        return out.resolve() == Path(word).resolve()
    except (OSError, ValueError):  # a text that is no name of a file
        return False


def _batches(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    waiting = iter(items)
    while batch := list(itertools.islice(waiting, size)):
        yield batch


def answered(run: TrainedRun, batch: list[Item]) -> list[Row]:
    """A row for each input: its answer, or the error that it has instead."""
    rows: list[Row] = [{"input": item.name} for item in batch]
    values = []
    places = []
    for row, item in zip(rows, batch):
        value, error = None, item.error
        if not error:
            value, error = attempt(partial(run.read, item.value))
        if error:
            row["error"] = error
        else:
            values.append(value)
            places.append(row)
    answers, error = attempt(partial(run.predict, values)) if values else ([], None)
    if error:  # as from a vocabulary that does not fit the model
        for row in places:
            row["error"] = error
    else:
        for row, answer in zip(places, answers):
            row.update(run.fields(answer))
    return rows


def write_samples(
    run: Generator | ImageTranslator, items: list[Item], arguments: argparse.Namespace
) -> None:
    """Writes what a model makes: images as one picture, or points as rows."""
    for item in items:
        _, error = attempt(partial(run.read, item.value))
        if item.error or error:
            fail(f"predict got {item.name[:40]!r}: {item.error or error}")
    out = arguments.out
    samples = run.predict([item.value for item in items])
    if not run.makes_images:
        with opened_output(out) as file:
            write = row_writer(arguments, run, file)
            for item, sample in zip(items, samples):
                write({"input": item.name, **run.fields(sample)})
        return
    if not out or out.suffix.lower() != ".png":
        fail(f"{run.description.recipe} makes images: give --out FILE.png")
    Image.fromarray(as_sheet(samples)).save(out)
    print(f"{len(samples)} images are in {harmless(str(out))}")


def row_writer(
    arguments: argparse.Namespace, run: TrainedRun, file: TextIO
) -> Callable[[Row], None]:
    """A function that writes a row, as CSV or as a line of JSON."""
    chosen = arguments.format
    if not chosen:
        is_json = arguments.out and arguments.out.suffix.lower() in JSON_LINES
        chosen = "jsonl" if is_json else "csv"
    if chosen == "jsonl":
        return lambda row: print(json.dumps(row), file=file)
    names = ["input", *run.columns(), "error"]
    table = csv.DictWriter(file, names, lineterminator="\n")
    table.writeheader()
    if not file.isatty():
        return table.writerow

    def write(row: Row) -> None:  # a terminal would obey codes in a text
        table.writerow({name: harmless(str(value)) for name, value in row.items()})

    return write


@contextlib.contextmanager
def opened_output(path: Path | None) -> Iterator[TextIO]:
    """The file to write, which appears once it is whole; without a path, stdout."""
    if path is None:
        with contextlib.suppress(AttributeError):  # a notebook's, or that of a test
            sys.stdout.reconfigure(  # type: ignore[union-attr]
                encoding="utf-8", errors="backslashreplace"
            )
        yield sys.stdout
        return
    unfinished = path.with_name(f"partial_{os.getpid()}_{path.name}")
    try:
        with unfinished.open(
            "w", encoding="utf-8", errors="backslashreplace", newline=""
        ) as file:
            yield file
        os.replace(unfinished, path)
    except OSError as error:
        fail(f"--out {path} can't be written ({error.strerror or error})")
    finally:
        with contextlib.suppress(OSError):
            unfinished.unlink()


@contextlib.contextmanager
def shown_progress(items: Iterable[Any]) -> Iterator[Callable[[int], Any]]:
    """A function that moves a progress bar on; only a terminal shows the bar."""
    from tqdm import tqdm

    total = len(items) if isinstance(items, list) else None
    hidden = not sys.stderr.isatty()
    with tqdm(total=total, unit=" inputs", file=sys.stderr, disable=hidden) as bar:
        yield bar.update
