"""`python -m cookbook list` shows what there is; `index` renews INDEX.md."""

import argparse

from cookbook.catalogue import ROOT, components, index, recipes


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
    parser.add_argument("command", choices=["list", "index"])
    if parser.parse_args().command == "list":
        show()
    else:
        (ROOT / "INDEX.md").write_text(index())


if __name__ == "__main__":
    main()
