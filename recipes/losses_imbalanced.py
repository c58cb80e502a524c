"""Losses of classes of which one is rare: cross-entropy, hinge, focal; a weight.

    python recipes/losses_imbalanced.py
    python recipes/losses_imbalanced.py --rare 0.2

A linear model learns to tell two overlapping classes, of which one is 2 % of the
examples. Expected, in 10 s: the hinge loss finds nothing of it, cross-entropy a sixth.
What one reads and did not hold here: focal loss finds the rare class (a sixth, too). It
does what its paper says, what is known already hardly counts; but all four losses rank
the examples alike and differ in where they say yes. A weight moves that, or a lower
threshold for nothing; and only plain cross-entropy's probabilities can be trusted.
Paper: Lin, Goyal, Girshick, He, Dollar, "Focal loss for dense object detection", 2017.
https://arxiv.org/abs/1708.02002
"""

from dataclasses import dataclass

from cookbook.start import start

start(__name__)

import numpy as np
from keras import ops
from sklearn.metrics import roc_auc_score, roc_curve

from cookbook.config import Count, ExperimentConfig, Share
from cookbook.lab.claims import Claim, conclude
from cookbook.lab.descent import minimize
from cookbook.plots.figures import COLOURS, draw_lines, panel, save_figure
from cookbook.training.launch import launch
from cookbook.training.run_folder import RunFolder
from custom_layers.losses import BinaryCrossentropy, BinaryFocalCrossentropy, Hinge
from custom_layers.optimizers import Adam
from custom_layers.optimizers.schedules import CosineDecay


@dataclass(frozen=True)
class Config(ExperimentConfig):
    examples: Count = 8000  # to learn, and as many to test
    rare: Share = 0.02  # share of the rare class
    steps: Count = 1000  # gradient steps, each on all examples


def draw_examples(config, rng):
    """x (B, 2) of two normal classes, 2 apart, and y (B, 1), 1 for the rare one."""
    y = rng.random((config.examples, 1)) < config.rare
    x = rng.normal(size=(config.examples, 2)) + y * [2, 0]
    return x.astype("float32"), y.astype("float32")


def fit(loss, x, y, config):
    """W and b of the logits z = x W + b of least loss."""

    def mean_loss(W, b):
        return loss(y, ops.matmul(x, W) + b)

    optimizer = Adam(CosineDecay(0.1, config.steps))
    return minimize(optimizer, (np.zeros((2, 1)), np.zeros(1)), mean_loss, config.steps)


def share_by_p(loss, y, z):
    """p of the truth, rising, and the part of the whole loss up to there."""
    p = 1 / (1 + np.exp(-np.where(y == 1, z, -z)[:, 0]))
    order = p.argsort()
    losses = np.array(loss(y, z))[order]
    return p[order], np.cumsum(losses) / losses.sum()


def draw_ranks(y, logits, run):
    title = "All four rank alike: they differ in where they say yes (the marks)"
    labels = "false alarms (% of the common class)", "found (% of the rare class)"
    figure, axes = panel(title, *labels)
    for i, (name, z) in enumerate(logits.items()):
        false, found, _ = roc_curve(y, z)
        axes.plot(100 * false, 100 * found, color=COLOURS[i], lw=4 - i)
        place = [100 * np.mean(z[y == label] > 0) for label in (0, 1)]
        mark = {"ms": 14 - 2 * i, "clip_on": False, "label": name}
        axes.plot(*place, "osD^"[i], color=COLOURS[i], **mark)
    axes.set(xlim=(0, 50), ylim=(0, 100))
    axes.legend()
    save_figure(figure, run, "ranks.png")


def fit_all(config):
    """({name: loss}, y of test examples, {name: their logits})"""
    rng = np.random.default_rng(config.seed)
    (x, y), (x_test, y_test) = draw_examples(config, rng), draw_examples(config, rng)
    weight = {"apply_class_balancing": True, "alpha": 1 - config.rare, "gamma": 0}
    settings = {"from_logits": True, "reduction": None}
    losses = {
        "cross-entropy": BinaryCrossentropy(**settings),
        "hinge": Hinge(reduction=None),
        "focal": BinaryFocalCrossentropy(**settings),
        "weighted cross-entropy": BinaryFocalCrossentropy(**weight, **settings),
    }
    logits = {}
    for name, loss in losses.items():
        W, b = fit(loss, x, y, config)
        logits[name] = x_test @ W + b
    return losses, y_test, logits


def main(config):
    run = RunFolder.open("losses_imbalanced", config)
    losses, y_test, logits = fit_all(config)
    draw_ranks(y_test, logits, run)
    curves, z = {}, logits["cross-entropy"]
    for name in ("cross-entropy", "focal"):
        curves[name] = share_by_p(losses[name], y_test, z)
    lines = {name: (100 * p, 100 * share) for name, (p, share) in curves.items()}
    title = "Focal loss nearly leaves out what is known already"
    labels = "probability of the truth, up to (%)", "part of the loss (%)"
    draw_lines(lines, title, *labels, run, "known.png")

    known = {name: 1 - np.interp(0.9, *curve) for name, curve in curves.items()}
    rank = [roc_auc_score(y_test, z) for z in logits.values()]
    found = {name: np.mean(z[y_test == 1] > 0) for name, z in logits.items()}
    p = {name: 1 / (1 + np.exp(-z)) for name, z in logits.items()}
    sure = {name: np.mean(share) / np.mean(y_test) for name, share in p.items()}
    lowered = np.mean(p["cross-entropy"][y_test == 1] > config.rare)
    claims = [
        Claim("area under the curve, best less worst", np.ptp(rank), 0.01, True),
        Claim("rare class found by cross-entropy", found["cross-entropy"], 0.3, True),
        Claim("... by hinge", found["hinge"], 0.05, True),
        Claim("... by focal loss", found["focal"], 0.4, True),
        Claim("... by weighted cross-entropy", found["weighted cross-entropy"], 0.7),
        Claim("... by cross-entropy, where p > its share", lowered, 0.7),
        Claim(
            "part of known ones (p > 0.9), cross-entropy", known["cross-entropy"], 0.1
        ),
        Claim("... of focal loss", known["focal"], 0.01, True),
        Claim("mean p / true share, focal", sure["focal"], 3),
        Claim("... cross-entropy, off 1", abs(sure["cross-entropy"] - 1), 0.3, True),
    ]
    return conclude(run, claims)


if __name__ == "__main__":
    launch(main, Config)
