"""Lookahead: slow weights that follow the weights of a fast optimizer."""

import keras

from ..common.checks import positive_integer, python_number
from ..common.types import Config
from .sam import SAM
from .wrapper import _where, _Wrapper


@keras.saving.register_keras_serializable(package="keras_cookbook")
class Lookahead(_Wrapper):
    """Lookahead: k steps of a fast optimizer, then slow weights follow part of the way.

    every step:               fast = inner optimizer's update of fast
    every sync_period steps:  slow = slow + slow_step_size * (fast - slow);  fast = slow

    The weights of the model are the fast ones.

    Args:
        inner_optimizer: the fast optimizer, or its name.
        sync_period: k, the number of fast steps per slow step.
        slow_step_size: the share of the way that slow weights go, in (0, 1].
        name: the optimizer's name.

    If the inner optimizer accumulates gradients, the steps counted are its own.

    Raises: ValueError for a sync_period that is not a positive integer, a
    slow_step_size outside (0, 1], or an inner SAM or LossScaleOptimizer.
    Not in Keras; the arguments are those of TensorFlow Addons.

    >>> w = keras.Variable(1.0)
    >>> optimizer = Lookahead(keras.optimizers.SGD(0.1), sync_period=2)
    >>> for _ in range(2):
    ...     optimizer.apply([1.0], [w])
    >>> round(float(w), 3)  # SGD went from 1.0 to 0.8, the slow weights half the way
    0.9

    Paper: Zhang et al., "Lookahead optimizer: k steps forward, 1 step back", 2019,
    https://arxiv.org/abs/1907.08610
    """

    slot_name = "slow"

    def __init__(
        self,
        inner_optimizer: str | keras.optimizers.Optimizer,
        sync_period: int = 6,
        slow_step_size: float = 0.5,
        name: str | None = None,
    ) -> None:
        super().__init__(inner_optimizer, name)
        if isinstance(self.inner_optimizer, SAM):
            raise ValueError(
                "Lookahead cannot wrap SAM, whose steps begin away from the weights. "
                "Wrap the other way round: SAM(Lookahead(...))."
            )
        if not 0 < slow_step_size <= 1:
            raise ValueError(
                "`slow_step_size` must be above 0 and at most 1. "
                f"Received: slow_step_size={slow_step_size}"
            )
        self.sync_period = positive_integer(sync_period, "sync_period")
        self.slow_step_size = python_number(slow_step_size)

    def apply_around(self, grads, variables):
        is_first = self.iterations == 0
        for fast, slow in self.weights_and_slots():
            self.assign(slow, _where(is_first, fast, slow))
        is_step = self.apply_inner(grads, variables)
        is_sync = is_step & ((self.iterations + 1) % self.sync_period == 0)
        for fast, slow in self.weights_and_slots():
            new = slow + self.slow_step_size * (fast - slow)
            self.assign(slow, _where(is_sync, new, slow))
            self.assign(fast, _where(is_sync, new, fast))
        return is_step

    def get_config(self) -> Config:
        return {
            **super().get_config(),
            "sync_period": self.sync_period,
            "slow_step_size": self.slow_step_size,
        }
