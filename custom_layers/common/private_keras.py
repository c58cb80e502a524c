"""The private members of Keras that this project uses, each with the reason for it.

Keras may move any of these without notice. No other file touches what Keras does not
publish, so a new release of Keras can break this file only. It works with Keras 3.15
and with the nightly releases of Keras 3.16.
"""

import contextlib
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import keras
from keras.src.layers.rnn.dropout_rnn_cell import DropoutRNNCell

from .rows import with_each_row_once

# `keras.layers.RNN` tells cells of this class when a new sequence begins, so that they
# draw new dropout masks. The class has no public name.
CellWithDropout = DropoutRNNCell


def set_mask(tensor: Any, mask: Any) -> None:
    """Attaches a mask to a tensor, as Keras does for a layer with `compute_mask`.

    A loss has no `compute_mask`, but if its values carry a mask, Keras leaves the
    masked ones out of their mean.
    """
    from keras.src.backend.common.masking import set_keras_mask

    set_keras_mask(tensor, mask)


def mask_of(tensor: Any) -> Any:
    """The mask that a layer has attached to its output; None if there is none."""
    from keras.src.backend.common.masking import get_keras_mask

    return get_keras_mask(tensor)


def reduce_losses(
    losses: Any, sample_weight: Any, mask: Any, reduction: str | None, dtype: str
) -> Any:
    """The sum or the mean of a loss, with its weights and without what is masked.

    It is the end of `keras.losses.Loss.__call__`, which Keras publishes as a whole
    only. It scales the mean for tf.distribute, too.
    """
    from keras.src.losses.loss import reduce_weighted_values

    return reduce_weighted_values(losses, sample_weight, mask, reduction, dtype)


def logits_of(probabilities: Any) -> Any:
    """The logits from which Keras's softmax or sigmoid made these; None if unknown.

    Keras leaves them as an attribute of the output, for its own losses.
    """
    return getattr(probabilities, "_keras_logits", None)


def set_logits(probabilities: Any, logits: Any) -> None:
    """Attaches the logits that `logits_of` returns; JAX arrays cannot hold them."""
    with contextlib.suppress(AttributeError):
        probabilities._keras_logits = logits


def in_own_dtype() -> AbstractContextManager:
    """A context in which variables are read and assigned in their own dtype.

    Within a layer in mixed precision, Keras casts the variables that are read. On torch
    it also assigns to the cast copy of a variable, so that the assignment is lost.
    """
    from keras.src.backend.common.variables import AutocastScope

    return AutocastScope(None)


def add_late_weight(layer: keras.layers.Layer, **options: Any) -> keras.Variable:
    """`layer.add_weight` for a layer that is built, whose weights Keras has locked."""
    was_locked, layer._tracker.locked = layer._tracker.locked, False
    weight = layer.add_weight(**options)
    layer._tracker.locked = was_locked
    return weight


def never_cast(variable: keras.Variable) -> None:
    """Makes Keras read and assign the variable in its own dtype; see `in_own_dtype`.

    The public argument `autocast=False` is for variables that are made here.
    """
    variable._autocast = False


def build_at_init(layer: keras.layers.Layer) -> None:
    """Marks a layer without weights as built, unless a subclass has its own `build`.

    If the constructor set `built` itself, Keras would skip the `build` of such a
    subclass.
    """
    layer._build_at_init()


def note_gradients() -> Callable[[], None]:
    """Returns a function that forgets the custom gradients made since this call.

    TensorFlow enters each function that `custom_gradient` traces into a table, and with
    it the graph around, and never takes it out: every model that is trained leaves some
    megabytes. Call the function once the models made since are no longer trained.
    """
    if keras.backend.backend() != "tensorflow":
        return lambda: None
    from tensorflow.python.framework.ops import gradient_registry

    table = gradient_registry._registry
    before = set(table)

    def forget() -> None:
        for name in set(table) - before:
            if name.startswith("CustomGradient-"):
                del table[name]

    return forget


def gpu_kernel(layer: Any, x: Any = None, mask: Any = None) -> Callable | None:
    """Keras's function that runs an LSTM or GRU by cuDNN; None where it cannot.

    Keras does not publish `backend.lstm`, `backend.gru` and `backend.cudnn_ok`. On JAX
    and torch they run loops of Keras's own where cuDNN cannot, so this one asks first.
    """
    from keras.src import backend

    name, cell, framework = layer.kernel_on_gpu, layer.cell, backend.backend()
    is_unknown = name == "gru" and (framework == "jax" or not cell.reset_after)
    on_processor = framework == "torch" and x is not None and x.device.type == "cpu"
    if is_unknown or on_processor or (mask is not None and framework != "tensorflow"):
        return None
    functions = (cell.activation, cell.recurrent_activation)
    can_run = backend.cudnn_ok(*functions, layer.unroll, use_bias=cell.use_bias)
    return getattr(backend, name) if can_run else None


def all_layers(model: keras.Model) -> list:
    """Every layer of a model, also inside others; `Model.layers` has the outermost."""
    return list(model._flatten_layers())


def slot_index(optimizer: keras.optimizers.Optimizer, variable: Any) -> int:
    """The position of a variable in the list that `optimizer.build` received.

    An optimizer keeps a list of slots, such as Adam's m, with one for each variable.
    """
    return optimizer._get_variable_index(variable)


def optimized_variables(optimizer: keras.optimizers.Optimizer) -> list:
    """The list of variables that `optimizer.build` received."""
    return optimizer._trainable_variables


def counted_calls(optimizer: keras.optimizers.Optimizer) -> keras.Variable:
    """The variable that counts the calls of `apply`.

    `iterations` is what Keras publishes. It counts whole steps, of which each takes
    several calls where gradients are accumulated.
    """
    return optimizer._iterations


# Attributes of Keras's optimizers with a variable for each variable that is optimized.
# They are no slots of a subclass.
LISTS_OF_KERAS = (
    "_variables",
    "_trainable_variables",
    "_accumulated_gradients",
    "_model_variables_moving_average",
)


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


def mend_distributed_training(model: keras.Model, batch: Any) -> Callable[[], None]:
    """Lets `fit` train the model by tf.distribute; the function returned undoes it.

    This changes Keras globally: it replaces a function of Keras's TensorFlow trainer.
    It works around two faults of Keras with several machines:

    - Keras cannot make the variables of a model from a batch that is divided among
      machines. They are made here, from the whole `batch`, and `fit` makes none.
    - It averages the metrics along an axis of replicas that they lack. The first one is
      taken instead: its value is already that of all replicas.
    """
    from keras.src.backend.tensorflow import trainer

    with model.distribute_strategy.scope():
        model._symbolic_build(data_batch=batch)
    model._maybe_symbolic_build = lambda **ignored: None
    reduce = trainer.reduce_per_replica

    def take_the_first(values: Any, strategy: Any, reduction: str) -> Any:
        reduction = "first" if reduction == "auto" else reduction
        return reduce(values, strategy, reduction)

    def undo() -> None:
        trainer.reduce_per_replica = reduce
        model.__dict__.pop("_maybe_symbolic_build", None)

    trainer.reduce_per_replica = take_the_first
    return undo


def forget_strategy(model: keras.Model) -> None:
    """Takes the model out of the tf.distribute strategy that it was built in.

    From then on it trains and answers in this process alone.
    """
    model._distribute_strategy = None
    model.train_function = model.test_function = model.predict_function = None


def direction_of_metric(model: keras.Model, name: str) -> str | None:
    """ "min" or "max", as the model's metric of that name gets better; None: unknown.

    Keras keeps the metrics of `compile` in a metric of its own, and publishes neither
    which way a metric gets better.
    """
    from keras.src.trainers.compile_utils import CompileMetrics

    found: list = []
    for metric in model.metrics:
        found += metric.metrics if isinstance(metric, CompileMetrics) else [metric]
    for metric in found:
        direction = getattr(metric, "_direction", None)
        if metric.name == name and direction:
            return "max" if direction == "up" else "min"
    return None


def averages_of(optimizer: Any) -> list[tuple]:
    """(weight, its average) of all weights of which an optimizer keeps an average.

    Keras keeps those of `use_ema=True` in `_model_variables_moving_average`. The
    wrappers MovingAverage and SWA of ours name theirs. Optimizers inside others count.
    """
    if hasattr(optimizer, "weights_and_slots") and optimizer.slot_name == "average":
        return optimizer.weights_and_slots()
    if getattr(optimizer, "use_ema", False):
        # There are none before the first step.
        averages = getattr(optimizer, "_model_variables_moving_average", [])
        pairs = zip(optimizer._trainable_variables, averages)
        return [(weight, average) for weight, average in pairs if average is not None]
    inner = [getattr(optimizer, "inner_optimizer", None)]
    inner = getattr(optimizer, "optimizers", inner)
    return [pair for one in inner if one is not None for pair in averages_of(one)]
