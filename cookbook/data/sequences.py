"""Series to forecast, generated or the user's; the tasks of adding and copying."""

import dataclasses
from typing import Any

import numpy as np

from cookbook.data.files.given import name_of_path, names_files, path_given
from cookbook.data.series_files import check_length, read_series, series_card
from cookbook.data.sources import DataSet, Part
from cookbook.errors import fail

PARTS = ("train", "validation", "test")
TABLE = "a table with one or several columns of numbers"
SHARES = (0.7, 0.15, 0.15)  # of the user's rows: to train, validate, test


@dataclasses.dataclass(frozen=True, kw_only=True)
class Forecasts(DataSet):
    """A series in windows; each part is (x, y), x (N, window, C), y (N, horizon C).

    y are the values that follow x: the C columns of the first row, then of the second,
    and so on. Each column has mean 0 and standard deviation 1 over the training part.
    The parts follow each other in time and share no value.
    """

    series: np.ndarray  # (T, C), all values; those of the test part stand last
    columns: tuple[str, ...] = ("value",)  # names of the C columns
    mean: tuple[float, ...] = (0.0,)  # of each column, in the units of the source
    scale: tuple[float, ...] = (1.0,)  # by which each column, less its mean, is divided


def load_series(name: str, window: int, horizon: int, quick: bool = False) -> Forecasts:
    """The user's series, or Mackey-Glass: 3,000, 1,000, 2,000 values in the parts.

    Args:
        name: "auto" or "mackey_glass" for the generated series, or the path of a table
            with columns of numbers.
        window: values that a forecast is based on.
        horizon: values to forecast.
        quick: whether to make a quarter of the values only.
    """
    if names_files(name):
        return _from_file(name, window, horizon)
    if name not in ("auto", "mackey_glass"):
        fail(
            f"--data got {name!r}, expected mackey_glass, as the series is generated, "
            f"or the path of {TABLE}"
        )
    return generated_series(window, horizon, quick)


def generated_series(window: int, horizon: int, quick: bool) -> Forecasts:
    """The Mackey-Glass series; with `quick`, a quarter of its values."""
    sizes = np.array([3000, 1000, 2000])
    if quick:
        sizes = sizes // 4
    most = sizes.min() // 2
    if window + horizon > most:
        fail(
            f"--window {window} and --horizon {horizon} are too long: expected at most "
            f"{most} in sum"
        )

    series = mackey_glass(sizes.sum())[:, None]  # T, 1
    parts, series = _parts(series, sizes, window, horizon)
    return Forecasts(name="mackey_glass", asked="mackey_glass", series=series, **parts)


def _from_file(name: str, window: int, horizon: int) -> Forecasts:
    """The series in the user's table."""
    path = path_given(name, ("mackey_glass",), TABLE)
    series = read_series(path)
    rows = len(series.values)
    sizes = np.array([round(share * rows) for share in SHARES])
    sizes[0] = rows - sizes[1:].sum()
    check_length(path, sizes.tolist(), window, horizon)

    parts, values = _parts(series.values, sizes, window, horizon)

    card = series_card(path, series, dict(zip(PARTS, sizes.tolist())))
    card.tell()
    return Forecasts(
        name=name_of_path(path),
        asked=name_of_path(path),
        series=values,
        columns=series.columns,
        card=card,
        **parts,
    )


def _parts(
    series: np.ndarray, sizes: np.ndarray, window: int, horizon: int
) -> tuple[dict[str, Any], np.ndarray]:
    """(windows of the parts and their scale, the series), by the training part."""
    length, *_ = sizes
    training = series[:length]

    spread = training.std(0)
    spread = np.where(spread > 0, spread, 1)  # of a column that changes later

    mean = training.mean(0)
    series = (series - mean) / spread

    *cuts, _ = np.cumsum(sizes)
    facts: dict[str, Any] = {
        "mean": tuple(mean.tolist()),
        "scale": tuple(spread.tolist()),
    }
    for name, part in zip(PARTS, np.split(series, cuts)):
        facts[name] = _windows(part, window, horizon)

    return facts, series


def _windows(values: np.ndarray, window: int, horizon: int) -> Part:
    """(x, y): every stretch of `window` values, and the `horizon` values after it."""
    length = window + horizon

    views = np.lib.stride_tricks.sliding_window_view(values, length, axis=0)
    views = np.moveaxis(views, -1, 1)  # N, length, C

    x = views[:, :window]
    y = views[:, window:].reshape(len(views), -1)
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
