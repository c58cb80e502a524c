"""COCOB: training without a learning rate, as a game of betting."""

from typing import Any

import keras
from keras import ops

from ..common.checks import python_number
from ..common.private_keras import slot_index
from ..common.rows import dense
from ..common.types import Config, LearningRate
from .base import _StepOptimizer


@keras.saving.register_keras_serializable(package="keras_cookbook")
class COCOB(_StepOptimizer):
    """COCOB: no learning rate; each weight bets on the sign of its next gradient.

    L = max(L, |g|)                        the largest gradient so far
    G = G + |g|;  theta = theta - g
    reward = max(reward - d * g, 0)        what the bets have won
    d = theta / (L * max(G + L, alpha * L)) * (L + reward)
    w = start + d

    The bet d is a share of what a weight has won: it grows fast while the gradients
    agree, and shrinks once they do not.

    Args:
        learning_rate: multiplies d; 1 in the paper, and there is no need to tune it.
        alpha: bounds the first steps: larger values make them shorter.
        epsilon: start value of L, a small number > 0.
        kwargs: weight_decay, clipnorm, use_ema, ...: as in every Keras optimizer.

    Raises: ValueError for an alpha or an epsilon that is not positive.
    Not in Keras. It is TensorFlow Addons' COCOB. w moves by the change of d, so that
    what else changes w, such as weight decay, is not undone.

    >>> w = keras.Variable(1.0)
    >>> COCOB(alpha=10).apply([4.0], [w])  # d = -4 / (4 * 40) * 4
    >>> round(float(w), 3)
    0.9

    Paper: Orabona and Tommasi, "Training deep networks without learning rates through
    coin betting", 2017, https://arxiv.org/abs/1705.07795
    """

    def __init__(
        self,
        learning_rate: LearningRate = 1.0,
        alpha: float = 100.0,
        epsilon: float = 1e-8,
        **kwargs: Any,
    ) -> None:
        super().__init__(learning_rate=learning_rate, **kwargs)
        if alpha <= 0 or epsilon <= 0:
            raise ValueError(
                "`alpha` and `epsilon` must be positive. "
                f"Received: alpha={alpha}, epsilon={epsilon}"
            )
        self.alpha = python_number(alpha)
        self.epsilon = python_number(epsilon)

    def build(self, variables: list) -> None:
        if self.built:
            return
        super().build(variables)
        start = keras.initializers.Constant(self.epsilon)
        names = ["largest", "gradient_sum", "theta", "reward"]
        slots = self.add_optimizer_variables(
            variables, names, initializer=[start, "zeros", "zeros", "zeros"]
        )
        self._largest, self._sums, self._thetas, self._rewards = slots

    same_for_equal_shapes = True

    def update_step(self, gradient, variable, learning_rate) -> None:
        lr = ops.cast(learning_rate, variable.dtype)
        index = slot_index(self, variable)
        L, G = self._largest[index], self._sums[index]
        theta, reward = self._thetas[index], self._rewards[index]
        g = ops.cast(dense(gradient), variable.dtype)

        old_d = self._bet(L, G, theta, reward)
        self.assign(L, ops.maximum(L, ops.abs(g)))
        self.assign_add(G, ops.abs(g))
        self.assign(reward, ops.maximum(reward - old_d * g, 0))
        self.assign_sub(theta, g)
        d = self._bet(L, G, theta, reward)
        self.assign_add(variable, lr * (d - old_d))

    def _bet(self, L, G, theta, reward):
        # theta / L first: L^2 of small gradients is beyond float16.
        share = theta / L / ops.maximum(G + L, self.alpha * L)
        return share * (L + reward)

    def get_config(self) -> Config:
        return {**super().get_config(), "alpha": self.alpha, "epsilon": self.epsilon}
