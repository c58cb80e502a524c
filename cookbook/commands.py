"""Commands of `python -m cookbook`: what one is; those of trained models and pages."""

import argparse
import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any


@dataclasses.dataclass(frozen=True)
class Command:
    """A command: what it is called, what it takes, and the function that runs it."""

    name: str
    summary: str
    run: Callable[[argparse.Namespace], None]
    arguments: Mapping[str, dict[str, Any]]  # {name or flag: settings of add_argument}
    usage: str | None = None  # only where argparse's own would be wrong
    takes_more: bool = False  # whether `run` finds words it does not know in .words


def predict(arguments: argparse.Namespace) -> None:
    """Writes the answers of a finished run to inputs of the user's."""
    from cookbook.answers.predict import predict_command

    predict_command(arguments)


def evaluate(arguments: argparse.Namespace) -> None:
    """Prints how good a classifier is on labelled data of the user's."""
    from cookbook.answers.evaluate import evaluate_command

    evaluate_command(arguments)


def export(arguments: argparse.Namespace) -> None:
    """Writes the model of a finished run in a format that other programs run."""
    from cookbook.exports.converters.packages import refuse_without_packages

    refuse_without_packages(arguments.format)  # before Keras, which takes seconds
    from cookbook.quiet_import import import_keras_quietly

    import_keras_quietly()
    from cookbook.exports.command import export_run

    export_run(arguments)


def demo(arguments: argparse.Namespace) -> None:
    """Opens a local page on which a finished run answers."""
    from cookbook.demo.command import demo_command

    demo_command(arguments)


def site(arguments: argparse.Namespace) -> None:
    """Builds the pages, and serves them if asked."""
    from cookbook.site.build import site_command

    site_command(arguments)


def reproduce(arguments: argparse.Namespace) -> None:
    """Measures results again; ends with the exit status of the comparison."""
    from cookbook.reproduce.command import reproduce_command

    raise SystemExit(reproduce_command(arguments))


RUN: dict[str, Any] = {
    "metavar": "RUN",
    "help": "a run folder, or a recipe's name for its newest finished run",
}
RUN_DIR: dict[str, Any] = {
    "type": Path,
    "default": Path("runs"),
    "metavar": "FOLDER",
    "help": "the folder of all runs, for a RUN that is a recipe's name (default: runs)",
}


# Each function imports what it needs itself, so that --help answers at once.
MODEL_COMMANDS = (
    Command(
        "predict",
        "write the answers of a trained model as CSV or JSON lines",
        predict,
        {
            "run": RUN,
            "inputs": {
                "nargs": "*",
                "metavar": "INPUT",
                "help": "an image, a text, a text file, a table such as a CSV file, a "
                "folder of images or of texts, or - for one input per line of stdin",
            },
            "--out": {
                "type": Path,
                "metavar": "FILE",
                "help": "the file to write (default: print the answers)",
            },
            "--format": {
                "choices": ["csv", "jsonl"],
                "help": "CSV or JSON lines (default: as the name of --out ends, or "
                "else csv)",
            },
            "--column": {
                "metavar": "NAME",
                "help": "the column of a table that holds the inputs (default: one "
                "named text or the like, or else the one with the longest values)",
            },
            "--batch-size": {
                "type": int,
                "default": 256,
                "metavar": "N",
                "help": "inputs that are read and answered at once (default: 256)",
            },
            "--run-dir": RUN_DIR,
        },
    ),
    Command(
        "evaluate",
        "print how good a trained classifier is on new labelled data",
        evaluate,
        {
            "run": RUN,
            "--data": {
                "required": True,
                "metavar": "DATA",
                "help": "a folder with a sub-folder per class, a table of texts and "
                "labels, or the name of a set in TensorFlow Datasets",
            },
            "--out": {
                "type": Path,
                "metavar": "FILE",
                "help": "the file of JSON to write all figures to",
            },
            "--text-column": {
                "metavar": "NAME",
                "help": "the column of a table that holds the texts (default: guessed)",
            },
            "--label-column": {
                "metavar": "NAME",
                "help": "the column that holds the classes (default: guessed)",
            },
            "--run-dir": RUN_DIR,
        },
    ),
    Command(
        "export",
        "export a trained model with a README, for programs without the cookbook",
        export,
        {
            "run": RUN,
            "--format": {
                "required": True,
                "choices": ["keras", "savedmodel", "onnx", "litert"],
                "help": "what will run the model: Keras, TensorFlow (savedmodel), "
                "onnxruntime (onnx), or LiteRT on phones and small boards (litert)",
            },
            "--to": {
                "type": Path,
                "metavar": "FOLDER",
                "help": "the folder to make (default: export_FORMAT in the run folder)",
            },
            "--run-dir": RUN_DIR,
        },
    ),
    Command(
        "demo",
        "open a local page in the browser to ask a trained model",
        demo,
        {
            "run": RUN,
            "--port": {
                "type": int,
                "default": 7860,
                "metavar": "N",
                "help": "the port of the page; 0 takes any that is free "
                "(default: 7860)",
            },
            "--host": {
                "default": "127.0.0.1",
                "metavar": "H",
                "help": "the address of the page; 0.0.0.0 lets other machines use it "
                "(default: 127.0.0.1, this machine only)",
            },
            "--run-dir": RUN_DIR,
        },
    ),
)

SITE = Command(
    "site",
    "build the pages of the project, which need no network",
    site,
    {
        "--output": {
            "type": Path,
            "metavar": "FOLDER",
            "help": "the folder of the built pages, which is replaced (default: site)",
        },
        "--models": {
            "nargs": "+",
            "metavar": "RUN",
            "default": [],
            "help": "finished runs whose models answer in the pages of playgrounds",
        },
        "--url": {
            "metavar": "URL",
            "help": "the address at which the pages will be published",
        },
        "--serve": {
            "action": "store_true",
            "help": "show the pages on this machine when they are built",
        },
        "--port": {
            "type": int,
            "default": 8000,
            "metavar": "N",
            "help": "the port of --serve; 0 takes any that is free (default: 8000)",
        },
    },
)

REPRODUCE = Command(
    "reproduce",
    "measure the results again, and say which figures are outside their tolerance",
    reproduce,
    {
        "recipes": {
            "nargs": "*",
            "metavar": "RECIPE",
            "help": "such as mnist_cnn (default: every recipe in docs/results.json)",
        },
        "--seeds": {
            "nargs": "+",
            "default": [],
            "metavar": "SEED",
            "help": "random seeds, as in --seeds 0 1 2 (default: those that "
            "docs/results.json holds)",
        },
        "--hours": {
            "type": float,
            "metavar": "H",
            "help": "the time for all runs: what does not fit is left out (default: as "
            "long as it takes)",
        },
        "--run-dir": {
            "type": Path,
            "default": Path("runs/reproduced"),
            "metavar": "FOLDER",
            "help": "the folder of the runs; finished ones are not repeated (default: "
            "runs/reproduced)",
        },
        "--plan": {
            "action": "store_true",
            "help": "show the runs and the time that each takes, and run nothing",
        },
    },
)
