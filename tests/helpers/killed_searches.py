"""Searches in processes of their own, which tests kill and start again."""

import csv
import dataclasses
import json
import os
import re
import signal
import subprocess
import sys
import time
import uuid
from pathlib import Path

from cookbook.pages.catalogue import ROOT
from cookbook.processes import ID

# A recipe that does nothing but search: a trial is 36 steps, about a second long.
RECIPE = """
from dataclasses import dataclass

from cookbook.start import start

start(__name__)

import keras
import numpy as np

from cookbook.config import Count, Rate, TrainingConfig
from cookbook.training.launch import launch
from cookbook.training.run_folder import RunFolder
from cookbook.tuning.search import search


@dataclass(frozen=True)
class Config(TrainingConfig):
    epochs: Count = 3  # passes
    units: Count = 4  # hidden units
    learning_rate: Rate = 0.01  # step size
    batch_size: Count = 8  # examples per step


@dataclass(frozen=True)
class Data:
    train: tuple
    validation: tuple


def space(hp) -> Config:
    return Config(
        units=hp.Choice("units", [2, 4, 8, 16]),
        learning_rate=hp.Float("learning_rate", 1e-3, 1e-1, step=10, sampling="log"),
    )


def build(config: Config, data: Data) -> keras.Model:
    model = keras.Sequential(
        [
            keras.Input((6,)),
            keras.layers.Dense(config.units, activation="relu"),
            keras.layers.Dense(3),
        ]
    )
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
    optimizer = keras.optimizers.Adam(config.learning_rate)
    model.compile(optimizer, loss, metrics=["accuracy"], run_eagerly=True)
    return model


def main(config: Config) -> None:
    random = np.random.default_rng(0)
    x, y = random.normal(size=(140, 6)), random.integers(0, 3, 140)
    data = Data((x[:96], y[:96]), (x[96:], y[96:]))
    run = RunFolder.open("tiny", config)
    search(space, build, data, config, run)
    run.complete({})


if __name__ == "__main__":
    launch(main, Config)
"""
TOKEN = "COOKBOOK_TOKEN_OF_A_TEST"  # a variable by which a test finds its processes
TOLD = re.compile(r"^trial (\d+)(?: of \d+|, the defaults)?: ", re.MULTILINE)


@dataclasses.dataclass
class Search:
    """A search that can be killed, and goes on each time it is started."""

    folder: Path
    flags: list[str]
    places: list[str] | None = None  # flags of the command tune; None: one process

    def __post_init__(self):
        self.folder.mkdir(parents=True, exist_ok=True)
        self.recipe = self.folder / "tiny.py"
        self.recipe.write_text(RECIPE)
        self.token = uuid.uuid4().hex
        self.output = self.folder / "output.txt"
        self.process = None

    def start(self):
        """Starts the search, or goes on with it."""
        words = [str(self.recipe), *self.flags, "--run-dir", str(self.folder / "runs")]
        words += ["--save-every", "4"]
        if self.places is not None:
            words = ["-m", "cookbook", "tune", *words, *self.places]
        if self.run:
            words += ["--resume"]
        environment = {**os.environ, TOKEN: self.token, "PYTHONPATH": str(ROOT)}
        with self.output.open("a") as output:
            self.process = subprocess.Popen(
                [sys.executable, *words],
                cwd=ROOT,
                env=environment,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=_heed_ctrl_c,
            )

    @property
    def run(self):
        """The run folder, once it is there."""
        return next(iter(self.folder.glob("runs/tiny/*/config.json")), None)

    @property
    def results(self):
        """{number: content} of the files in trials/."""
        files = self.folder.glob("runs/tiny/*/trials/[0-9]*.json")
        found = {int(file.stem): json.loads(file.read_text()) for file in files}
        return dict(sorted(found.items()))

    @property
    def told(self):
        """The numbers of the trials whose end was told, in all processes so far."""
        return [int(number) for number in TOLD.findall(self.output.read_text())]

    @property
    def table(self):
        """The rows of tuning.csv in the order of trials, without the times."""
        (path,) = self.folder.glob("runs/tiny/*/tuning.csv")
        with path.open() as file:
            rows = sorted(csv.DictReader(file), key=lambda row: int(row["trial"]))
        return [{k: v for k, v in row.items() if "seconds" not in k} for row in rows]

    @property
    def is_finished(self):
        """Whether the run has come to its end."""
        return any(self.folder.glob("runs/tiny/*/metrics.json"))

    def wait_for_trials(self, count):
        """Returns when so many trials have ended, or the search has."""
        self._wait(
            lambda: len(self.results) >= count or self.process.poll() is not None
        )

    def pause(self, seconds):
        """Returns after so many seconds, or when the search has ended."""
        until = time.time() + seconds
        self._wait(lambda: time.time() > until or self.process.poll() is not None)

    def processes(self):
        """{number: its command line and its name} of the processes that still run."""
        found = {}
        for path in Path("/proc").glob("[0-9]*"):
            try:
                environment = (path / "environ").read_text().split("\0")
                words = (path / "cmdline").read_text().replace("\0", " ")
                state = (path / "stat").read_text().rsplit(")", 1)[1].split()[0]
            except OSError:  # it has ended meanwhile
                continue
            if f"{TOKEN}={self.token}" in environment and state != "Z":
                names = [word for word in environment if word.startswith(f"{ID}=")]
                found[int(path.name)] = " ".join([words, *names])
        return found

    def kill(self, target, number):
        """Sends a signal to the launcher, or to a process whose line has the word."""
        if target == "launcher":
            self.process.send_signal(number)
            return
        for process, words in self.processes().items():
            if target in words:
                os.kill(process, number)
                return

    def interrupt(self):
        """Ctrl-C in the terminal of the search, which all of its processes get."""
        os.killpg(self.process.pid, signal.SIGINT)

    def wait_for_end(self, seconds=600):
        """Returns the exit status once no process of the search runs any more."""
        self.process.wait(seconds)
        self._wait(lambda: not self.processes(), seconds)
        return self.process.returncode

    def _wait(self, is_true, seconds=600):
        until = time.time() + seconds
        while not is_true():
            assert time.time() < until, self._story()
            time.sleep(0.05)

    def _story(self):
        return f"{self.output.read_text()[-3000:]}\nstill there: {self.processes()}"


def _heed_ctrl_c():
    """Undoes what a shell does to a command that it runs in the background."""
    signal.signal(signal.SIGINT, signal.default_int_handler)
