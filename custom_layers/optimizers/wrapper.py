"""What optimizers share that wrap another optimizer: Lookahead, SWA and SAM."""

from typing import Any

import keras
from keras import ops

from ..common.private_keras import counted_calls, optimized_variables
from ..common.rows import with_each_row_once
from ..common.types import Config


class _Wrapper(keras.optimizers.Optimizer):
    """An optimizer that lets `inner_optimizer` update the weights.

    It keeps one slot for each weight, named `slot_name`. A subclass surrounds the inner
    update, `apply_inner`, with its own work in `apply_around`. A file of the model
    holds the slots of both optimizers.

    The inner optimizer may be Keras's, which squares the gradients of an embedding's
    row one by one. So `apply` sums them before.

    `iterations` counts steps. A call of `apply` that only adds to the gradients that
    the inner optimizer accumulates is not a step.
    """

    slot_name: str

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
        self._slots = self.add_optimizer_variables(variables, self.slot_name)

    def apply(self, grads: Any, trainable_variables: Any = None) -> None:
        if trainable_variables is not None:
            trainable_variables = list(trainable_variables)
        if not self.built:
            if trainable_variables is None:
                raise ValueError(
                    "`apply` got no variables and the optimizer is not built: call "
                    "`build(variables)` first, or pass the variables."
                )
            self.build(trainable_variables)
        variables = trainable_variables or optimized_variables(self)
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
        """Applies the gradients by `inner_optimizer`; returns whether it made a step.

        If it accumulates gradients, it makes one step in several calls.
        """
        before = ops.copy(ops.convert_to_tensor(self.inner_optimizer.iterations))
        self.inner_optimizer.apply(grads, variables)
        return ops.convert_to_tensor(self.inner_optimizer.iterations) > before

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


def _where(condition, x, y):
    """`ops.where` of variables, which JAX takes only as tensors."""
    return ops.where(condition, ops.convert_to_tensor(x), ops.convert_to_tensor(y))
