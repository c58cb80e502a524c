"""Steps to time: a component in a function that TensorFlow compiles."""

import collections
import functools
import typing

import keras
import tensorflow as tf

from benchmarks.cases import Arguments
from benchmarks.inputs import (
    answers,
    call_layer,
    gradients_of_outputs,
    layer_inputs,
    training_of,
    variables,
)
from benchmarks.measure import Step

FREE = ("Const", "Identity", "NoOp")  # operations that cost nothing


def operations(step: Step) -> collections.Counter:
    """{(operation, shapes of its outputs): how often the graph of a step has it}."""
    graph = typing.cast(typing.Any, step).get_concrete_function().graph
    return collections.Counter(
        (op.type, *(str(output.shape) for output in op.outputs))
        for op in graph.get_operations()
        if op.type not in FREE
    )


def layer_step(
    cls: typing.Any,
    kwargs: Arguments,
    shape: typing.Any,
    backward: bool,
    jit_compile: bool = False,
    below: int | None = None,
    call: Arguments | None = None,
) -> Step:
    """A call of the layer in training, with its gradients if `backward`.

    shape: of the input; a list for several inputs, a dict for keyword arguments.
    below: where the inputs are integers, the number below which they are.
    call: further arguments of the call.
    """
    layer = cls(**kwargs)
    inputs = [tf.Variable(value) for value in layer_inputs(shape, below)]
    options = {**(call or {}), **training_of(layer)}
    outputs = call_layer(layer, shape, [x.read_value() for x in inputs], **options)
    shapes = [output.shape for output in tf.nest.flatten(outputs)]
    upstream = [tf.constant(y) for y in gradients_of_outputs(shapes)]
    weights = [weight.value for weight in layer.trainable_weights]

    @tf.function(jit_compile=jit_compile)
    def forward():
        return call_layer(layer, shape, [x.read_value() for x in inputs], **options)

    @tf.function(jit_compile=jit_compile)
    def forward_and_backward():
        values = [x.read_value() for x in inputs]
        floats = [value for value in values if value.dtype.is_floating]
        with tf.GradientTape() as tape:
            tape.watch(floats)
            outputs = call_layer(layer, shape, values, **options)
        return tape.gradient(tf.nest.flatten(outputs), [*floats, *weights], upstream)

    return forward_and_backward if backward else forward


def activation_step(
    function: typing.Any,
    kwargs: Arguments,
    shape: typing.Any,
    backward: bool,
    jit_compile: bool = False,
) -> Step:
    """The step of a layer that only calls the activation function."""
    call = functools.partial(function, **kwargs)
    layer = functools.partial(keras.layers.Activation, call)
    return layer_step(layer, {}, shape, backward, jit_compile)


def loss_step(
    cls: typing.Any,
    kwargs: Arguments,
    shape: tuple[int, ...],
    truth: typing.Any,
    backward: bool,
    jit_compile: bool = False,
) -> Step:
    """An evaluation of the loss, with its gradient if `backward`.

    shape: of y_pred.
    truth: what y_true is; see `LOSSES` in cases.
    """
    loss = cls(**kwargs)
    y_true, y_pred = map(tf.Variable, answers(shape, truth))

    @tf.function(jit_compile=jit_compile)
    def forward():
        return loss(y_true.read_value(), y_pred.read_value())

    @tf.function(jit_compile=jit_compile)
    def forward_and_backward():
        value = y_pred.read_value()
        with tf.GradientTape() as tape:
            tape.watch(value)
            result = loss(y_true.read_value(), value)
        return tape.gradient(result, value)

    return forward_and_backward if backward else forward


def metric_step(
    cls: typing.Any, kwargs: Arguments, shape: tuple[int, ...], truth: typing.Any
) -> Step:
    """An update of the metric with a batch, and the result after it."""
    metric = cls(**kwargs)
    values = [*map(tf.Variable, answers(shape, truth))]
    metric.update_state(*[value.read_value() for value in values])

    @tf.function
    def update():
        metric.update_state(*[value.read_value() for value in values])
        return metric.result()

    return update


def optimizer_step(
    cls: typing.Any, kwargs: Arguments, count: int, jit_compile: bool = False
) -> Step:
    """An update of `count` variables of several sizes."""
    values = variables(count)
    weights = [keras.Variable(value) for value in values]
    gradients = [tf.constant(value) for value in values]
    optimizer = cls(**kwargs)
    optimizer.build(weights)

    @tf.function(jit_compile=jit_compile)
    def apply():
        optimizer.apply(gradients, weights)

    return apply


def function_step(
    cls: typing.Any, kwargs: Arguments, argument: typing.Any, backward: bool
) -> Step:
    """A call of an initializer, regularizer or the like, or its gradient."""
    function = cls(**kwargs)

    @tf.function
    def call():
        return function(argument)

    @tf.function
    def gradient():
        with tf.GradientTape() as tape:
            tape.watch(argument)
            y = function(argument)
        return tape.gradient(y, argument)

    return gradient if backward else call
