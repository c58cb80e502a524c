"""Strategies of a search against random search, on problems with known answers.

    python -m benchmarks search

Branin's and Hartmann's functions have a minimum that is known. The third problem is a
network of scikit-learn that learns 400 of its handwritten digits: five hyperparameters
decide how many of the others it recognizes. Each strategy searches each problem with
ten seeds, through the interface that the trials of a recipe have.

Functions: Dixon, Szegö, "The global optimization problem: an introduction", 1978.
"""

import dataclasses
import functools
import tempfile
import time
import warnings
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from cookbook.config import Count, Rate, Share, TrainingConfig
from cookbook.training.run_folder import RunFolder
from cookbook.tuning.spaces.space import Space
from cookbook.tuning.strategies.engines import propose
from cookbook.tuning.strategies.hyperband import cost, plan
from cookbook.tuning.trials.results import TrialResult

PICTURE = Path(__file__).parents[1] / "docs" / "pictures" / "search.png"
SEEDS = range(10)
TRIALS = 30
EPOCHS = 27  # of the network
LEARNED = 400  # digits; the others measure it


@dataclasses.dataclass(frozen=True)
class BraninConfig(TrainingConfig):
    x: float = 2.5  # first argument
    y: float = 7.5  # second argument


@dataclasses.dataclass(frozen=True)
class HartmannConfig(TrainingConfig):
    a: float = 0.5  # the six arguments
    b: float = 0.5
    c: float = 0.5
    d: float = 0.5
    e: float = 0.5
    f: float = 0.5


@dataclasses.dataclass(frozen=True)
class DigitsConfig(TrainingConfig):
    units: Count = 32  # hidden units
    activation: str = "relu"  # of the hidden units
    learning_rate: Rate = 1e-3  # step size
    momentum: Share = 0.0  # of stochastic gradient descent
    batch_size: Count = 64  # images per step


def branin_space(hp: Any) -> BraninConfig:
    """The domain of Branin's function."""
    return BraninConfig(x=hp.Float("x", -5.0, 10.0), y=hp.Float("y", 0.0, 15.0))


def hartmann_space(hp: Any) -> HartmannConfig:
    """The domain of Hartmann's function of six arguments."""
    return HartmannConfig(**{name: hp.Float(name, 0.0, 1.0) for name in "abcdef"})


def digits_space(hp: Any) -> DigitsConfig:
    """Hyperparameters of a small network."""
    return DigitsConfig(
        units=hp.Int("units", 4, 128, sampling="log"),
        activation=hp.Choice("activation", ["relu", "tanh", "logistic"]),
        learning_rate=hp.Float("learning_rate", 1e-4, 1.0, sampling="log"),
        momentum=hp.Float("momentum", 0.0, 0.95),
        batch_size=hp.Choice("batch_size", [16, 32, 64, 128]),
    )


def branin(config: BraninConfig) -> Iterator[float]:
    """By how much Branin's function exceeds its minimum."""
    x, y = config.x, config.y
    valley = y - 5.1 / (4 * np.pi**2) * x**2 + 5 / np.pi * x - 6
    yield float(valley**2 + 10 * (1 - 1 / (8 * np.pi)) * np.cos(x) + 10 - 0.397887)


def hartmann(config: HartmannConfig) -> Iterator[float]:
    """By how much Hartmann's function exceeds its minimum."""
    x = np.array([config.a, config.b, config.c, config.d, config.e, config.f])
    height = [1.0, 1.2, 3.0, 3.2]
    width = [
        [10, 3, 17, 3.5, 1.7, 8],
        [0.05, 10, 17, 0.1, 8, 14],
        [3, 3.5, 1.7, 10, 17, 8],
        [17, 8, 0.05, 10, 0.1, 14],
    ]
    place = [
        [0.1312, 0.1696, 0.5569, 0.0124, 0.8283, 0.5886],
        [0.2329, 0.4135, 0.8307, 0.3736, 0.1004, 0.9991],
        [0.2348, 0.1451, 0.3522, 0.2883, 0.3047, 0.6650],
        [0.4047, 0.8828, 0.8732, 0.5743, 0.1091, 0.0381],
    ]
    squares = (x - np.array(place)) ** 2
    distance = np.sum(np.array(width) * squares, axis=1)
    hills = np.array(height) * np.exp(-distance)
    yield 3.32237 - float(np.sum(hills))


def digits(config: DigitsConfig) -> Iterator[float]:
    """The validation accuracy of a network after each epoch."""
    from sklearn.neural_network import MLPClassifier

    x, y = shuffled_digits()
    network = MLPClassifier(
        (config.units,),
        config.activation,
        solver="sgd",
        learning_rate_init=config.learning_rate,
        momentum=config.momentum,
        batch_size=config.batch_size,
        random_state=0,
    )
    for _ in range(config.epochs):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # an overflow ends the trial anyway
            network.partial_fit(x[:LEARNED], y[:LEARNED], classes=range(10))
        yield float(network.score(x[LEARNED:], y[LEARNED:]))


@functools.cache
def shuffled_digits() -> tuple[np.ndarray, np.ndarray]:
    """scikit-learn's images of digits, with values from 0 to 1, and their labels."""
    from sklearn.datasets import load_digits

    images, labels = load_digits(return_X_y=True)
    order = np.random.default_rng(0).permutation(len(images))
    return images[order] / 16, labels[order]


@dataclasses.dataclass(frozen=True)
class Problem:
    """A problem to search: what there is to choose, and what comes of it."""

    name: str
    config: type[TrainingConfig]
    space: Callable[[Any], TrainingConfig]
    scores: Callable[[Any], Iterator[float]]  # after each epoch
    column: str  # a loss is to be small, an accuracy large
    epochs: int = 1


PROBLEMS = [
    Problem("Branin", BraninConfig, branin_space, branin, "loss"),
    Problem("Hartmann 6", HartmannConfig, hartmann_space, hartmann, "loss"),
    Problem("digits", DigitsConfig, digits_space, digits, "accuracy", EPOCHS),
]


class FunctionTrials:
    """What Trials is to a strategy, for a function in the place of a training."""

    second = None  # objective
    slots = 1  # threads

    def __init__(self, problem: Problem, config: Any, run: RunFolder):
        self.space = Space(problem.space, config)
        self.config = config
        self.run = run
        self.score = problem.column
        self.better: Callable = min if problem.column == "loss" else max
        self.scores = problem.scores
        self.done: dict[int, TrialResult] = {}
        self.first: list[dict] = []
        self.under_way: dict[int, Iterator[float]] = {}
        self.history: list[tuple[int, float]] = []  # (epochs so far, best so far)
        self.lines: list[str] = []
        self.run_or_recall(0, self.space.defaults())

    @property
    def prior(self) -> list[TrialResult]:
        return [self.done[0]]

    def run_or_recall(
        self,
        number: int,
        values: dict,
        until: int | None = None,
        report: Callable[[int, float], bool] | None = None,
    ) -> TrialResult:
        """The result of a trial, which goes on to the end of epoch `until`."""
        result = self.done.setdefault(number, TrialResult(number, values))
        if number not in self.under_way:
            self.under_way[number] = self.scores(self.space.configure(values))
        training = self.under_way[number]
        until = until or self.config.epochs

        while len(result.scores) < until and not result.stopped:
            try:
                result.scores.append(next(training))
            except (ValueError, StopIteration) as problem:  # weights that overflow
                result.problem, result.score = str(problem), None
                break

            result.score = self.better(result.scores)
            result.epochs = len(result.scores)
            if report is not None and report(result.epochs, result.scores[-1]):
                result.stopped = "by the strategy"
            self._note()
        return result

    def _note(self) -> None:
        results = self.done.values()
        known = [r.score for r in results if r.score is not None]
        epochs = sum(result.epochs for result in results)
        best = self.better(known)
        self.history.append((epochs, best))

    def time_is_up(self) -> bool:
        return False

    def say(self, text: str) -> None:
        self.lines.append(text)


def searched(problem: Problem, tuner: str, seed: int) -> FunctionTrials:
    """A search of a problem, done."""
    settings: dict = {"tuner": tuner, "seed": seed, "tune": TRIALS}
    if tuner == "hyperband":
        settings["tune"] = affordable(TRIALS * problem.epochs, problem.epochs)

    config = problem.config(stop_early=False, epochs=problem.epochs, **settings)
    with tempfile.TemporaryDirectory() as folder:
        run = RunFolder(Path(folder) / "search" / "1", config)
        run.path.mkdir(parents=True)
        trials = FunctionTrials(problem, config, run)
        propose(trials)
    trials.under_way.clear()  # keras-tuner keeps each oracle, and so all networks
    return trials


def affordable(budget: int, epochs: int) -> int:
    """The most settings for which Hyperband needs at most so many epochs."""
    settings = 0
    total = 0
    while total <= budget:
        settings += 1
        brackets = plan(settings + 1, epochs)
        total = sum(cost(bracket) for bracket in brackets)
    return settings


def run_searches() -> None:
    """Runs all searches; prints a row for each strategy, and draws the picture."""
    print(f"medians of {len(SEEDS)} seeds, {TRIALS} trials beside the defaults")
    print(f"{'problem':<12}{'strategy':<12}{'best':>10}{'beats random':>20}{'s':>6}")
    curves: dict[str, dict[str, list]] = {}
    for problem in PROBLEMS:
        tuners = ["random", "bayesian", "tpe"]
        tuners += ["hyperband"] if problem.epochs > 1 else []
        found: dict[str, list] = {}
        for tuner in tuners:
            start = time.time()
            found[tuner] = [searched(problem, tuner, seed).history for seed in SEEDS]
            seconds = time.time() - start
            _print_row(problem, tuner, found, seconds)
        curves[problem.name] = found

    draw(curves)


def _print_row(problem: Problem, tuner: str, found: dict, seconds: float) -> None:
    best = np.array([history[-1][1] for history in found[tuner]])
    rivals = np.array([history[-1][1] for history in found["random"]])
    wins = np.sum(best < rivals if problem.column == "loss" else best > rivals)
    ties = np.sum(best == rivals)

    score = f"{np.median(best):.4f}"
    times = f"{wins} of {len(best)}"
    if ties:
        times += f", {ties} equal"
    if tuner == "random":
        times = ""

    row = f"{problem.name:<12}{tuner:<12}{score:>10}{times:>20}{seconds:>6.0f}"
    print(row, flush=True)


def draw(curves: dict[str, dict[str, list]]) -> None:
    """Draws the median of the best score so far, over the epochs of all trials."""
    import matplotlib

    matplotlib.use("agg")
    from matplotlib import pyplot

    figure, axes = pyplot.subplots(1, len(curves), figsize=(12, 3.6))
    for axis, problem in zip(axes, PROBLEMS):
        for tuner, histories in curves[problem.name].items():
            total = min(history[-1][0] for history in histories)
            epochs = np.arange(problem.epochs, total + 1)
            best = [best_at(history, epochs) for history in histories]
            medians = np.median(best, axis=0)

            if problem.column == "accuracy":
                medians = 1 - medians
            trials = epochs / problem.epochs - 1
            axis.plot(trials, medians, label=tuner)

        axis.set_title(problem.name)
        axis.set_yscale("log")
        axis.set_ylabel("distance from the minimum")
        axis.set_xlabel("trials beside the defaults")
        if problem.column == "accuracy":
            axis.set_ylim(0.035, 0.25)
            axis.set_ylabel("share of digits not recognized")
            axis.set_xlabel(f"epochs of all trials, divided by {problem.epochs}")
    axes[-1].legend()
    figure.tight_layout()
    figure.savefig(PICTURE, dpi=100)
    pyplot.close(figure)


def best_at(
    history: Sequence[tuple[int, float]], epochs: Sequence[int] | np.ndarray
) -> np.ndarray:
    """The best score after so many epochs in all."""
    ends = [end for end, _ in history]
    best = np.array([score for _, score in history])
    places = np.searchsorted(ends, epochs, side="right") - 1
    return best[np.maximum(places, 0)]
