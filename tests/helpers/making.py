"""Makes any component of ours from its row in `examples`, and an input for a layer."""

import inspect

import keras

import examples
from custom_layers.generation import Subwords
from custom_layers.models import GradientPenalty
from oracle import array, components

KINDS = {
    "model": (keras.Model, examples.MODELS),  # which is a layer too
    "penalty": (GradientPenalty, examples.PENALTIES),
    "subwords": (Subwords, examples.SUBWORDS),
    "layer": (keras.layers.Layer, examples.LAYERS),
    "initializer": (keras.initializers.Initializer, examples.INITIALIZERS),
    "regularizer": (keras.regularizers.Regularizer, examples.REGULARIZERS),
    "constraint": (keras.constraints.Constraint, examples.CONSTRAINTS),
    "loss": (keras.losses.Loss, examples.LOSSES),
    "metric": (keras.metrics.Metric, examples.METRICS),
    "optimizer": (keras.optimizers.Optimizer, examples.OPTIMIZERS),
    "schedule": (
        keras.optimizers.schedules.LearningRateSchedule,
        examples.SCHEDULES,
    ),
}
CLASSES = {
    n: c
    for n, c in components().items()
    if inspect.isclass(c)
    and not issubclass(c, keras.callbacks.Callback)  # Keras saves none of them
}
LAYERS = [
    n
    for n, c in CLASSES.items()
    if issubclass(c, keras.layers.Layer) and not issubclass(c, keras.Model)
]


def make(name, **more):
    for base, table in KINDS.values():
        if issubclass(CLASSES[name], base):
            row = table[name]
            arguments = row[0] if isinstance(row, tuple) else row
            arguments = arguments() if callable(arguments) else arguments
            return CLASSES[name](**arguments, **more)
    raise AssertionError(f"{name} is of no known kind")


def make_optimizer(name, **options):
    """The example of that optimizer; the options are those of what it has inside."""
    arguments = dict(examples.OPTIMIZERS[name])
    adam = CLASSES["Adam"]
    if "inner_optimizer" in arguments:
        arguments["inner_optimizer"] = adam(0.1, **options)
    elif "optimizer_map" in arguments:
        parts = [(adam(0.1, **options), ".*(1|bias)"), (adam(0.05, **options), ".*")]
        arguments["optimizer_map"] = parts
    else:
        arguments |= options
    return CLASSES[name](**arguments)


def make_layer(name, **more):
    """The layer of that name; for a cell, the layer that runs it."""
    run = examples.CELLS.get(name)
    return run(make(name, **more), **more) if run else make(name, **more)


def example_input(name):
    shape = examples.LAYERS[name][1]
    dtype, low, high = examples.INTEGER_INPUTS.get(name, ("float32", -1.0, 1.0))

    def values(shape):
        return array(*shape, low=low, high=high, dtype=dtype)

    if isinstance(shape, dict):  # keyword arguments of the call
        return {key: values(s) for key, s in shape.items()}
    return [values(s) for s in shape] if isinstance(shape, list) else values(shape)
