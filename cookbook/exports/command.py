"""The command `export`: a finished run's model in a format that other programs run."""

import argparse
import os
import shutil
import time
from pathlib import Path

import keras

from cookbook import load_run
from cookbook.errors import Mistake, fail, harmless
from cookbook.exports.converters.formats import (
    EVERYTHING,
    FORMATS,
    NotPossible,
    read_network,
    write_network,
)
from cookbook.exports.folder import write_companions
from cookbook.exports.signature import (
    TOLERANCE,
    Exported,
    exported,
    largest_difference,
)
from cookbook.exports.steps import ExportedStep, largest_difference_of_steps, step_of
from cookbook.quiet_import import filtered_stderr
from cookbook.runs.files import storage_problem


def export_run(arguments: argparse.Namespace) -> None:
    """Exports the model of a run and says where it is and how exact it is."""
    start = time.time()
    name = arguments.format
    if name != "keras" and keras.backend.backend() != "tensorflow":
        fail(
            f"--format {name} needs Keras on TensorFlow, but KERAS_BACKEND is "
            f"{keras.backend.backend()}: export without that variable"
        )
    if arguments.to:
        refuse_folder(arguments.to)
    try:
        run = load_run(arguments.run, arguments.run_dir)
        network = exported(run.model, run.description)
    except Mistake as problem:
        fail(str(problem))
    target = arguments.to or run.folder / f"export_{name}"
    refuse_folder(target)
    difference = write_export(network, name, target)
    files = [path for path in target.rglob("*") if path.is_file()]
    size = sum(file.stat().st_size for file in files)
    print(
        f"Largest difference to predict: {difference:.1e} of the largest answer "
        f"({FORMATS[name].title}, {size / 1e6:.2f} MB, {time.time() - start:.1f} s)"
    )
    print(f"{harmless(str(target / 'README.md'))} shows how to use it")


def refuse_folder(target: Path) -> None:
    """Ends the program if the folder can't be made, or if something is there."""
    if target.exists() or target.is_symlink():
        fail(f"{target} exists: give another folder by --to, or delete it")
    if not target.parent.is_dir():
        fail(f"--to got {target}, but there is no folder {target.parent}: make it")


def write_export(network: Exported, name: str, target: Path) -> float:
    """Writes the folder of an export, which appears once it is whole.

    It returns the largest difference to `predict`. If that is too large, or if the
    format can't hold the network, nothing remains and one line says why.
    """
    form = FORMATS[name]
    partial = target.with_name(f"partial_{os.getpid()}_{target.name}")
    try:
        partial.mkdir()
        write_network(network, name, partial / form.file)
        written = read_network(name, partial)
        with filtered_stderr(EVERYTHING):
            difference = largest_difference(network, written)
        refuse_difference(difference, name, form.file)
        step = step_of(network) if form.step else None
        if step:
            difference = max(difference, write_step(step, name, partial))
        note = (
            "Random inputs were given to what is exported and to what was trained: "
            f"their answers differ by at most {difference:.1e} of the largest one."
        )
        write_companions(network, step, name, partial, note)
        os.rename(partial, target)
        return difference
    except NotPossible as problem:
        others = [each for each in FORMATS if each != name]
        fail(
            f"--format {name} is not possible for this network: {problem}; use another "
            f"format: {', '.join(others)}"
        )
    except OSError as error:
        reason = storage_problem(error) or error.strerror or error
        fail(f"{target} can't be written ({reason}): give another folder by --to")
    finally:
        shutil.rmtree(partial, ignore_errors=True)


def write_step(step: ExportedStep, name: str, folder: Path) -> float:
    """Writes the step of a network, and the encoder that it needs.

    It returns the largest difference to `predict`.
    """
    form = FORMATS[name]
    encoder = None
    assert form.step
    assert form.encoder
    write_network(step, name, folder / form.step)
    if step.encoder:
        write_network(step.encoder, name, folder / form.encoder)
    written = read_network(name, folder, form.step)
    if step.encoder:
        encoder = read_network(name, folder, form.encoder)
    with filtered_stderr(EVERYTHING):
        difference = largest_difference_of_steps(step, written, encoder)
    refuse_difference(difference, name, form.step)
    return difference


def refuse_difference(difference: float, name: str, file: str) -> None:
    """Ends the program if an export's answers are not those of `predict`."""
    if not difference <= TOLERANCE:
        fail(
            f"the export as {FORMATS[name].title} is wrong: its answers differ from "
            f"those of predict by {difference:.2g} of the largest one, more than "
            f"{TOLERANCE:.0e}; {file} is removed, use another --format"
        )
