"""Base classes of optimizers that change what Keras does in private methods.

The rest of what this project uses of Keras's private members stands in
`private_keras.py`. Each class here names the methods that it overrides, and why.
"""

from typing import Any

import keras

from .private_keras import averages_of, counted_calls, slot_index
from .rows import with_each_row_once


class UpdatesInPrograms(keras.optimizers.Optimizer):
    """An optimizer that leaves the update of some variables to compiled programs.

    Keras clips gradients, applies the weight decay and updates the weights in
    `_backend_apply_gradients`. The last two are private methods for all variables. Here
    they leave out those that a program decays and updates, which a subclass chooses.
    """

    _positions_in_programs: frozenset[int] = frozenset()
    _position_in_program: int | None = None  # of the variable that is being traced

    def choose_programs(self, grads: list, variables: list) -> frozenset[int]:
        """Chooses what programs update: positions as `slot_index` returns them."""
        return frozenset()

    def run_programs(self, grads: dict[int, Any], learning_rate: Any) -> None:
        """Decays and updates the variables chosen: {position: its gradient}."""

    def decay_in_program(self, variable: Any) -> float | None:
        """The weight decay that the variable's program applies; None or 0 for none."""
        return self.weight_decay if self._use_weight_decay(variable) else None

    def _backend_apply_gradients(self, grads: list, trainable_variables: list) -> None:
        self._positions_in_programs = self.choose_programs(grads, trainable_variables)
        try:
            super()._backend_apply_gradients(grads, trainable_variables)
        finally:
            self._positions_in_programs = frozenset()

    def is_in_program(self, variable: Any) -> bool:
        chosen = self._positions_in_programs
        return bool(chosen) and slot_index(self, variable) in chosen

    def _apply_weight_decay(self, variables: list) -> None:
        rest = [v for v in variables if not self.is_in_program(v)]
        super()._apply_weight_decay(rest)

    def _backend_update_step(
        self, grads: list, trainable_variables: list, learning_rate: Any
    ) -> None:
        chosen, rest = {}, []
        for gradient, variable in zip(grads, trainable_variables):
            if self.is_in_program(variable):
                chosen[slot_index(self, variable)] = gradient
            else:
                rest.append((gradient, variable))
        if chosen:
            self.run_programs(chosen, learning_rate)
        if rest:
            super()._backend_update_step(*zip(*rest), learning_rate)

    def _get_variable_index(self, variable: Any) -> int:
        position = self._position_in_program
        return super()._get_variable_index(variable) if position is None else position


class DecaysByVariable(keras.optimizers.Optimizer):
    """An optimizer with a weight decay for each variable, which `decay_of` returns.

    Keras publishes one `weight_decay` for all variables and `exclude_from_weight_decay`
    for those that it must not touch. It applies both in `_apply_weight_decay`, and
    `_use_weight_decay` tells whether a variable is excluded.
    """

    def decay_of(self, variable: Any) -> float | None:
        """The weight decay of the variable; None or 0 means none."""
        return self.weight_decay

    def decay_in_program(self, variable: Any) -> None:
        """No program applies a decay, because `_apply_weight_decay` does it for all."""

    def _apply_weight_decay(self, variables: list) -> None:
        for variable in variables:
            decay = self.decay_of(variable)
            if decay is not None and self._use_weight_decay(variable):
                lr = keras.ops.cast(self.learning_rate, variable.dtype)
                variable.assign(variable - variable * decay * lr)


class SumsOfRows(keras.optimizers.Optimizer):
    """An optimizer that sums the rows of an embedding's gradient over all devices.

    Under tf.distribute, TensorFlow appends the rows of all devices to each other, so
    that the same row may occur once for each device. Keras lets the devices exchange
    gradients in `_all_reduce_sum_gradients`, which only its TensorFlow optimizer has,
    as it has `_distribution_strategy`.
    """

    def _all_reduce_sum_gradients(self, grads_and_vars: list) -> list:
        pairs = super()._all_reduce_sum_gradients(grads_and_vars)
        if self._distribution_strategy.num_replicas_in_sync == 1:
            return pairs
        return [(with_each_row_once(g), w) for g, w in pairs]


class AveragesOfSteps(keras.optimizers.Optimizer):
    """An optimizer whose moving average of the weights (`use_ema`) counts whole steps.

    Where gradients are accumulated, Keras updates the average, and overwrites the
    weights with it, at every batch: both happen several times per step. Here they
    happen once per step, so that small batches that are accumulated do what one large
    batch does. Keras makes the averages in `_backend_apply_gradients`.
    """

    use_ema: bool  # an attribute of Keras's optimizer, which mypy cannot see

    def finalize_variable_values(self, var_list: list) -> None:
        super().finalize_variable_values(var_list)
        if self.use_ema and self.built and keras.backend.backend() == "jax":
            # Keras leaves one array in two variables, which no step of JAX takes.
            for _, average in averages_of(self):
                average.assign(keras.ops.copy(average.value))

    def _backend_apply_gradients(self, grads: list, trainable_variables: list) -> None:
        is_averaged = self.use_ema and self.gradient_accumulation_steps
        if not is_averaged:
            super()._backend_apply_gradients(grads, trainable_variables)
            return
        self.use_ema = False
        try:
            super()._backend_apply_gradients(grads, trainable_variables)
        finally:
            self.use_ema = True
        self._average_weights()

    def _average_weights(self) -> None:
        """average = b * average + (1 - b) * w, at the last batch of each step."""
        batch = counted_calls(self) + 1
        step = self.iterations + 1
        is_step = batch % self.gradient_accumulation_steps == 0
        is_first = step == 1
        frequency = self.ema_overwrite_frequency
        pairs = zip(self._trainable_variables, self._model_variables_moving_average)
        for w, average in pairs:
            if average is None:
                continue
            share = keras.ops.where(is_first, 1.0, 1 - self.ema_momentum)
            share = keras.ops.where(is_step | is_first, share, 0.0)
            share = keras.ops.cast(share, w.dtype)
            self.assign_add(average, share * (w - average))
            if frequency:
                is_due = is_step & (step % frequency == 0)
                value, mean = map(keras.ops.convert_to_tensor, (w, average))
                self.assign(w, keras.ops.where(is_due, mean, value))
