"""Losses of a regression under outliers: squared, absolute, Huber, log-cosh, quantile.

    python recipes/losses_compared.py
    python recipes/losses_compared.py --outlier 100

A line is fitted to points of which more and more are outliers, all on one side.
Expected, in 10 s: a fifth of outliers moves MSE's line 11 times as far as MAE's, which
gives way when they are half. What one reads and did not hold here: RMSE fits another
line than MSE (it is the same; and of one target a row it is MAE); quantiles are robust
(0.9 breaks as soon as a tenth lies above, 0.1 holds to the end). Losses of classes:
losses_imbalanced.py; between distributions: losses_kl_both_ways.py.
Paper: Huber, "Robust estimation of a location parameter", 1964.
https://doi.org/10.1214/aoms/1177703732
"""

from dataclasses import dataclass

from cookbook.start import start

start(__name__)

import numpy as np
from keras import ops

from cookbook.config import Count, ExperimentConfig, Rate
from cookbook.lab.claims import Claim, conclude
from cookbook.lab.descent import minimize
from cookbook.lab.gradients import slope
from cookbook.plots.figures import draw_lines
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

REGRESSION = {  # reduction None: a loss for each row
    "MSE": MeanSquaredError(reduction=None),
    "MAE": MeanAbsoluteError(reduction=None),
    "Huber": Huber(reduction=None),
    "log-cosh": LogCosh(reduction=None),
    "quantile 0.1": Quantile(0.1, reduction=None),
    "quantile 0.9": Quantile(0.9, reduction=None),
    "RMSE": RootMeanSquaredError(reduction=None),
}
SHARES = np.arange(13) / 20  # of outliers


@dataclass(frozen=True)
class Config(ExperimentConfig):
    points: Count = 400  # that a line is fitted to
    outlier: Rate = 10.0  # what an outlier says, whatever its x
    steps: Count = 1000  # gradient steps of each fit


def draw_points(config):
    """x, and the targets y without outliers and with them, a row for each of SHARES."""
    rng = np.random.default_rng(config.seed)
    x = rng.uniform(-1, 1, config.points).astype("float32")
    y = 2 * x + rng.normal(scale=0.5, size=config.points)
    is_outlier = np.arange(config.points) < SHARES[:, None] * config.points
    return x, np.where(is_outlier, config.outlier, y).astype("float32")


def fit_lines(loss, x, y, config):
    """The lines z = a + b x of least loss, one for each row of y."""
    start = np.zeros((2, len(y), 1))
    optimizer = Adam(CosineDecay(0.1, config.steps))
    a, b = minimize(optimizer, start, lambda a, b: loss(y, a + b * x), config.steps)
    return a + b * x


def pull(loss, error):
    """Slope of the loss of one example at each of its errors."""
    return slope(lambda z: loss(ops.zeros_like(z)[:, None], z[:, None]), error)


def draw_outliers(moved, run):
    error, styles = np.linspace(-4, 4, 400), {}
    for name, loss in REGRESSION.items():
        if name != "RMSE":  # of one target it is MAE
            styles[name] = error, pull(loss, error)
    title = "Squared error lets an outlier pull without limit"
    labels = "error (prediction - target)", "slope of the loss"
    draw_lines(styles, title, *labels, run, "pull.png", ylim=(-3, 3))
    lines = {name: (100 * SHARES[1:], way[1:]) for name, way in moved.items()}
    title = "The median holds until half are outliers, the mean gives way to each"
    labels = "outliers (% of the points)", "how far the line moves (RMS)"
    draw_lines(lines, title, *labels, run, "outliers.png", yscale="log")


def main(config):
    run = RunFolder.open("losses_compared", config)
    x, y = draw_points(config)
    lines = {name: fit_lines(loss, x, y, config) for name, loss in REGRESSION.items()}
    moved = {k: np.sqrt(np.mean((z - z[0]) ** 2, -1)) for k, z in lines.items()}
    draw_outliers(moved, run)

    fifth = {name: way[4] for name, way in moved.items()}  # SHARES[4] is 0.2
    robust = max(fifth[name] for name in ("MAE", "Huber", "log-cosh", "quantile 0.1"))
    missed = np.abs(np.mean(y < lines["quantile 0.1"], -1) - 0.1).max()
    one_a_row = (REGRESSION[k](y[0][:, None], 0 * x[:, None]) for k in ("RMSE", "MAE"))
    claims = [
        Claim("a fifth outliers: MSE's line moves", fifth["MSE"], 5 * fifth["MAE"]),
        Claim("... MAE's, Huber's, log-cosh's, at most", robust, 0.4, True),
        Claim("... quantile 0.9's", fifth["quantile 0.9"], 7),
        Claim("45 % outliers: MAE's line moves", moved["MAE"][9], 1.5, True),
        Claim("55 % outliers: MAE's line moves", moved["MAE"][11], 7),
        Claim("points below quantile 0.1's line, off 0.1", missed, 0.01, True),
        Claim(
            "RMSE's lines apart from MSE's",
            np.abs(lines["RMSE"] - lines["MSE"]).max(),
            0.01,
            True,
        ),
        Claim(
            "RMSE of one target a row, off MAE",
            np.abs(np.subtract(*one_a_row)).max(),
            1e-6,
            True,
        ),
    ]
    return conclude(run, claims)


if __name__ == "__main__":
    launch(main, Config)
