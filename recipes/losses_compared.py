"""Losses of a regression under outliers: squared, absolute, Huber, log-cosh, quantile.

    python recipes/losses_compared.py
    python recipes/losses_compared.py --outlier 100

Which losses does an outlier mislead? A line is fitted to points of which more and more
are outliers, all on one side. Expected, in 10 s: a fifth of outliers moves the line of
the mean squared error (MSE) 11 times as far as that of the mean absolute error (MAE),
which gives way when half are outliers. Two common beliefs did not hold here: RMSE fits
the same line as MSE (and with one target per row it is MAE), and not all quantiles are
robust (0.9 breaks as soon as a tenth lies above, 0.1 holds to the end). See also
losses_imbalanced.py for classes and losses_kl_both_ways.py for distributions.
Paper: Huber, "Robust estimation of a location parameter", 1964.
https://doi.org/10.1214/aoms/1177703732
"""

from collections.abc import Callable
from dataclasses import dataclass

from cookbook.start import start

start(__name__, float64=True)

import numpy as np
from keras import ops

from cookbook.config import Count, ExperimentConfig, Rate
from cookbook.lab.claims import Claim, conclude
from cookbook.lab.descent import minimize
from cookbook.lab.gradients import slope
from cookbook.plots.figures import draw_lines
from cookbook.reports.finish import Run
from cookbook.training.launch import launch
from cookbook.training.run_folder import RunFolder
from custom_layers.losses import (
    Huber,
    LogCosh,
    MeanAbsoluteError,
    MeanSquaredError,
    Quantile,
    RootMeanSquaredError,
)
from custom_layers.optimizers import Adam
from custom_layers.optimizers.schedules import CosineDecay

LOSSES = {  # without reduction: a loss for each row
    "MSE": MeanSquaredError(reduction=None),
    "MAE": MeanAbsoluteError(reduction=None),
    "Huber": Huber(reduction=None),
    "log-cosh": LogCosh(reduction=None),
    "quantile 0.1": Quantile(0.1, reduction=None),
    "quantile 0.9": Quantile(0.9, reduction=None),
    "RMSE": RootMeanSquaredError(reduction=None),
}
SHARES = np.arange(13) / 20  # shares of outliers, from 0 to 0.6


@dataclass(frozen=True)
class Config(ExperimentConfig):
    points: Count = 400  # points that each line is fitted to
    outlier: Rate = 10.0  # the target of every outlier, whatever its x
    steps: Count = 1000  # gradient steps of each fit


def draw_points(config: Config) -> tuple[np.ndarray, np.ndarray]:
    """x (B,), and the targets y with each of SHARES outliers, (shares, B)."""
    rng = np.random.default_rng(config.seed)
    x = rng.uniform(-1, 1, config.points).astype("float32")
    y = 2 * x + rng.normal(scale=0.5, size=config.points)
    is_outlier = np.arange(config.points) < SHARES[:, None] * config.points
    return x, np.where(is_outlier, config.outlier, y).astype("float32")


def fit_lines(
    loss: Callable, x: np.ndarray, y: np.ndarray, config: Config
) -> np.ndarray:
    """The lines z = a + b x of least loss, one for each row of y."""

    def loss_of_lines(a, b):
        return loss(y, a + b * x)

    start = np.zeros((2, len(y), 1))
    optimizer = Adam(CosineDecay(0.1, config.steps))
    a, b = minimize(optimizer, start, loss_of_lines, config.steps)
    return a + b * x


def pull(loss: Callable, error: np.ndarray) -> np.ndarray:
    """Slope of the loss of a single example at each of its errors."""

    def loss_of_errors(z):
        return loss(ops.zeros_like(z)[:, None], z[:, None])

    return slope(loss_of_errors, error)


def draw_pull(run: RunFolder) -> None:
    error = np.linspace(-4, 4, 400)
    lines = {
        name: (error, pull(loss, error))
        for name, loss in LOSSES.items()
        if name != "RMSE"  # of a single target it is MAE
    }
    title = "Squared error lets an outlier pull without limit"
    labels = "error (prediction - target)", "slope of the loss"
    draw_lines(lines, title, *labels, run, "pull.svg", ylim=(-3, 3))


def draw_moved(moved: dict[str, np.ndarray], run: RunFolder) -> None:
    lines = {name: (100 * SHARES[1:], way[1:]) for name, way in moved.items()}
    title = "The median holds until half are outliers, the mean gives way to each"
    labels = "outliers (% of the points)", "how far the line moves (RMS)"
    draw_lines(lines, title, *labels, run, "outliers.svg", yscale="log")


def claims_of_lines(
    lines: dict[str, np.ndarray], moved: dict[str, np.ndarray], y: np.ndarray
) -> list[Claim]:
    """What holds for the fitted lines and for how far outliers moved them."""
    fifth = {name: way[4] for name, way in moved.items()}  # SHARES[4] is 0.2
    robust = max(fifth[name] for name in ("MAE", "Huber", "log-cosh", "quantile 0.1"))
    below = np.mean(y < lines["quantile 0.1"], -1)
    return [
        Claim(
            "A fifth of outliers moves MSE's line 5 times as far as MAE's ({})",
            fifth["MSE"],
            at_least=5 * fifth["MAE"],
        ),
        Claim(
            "A fifth of outliers moves four robust losses' lines by {} at most",
            robust,
            at_most=0.4,
        ),
        Claim(
            "A fifth of outliers moves the line of quantile 0.9 by {}",
            fifth["quantile 0.9"],
            at_least=7,
        ),
        Claim("45 % outliers move MAE's line by {}", moved["MAE"][9], at_most=1.5),
        Claim("55 % outliers move MAE's line by {}", moved["MAE"][11], at_least=7),
        Claim(
            "A tenth of the points is below the line of quantile 0.1, within {points}",
            np.abs(below - 0.1).max(),
            at_most=0.01,
        ),
        Claim(
            "RMSE's lines are within {} of MSE's",
            np.abs(lines["RMSE"] - lines["MSE"]).max(),
            at_most=0.01,
        ),
    ]


def main(config: Config) -> Run:
    run = RunFolder.open("losses_compared", config)
    x, y = draw_points(config)
    lines = {name: fit_lines(loss, x, y, config) for name, loss in LOSSES.items()}
    moved = {
        name: np.sqrt(np.mean((line - line[0]) ** 2, -1))  # from that without outliers
        for name, line in lines.items()
    }
    draw_pull(run)
    draw_moved(moved, run)

    # One target per row, and predictions of 0
    targets, zeros = y[0][:, None], 0 * x[:, None]
    rmse, mae = (LOSSES[name](targets, zeros) for name in ("RMSE", "MAE"))
    gap = np.abs(np.subtract(rmse, mae)).max()
    claims = claims_of_lines(lines, moved, y)
    claims.append(
        Claim("RMSE of one target per row is MAE, within {}", gap, at_most=1e-6)
    )
    return conclude(run, claims)


if __name__ == "__main__":
    launch(main, Config)
