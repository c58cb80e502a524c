"""`python -m benchmarks [NAME ...]` times components, `recipes` or `search` others."""

import argparse
import os


def main() -> None:
    """Runs the benchmark that the command line names."""
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks",
        description="Times components and recipes against those of Keras.",
    )
    parser.add_argument(
        "names",
        nargs="*",
        metavar="NAME",
        help="components to time, such as LSTM (default: all of them), `recipes`, or "
        "`feeding RECIPE ...`, the share of a step that is spent on feeding, or "
        "`search`, which compares the strategies of --tuner, or `overhead`, which is "
        "what a search costs beyond its trainings",
    )
    parser.add_argument(
        "--rounds",
        type=int,
        default=15,
        metavar="N",
        help="measurements from which each ratio is taken (default: 15)",
    )
    arguments = parser.parse_args()
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
    if arguments.names == ["recipes"]:
        from benchmarks.recipes import run_recipes

        run_recipes()
    elif arguments.names == ["overhead"]:
        from benchmarks.overhead import run_overhead

        run_overhead()
    elif arguments.names[:1] == ["feeding"]:
        from benchmarks.feeding import run_feeding

        run_feeding(arguments.names[1:])
    elif arguments.names == ["search"]:
        from benchmarks.search import run_searches

        run_searches()
    else:
        from benchmarks.components import run

        run(arguments.names, arguments.rounds)


if __name__ == "__main__":
    main()
