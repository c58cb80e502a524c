"""Steps to time: a component in a function that TensorFlow compiles."""

import functools
import inspect
import typing
from collections.abc import Callable

import keras
import numpy as np
import tensorflow as tf

from benchmarks.cases import Arguments

Step = Callable[[], typing.Any]  # does the work once


def layer_step(
    cls: typing.Any,
    kwargs: Arguments,
    shape: typing.Any,
    jit_compile: bool,
    backward: bool,
) -> Step:
    """A call of the layer in training, with its gradients if `backward`.

    shape: of the input; a list for several inputs, a dict for keyword arguments.
    """
    layer = cls(**kwargs)
    rng = np.random.default_rng(0)
    inputs = [
        tf.Variable(rng.normal(size=size).astype("f")) for size in _shapes_in(shape)
    ]
    takes_training = "training" in inspect.signature(layer.call).parameters
    call = {"training": True} if takes_training else {}

    def apply(values):
        if isinstance(shape, dict):
            return layer(**dict(zip(shape, values)), **call)
        if isinstance(shape, list):
            return layer(values, **call)
        return layer(values[0], **call)

    outputs = apply([tf.convert_to_tensor(x) for x in inputs])
    # With a gradient of ones to start from, XLA would leave out half of some layers.
    upstream = tf.nest.map_structure(
        lambda y: tf.cast(rng.normal(size=y.shape), y.dtype), outputs
    )
    weights = [weight.value for weight in layer.trainable_weights]

    @tf.function(jit_compile=jit_compile)
    def forward():
        return apply([x.read_value() for x in inputs])

    @tf.function(jit_compile=jit_compile)
    def forward_and_backward():
        values = [x.read_value() for x in inputs]
        with tf.GradientTape() as tape:
            tape.watch(values)
            outputs = apply(values)
        return tape.gradient(outputs, [*values, *weights], upstream)

    return forward_and_backward if backward else forward


def _shapes_in(shape: typing.Any) -> list[tuple[int, ...]]:
    if isinstance(shape, dict):
        return [*shape.values()]
    return shape if isinstance(shape, list) else [shape]


def activation_step(
    function: typing.Any,
    kwargs: Arguments,
    shape: typing.Any,
    jit_compile: bool,
    backward: bool,
) -> Step:
    """The step of a layer that only calls the activation function."""
    call = functools.partial(function, **kwargs)
    layer = functools.partial(keras.layers.Activation, call)
    return layer_step(layer, {}, shape, jit_compile, backward)


def loss_step(
    cls: typing.Any,
    kwargs: Arguments,
    shape: tuple[int, ...],
    labels: tuple[int, ...] | None,
    jit_compile: bool,
    backward: bool,
) -> Step:
    """An evaluation of the loss, with its gradient if `backward`.

    shape: of y_pred, and of y_true if `labels`, the shape of integer labels, is None.
    """
    loss = cls(**kwargs)
    rng = np.random.default_rng(0)
    y_pred = tf.Variable(rng.uniform(0.01, 0.99, size=shape).astype("f"))
    if labels:
        y_true = tf.Variable(rng.integers(0, shape[-1], size=labels))
    else:
        y_true = tf.Variable(rng.uniform(0.01, 0.99, size=shape).astype("f"))

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


def optimizer_step(
    cls: typing.Any, kwargs: Arguments, count: int, jit_compile: bool
) -> Step:
    """An update of `count` variables of several sizes."""
    rng = np.random.default_rng(0)
    shapes = [(64, 64), (64,), (256, 32), (32,)]
    values = [rng.normal(size=shapes[i % 4]).astype("f") for i in range(count)]
    variables = [keras.Variable(value) for value in values]
    gradients = [tf.constant(value) for value in values]
    optimizer = cls(**kwargs)
    optimizer.build(variables)

    @tf.function(jit_compile=jit_compile)
    def apply():
        optimizer.apply(gradients, variables)

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
