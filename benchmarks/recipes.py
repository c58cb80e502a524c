"""Time of the training step of every recipe, with our parts and with Keras's."""

from collections.abc import Sequence

import keras

from benchmarks.keras_parts import keras_parts
from benchmarks.measure import ROUNDS, compare, warn_if_busy
from benchmarks.results import Kept, Results, ratio_text, row_of
from benchmarks.training_steps import first_fit, training_step
from cookbook.pages.catalogue import recipes

# Recipes that have no training step of a network to compare.
WITHOUT_STEP = {
    "backprop_by_hand": "it takes one step, by hand",
    "epochs_and_batches": "it trains many networks at once, in NumPy's manner",
    "initializers_and_depth": "it trains nothing",
    "losses_compared": "it minimizes a loss of two numbers, without a network",
    "losses_imbalanced": "it minimizes a loss of three numbers, without a network",
    "losses_kl_both_ways": "it minimizes a loss of two numbers, without a network",
    "optimizer_paths": "it walks down a valley of two numbers, without a network",
    "optimizers_compared": "it trains many networks at once, in NumPy's manner",
    "schedules_compared": "it trains many networks at once, in NumPy's manner",
}


def measured(recipe: str, rounds: int = ROUNDS, quick: bool = False) -> Kept:
    """The row of a recipe: its costs, and which of its parts Keras has not.

    quick: whether the network is that of --quick, which tells nothing about speed.
    """
    keras.backend.clear_session()
    ours, first = training_step(*first_fit(recipe, quick=quick))
    with keras_parts(recipe) as kept:
        theirs, their_first = training_step(*first_fit(recipe, quick=quick))
    row = row_of(compare({"ours": ours, "keras": theirs}, rounds))
    row["ours"]["compile_seconds"] = round(first, 2)
    row["keras"]["compile_seconds"] = round(their_first, 2)
    return {**row, "without counterpart": kept}


def run_recipes(
    names: Sequence[str],
    rounds: int = ROUNDS,
    results: Results | None = None,
    is_rest: bool = False,
) -> None:
    """Prints a row per recipe: the ratio ours / Keras, milliseconds, compile time.

    Args:
        names: recipes to time; none stands for all of them.
        rounds, results, is_rest: as in `benchmarks.components.run`.
    """
    results = results or Results(None, "recipes")
    warn_if_busy()
    print(
        f"{'recipe':<24}{'ours/keras, quartiles':<24}{'ours: ms':>9}{'MB':>8}"
        f"{'first step':>12}{'keras: MB':>11}{'first step':>12}  ours in both"
    )
    for recipe in names or [entry.name for entry in recipes()]:
        if is_rest and results.holds(recipe):
            continue
        if recipe in WITHOUT_STEP:
            print(f"{recipe:<24}{WITHOUT_STEP[recipe]}")
            continue
        row = measured(recipe, rounds)
        results.keep(recipe, row)
        ours, theirs = row["ours"], row["keras"]
        print(
            f"{recipe:<24}{ratio_text(row, 'keras'):<24}{ours['milliseconds']:>9.1f}"
            f"{ours['megabytes']:>8}{ours['compile_seconds']:>10.1f} s"
            f"{theirs['megabytes']:>11}{theirs['compile_seconds']:>10.1f} s  "
            f"{', '.join(row['without counterpart'])}",
            flush=True,
        )
