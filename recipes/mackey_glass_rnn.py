"""A chaotic series, forecast by an LSTM or a GRU and by two simple methods.

    python recipes/mackey_glass_rnn.py
    python recipes/mackey_glass_rnn.py --data my_series.csv    (the columns of a table)

A recurrent layer reads a window of the Mackey-Glass series and forecasts the values
that follow. The simple methods are persistence (the last value stays) and linear
autoregression (least squares on the same window). The measure is the root mean square
error 15 steps ahead, divided by the standard deviation of the series. Expected: 0.015
after 27 s of processor time; the linear forecast has 0.49, persistence 1.62. Up to 3
steps ahead, the linear forecast is the best.

Papers: Mackey, Glass, "Oscillation and chaos in physiological control systems", 1977,
https://doi.org/10.1126/science.267326; Gers, Eck, Schmidhuber, "Applying LSTM to time
series predictable through time-window approaches", 2001,
https://doi.org/10.1007/3-540-44668-0_93
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from cookbook.start import start

start(__name__)

import keras
import numpy as np

from cookbook.config import BatchSize, Count, Rate, Size, TrainingConfig
from cookbook.data.batches import training_steps
from cookbook.data.sequences import Forecasts, load_series
from cookbook.plots.figures import draw_curves, draw_lines
from cookbook.reports.finish import Run, finish
from cookbook.training.launch import launch
from cookbook.training.run_folder import RunFolder
from cookbook.training.train import seed_everything, train
from cookbook.tuning.search import search
from custom_layers.layers import GRU, LSTM, Dense
from custom_layers.losses import MeanSquaredError
from custom_layers.optimizers import Adam
from custom_layers.optimizers.schedules import WarmupCosine

CELLS = {"lstm": LSTM, "gru": GRU}
EXPECTED = {"mackey_glass": (0.015, 0.005)}


@dataclass(frozen=True)
class Config(TrainingConfig):
    epochs: Count = 30  # passes over the training set
    cell: Literal["lstm", "gru"] = "lstm"  # kind of the recurrent layer
    units: Size = 48  # units of the recurrent layer
    window: Count = 32  # values that the network reads
    horizon: Count = 15  # values that it forecasts
    batch_size: BatchSize = 64  # windows per step
    learning_rate: Rate = 1e-2  # highest learning rate, at the end of the warm-up


def space(hp) -> Config:
    return Config(
        units=hp.Choice("units", [16, 32, 48, 64]),
        learning_rate=hp.Float("learning_rate", 2e-3, 3e-2, sampling="log"),
    )


def build(config: Config, data: Forecasts) -> keras.Model:
    columns = len(data.columns)
    model = keras.Sequential(
        [
            keras.Input((config.window, columns)),
            CELLS[config.cell](config.units),
            Dense(config.horizon * columns, dtype="float32"),
        ]
    )
    steps = training_steps(config, len(data.train[0]))
    model.compile(
        optimizer=Adam(WarmupCosine(config.learning_rate, steps), global_clipnorm=1.0),
        loss=MeanSquaredError(),
        steps_per_execution=5,
        jit_compile=False,  # XLA slows the gradient of a loop over time on a CPU
    )
    return model


def linear_autoregression(x: np.ndarray, y: np.ndarray) -> Callable:
    """A function that forecasts A x + b from windows x, fitted by least squares."""

    def with_ones(x):  # the column of ones is multiplied by b
        return np.insert(x.reshape(len(x), -1).astype("float64"), 0, 1, axis=1)

    A, *_ = np.linalg.lstsq(with_ones(x), y, rcond=None)
    return lambda x: with_ones(x) @ A


def free_run(forecast: Callable, window: np.ndarray, steps: int) -> np.ndarray:
    """`steps` rows after `window`, each block forecast from those before it."""
    values = window
    while len(values) < len(window) + steps:
        block = forecast(values[None, -len(window) :])[0]
        values = np.concatenate([values, block.reshape(-1, window.shape[1])])
    return values[len(window) :][:steps]


def report(
    config: Config,
    model: keras.Model,
    data: Forecasts,
    history: list[dict],
    run: RunFolder,
) -> Run:
    """The errors of the three forecasts on data.test, two pictures, and `finish`."""
    x, y = data.test
    forecasts = {
        config.cell.upper(): lambda x: model.predict(x, 500, verbose=0),
        "linear": linear_autoregression(*data.train),
        "persistence": lambda x: np.tile(x[:, -1], config.horizon),
    }
    errors = {}  # one for each number of steps ahead
    for name, forecast in forecasts.items():
        squares = np.mean((forecast(x) - y) ** 2, 0)
        of_steps = squares.reshape(config.horizon, -1).mean(-1)
        errors[name] = np.sqrt(of_steps) / y.std()
    draw_curves(history, run)
    ahead = np.arange(1, config.horizon + 1)
    draw_lines(
        {name: (ahead, error) for name, error in errors.items()},
        "Errors of the three forecasts",
        "steps ahead",
        "normalized root mean square error",
        run,
        "errors.png",
        yscale="log",
    )
    steps = min(300, len(x) - 1)
    runs = {name: free_run(f, x[0], steps)[:, 0] for name, f in forecasts.items()}
    del runs["persistence"]
    lines = {"true series": y[:steps, 0], **runs}
    draw_lines(
        {name: (np.arange(1, steps + 1), line) for name, line in lines.items()},
        "Free run: forecasts built on forecasts",
        "steps after the last value read",
        f"{data.columns[0]} (standard deviations)",
        run,
        "free_run.png",
    )
    names = ("test NRMSE", "linear NRMSE", "persistence NRMSE")
    figures = {name: float(e[-1]) for name, e in zip(names, errors.values())}
    return finish(model, data, history, run, figures, EXPECTED)


def main(config: Config) -> Run:
    data = load_series(config.data, config.window, config.horizon, config.quick)
    run = RunFolder.open("mackey_glass_rnn", config)
    if config.tune:
        config = search(space, build, data, config, run, "val_loss")
    seed_everything(config.seed)
    model = build(config, data)
    history = train(model, data, config, run)
    return report(config, model, data, history, run)


if __name__ == "__main__":
    launch(main, Config)
