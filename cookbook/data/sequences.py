"""Generated series and sequence tasks: Mackey-Glass, adding, copying."""

import dataclasses

import numpy as np

from cookbook.data.sources import DataSet, Part
from cookbook.errors import fail


@dataclasses.dataclass(frozen=True, kw_only=True)
class Forecasts(DataSet):
    """A series in windows; each part is (x, y), x (N, window, 1), y (N, horizon).

    y are the values that follow x. Values have mean 0 and standard deviation 1 over
    the training part. The parts follow each other in time and share no value.
    """

    series: np.ndarray  # (T,), all values; those of the test part stand last


def load_mackey_glass(
    name: str, window: int, horizon: int, quick: bool = False
) -> Forecasts:
    """The Mackey-Glass series: 3,000, 1,000 and 2,000 values to train, validate, test.

    Args:
        name: the value of --data; the series is always generated.
        window: values that a forecast is based on.
        horizon: values to forecast.
        quick: whether to make a quarter of the values only.
    """
    if name not in ("auto", "mackey_glass"):
        fail(f"--data got {name!r}, expected mackey_glass: the series is generated")
    sizes = np.array([3000, 1000, 2000])
    if quick:
        sizes = sizes // 4
    most = sizes.min() // 2
    if window + horizon > most:
        fail(
            f"--window {window} and --horizon {horizon} are too long: expected at most "
            f"{most} in sum"
        )
    series = mackey_glass(sizes.sum())
    training = series[: sizes[0]]
    series = (series - training.mean()) / training.std()
    cuts = np.cumsum(sizes)[:-1]
    parts = [_windows(part, window, horizon) for part in np.split(series, cuts)]
    train, validation, test = parts
    return Forecasts(
        name="mackey_glass",
        asked="mackey_glass",
        train=train,
        validation=validation,
        test=test,
        series=series,
    )


def _windows(values: np.ndarray, window: int, horizon: int) -> Part:
    """(x, y): every stretch of `window` values, and the `horizon` values after it."""
    length = window + horizon
    views = np.lib.stride_tricks.sliding_window_view(values, length)
    x = views[:, :window, None]
    y = views[:, window:]
    return x.astype("float32"), y.astype("float32")


def mackey_glass(
    count: int,
    tau: int = 17,
    beta: float = 0.2,
    gamma: float = 0.1,
    n: int = 10,
    settle: int = 500,
    substeps: int = 10,
) -> np.ndarray:
    """The Mackey-Glass series, one value per unit of time; chaotic for tau = 17.

        dx/dt = beta x(t - tau) / (1 + x(t - tau)^n) - gamma x(t)

    The Runge-Kutta method solves it in `substeps` steps per unit of time. It starts
    from x = 1.2 at all times up to 0, and the first `settle` values are left out.

    Paper: Mackey, Glass, "Oscillation and chaos in physiological control systems",
    1977. https://doi.org/10.1126/science.267326
    """
    h = 1 / substeps
    delay = tau * substeps
    length = delay + 1 + (settle + count) * substeps
    x = np.full(length, 1.2)

    def production(delayed):
        return beta * delayed / (1 + delayed**n)

    after = production(1.2)
    for t in range(delay, len(x) - 1):
        before = after
        after = production(x[t - delay + 1])
        middle = (before + after) / 2  # the production half a step later
        k1 = before - gamma * x[t]
        k2 = middle - gamma * (x[t] + h / 2 * k1)
        k3 = middle - gamma * (x[t] + h / 2 * k2)
        k4 = after - gamma * (x[t] + h * k3)
        slope = k1 + 2 * k2 + 2 * k3 + k4  # times 6
        x[t + 1] = x[t] + h / 6 * slope
    first = delay + (settle + 1) * substeps
    return x[first::substeps]


def adding_problem(count: int, length: int, rng: np.random.Generator) -> Part:
    """The adding problem, (x, y): add the two marked ones of `length` random numbers.

    x (count, length, 2) holds numbers from 0 to 1 and, beside each, 1 if it is marked,
    else 0; one number in each half is marked. y (count, 1) is the sum. The answer 1,
    always given, has a mean squared error of 1/6.

    Paper: Hochreiter, Schmidhuber, "Long short-term memory", 1997.
    https://doi.org/10.1162/neco.1997.9.8.1735
    """
    numbers = rng.random((count, length))
    marks = np.zeros((count, length))
    row = np.arange(count)
    half = length // 2
    marks[row, rng.integers(0, half, count)] = 1
    marks[row, rng.integers(half, length, count)] = 1
    x = np.stack([numbers, marks], axis=-1).astype("float32")
    return x, x.prod(-1).sum(1, keepdims=True)


def copy_task(
    count: int,
    length: int,
    rng: np.random.Generator,
    symbols: int = 4,
    kinds: int = 4,
) -> Part:
    """The copy task, (x, y): a few symbols, `length` blanks, then repeat the symbols.

    x (count, 2 symbols + length, kinds + 2) is one-hot: the symbols, the blanks, and a
    sign that asks for the symbols. y (count, symbols) are the right answers at the last
    `symbols` places. A guess is right in one of `kinds` cases.

    Paper: Arjovsky, Shah, Bengio, "Unitary evolution recurrent neural networks", 2016.
    https://arxiv.org/abs/1511.06464
    """
    y = rng.integers(kinds, size=(count, symbols))
    blanks = np.full((count, length), kinds)
    signs = np.full((count, symbols), kinds + 1)
    numbers = np.concatenate([y, blanks, signs], axis=1)
    return np.eye(kinds + 2, dtype="float32")[numbers], y
