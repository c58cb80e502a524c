"""What the optimizers share: the scalars of a step, worked out once a step."""

import keras
from keras import ops


def _check_decay_rates(**rates):
    for name, rate in rates.items():
        if not 0 <= rate < 1:
            raise ValueError(
                f"`{name}` must be at least 0 and below 1, such as 0.9. "
                f"Received: {name}={rate}"
            )


class _StepOptimizer(keras.optimizers.Optimizer):
    """Keras's Optimizer; `_scalars` gives what is the same for all variables.

    Keras calls `update_step` once for every variable. Whatever depends on the step
    only, such as the learning rate or Adam's bias corrections, a subclass returns from
    `_step_scalars`: it is then computed once a step instead of once a variable.
    """

    _known_scalars = None  # {dtype: scalars} while `apply` runs

    def apply(self, grads, trainable_variables=None):
        self._known_scalars = {}
        try:
            super().apply(grads, trainable_variables)
        finally:
            self._known_scalars = None

    def _scalars(self, learning_rate, variable):
        dtype = keras.backend.standardize_dtype(variable.dtype)
        known = {} if self._known_scalars is None else self._known_scalars
        if dtype not in known:
            # In 16 bits, 1 - 0.999^t is zero: these few numbers are never so narrow.
            is_narrow = dtype in ("float16", "bfloat16")
            scalars = self._step_scalars(
                learning_rate, "float32" if is_narrow else dtype
            )
            known[dtype] = keras.tree.map_structure(
                lambda x: ops.cast(x, dtype) if is_narrow else x, scalars
            )
        return known[dtype]

    def _step_scalars(self, learning_rate, dtype):
        return ops.cast(learning_rate, dtype)

    def _time(self, dtype):
        """The number t of this update: 1, 2, 3, ..."""
        return ops.cast(self.iterations + 1, dtype)
