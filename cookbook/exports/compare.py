"""Comparison of an exported network with the one that `predict` uses."""

from collections.abc import Callable

import numpy as np

from cookbook.exports.signature import Exported

TOLERANCE = 1e-4  # of the largest number in an answer; float32 holds 1e-7
# (rows, length of rows) of the examples: a batch, and one short row
SIZES = ((3, 12), (1, 7))


def largest_difference(
    exported: Exported, network: Callable[..., np.ndarray]
) -> float:
    """The largest difference between two answers, relative to the largest number.

    network: the exported network, called with arrays by name.

    It is infinite where an answer has another shape or is not finite.
    """
    worst = 0.0
    for rows, length in SIZES:
        arrays = exported.examples(rows, length)
        expected = exported.answer(arrays).astype("float64")
        got = np.asarray(network(**arrays), "float64")
        if got.shape != expected.shape or not np.isfinite(got).all():
            return float("inf")
        scale = np.abs(expected).max() or 1.0
        worst = max(worst, float(np.abs(got - expected).max() / scale))
    return worst
