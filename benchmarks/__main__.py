"""`python -m benchmarks [NAME ...]` times components, `... recipes` the recipes."""

import argparse
import os

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")


def main():
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "names", nargs="*", help="components to time (default: all), or: recipes"
    )
    parser.add_argument("--rounds", type=int, default=15, help="pairs a figure is from")
    arguments = parser.parse_args()
    if arguments.names == ["recipes"]:
        from benchmarks.recipes import run

        run()
    else:
        from benchmarks.components import run

        run(arguments.names, arguments.rounds)


if __name__ == "__main__":
    main()
