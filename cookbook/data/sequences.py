"""Generated series and sequence tasks: Mackey-Glass, adding, copying."""

import dataclasses

import numpy as np

from cookbook.data.sources import DataSet
from cookbook.errors import fail


@dataclasses.dataclass(frozen=True, kw_only=True)
class Forecasts(DataSet):
    """A series in windows; each part is (x, y), x (N, window, 1), y (N, horizon).

    y are the values that follow x. Values have mean 0 and standard deviation 1 over
    the training part. The parts follow each other in time and share no value.
    """

    series: np.ndarray  # (T,), all of it; the test part at its end


def load_mackey_glass(name, window, horizon, quick=False):
    """3,000 values to train on, 1,000 for validation, 2,000 for the test; quick: 1/4.

    name: --data, for which there is one choice
    """
    if name not in ("auto", "mackey_glass"):
        fail(f"--data got {name!r}, expected mackey_glass: the series is generated")
    sizes = np.array([3000, 1000, 2000]) // (4 if quick else 1)
    if window + horizon > sizes.min() // 2:
        fail(
            f"--window {window} and --horizon {horizon} are too long: expected at most "
            f"{sizes.min() // 2} in sum"
        )
    series = mackey_glass(sizes.sum())
    series = (series - series[: sizes[0]].mean()) / series[: sizes[0]].std()
    cuts = np.cumsum(sizes)[:-1]
    parts = [_windows(part, window, horizon) for part in np.split(series, cuts)]
    return Forecasts(
        name="mackey_glass",
        asked="mackey_glass",
        train=parts[0],
        validation=parts[1],
        test=parts[2],
        series=series,
    )


def _windows(part, window, horizon):
    views = np.lib.stride_tricks.sliding_window_view(part, window + horizon)
    return views[:, :window, None].astype("float32"), views[:, window:].astype(
        "float32"
    )


def mackey_glass(count, tau=17, beta=0.2, gamma=0.1, n=10, settle=500, substeps=10):
    """`count` values, one a unit of time, of a series that is chaotic for tau = 17.

    dx/dt = beta x(t - tau) / (1 + x(t - tau)^n) - gamma x(t)

    Solved by Runge-Kutta's method with `substeps` steps a unit of time, from x = 1.2
    before time 0; the first `settle` units are left out.

    Paper: Mackey, Glass, "Oscillation and chaos in physiological control systems",
    1977. https://doi.org/10.1126/science.267326
    """
    h, delay = 1 / substeps, tau * substeps
    x = np.full(delay + 1 + (settle + count) * substeps, 1.2)
    feed = beta * 1.2 / (1 + 1.2**n)  # of the delayed value
    for t in range(delay, len(x) - 1):
        late = x[t - delay + 1]
        feed, before = beta * late / (1 + late**n), feed
        k1 = before - gamma * x[t]
        k2 = (before + feed) / 2 - gamma * (x[t] + h / 2 * k1)
        k3 = (before + feed) / 2 - gamma * (x[t] + h / 2 * k2)
        k4 = feed - gamma * (x[t] + h * k3)
        x[t + 1] = x[t] + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)
    return x[delay + (settle + 1) * substeps :: substeps]


def adding_problem(count, length, rng):
    """(x, y): the sum of two marked numbers among `length` random ones.

    x (count, length, 2): a number from 0 to 1, and 1 where it counts, one place in
    each half. y (count, 1). The answer 1 has a mean squared error of 1/6.

    Paper: Hochreiter, Schmidhuber, "Long short-term memory", 1997.
    https://doi.org/10.1162/neco.1997.9.8.1735
    """
    x = np.zeros((count, length, 2), "float32")
    x[..., 0] = rng.random((count, length))
    row = np.arange(count)
    for low, high in ((0, length // 2), (length // 2, length)):
        x[row, rng.integers(low, high, count), 1] = 1
    return x, x.prod(-1).sum(1, keepdims=True)


def copy_task(count, length, rng, symbols=4, kinds=4):
    """(x, y): a few symbols, `length` blanks, then a sign to say the symbols again.

    x (count, 2 symbols + length, kinds + 2), one-hot: the symbols, blanks, the sign.
    y (count, symbols): what to say at the last `symbols` places. Guesses are right in
    one of `kinds` cases.

    Paper: Arjovsky, Shah, Bengio, "Unitary evolution recurrent neural networks", 2016.
    https://arxiv.org/abs/1511.06464
    """
    y = rng.integers(kinds, size=(count, symbols))
    blank, sign = (np.full((count, n), k) for n, k in ((length, kinds), (symbols, -1)))
    x = np.eye(kinds + 2, dtype="float32")[np.concatenate([y, blank, sign], 1)]
    return x, y
