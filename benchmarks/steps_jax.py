"""Steps to time on JAX, which compiles each as one program."""

import typing
from collections.abc import Callable

import jax
import keras

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


def layer_step(
    cls: typing.Any,
    kwargs: Arguments,
    shape: typing.Any,
    backward: bool,
    call: Arguments | None = None,
) -> Step:
    """A call of the layer in training, as `benchmarks.steps.layer_step`."""
    layer = cls(**kwargs)
    values = [jax.numpy.asarray(value) for value in layer_inputs(shape)]
    options = {**(call or {}), **training_of(layer)}
    outputs = call_layer(layer, shape, values, **options)
    (upstream,) = gradients_of_outputs([outputs.shape])
    trained = [weight.value for weight in layer.trainable_variables]
    others = [weight.value for weight in layer.non_trainable_variables]

    def outputs_of(trained, values):
        def stateless(*inputs, **named):
            outputs, _ = layer.stateless_call(trained, others, *inputs, **named)
            return outputs

        return call_layer(stateless, shape, values, **options)

    return _step(outputs_of, (trained, values), jax.numpy.asarray(upstream), backward)


def loss_step(
    cls: typing.Any,
    kwargs: Arguments,
    shape: tuple[int, ...],
    truth: typing.Any,
    backward: bool,
) -> Step:
    """An evaluation of the loss, as `benchmarks.steps.loss_step`."""
    loss = cls(**kwargs)
    y_true, y_pred = map(jax.numpy.asarray, answers(shape, truth))
    return _step(
        lambda y_pred, y_true: loss(y_true, y_pred),
        (y_pred, y_true),
        1.0,
        backward,
        of=0,
    )


def optimizer_step(cls: typing.Any, kwargs: Arguments, count: int) -> Step:
    """An update of `count` variables of several sizes."""
    values = variables(count)
    weights = [keras.Variable(value) for value in values]
    gradients = [jax.numpy.asarray(value) for value in values]
    optimizer = cls(**kwargs)
    optimizer.build(weights)
    trained = [weight.value for weight in weights]
    state = [variable.value for variable in optimizer.variables]
    update = jax.jit(optimizer.stateless_apply)
    return lambda: jax.block_until_ready(update(state, gradients, trained))


def _step(
    function: Callable[..., typing.Any],
    inputs: tuple,
    upstream: typing.Any,
    backward: bool,
    of: int | tuple[int, int] = (0, 1),
) -> Step:
    """A call of the compiled function, or its gradients to the inputs number `of`."""

    def weighted(*inputs):
        return (function(*inputs) * upstream).sum()

    program = jax.jit(jax.grad(weighted, of) if backward else function)
    return lambda: jax.block_until_ready(program(*inputs))
