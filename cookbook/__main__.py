"""Commands of the cookbook: `python -m cookbook COMMAND --help` describes each."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from cookbook.errors import complain, fail, harmless
from cookbook.pages.catalogue import Entry, checkout, components, index, recipes


def parser() -> argparse.ArgumentParser:
    """The command line; each command is a parser with a help of its own."""
    top = argparse.ArgumentParser(prog="python -m cookbook", description=__doc__)
    commands = top.add_subparsers(dest="command", metavar="COMMAND", required=True)

    def add(name: str, summary: str) -> argparse.ArgumentParser:
        text = summary[0].upper() + summary[1:] + "."
        return commands.add_parser(name, help=summary, description=text)

    listing = add(
        "list", "show the recipes and the components, and import none of them"
    )
    listing.add_argument(
        "word",
        nargs="?",
        default="",
        help="show only entries whose name, summary or namespace contains this word",
    )
    add("index", "renew the generated pages: docs/components.md and all result tables")
    results = add(
        "results", "add finished runs to docs/results.json and renew the tables"
    )
    results.add_argument(
        "folders", nargs="*", metavar="FOLDER", help="a run folder with metrics.json"
    )
    check = add("check", "show models from .keras files, without running code in them")
    check.add_argument(
        "files", nargs="*", metavar="FILE", help="a .keras file, from whomever it is"
    )
    _describe_copy(add("copy", "copy components into one file of your own"))
    _describe_bundle(add("bundle", "bundle a recipe into one script of your own"))
    _describe_tune(
        add("tune", "run the hyperparameter search of a recipe in several processes")
    )
    return top


def _describe_tune(tune: argparse.ArgumentParser) -> None:
    tune.usage = "%(prog)s RECIPE [--workers N] --tune TRIALS [flags of the recipe]"
    tune.add_argument(
        "recipe", nargs="*", metavar="RECIPE", help="such as recipes/mnist_cnn.py"
    )
    tune.add_argument(
        "--workers",
        type=int,
        default=2,
        metavar="N",
        help="processes that train, each one trial at a time (default: 2)",
    )


def _describe_copy(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "names",
        nargs="*",
        metavar="NAME",
        help="a component, such as LSTM or losses.Dice; without names, lists all",
    )
    command.add_argument(
        "--to", type=Path, metavar="FILE", help="the file to write (default: print it)"
    )
    command.add_argument(
        "--force", action="store_true", help="replace the file if it exists"
    )


def _describe_bundle(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "recipe", metavar="RECIPE", help="such as recipes/mnist_cnn.py or mnist_cnn"
    )
    command.add_argument(
        "--to", type=Path, metavar="FILE", help="the file to write (default: print it)"
    )
    command.add_argument(
        "--force", action="store_true", help="replace the file if it exists"
    )


def show(word: str) -> None:
    """Prints the recipes and the components that contain the word."""
    chosen = [entry for entry in recipes() if _contains(entry, word)]
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


def main() -> None:
    """Runs the command that the command line names."""
    arguments, words = parser().parse_known_args()
    if words and arguments.command != "tune":
        fail(f"{arguments.command} got {' '.join(words)}, which it does not know")
    # Imports stand where a command needs them: `list` must answer at once.
    if arguments.command == "list":
        show(arguments.word)
    elif arguments.command == "index":
        renew_pages()
    elif arguments.command == "results":
        from cookbook.pages.results import collect

        if not any(arguments.folders):
            fail("results got no FOLDER: give the folders of finished runs")
        checkout()
        collect(arguments.folders)
        renew_pages()
    elif arguments.command == "copy":
        from cookbook.takeaway.copying import copy_command

        copy_command(arguments.names, arguments.to, arguments.force)
    elif arguments.command == "bundle":
        from cookbook.takeaway.bundle import bundle_command

        bundle_command(arguments.recipe, arguments.to, arguments.force)
    elif arguments.command == "check":
        if not any(arguments.files):
            fail("check got no FILE: give the .keras files to look at")
        check(arguments.files)
    else:
        from cookbook.tuning.workers import tune

        raise SystemExit(tune(arguments.recipe, arguments.workers, words))


def check(files: Sequence[str]) -> None:
    """Shows the model in each file; a file that is refused does not end the others."""
    from cookbook.trained.model_file import Refused, read_config

    refused = False
    for path in files:
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


def renew_pages() -> None:
    """Writes every generated page of the checkout."""
    from cookbook.pages.results import write_tables

    (checkout() / "docs" / "components.md").write_text(index(), encoding="utf-8")
    write_tables()


def run() -> None:
    """Runs `main`; a reader that stops early, such as `head`, is not an error."""
    try:
        main()
        sys.stdout.flush()
    except BrokenPipeError:
        # Python flushes stdout once more at its end; nothing may be left to flush.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


if __name__ == "__main__":
    run()
