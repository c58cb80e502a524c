"""Commands of the cookbook: `python -m cookbook COMMAND --help` describes each."""

import argparse
import contextlib
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

from cookbook.commands import MODEL_COMMANDS, REPRODUCE, SITE, Command
from cookbook.errors import complain, fail, harmless
from cookbook.pages.catalogue import (
    Entry,
    as_json,
    checkout,
    components,
    index,
    recipes,
)

OURS = ("cookbook", "custom_layers")


def parser() -> argparse.ArgumentParser:
    """The command line; each command is a parser with a help of its own."""
    top = argparse.ArgumentParser(prog="python -m cookbook", description=__doc__)
    commands = top.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for command in COMMANDS:
        text = command.summary[0].upper() + command.summary[1:] + "."
        one = commands.add_parser(command.name, help=command.summary, description=text)
        one.usage = command.usage
        for name, settings in command.arguments.items():
            one.add_argument(name, **settings)
        one.set_defaults(chosen=command)
    return top


def show(arguments: argparse.Namespace) -> None:
    """Prints the recipes and the components that contain the word."""
    word = arguments.word
    chosen = [entry for entry in recipes() if _contains(entry, word)]
    if arguments.json:
        parts = [entry for entry in components() if _contains(entry, word)]
        print(as_json(chosen, parts))
        return
    if chosen:
        print("Recipes (python recipes/NAME.py --help)\n")
        for entry in chosen:
            print(f"  {entry.name:<24}{entry.summary}")
    by_namespace: dict[str, list[Entry]] = {}
    for entry in components():
        if _contains(entry, word):
            by_namespace.setdefault(entry.namespace, []).append(entry)
    for namespace in sorted(by_namespace):
        print(f"\nfrom {namespace} import ...\n")
        for entry in sorted(by_namespace[namespace], key=lambda entry: entry.name):
            print(f"  {entry.name:<36}{entry.summary}")
    if not chosen and not by_namespace:
        fail(f"no recipe and no component contains {word!r}: list shows all of them")


def _contains(entry: Entry, word: str) -> bool:
    text = f"{entry.name} {entry.summary} {entry.namespace}"
    return word.lower() in text.lower()


def check(arguments: argparse.Namespace) -> None:
    """Shows the model in each file; a file that is refused does not end the others."""
    if not any(arguments.files):
        fail("check got no FILE: give the .keras files to look at")
    from cookbook.trained.model_file import Refused, read_config

    refused = False
    for path in arguments.files:
        try:
            read_config(path)  # answers at once, before TensorFlow is imported
            show_model(path)
        except Refused as problem:
            complain(f"{path} {problem}")
            refused = True
    if refused:
        raise SystemExit(2)


def show_model(path: str) -> None:
    """Prints the layers of a model and says whether it holds augmentation."""
    from cookbook.quiet_import import import_keras_quietly

    import_keras_quietly()
    from cookbook.data.augmentation import augmentation_in
    from cookbook.trained.safe_loading import load_or_refuse

    model = load_or_refuse(path)
    model.summary(
        print_fn=lambda text: print("\n".join(map(harmless, text.split("\n"))))
    )
    names = ", ".join(layer.name for layer in augmentation_in(model))
    if names:
        print(
            f"It varies its input at random ({harmless(names)}) when it is called "
            "without training=False; `predict` does not."
        )


def renew(arguments: argparse.Namespace) -> None:
    """Renews every generated page of the checkout."""
    checkout()
    with _explained_refusal_to_write():
        _write_pages()


def collect_results(arguments: argparse.Namespace) -> None:
    """Adds finished runs to results.json, and renews the pages."""
    from cookbook.pages.results import collect

    if not any(arguments.folders):
        fail("results got no FOLDER: give the folders of finished runs")
    checkout()
    with _explained_refusal_to_write():
        collect(arguments.folders)
        _write_pages()


def _write_pages() -> None:
    from cookbook.pages.lessons import renew_lessons
    from cookbook.pages.results import write_tables

    page = checkout() / "docs" / "components.md"
    page.write_text(index(), encoding="utf-8")
    write_tables()
    renew_lessons()


@contextlib.contextmanager
def _explained_refusal_to_write() -> Iterator[None]:
    """Ends the program with one line if a page can't be read or written."""
    try:
        yield
    except OSError as error:
        fail(
            f"{error.filename} can't be read or written ({error.strerror}): the pages "
            "must be files of the checkout that you may write to"
        )


def copy_components(arguments: argparse.Namespace) -> None:
    """Copies the named components into one file."""
    from cookbook.takeaway.copying import copy_command

    copy_command(arguments.names, arguments.to, arguments.force)


def bundle_recipe(arguments: argparse.Namespace) -> None:
    """Writes a recipe as one script, or as a notebook if the file is to be one."""
    from cookbook.plain.script import plain_script
    from cookbook.takeaway.bundle import NOTEBOOK, bundle, bundle_command

    make: Callable[[Path], str] = plain_script if arguments.plain else bundle
    if arguments.to and arguments.to.suffix == NOTEBOOK:
        from cookbook.notebooks.files import as_notebook

        make = as_notebook(make)
    bundle_command(arguments.recipe, arguments.to, arguments.force, make)


def renew_notebooks(arguments: argparse.Namespace) -> None:
    """Renews docs/notebooks in the checkout."""
    from cookbook.notebooks.files import write_notebooks

    checkout()
    with _explained_refusal_to_write():
        write_notebooks()


def search_in_processes(arguments: argparse.Namespace) -> None:
    """Runs the search of a recipe; ends with its exit status."""
    from cookbook.tuning.scale.order import order_of
    from cookbook.tuning.scale.workers import tune

    raise SystemExit(tune(order_of(arguments)))


# Each function imports what it needs itself: `list` must answer at once.
COMMANDS = (
    Command(
        "list",
        "show the recipes and the components, and import none of them",
        show,
        {
            "word": {
                "nargs": "?",
                "default": "",
                "help": "show only entries whose name, summary or namespace contains "
                "this word",
            },
            "--json": {"action": "store_true", "help": "print them as JSON"},
        },
    ),
    Command(
        "index",
        "renew docs/components.md, the result tables and the numbers of lessons",
        renew,
        {},
    ),
    Command(
        "notebooks",
        "renew docs/notebooks, the notebooks of all recipes",
        renew_notebooks,
        {},
    ),
    Command(
        "results",
        "add finished runs to docs/results.json and renew the tables",
        collect_results,
        {
            "folders": {
                "nargs": "*",
                "metavar": "FOLDER",
                "help": "a run folder with metrics.json",
            }
        },
    ),
    Command(
        "check",
        "show models from .keras files, without running code in them",
        check,
        {
            "files": {
                "nargs": "*",
                "metavar": "FILE",
                "help": "a .keras file, from whomever it is",
            }
        },
    ),
    Command(
        "copy",
        "copy components into one file of your own",
        copy_components,
        {
            "names": {
                "nargs": "*",
                "metavar": "NAME",
                "help": "a component, such as LSTM or losses.Dice; without names, "
                "lists all",
            },
            "--to": {
                "type": Path,
                "metavar": "FILE",
                "help": "the file to write (default: print it)",
            },
            "--force": {
                "action": "store_true",
                "help": "replace the file if it exists",
            },
        },
    ),
    Command(
        "bundle",
        "bundle a recipe into one script or notebook of your own",
        bundle_recipe,
        {
            "recipe": {
                "metavar": "RECIPE",
                "help": "such as recipes/mnist_cnn.py or mnist_cnn",
            },
            "--to": {
                "type": Path,
                "metavar": "FILE",
                "help": "the file to write, a notebook if its name ends in .ipynb "
                "(default: print the script)",
            },
            "--plain": {
                "action": "store_true",
                "help": "a short script with Keras's own classes, which does not give "
                "the same weights as the recipe",
            },
            "--force": {
                "action": "store_true",
                "help": "replace the file if it exists",
            },
        },
    ),
    Command(
        "tune",
        "run the hyperparameter search of a recipe in several processes",
        search_in_processes,
        {
            "recipe": {
                "nargs": "*",
                "metavar": "RECIPE",
                "help": "such as recipes/mnist_cnn.py",
            },
            "--workers": {
                "type": int,
                "metavar": "N",
                "help": "trials that are trained at once, each in a process of its own "
                "(default: 2, or with --on ray as many as there is room for)",
            },
            "--gpus-per-trial": {
                "type": float,
                "metavar": "G",
                "help": "GPUs that each trial has for itself (default: all trials "
                "share all GPUs; with --on ray: none); with --on ray it may be 0.5",
            },
            "--on": {
                "choices": ["ray"],
                "help": "run the trials as tasks of Ray, on this machine or a cluster",
            },
            "--ray-address": {
                "metavar": "ADDRESS",
                "help": "the cluster of --on ray, as HOST:PORT, or auto for the one "
                "that this machine belongs to (default: this machine alone)",
            },
            "--cpus-per-trial": {
                "type": float,
                "metavar": "C",
                "help": "CPUs that --on ray gives to each trial (default: 1)",
            },
        },
        usage="%(prog)s RECIPE [--workers N] [--on ray] --tune TRIALS "
        "[flags of the recipe]",
        takes_more=True,
    ),
    REPRODUCE,
    SITE,
    *MODEL_COMMANDS,
)


def main() -> None:
    """Runs the command that the command line names."""
    arguments, words = parser().parse_known_args()
    command = arguments.chosen
    if not command.takes_more:
        words = _gathered(arguments, words)
    if words and not command.takes_more:
        fail(f"{command.name} got {' '.join(words)}, which it does not know")
    arguments.words = words
    try:
        command.run(arguments)
    except ModuleNotFoundError as error:
        package = (error.name or "").partition(".")[0]
        if package in OURS:
            raise
        fail(
            f"{command.name} needs {package}, which is not installed: install what "
            "recipes need, by pip install -r requirements.txt in a checkout"
        )


def _gathered(arguments: argparse.Namespace, words: list[str]) -> list[str]:
    """Adds words that argparse has left over to those it has taken; returns the rest.

    argparse ends the list of words of a command at a flag, so that it would not know A
    in `predict RUN --out FILE A`.
    """
    lists = [
        name
        for name, settings in arguments.chosen.arguments.items()
        if settings.get("nargs") == "*"
    ]
    if not lists:
        return words
    strange = []
    for word in words:
        if word.startswith("-") and word != "-":
            strange.append(word)
        else:
            getattr(arguments, lists[0]).append(word)
    return strange


def run() -> None:
    """Runs `main`; a reader that stops early, such as `head`, is not an error.

    Ctrl-C ends it with one line.
    """
    try:
        main()
        sys.stdout.flush()
    except BrokenPipeError:
        # Python flushes stdout once more at its end; nothing may be left to flush.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except KeyboardInterrupt:
        print("stopped by SIGINT", file=sys.stderr)
        raise SystemExit(130) from None


if __name__ == "__main__":
    run()
