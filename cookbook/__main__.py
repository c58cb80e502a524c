"""`python -m cookbook list` shows what there is; `index` renews docs/components.md;
`results FOLDER ...` adds finished runs to docs/results.md; `check
FILE ...` shows models from anyone's .keras files and runs no code they may carry;
`tune RECIPE --workers 4 --tune 20 ...` searches in several processes at once."""

import argparse

from cookbook.pages.catalogue import ROOT, components, index, recipes


def show():
    """Prints recipes and components; imports neither, so it answers at once."""
    print("Recipes (python recipes/NAME.py --help)")
    for entry in recipes():
        print(f"  {entry.name:<24}{entry.summary}")
    print("\nComponents (from custom_layers.FILE import NAME)")
    file = None
    for entry in components():
        if entry.file != file:
            file = entry.file
            print(f"\n  {file}")
        print(f"    {entry.name:<32}{entry.summary}")


def main():
    parser = argparse.ArgumentParser(prog="python -m cookbook", description=__doc__)
    commands = ["list", "index", "results", "check", "tune"]
    parser.add_argument("command", choices=commands)
    parser.add_argument("paths", nargs="*", help="run folders, model files, a recipe")
    parser.add_argument("--workers", type=int, default=2, help="processes that train")
    arguments, words = parser.parse_known_args()
    if words and arguments.command != "tune":
        parser.error(f"got {' '.join(words)}, which only tune hands to its recipe")
    if arguments.command == "list":
        show()
    elif arguments.command == "index":
        (ROOT / "docs" / "components.md").write_text(index())
    elif arguments.command == "check":
        from cookbook.trained.safe_loading import load_safely

        for path in arguments.paths:
            load_safely(path).summary()
    elif arguments.command == "tune":
        from cookbook.tuning.workers import tune

        raise SystemExit(tune(arguments.paths, arguments.workers, words))
    else:
        # Not above: the command line's library takes longer than `list` may.
        from cookbook.pages.results import collect, show_results

        collect(arguments.paths)
        show_results()


if __name__ == "__main__":
    main()
