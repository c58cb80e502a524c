"""Gradient penalty: bounds how fast a critic's score may change."""

from collections.abc import Callable
from typing import Any

import keras
from keras import ops

from ...common.checks import one_of
from ...common.types import Config
from .backends import _gradient_of_sum


@keras.saving.register_keras_serializable(package="keras_cookbook")
class GradientPenalty:
    """Gradient penalty: pulls the norm of the critic's gradient towards `target`.

    penalty = weight * mean((|grad D(x)| - target)^2)
    x = e * real + (1 - e) * generated, e uniform in [0, 1), one per sample ("between")

    WGAN-GP is target 1 "between" real and generated samples. R1, with which the plain
    GAN converges, is target 0 at "real" samples. "both" is R1 and R2, the penalty at
    real and at generated samples.

    Args:
        weight: factor of the penalty; for R1 it is half of the paper's gamma.
        target: norm that the gradient is pulled towards.
        at: "between", "real" or "both".

    Raises: ValueError for a weight or a target below 0, or an unknown place `at`.

    >>> penalty = GradientPenalty(10.0)
    >>> x = keras.ops.ones((4, 2))
    >>> round(float(penalty(lambda x: 3 * x[:, :1], x, 0 * x, seed=0)), 3)
    40.0

    Papers: Gulrajani et al., "Improved training of Wasserstein GANs", 2017,
    https://arxiv.org/abs/1704.00028; Mescheder, Geiger, Nowozin, "Which training
    methods for GANs do actually converge?", 2018. https://arxiv.org/abs/1801.04406
    """

    def __init__(
        self, weight: float = 10.0, target: float = 1.0, at: str = "between"
    ) -> None:
        if weight < 0 or target < 0:
            raise ValueError(
                "`weight` and `target` must be at least 0. "
                f"Received: weight={weight}, target={target}"
            )
        self.weight = weight
        self.target = target
        self.at = one_of(at, ("between", "real", "both"), "at")

    def __call__(self, critic: Callable, real, generated, seed: Any):
        """The penalty of `critic`, a function of a batch of samples: a scalar."""
        if self.at == "between":
            e_shape = (ops.shape(real)[0], *(1 for _ in real.shape[1:]))
            e = keras.random.uniform(e_shape, seed=seed, dtype=real.dtype)
            places = [e * real + (1 - e) * generated]
        else:
            places = [real, generated] if self.at == "both" else [real]
        return self.weight * sum(self._excess(critic, x) for x in places)

    def _excess(self, critic, x):
        """mean((|grad D(x)| - target)^2)"""
        g = ops.cast(_gradient_of_sum(critic, x), "float32")
        square = ops.sum(ops.square(g), axis=tuple(range(1, len(g.shape))))
        norm = ops.sqrt(square + 1e-12)  # the slope of the root at 0 is infinite
        return ops.mean(ops.square(norm - self.target))

    def get_config(self) -> Config:
        return {"weight": self.weight, "target": self.target, "at": self.at}

    @classmethod
    def from_config(cls, config: Config) -> "GradientPenalty":
        return cls(**config)
