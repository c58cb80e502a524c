"""Steps to time of Keras's components on the torch backend, which compiles nothing."""

import typing

import keras
import torch

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
from benchmarks.torch_rivals import run_or_differentiate


def layer_step(
    cls: typing.Any,
    kwargs: Arguments,
    shape: typing.Any,
    backward: bool,
    call: Arguments | None = None,
) -> Step:
    """A call of the layer in training, as `benchmarks.steps.layer_step`."""
    layer = cls(**kwargs)
    values = [torch.tensor(value, requires_grad=True) for value in layer_inputs(shape)]
    options = {**(call or {}), **training_of(layer)}
    outputs = call_layer(layer, shape, values, **options)
    (upstream,) = gradients_of_outputs([tuple(outputs.shape)])
    weights = [weight.value for weight in layer.trainable_variables]
    return run_or_differentiate(
        lambda: call_layer(layer, shape, values, **options),
        [*values, *weights] if backward else [],
        torch.tensor(upstream),
    )


def loss_step(
    cls: typing.Any,
    kwargs: Arguments,
    shape: tuple[int, ...],
    truth: typing.Any,
    backward: bool,
) -> Step:
    """An evaluation of the loss, as `benchmarks.steps.loss_step`."""
    loss = cls(**kwargs)
    y_true, y_pred = map(torch.tensor, answers(shape, truth))
    y_pred.requires_grad_()
    trained = [y_pred] if backward else []
    return run_or_differentiate(
        lambda: loss(y_true, y_pred), trained, torch.tensor(1.0)
    )


def optimizer_step(cls: typing.Any, kwargs: Arguments, count: int) -> Step:
    """An update of `count` variables of several sizes."""
    values = variables(count)
    weights = [keras.Variable(value) for value in values]
    gradients = [torch.tensor(value) for value in values]
    optimizer = cls(**kwargs)
    optimizer.build(weights)
    return lambda: optimizer.apply(gradients, weights)
