"""The private members of Keras that this project uses, each with the reason for it.

Keras may move any of these without notice. Only this file and `private_optimizers.py`
touch what Keras does not publish, so a new release of Keras can break nothing else.
They work with Keras 3.15 and with the nightly releases of Keras 3.16.
"""

import contextlib
import importlib
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import keras
from keras.src.layers.rnn.dropout_rnn_cell import DropoutRNNCell

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

    Keras does not publish its functions `lstm`, `gru` and `cudnn_ok`. On JAX and torch
    they run loops of Keras's own where cuDNN cannot, so this one asks first.
    """
    name, cell, framework = layer.kernel_on_gpu, layer.cell, keras.backend.backend()
    is_unknown = name == "gru" and (framework == "jax" or not cell.reset_after)
    on_processor = framework == "torch" and x is not None and x.device.type == "cpu"
    if is_unknown or on_processor or (mask is not None and framework != "tensorflow"):
        return None
    kernels = importlib.import_module(f"keras.src.backend.{framework}.rnn")
    functions = (cell.activation, cell.recurrent_activation)
    can_run = kernels.cudnn_ok(*functions, layer.unroll, use_bias=cell.use_bias)
    return getattr(kernels, name) if can_run else None


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


def make_training_variables(model: keras.Model, batch: Any) -> None:
    """Makes the variables of the optimizer and of the metrics before `fit` does.

    TensorFlow traces the first step twice if the first trace makes a variable. A trace
    of a deep network takes many seconds. The other backends trace once anyway.

    Args:
        model: a compiled model. If it has a training step of its own, the variables of
            its optimizer are made, as Keras can't know what the step computes.
        batch: (inputs, targets) or (inputs, targets, weights), of any number of rows.
    """
    if keras.backend.backend() != "tensorflow":
        return
    if type(model).train_step is keras.Model.train_step:
        model._symbolic_build(data_batch=batch)
    elif model.optimizer is not None and not model.optimizer.built:
        model.optimizer.build(model.trainable_variables)


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
