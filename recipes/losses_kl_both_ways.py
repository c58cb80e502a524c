"""Kullback-Leibler divergence both ways: one covers two peaks, the other takes one.

    python recipes/losses_kl_both_ways.py
    python recipes/losses_kl_both_ways.py --peak 2

A normal distribution q stands in for p, which has two peaks. KL(p, q) punishes q for
being small where p is not, KL(q, p) for being large where p is not. Expected, in 10 s:
the first gets p's own mean and deviation, the second those of one peak. What one reads
and did not hold here: KL(q, p) takes one peak (not of peaks less than 5 of their
deviations apart; nor begun between them: stuck there at 2.6 times the divergence).
Paper: Minka, "Divergence measures and message passing", 2005.
https://www.microsoft.com/en-us/research/publication/divergence-measures-and-message-passing/
"""

from dataclasses import dataclass

from cookbook.start import start

start(__name__)

import numpy as np
from keras import ops

from cookbook.config import Count, ExperimentConfig, Rate
from cookbook.lab.claims import Claim, conclude
from cookbook.lab.descent import minimize
from cookbook.plots.figures import COLOURS, draw_lines, panel, save_figure
from cookbook.training.launch import launch
from cookbook.training.run_folder import RunFolder
from custom_layers.losses import KLDivergence
from custom_layers.optimizers import Adam
from custom_layers.optimizers.schedules import CosineDecay

PLACES = np.linspace(-20, 20, 501, dtype="float32")  # that have a probability


@dataclass(frozen=True)
class Config(ExperimentConfig):
    peak: Rate = 4.0  # p's peaks, of deviation 1, stand at -peak and peak
    steps: Count = 1000  # gradient steps


def normal(mean, deviation):
    """Probability of each of PLACES; (N, 1) means give N distributions."""
    density = ops.exp(-(((mean - PLACES) / deviation) ** 2) / 2)
    return density / ops.sum(density, -1, keepdims=True)


def two_peaks(peak):
    return np.array(normal(-peak, 1.0) + normal(peak, 1.0)) / 2


def stand_ins(p, starts, config, is_forward):
    """(mean, deviation, divergence) of the q of least KL(p, q), or KL(q, p), by row.

    p: (N, D), a distribution a row; starts: (N, 1), the means of q at first
    """
    divergence = KLDivergence(reduction=None)  # one for each row

    def loss(mean, log_deviation):
        q = normal(mean, ops.exp(log_deviation))
        return divergence(p, q) if is_forward else divergence(q, p)

    first = starts, np.full_like(starts, 0.5)
    optimizer = Adam(CosineDecay(0.1, config.steps))
    mean, log_deviation = minimize(optimizer, first, loss, config.steps)
    parts = mean, np.exp(log_deviation), loss(mean, log_deviation)
    return np.stack([np.ravel(part) for part in parts], -1)


def draw_peaks(p, found, run):
    title = "KL(p, q) covers both peaks, KL(q, p) takes the one it began at"
    figure, axes = panel(title, "x", "probability density")
    width = PLACES[1] - PLACES[0]
    axes.fill_between(PLACES, p / width, color="#DDDDDD", label="p, of two peaks")
    for i, (name, (mean, deviation, _)) in enumerate(found.items()):
        q = np.array(normal(mean, deviation)) / width
        style = {"color": COLOURS[i], "ls": ("-", "--", ":")[i], "lw": 2}
        axes.plot(PLACES, q, **style, label=f"q of least {name}")
    axes.set_xlim(-10, 10)
    axes.legend(fontsize=8)
    save_figure(figure, run, "peaks.png")


def main(config):
    run = RunFolder.open("losses_kl_both_ways", config)
    peak = config.peak
    p, starts = two_peaks(peak), np.array([[peak / 2], [-peak / 2], [0.1]])
    forward, *_ = stand_ins(p[None], starts[:1], config, is_forward=True)
    right, left, between = stand_ins(np.tile(p, (3, 1)), starts, config, False)
    names = "KL(p, q)", "KL(q, p), begun right", "KL(q, p), begun left"
    draw_peaks(p, dict(zip(names, (forward, right, left))), run)
    peaks = np.arange(0.5, 5, 0.125)[:, None]  # (N, 1)
    means = {}
    for name, starts in (("at a peak", peaks), ("between", np.full_like(peaks, 0.1))):
        q = stand_ins(two_peaks(peaks), starts, config, is_forward=False)
        means[f"begun {name}"] = 2 * peaks[:, 0], q[:, 0]
    title = "KL(q, p) takes one peak only where it begins there and they are far apart"
    labels = "distance of p's peaks (their deviations)", "mean of q"
    draw_lines(means, title, *labels, run, "means.png")

    spread = np.sqrt(1 + peak**2)  # the deviation of p
    distance, mean = means["begun at a peak"]
    claims = [
        Claim("KL(p, q): mean, off p's", abs(forward[0]), 0.01, True),
        Claim("... deviation / p's, off 1", abs(forward[1] / spread - 1), 0.01, True),
        Claim(
            "KL(q, p), begun right: mean, off the peak", abs(right[0] - peak), 0.1, True
        ),
        Claim("... deviation, off that of a peak", abs(right[1] - 1), 0.1, True),
        Claim("... begun left: mean, off the peak", abs(left[0] + peak), 0.1, True),
        Claim("... begun between: mean", abs(between[0]), 0.1, True),
        Claim("... its divergence / a peak's", between[2] / right[2], 2),
        Claim(
            "least distance at which one is taken", distance[(mean > 0.5).argmax()], 4
        ),
    ]
    return conclude(run, claims)


if __name__ == "__main__":
    launch(main, Config)
