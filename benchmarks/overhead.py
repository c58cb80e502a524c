"""Cost of a search beyond its trainings: seconds and megabytes for each trial."""

import dataclasses
import tempfile
import time
from pathlib import Path
from typing import Any

import keras
import numpy as np

from cookbook.config import BatchSize, Rate, Size, TrainingConfig
from cookbook.training.run_folder import RunFolder
from cookbook.training.train import seed_everything, train
from cookbook.tuning.search import search

TRIALS = 100
PLAIN = 30  # trainings of the same model without a search
EXAMPLES = 2000
PAGE = 4096  # bytes of which /proc counts the memory


@dataclasses.dataclass(frozen=True)
class Config(TrainingConfig):
    """Settings of a small network."""

    units: Size = 32
    learning_rate: Rate = 1e-2
    batch_size: BatchSize = 100


@dataclasses.dataclass(frozen=True)
class Data:
    """A data set of random numbers."""

    train: tuple
    validation: tuple | None


def space(hp: Any) -> Config:
    return Config(
        units=hp.Choice("units", [16, 32, 64]),
        learning_rate=hp.Float("learning_rate", 1e-3, 1e-1, sampling="log"),
    )


class Clock:
    """Builds models, and notes when it was asked and how much memory was in use."""

    def __init__(self) -> None:
        self.times: list[float] = []
        self.processor: list[float] = []  # seconds that all threads have computed
        self.memory: list[float] = []  # megabytes

    def build(self, config: Config, data: Data) -> keras.Model:
        """A compiled model."""
        self.times.append(time.perf_counter())
        self.processor.append(time.process_time())
        self.memory.append(memory())
        model = keras.Sequential(
            [
                keras.Input((20,)),
                keras.layers.Dense(config.units, activation="relu"),
                keras.layers.Dense(5),
            ]
        )
        model.compile(
            optimizer=keras.optimizers.Adam(config.learning_rate),
            loss=keras.losses.SparseCategoricalCrossentropy(from_logits=True),
            metrics=["accuracy"],
            jit_compile=False,
        )
        return model

    def seconds(self) -> np.ndarray:
        """Median time and processor time from one model to the next."""
        return np.median(np.diff([self.times, self.processor]), axis=1)


def memory() -> float:
    """Megabytes that this process uses now; the system must be Linux."""
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * PAGE / 1e6


def run_overhead() -> None:
    """Prints what a trial costs beyond the training of its model, and its memory."""
    random = np.random.default_rng(0)
    x = random.normal(size=(EXAMPLES, 20)).astype("float32")
    y = random.integers(0, 5, EXAMPLES)
    half = EXAMPLES // 2
    data: Any = Data((x[:half], y[:half]), (x[half:], y[half:]))
    searching, plain = Clock(), Clock()
    with tempfile.TemporaryDirectory() as folder:
        config = Config(run_dir=Path(folder), tune=TRIALS)
        run = RunFolder.open("overhead", config)
        search(space, searching.build, data, config, run)
    for _ in range(PLAIN):
        keras.backend.clear_session()
        seed_everything(0)
        train(plain.build(Config(), data), data, Config())

    trial, training = searching.seconds(), plain.seconds()
    print("\nseconds, and seconds of the processor:")
    _show(f"a trial, median of {TRIALS}", trial)
    _show(f"its training without a search, median of {PLAIN}", training)
    _show("a trial costs beyond its training", trial - training)
    for number in (10, TRIALS // 2, TRIALS):
        print(f"memory before trial {number}: {searching.memory[number]:.0f} MB")


def _show(name: str, seconds: np.ndarray) -> None:
    wall, processor = seconds
    print(f"{name:<50} {wall:.3f} {processor:.3f}")
