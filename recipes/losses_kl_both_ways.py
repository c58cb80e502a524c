"""Kullback-Leibler divergence both ways: one covers two peaks, the other takes one.

    python recipes/losses_kl_both_ways.py
    python recipes/losses_kl_both_ways.py --peak 2

Which way round should a divergence be minimized? A normal distribution q approximates
p, which has two peaks. KL(p, q) punishes q for being small where p is not, KL(q, p) for
being large where p is not. Expected, in 10 s: the first gives q the mean and deviation
of p, the second those of one peak. The common belief that KL(q, p) always takes one
peak did not hold here: it covers both where these are less than 5 deviations apart, and
a q that starts between them stays there, at 2.6 times the divergence.
Paper: Minka, "Divergence measures and message passing", 2005.
https://www.microsoft.com/en-us/research/publication/divergence-measures-and-message-passing/
"""

from dataclasses import dataclass
from typing import Annotated

from cookbook.start import start

start(__name__)

import numpy as np
from keras import ops

from cookbook.config import Between, Count, ExperimentConfig
from cookbook.lab.claims import Claim, conclude
from cookbook.lab.descent import minimize
from cookbook.plots.figures import COLOURS, draw_lines, panel, save_figure
from cookbook.reports.finish import Run
from cookbook.training.launch import launch
from cookbook.training.run_folder import RunFolder
from custom_layers.losses import KLDivergence
from custom_layers.optimizers import Adam
from custom_layers.optimizers.schedules import CosineDecay

PLACES = np.linspace(-20, 20, 501, dtype="float32")  # D = 501 places on a line


@dataclass(frozen=True)
class Config(ExperimentConfig):
    # p's peaks, of deviation 1, are at -peak and at peak
    peak: Annotated[float, Between(0.1, 15)] = 4.0
    steps: Count = 1000  # gradient steps of each fit

    def idle(self) -> dict[str, str]:
        return {"seed": "here, as nothing is random"}


def normal(mean, deviation):
    """Probabilities of PLACES, (D,); means of shape (N, 1) give (N, D)."""
    density = ops.exp(-(((mean - PLACES) / deviation) ** 2) / 2)
    return density / ops.sum(density, -1, keepdims=True)


def two_peaks(peak: float | np.ndarray) -> np.ndarray:
    return np.array(normal(-peak, 1.0) + normal(peak, 1.0)) / 2


def fit(
    p: np.ndarray, starts: np.ndarray, config: Config, is_forward: bool
) -> np.ndarray:
    """(mean, deviation, divergence) of the q of least KL(p, q), or KL(q, p), (N, 3).

    p: (N, D), a distribution per row; starts: (N, 1), the means with which q start
    """
    divergence = KLDivergence(reduction=None)  # one for each row

    def loss(mean, log_deviation):
        q = normal(mean, ops.exp(log_deviation))
        return divergence(p, q) if is_forward else divergence(q, p)

    start = starts, np.full_like(starts, 0.5)
    optimizer = Adam(CosineDecay(0.1, config.steps))
    mean, log_deviation = minimize(optimizer, start, loss, config.steps)
    parts = mean, np.exp(log_deviation), loss(mean, log_deviation)
    return np.stack([np.ravel(part) for part in parts], -1)


def draw_peaks(p: np.ndarray, found: dict[str, np.ndarray], run: RunFolder) -> None:
    title = "KL(p, q) covers both peaks, KL(q, p) takes the one near which q starts"
    figure, axes = panel(title, "x", "probability density")
    width = PLACES[1] - PLACES[0]
    axes.fill_between(PLACES, p / width, color="#DDDDDD", label="p, with two peaks")
    for i, (name, (mean, deviation, _)) in enumerate(found.items()):
        q = np.array(normal(mean, deviation)) / width
        line = ("-", "--", ":")[i]
        label = f"q of least {name}"
        axes.plot(PLACES, q, color=COLOURS[i], ls=line, lw=2, label=label)
    axes.set_xlim(-10, 10)
    axes.legend(fontsize=8)
    save_figure(figure, run, "peaks.svg")


def means_by_distance(config: Config, run: RunFolder) -> tuple[np.ndarray, np.ndarray]:
    """(distances of two peaks, means of the q of least KL(q, p) that start at one)"""
    peaks = np.arange(0.5, 5, 0.125)[:, None]  # (N, 1)
    distances = 2 * peaks[:, 0]
    p = two_peaks(peaks)  # (N, D)
    at_a_peak = fit(p, peaks, config, is_forward=False)[:, 0]
    between = fit(p, np.full_like(peaks, 0.1), config, is_forward=False)[:, 0]
    lines = {
        "q starts at a peak": (distances, at_a_peak),
        "q starts between the peaks": (distances, between),
    }
    title = "KL(q, p) takes one peak only if q starts there and they are far apart"
    labels = "distance of p's peaks (in their deviations)", "mean of q"
    draw_lines(lines, title, *labels, run, "means.svg")
    return distances, at_a_peak


def claims_of_forward(q: np.ndarray, peak: float) -> list[Claim]:
    """What holds for the q of least KL(p, q)."""
    mean, deviation, _ = q
    spread = np.sqrt(1 + peak**2)  # the deviation of p
    return [
        Claim("KL(p, q) gives q the mean of p, within {}", abs(mean), at_most=0.01),
        Claim(
            "KL(p, q) gives q the deviation of p, within {percent}",
            abs(deviation / spread - 1),
            at_most=0.01,
        ),
    ]


def claims_of_reverse(
    right: np.ndarray, left: np.ndarray, between: np.ndarray, peak: float
) -> list[Claim]:
    """What holds for the q of least KL(q, p) that start right, left, and between."""
    return [
        Claim(
            "Started right, KL(q, p) gives q the mean of the right peak, within {}",
            abs(right[0] - peak),
            at_most=0.1,
        ),
        Claim(
            "Started right, KL(q, p) gives q the deviation of that peak, within {}",
            abs(right[1] - 1),
            at_most=0.1,
        ),
        Claim(
            "Started left, KL(q, p) gives q the mean of the left peak, within {}",
            abs(left[0] + peak),
            at_most=0.1,
        ),
        Claim(
            "Started between the peaks, KL(q, p) leaves q in the middle, within {}",
            abs(between[0]),
            at_most=0.1,
        ),
        Claim(
            "Between the peaks, KL(q, p) is {} times that at a peak",
            between[2] / right[2],
            at_least=2,
        ),
    ]


def main(config: Config) -> Run:
    run = RunFolder.open("losses_kl_both_ways", config)
    peak = config.peak
    p = two_peaks(peak)  # (D,)
    starts = np.array([[peak / 2], [-peak / 2], [0.1]])
    (forward,) = fit(p[None], starts[:1], config, is_forward=True)
    right, left, between = fit(np.tile(p, (3, 1)), starts, config, is_forward=False)
    names = "KL(p, q)", "KL(q, p), started right", "KL(q, p), started left"
    draw_peaks(p, dict(zip(names, (forward, right, left))), run)

    distances, means = means_by_distance(config, run)
    far = distances[(means > 0.5).argmax()]
    claims = [
        *claims_of_forward(forward, peak),
        *claims_of_reverse(right, left, between, peak),
        Claim("KL(q, p) takes one peak from distance {} on", far, at_least=4),
    ]
    return conclude(run, claims)


if __name__ == "__main__":
    launch(main, Config)
