"""What optimizers share that wrap another optimizer, such as Lookahead, SWA and SAM."""

from typing import Any

import keras
from keras import ops

from ..common.private_keras import counted_calls, optimized_variables, slot_index
from ..common.rows import dense, with_each_row_once
from ..common.types import Config


class _Wrapper(keras.optimizers.Optimizer):
    """An optimizer that lets `inner_optimizer` update the weights.

    It keeps one slot for each weight, if it has a `slot_name`. A subclass surrounds the
    inner update, `apply_inner`, with its own work in `apply_around`. A file of the
    model holds the slots of both optimizers.

    The inner optimizer may be Keras's, which squares the gradients of an embedding's
    row one by one. So `apply` sums them before.

    `iterations` counts steps. A call of `apply` that only adds to the gradients that
    the inner optimizer accumulates is not a step.
    """

    slot_name: str | None = None

    def __init__(
        self, inner_optimizer: str | keras.optimizers.Optimizer, name: str | None = None
    ) -> None:
        super().__init__(learning_rate=0.0, name=name)
        self.inner_optimizer = keras.optimizers.get(inner_optimizer)
        if isinstance(self.inner_optimizer, keras.optimizers.LossScaleOptimizer):
            kind = type(self).__name__
            raise ValueError(
                f"{kind} cannot wrap a LossScaleOptimizer, because it would work with "
                "gradients of the scaled loss. Wrap the other way round: "
                f"LossScaleOptimizer({kind}(...)), as `compile` does by itself under "
                "the policy mixed_float16."
            )

    def build(self, variables: list) -> None:
        if self.built:
            return
        self.inner_optimizer.build(variables)
        super().build(variables)
        self._slots: list = []
        if self.slot_name is not None:
            self._slots = self.add_optimizer_variables(variables, self.slot_name)

    def apply(self, grads: Any, trainable_variables: Any = None) -> None:
        variables = _variables_of_call(self, trainable_variables)
        grads = [with_each_row_once(g) for g in grads]
        is_step = self.apply_around(grads, variables)
        count = counted_calls(self)
        count.assign_add(ops.cast(is_step, count.dtype))

    def apply_around(self, grads: Any, variables: Any) -> Any:
        """Applies the gradients by `apply_inner`, with the subclass's own work.

        It returns whether the call counts in `iterations`.
        """
        raise NotImplementedError

    def apply_inner(self, grads: Any, variables: Any) -> Any:
        """Applies them by `inner_optimizer`; returns whether it made a step."""
        return _apply(self.inner_optimizer, grads, variables)

    def weights_and_slots(self) -> list[tuple]:
        """(weight, its slot) of all weights that have one.

        Keras gives no slot to a variable that its gradient overwrites.
        """
        pairs = zip(optimized_variables(self), self._slots)
        return [(weight, slot) for weight, slot in pairs if slot is not None]

    @property
    def variables(self) -> list:
        return super().variables + self.inner_optimizer.variables

    @property
    def learning_rate(self) -> Any:
        return self.inner_optimizer.learning_rate

    @learning_rate.setter
    def learning_rate(self, learning_rate: Any) -> None:
        self.inner_optimizer.learning_rate = learning_rate

    @property
    def loss_scale_factor(self) -> float | None:
        """The inner optimizer's factor, which a LossScaleOptimizer outside removes."""
        inner = getattr(self, "inner_optimizer", None)
        return inner and inner.loss_scale_factor

    @loss_scale_factor.setter
    def loss_scale_factor(self, factor: float | None) -> None:
        if hasattr(self, "inner_optimizer"):
            self.inner_optimizer.loss_scale_factor = factor

    def exclude_from_weight_decay(
        self, var_list: list | None = None, var_names: list[str] | None = None
    ) -> None:
        """Spares these variables the weight decay, which is the inner optimizer's."""
        self.inner_optimizer.exclude_from_weight_decay(var_list, var_names)

    def scale_loss(self, loss):
        return self.inner_optimizer.scale_loss(loss)

    def finalize_variable_values(self, var_list: list) -> None:
        self.inner_optimizer.finalize_variable_values(var_list)

    def get_config(self) -> Config:
        inner = keras.saving.serialize_keras_object(self.inner_optimizer)
        return {"inner_optimizer": inner, "name": self.name}

    @classmethod
    def from_config(
        cls, config: Config, custom_objects: dict | None = None
    ) -> "_Wrapper":
        inner = keras.saving.deserialize_keras_object(
            config["inner_optimizer"], custom_objects=custom_objects
        )
        return cls(**{**config, "inner_optimizer": inner})


class _GradientWrapper(_Wrapper):
    """An optimizer that changes each gradient before `inner_optimizer` receives it.

    A subclass writes the change in `changed`. If the inner optimizer accumulates
    gradients, it is their mean that must change. So they are summed here, and the inner
    optimizer receives zeros until the last of them, which brings the whole sum.
    """

    def __init__(
        self, inner_optimizer: str | keras.optimizers.Optimizer, name: str | None = None
    ) -> None:
        super().__init__(inner_optimizer, name)
        steps = _innermost(self.inner_optimizer).gradient_accumulation_steps
        self.calls_per_step = steps or 1
        if self.calls_per_step > 1:
            self.slot_name = "sum"

    def changed(self, g: Any, w: Any) -> Any:
        """What the inner optimizer receives in place of the gradient g of w."""
        raise NotImplementedError

    def apply_around(self, grads: Any, variables: Any) -> Any:
        if self.calls_per_step == 1:
            changed = [self._change(g, w) for g, w in zip(grads, variables)]
            return self.apply_inner(changed, variables)
        calls = counted_calls(_innermost(self.inner_optimizer))
        is_last = (calls + 1) % self.calls_per_step == 0
        handed = [self._handed(g, w, is_last) for g, w in zip(grads, variables)]
        return self.apply_inner(handed, variables)

    def _change(self, g: Any, w: Any) -> Any:
        """`changed` of a gradient whose loss may have been scaled, or that is None."""
        if g is None or getattr(w, "overwrite_with_gradient", False):
            return g
        g, scale = ops.convert_to_tensor(dense(g)), self.loss_scale_factor
        if scale is None:
            return self.changed(g, w)
        return self.changed(g / scale, w) * scale

    def _handed(self, g: Any, w: Any, is_last: Any) -> Any:
        """0 for a call that only adds, and for the last call what makes up the mean."""
        slot = None if g is None else self._slots[slot_index(self, w)]
        if slot is None:
            return g
        total = slot + ops.cast(dense(g), slot.dtype)
        zeros = ops.zeros_like(total)
        self.assign(slot, ops.where(is_last, zeros, total))
        mean = total / self.calls_per_step
        return ops.where(is_last, self._change(mean, w) * self.calls_per_step, zeros)


def _variables_of_call(optimizer: Any, variables: Any) -> list:
    """The variables that a call of `apply` updates; it builds the optimizer first."""
    variables = None if variables is None else list(variables)
    if not optimizer.built:
        if variables is None:
            raise ValueError(
                "`apply` got no variables and the optimizer is not built: call "
                "`build(variables)` first, or pass the variables."
            )
        optimizer.build(variables)
    return variables or optimized_variables(optimizer)


def _apply(optimizer: Any, grads: Any, variables: Any) -> Any:
    """Applies the gradients by an optimizer; returns whether it made a step.

    If it accumulates gradients, it makes one step in several calls.
    """
    before = ops.copy(ops.convert_to_tensor(optimizer.iterations))
    optimizer.apply(grads, variables)
    return ops.convert_to_tensor(optimizer.iterations) > before


def _innermost(optimizer: Any) -> Any:
    """The optimizer inside all wrappers, which may accumulate gradients."""
    while hasattr(optimizer, "inner_optimizer"):
        optimizer = optimizer.inner_optimizer
    return optimizer


def _where(condition, x, y):
    """`ops.where` of variables, which JAX takes only as tensors."""
    return ops.where(condition, ops.convert_to_tensor(x), ops.convert_to_tensor(y))
