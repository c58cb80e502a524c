"""Conditional gradient, also Frank-Wolfe: weights that never leave a ball."""

from typing import Any

import keras
from keras import ops

from ..common.checks import one_of, python_number
from ..common.rows import dense
from ..common.types import Config, LearningRate
from .base import _StepOptimizer


@keras.saving.register_keras_serializable(package="keras_cookbook")
class ConditionalGradient(_StepOptimizer):
    """Conditional gradient, or Frank-Wolfe: steps towards the best point of a ball.

    s = the point of the ball |s| <= lambda_ that is lowest along g
    w = lr * w + (1 - lr) * s

    s = -lambda_ * g / |g|                          of the Frobenius norm
    s = -lambda_ * u v^T, of g's largest singular value    of the nuclear norm

    Weights that begin in the ball stay there without a projection. With the nuclear
    norm, w is a sum of few matrices of rank 1.

    Args:
        learning_rate: how much of w is kept, from 0 to 1: the nearer to 1, the shorter
            the step. A float, schedule, or callable without arguments.
        lambda_: radius of the ball, a number > 0.
        epsilon: added to |g|.
        ord: "fro" or "nuclear", which needs matrices and treats other variables as
            "fro" does.
        kwargs: clipnorm, use_ema, ...: as in every Keras optimizer.

    Raises: ValueError for an unknown norm and a radius that is not positive.
    Not in Keras; it is TensorFlow Addons' ConditionalGradient.

    >>> w = keras.Variable([1.0, 1.0])
    >>> ConditionalGradient(0.9, lambda_=2.0).apply([[3.0, -4.0]], [w])
    >>> print(w.numpy().round(3))
    [0.78 1.06]

    Paper: Jaggi, "Revisiting Frank-Wolfe: projection-free sparse convex optimization",
    2013, https://proceedings.mlr.press/v28/jaggi13.html
    """

    def __init__(
        self,
        learning_rate: LearningRate = 0.99,
        lambda_: float = 10.0,
        epsilon: float = 1e-7,
        ord: str = "fro",
        **kwargs: Any,
    ) -> None:
        super().__init__(learning_rate=learning_rate, **kwargs)
        if lambda_ <= 0:
            raise ValueError(f"`lambda_` must be above 0. Received: lambda_={lambda_}")
        self.lambda_ = python_number(lambda_)
        self.epsilon = python_number(epsilon)
        self.ord = one_of(ord, ("fro", "nuclear"), "ord")

    def update_step(self, gradient, variable, learning_rate) -> None:
        lr = ops.cast(learning_rate, variable.dtype)
        g = ops.cast(dense(gradient), variable.dtype)
        if self.ord == "nuclear" and len(g.shape) == 2:
            direction = self._largest_part(g)
        else:
            direction = g / (ops.sqrt(ops.sum(ops.square(g))) + self.epsilon)
        # lr * w + (1 - lr) * s = w + (1 - lr) * (s - w)
        step = -self.lambda_ * direction - variable
        self.assign_add(variable, (1 - lr) * step)

    def _largest_part(self, g):
        """u v^T of the largest singular value of g; 0 where g is 0."""
        wide = ops.cast(g, "float64" if g.dtype == "float64" else "float32")
        u, s, v = ops.linalg.svd(wide, full_matrices=False)
        part = ops.expand_dims(u[:, 0], 1) * v[0]
        return ops.cast(ops.where(s[0] > 0, part, 0), g.dtype)

    def get_config(self) -> Config:
        return {
            **super().get_config(),
            "lambda_": self.lambda_,
            "epsilon": self.epsilon,
            "ord": self.ord,
        }
