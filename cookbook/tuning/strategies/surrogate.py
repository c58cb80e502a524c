"""Gaussian process over the settings of a search, and where it expects the best one."""

import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
from scipy.optimize import minimize
from scipy.stats import norm
from sklearn.exceptions import ConvergenceWarning
from sklearn.gaussian_process import GaussianProcessRegressor
from sklearn.gaussian_process.kernels import ConstantKernel, Matern, WhiteKernel

from cookbook.tuning.strategies.axes import Cube

STEPS = 15  # of the optimizer that fits the kernel
DRAWN = 1000  # candidates from the whole space
LEADERS = 5  # best points, near which further candidates are drawn
NEAR = 40  # candidates near each of them
REACHES = 0.2, 0.05  # how far they move, as a share of an axis
REFINED = 0.05, 0.01  # the same, near the best candidates
APART = 0.01  # share of an axis by which a setting differs from each other one


class SettingsModel(GaussianProcessRegressor):
    """Gaussian process whose kernel's parameters have a prior.

    Few trials say little about the kernel: without a prior, the likelihood of six
    trials may call five hyperparameters useless. The prior of a length is log-normal
    around sqrt(columns) / 2, since distances in a cube grow with the root of its
    dimensions.
    """

    def __init__(self, columns: int = 1):
        self.columns = columns
        length = np.full(columns, np.sqrt(columns) / 2)
        kernel = ConstantKernel(1.0, (0.05, 20.0))
        kernel *= Matern(length, (0.05, 50.0), nu=2.5)
        kernel += WhiteKernel(0.01, (1e-6, 1.0))  # noise of the results
        super().__init__(kernel, optimizer=_few_steps)

        # Normal distributions of the logarithms: of variance, lengths and noise.
        self.centre = np.array([0.0, *np.log(length), np.log(1e-3)])
        self.width = np.array([1.0, *np.full(columns, 0.8), 2.0])

    def log_marginal_likelihood(
        self, theta: Any = None, eval_gradient: bool = False, clone_kernel: bool = True
    ) -> Any:
        """The logarithm of likelihood times prior, which `fit` maximizes."""
        found = super().log_marginal_likelihood(theta, eval_gradient, clone_kernel)
        if theta is None:
            return found

        distance = (theta - self.centre) / self.width
        penalty = np.sum(distance**2) / 2
        if not eval_gradient:
            return found - penalty
        likelihood, gradient = found
        return likelihood - penalty, gradient - distance / self.width


def _few_steps(objective: Any, start: np.ndarray, bounds: np.ndarray) -> tuple:
    """The kernel's parameters after some steps of L-BFGS, and the objective there."""
    found = minimize(
        objective,
        start,
        jac=True,
        bounds=bounds,
        method="L-BFGS-B",
        options={"maxiter": STEPS},
    )
    return found.x, found.fun


def settings_model(x: np.ndarray, y: np.ndarray, pending: np.ndarray) -> SettingsModel:
    """The model of trials.

    x, y: settings as columns, and badness: the smaller, the better.
    pending: settings that run at this moment. The model takes its own expectation for
        their results, so that it proposes others.
    """
    model = SettingsModel(x.shape[1])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        model.fit(x, y)
        if len(pending):
            model.optimizer = None
            model.kernel = model.kernel_
            expected = model.predict(pending)
            model.fit(np.concatenate([x, pending]), np.concatenate([y, expected]))
    return model


def expected_improvement(
    model: SettingsModel, x: np.ndarray, best: float
) -> np.ndarray:
    """By how much the result of each setting is expected to fall below the best."""
    mean, deviation = model.predict(x, return_std=True)
    deviation = np.maximum(deviation, 1e-9)
    z = (best - mean) / deviation
    return (best - mean) * norm.cdf(z) + deviation * norm.pdf(z)


def next_point(
    cube: Cube,
    points: np.ndarray,
    badness: np.ndarray,
    pending: np.ndarray,
    rng: np.random.Generator,
    is_new: Callable[[np.ndarray], bool],
) -> np.ndarray | None:
    """The point whose result is expected to improve most; None if none is new.

    The noise of trainings lets the model go back to the best settings again and again.
    So points that are nearly those of a trial come last.
    """
    scaled = standardized(badness)
    x = cube.columns(points)
    model = settings_model(x, scaled, cube.columns(pending))
    best = model.predict(x).min()

    order = np.argsort(scaled)
    leaders = points[order[:LEADERS]]
    candidates = [cube.draw(rng, DRAWN)]
    candidates += [
        cube.near(np.repeat(leaders, NEAR, axis=0), rng, reach) for reach in REACHES
    ]
    found = np.concatenate(candidates)
    for reach in REFINED:
        gain = expected_improvement(model, cube.columns(found), best)
        order = np.argsort(-gain, kind="stable")
        around = np.repeat(found[order[:LEADERS]], NEAR, axis=0)
        found = np.concatenate([found[order[:DRAWN]], cube.near(around, rng, reach)])
    gain = expected_improvement(model, cube.columns(found), best)
    known = np.concatenate([x, cube.columns(pending)])
    is_near = distance(cube.columns(found), known) < APART
    for index in np.lexsort([-gain, is_near]):
        if is_new(found[index]):
            return found[index]
    return None


def distance(points: np.ndarray, others: np.ndarray) -> np.ndarray:
    """How far each point is from the nearest of others, on the axis that tells most."""
    apart = np.abs(points[:, None] - others[None])  # points, others, columns
    return apart.max(axis=2).min(axis=1)


def standardized(badness: np.ndarray) -> np.ndarray:
    """Badness with mean 0 and deviation 1, in which bad outliers are drawn near.

    How bad the bad half is says little about where the best is, yet a model would
    spend itself on it: a loss of 1e9 leaves no difference between 0.1 and 0.2.
    """
    middle = np.median(badness)
    scale = (middle - badness.min()) or 1.0
    excess = np.maximum(badness - middle, 0) / scale
    drawn = np.where(excess > 0, middle + scale * np.log1p(excess), badness)
    return (drawn - drawn.mean()) / (drawn.std() or 1.0)
