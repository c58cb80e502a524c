"""`python -m benchmarks [NAME ...]` times components; other commands have a word."""

import argparse
import os
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path

from benchmarks.measure import ROUNDS
from cookbook.errors import fail
from cookbook.pages.catalogue import recipes

COMMANDS = {
    "table": "the rows that have a bound, and whether each meets it",
    "recipes": "the training step of every recipe, with our parts and with Keras's",
    "convnet": "the whole recipe mnist_cnn against the well-known keras-io convnet",
    "feeding": "the share of a step of every recipe that is spent on feeding",
    "quick": "what --quick of every recipe takes on TensorFlow, JAX and torch",
    "search": "the strategies of --tuner on problems with known answers",
    "overhead": "what a search costs beyond its trainings",
    "page": "writes docs/speed.md from docs/speed.json; measures nothing",
}


def main() -> None:
    """Runs the benchmark that the command line names."""
    arguments = _parser().parse_args()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "1")
    word = arguments.names[0] if arguments.names else ""
    command = _commands().get(word)
    if command is None:
        _components(arguments)
    else:
        arguments.names = arguments.names[1:]
        command(arguments)


def _parser() -> argparse.ArgumentParser:
    words = "\n".join(f"  {name:<10} {text}" for name, text in COMMANDS.items())
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Times components against those of Keras and, where it is "
        "installed, of PyTorch.",
        epilog=f"commands:\n{words}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "names",
        nargs="*",
        metavar="[COMMAND] NAME",
        help="components to time, such as LSTM (default: all of them); or a command, "
        "such as recipes, and what it is to time",
    )
    parser.add_argument(
        "--rounds",
        type=int,
        default=ROUNDS,
        metavar="N",
        help=f"measurements from which each ratio is taken (default: {ROUNDS})",
    )
    parser.add_argument(
        "--json", type=Path, metavar="FILE", help="adds the results to this file"
    )
    parser.add_argument(
        "--rest", action="store_true", help="leaves out what the file of --json holds"
    )
    parser.add_argument(
        "--jit", action="store_true", help="has XLA compile whole steps of components"
    )
    return parser


def _commands() -> dict[str, Callable[[argparse.Namespace], None]]:
    """{word: the function that runs the command}."""
    return {
        "table": _table,
        "recipes": _recipes,
        "convnet": _convnet,
        "feeding": _feeding,
        "quick": _quick,
        "search": _search,
        "overhead": _overhead,
        "page": _page,
    }


def _refuse_others(names: Sequence[str], known: Iterable[str], kind: str) -> None:
    """Ends the program if one of the names is not known."""
    known = sorted(set(known))
    for name in names:
        if name not in known:
            fail(f"got {name}, expected {kind}: {', '.join(known)}")


def _components(arguments: argparse.Namespace) -> None:
    from benchmarks.components import measurements, run
    from benchmarks.results import Results

    known = [*COMMANDS, *(each.name for each in measurements(arguments.jit))]
    _refuse_others(arguments.names, known, "a command or a component that is timed")
    run(
        arguments.names,
        arguments.rounds,
        arguments.jit,
        Results(arguments.json, "components"),
        arguments.rest,
    )


def _table(arguments: argparse.Namespace) -> None:
    from benchmarks.results import Results
    from benchmarks.table import run_table

    results = Results(arguments.json, "table")
    run_table(arguments.names, arguments.rounds, results, arguments.rest)


def _recipes(arguments: argparse.Namespace) -> None:
    from benchmarks.recipes import run_recipes
    from benchmarks.results import Results

    _refuse_others(arguments.names, [each.name for each in recipes()], "a recipe")
    results = Results(arguments.json, "recipes")
    run_recipes(arguments.names, arguments.rounds, results, arguments.rest)


def _convnet(arguments: argparse.Namespace) -> None:
    from benchmarks.convnet import run_convnet
    from benchmarks.results import Results

    run_convnet(results=Results(arguments.json, "table"))


def _feeding(arguments: argparse.Namespace) -> None:
    from benchmarks.feeding import RECIPES, run_feeding

    _refuse_others(arguments.names, RECIPES, "a recipe that is fed")
    run_feeding(arguments.names)


def _quick(arguments: argparse.Namespace) -> None:
    from benchmarks.quick import run_quick
    from benchmarks.results import Results

    _refuse_others(arguments.names, [each.name for each in recipes()], "a recipe")
    run_quick(arguments.names, Results(arguments.json, "quick"), arguments.rest)


def _search(arguments: argparse.Namespace) -> None:
    from benchmarks.search import run_searches

    run_searches()


def _overhead(arguments: argparse.Namespace) -> None:
    from benchmarks.overhead import run_overhead

    run_overhead()


def _page(arguments: argparse.Namespace) -> None:
    from benchmarks.page import write_page

    write_page()


if __name__ == "__main__":
    main()
