"""SAM: steps by the gradient at the worst point nearby."""

import keras
from keras import ops

from ..common.checks import python_number
from ..common.private_keras import counted_calls, slot_index
from ..common.types import Config
from .wrapper import _where, _Wrapper


@keras.saving.register_keras_serializable(package="keras_cookbook")
class SAM(_Wrapper):
    """Sharpness-aware minimization: prefers flat minima to sharp ones.

    first call on a batch:   origin = w;  w = w + rho * g / |g|        up, g at w
    second call on it:       w = inner optimizer's update of origin    down, g at top

    |g| is the norm over all variables. SAM needs two gradients per step, and an
    optimizer receives one per call. So two calls of `apply` make a step, and **every
    batch has to come twice in a row**. In `fit`: `dataset.batch(64).flat_map(lambda
    *batch: tf.data.Dataset.from_tensors(batch).repeat(2))`; in a loop of your own,
    compute the gradient and call `apply` twice. Learning-rate schedules count whole
    steps.

    If the inner optimizer accumulates gradients, each small batch has a way up of its
    own, so it must come twice in a row as well. A LossScaleOptimizer, which
    mixed_float16 adds, skips a call whose gradients overflow: from then on, the first
    call on a batch takes the part of the second. Prefer mixed_bfloat16, which needs no
    LossScaleOptimizer.

    Args:
        inner_optimizer: the optimizer that goes down, or its name.
        rho: length of the way up, > 0.
        name: the optimizer's name.

    Raises: ValueError for a rho that is not positive, or an inner LossScaleOptimizer.
    Not in Keras.

    >>> w = keras.Variable(1.0)
    >>> optimizer = SAM(keras.optimizers.SGD(0.1), rho=0.5)
    >>> for _ in range(2):  # loss w^2: the gradient is 2 at 1.0 and 3 at the top, 1.5
    ...     optimizer.apply([2 * w], [w])
    >>> round(float(w), 3)
    0.7

    Paper: Foret et al., "Sharpness-aware minimization for efficiently improving
    generalization", 2020, https://arxiv.org/abs/2010.01412
    """

    slot_name = "origin"

    def __init__(
        self,
        inner_optimizer: str | keras.optimizers.Optimizer,
        rho: float = 0.05,
        name: str | None = None,
    ) -> None:
        super().__init__(inner_optimizer, name)
        if rho <= 0:
            raise ValueError(f"`rho` must be positive. Received: rho={rho}")
        self.rho = python_number(rho)

    @property
    def iterations(self):
        """The number of whole steps, each of which takes two calls of `apply`."""
        return self.inner_optimizer.iterations

    def apply_around(self, grads, variables):
        is_up = counted_calls(self) % 2 == 0
        inner = self.inner_optimizer.variables
        before = [ops.copy(ops.convert_to_tensor(state)) for state in inner]
        for w, origin in self.weights_and_slots():
            self.assign(origin, _where(is_up, w, origin))
            self.assign(w, origin)
        # Both calls take the step down, because JAX cannot change state in a branch.
        # On the way up, its effect on the optimizer and the weights is taken back.
        self.inner_optimizer.apply(grads, variables)
        for state, old in zip(inner, before):
            self.assign(state, _where(is_up, old, state))
        ways_up = self._ways_up(grads, variables)
        for w, origin in self.weights_and_slots():
            top = origin + ways_up.get(slot_index(self, w), 0)
            self.assign(w, _where(is_up, top, w))
        return True

    def _ways_up(self, grads, variables) -> dict:
        """{position of a variable: rho * g / |g|}."""
        dense = {}
        for g, w in zip(grads, variables):
            if g is None:
                continue
            # Added to zeros, the rows of an embedding become a dense gradient.
            zeros = ops.zeros(w.shape, w.dtype)
            g = ops.add(ops.cast(g, w.dtype), zeros)
            dense[slot_index(self, w)] = g
        norm = ops.sqrt(sum(map(_sum_of_squares, dense.values())))
        scale = ops.where(norm > 0, self.rho / norm, 0)
        ways = {}
        for index, g in dense.items():
            ways[index] = ops.cast(scale, g.dtype) * g
        return ways

    def get_config(self) -> Config:
        return {**super().get_config(), "rho": self.rho}


def _sum_of_squares(g):
    return ops.sum(ops.square(ops.cast(g, "float32")))
