"""Steps to time of PyTorch's own parts, on the inputs that ours get."""

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import torch
from torch import Tensor, nn

from benchmarks import cases
from benchmarks.cases import Arguments
from benchmarks.inputs import (
    answers,
    call_layer,
    gradients_of_outputs,
    layer_inputs,
    training_of,
    variables,
)
from benchmarks.measure import THREADS, Step
from benchmarks.torch_parts import ACTIVATIONS, LAYERS, LOSSES, OPTIMIZERS, Part

TOLERANCE = 1e-4  # relative; sums of 1,000 products differ by that


def layer_step(
    name: str,
    kwargs: Arguments,
    shape: Any,
    backward: bool,
    below: int | None = None,
    call: Arguments | None = None,
) -> Step | None:
    """The step of the layer's counterpart, or None if there is none.

    The arguments are those of `benchmarks.steps.layer_step`.
    """
    part = LAYERS.get(name)
    if part is None:
        return None
    arrays = layer_inputs(shape, below)
    module = part.make(kwargs, arrays[0].shape)
    inputs = [_input(array, part) for array in arrays]
    floats = [x.requires_grad_() for x in inputs if x.is_floating_point()]

    def outputs() -> Tensor:
        return module(*inputs, **(call or {}))

    (upstream,) = gradients_of_outputs([outputs().shape])
    trained = [*floats, *module.parameters()]
    return run_or_differentiate(
        outputs,
        trained if backward else [],
        torch.tensor(upstream),
    )


def _input(array: np.ndarray, part: Part) -> Tensor:
    """The array as the module takes it; the channels of images stay last in memory."""
    x = torch.tensor(array)
    if not part.channels_first:
        return x
    x = x.movedim(-1, 1)
    return x.contiguous() if x.ndim == 3 else x


def run_or_differentiate(
    function: Callable[[], Tensor], trained: list[Tensor], upstream: Tensor
) -> Step:
    """A call of the function, with the gradients to `trained` if there are any."""
    torch.set_num_threads(THREADS)

    def forward() -> Tensor:
        with torch.no_grad():
            return function()

    def forward_and_backward() -> Any:
        return torch.autograd.grad(function(), trained, upstream)

    return forward_and_backward if trained else forward


def activation_step(
    name: str, kwargs: Arguments, shape: tuple[int, ...], backward: bool
) -> Step | None:
    """The step of the activation's counterpart, or None if there is none."""
    function = ACTIVATIONS.get(name)
    if function is None:
        return None
    x = torch.tensor(layer_inputs(shape)[0], requires_grad=True)
    (upstream,) = gradients_of_outputs([function(x).shape])
    trained = [x] if backward else []
    return run_or_differentiate(lambda: function(x), trained, torch.tensor(upstream))


def loss_step(
    name: str, shape: tuple[int, ...], truth: Any, backward: bool
) -> Step | None:
    """The step of the loss's counterpart, or None if there is none."""
    function = LOSSES.get(name)
    if function is None:
        return None
    y_true, y_pred = map(torch.tensor, answers(shape, truth))
    y_pred.requires_grad_()
    trained = [y_pred] if backward else []
    return run_or_differentiate(
        lambda: function(y_true, y_pred), trained, torch.tensor(1.0)
    )


def optimizer_step(name: str, count: int) -> Step | None:
    """The update of the optimizer's counterpart, or None if there is none."""
    make = OPTIMIZERS.get(name)
    if make is None:
        return None
    torch.set_num_threads(THREADS)
    return make([_with_gradient(value) for value in variables(count)]).step


def difference(name: str, ours: Any) -> float | None:
    """How far the outputs of a layer and of its counterpart differ, relative to ours.

    None stands for outputs that have the same shape and need not be the same numbers.
    Outputs of different shapes are an error.

    ours: our class of that name.
    """
    kwargs, shape = cases.LAYERS[name]
    part = LAYERS[name]
    arrays = layer_inputs(shape, cases.INTEGERS.get(name))
    layer = ours(**kwargs)
    desired = call_layer(layer, shape, arrays, **training_of(layer))
    module = part.make(kwargs, arrays[0].shape)
    if part.weights is not None:
        weights = [torch.tensor(np.array(weight)) for weight in layer.weights]
        _copy(weights, part, module)
    inputs = [_input(array, part) for array in arrays]
    with torch.no_grad():
        actual = module(*inputs)
    if part.channels_first and actual.ndim > 2:
        actual = actual.movedim(1, -1)
    return compared(actual.numpy(), np.array(desired), part.equal)


def _copy(weights: list[Tensor], part: Part, module: nn.Module) -> None:
    assert part.weights is not None
    buffers = [x for x in module.buffers() if x.is_floating_point()]
    places = [*module.parameters(), *buffers]
    values = part.weights(*weights)
    with torch.no_grad():
        for place, value in zip(places, values, strict=True):
            place.copy_(value.reshape(place.shape))


def compared(actual: np.ndarray, desired: np.ndarray, equal: bool) -> float | None:
    """The largest difference relative to `desired`; None if they need not be equal."""
    if actual.shape != desired.shape:
        raise ValueError(f"PyTorch gives {actual.shape}, ours {desired.shape}")
    if not equal:
        return None
    largest = np.abs(desired).max()
    return float(np.abs(actual - desired).max() / largest)


def function_difference(name: str, ours: Any) -> float | None:
    """As `difference`, for our activation or our loss class of that name."""
    if name in ACTIVATIONS:
        kwargs, shape = cases.ACTIVATIONS[name]
        (x,) = layer_inputs(shape)
        actual = ACTIVATIONS[name](torch.tensor(x))
        desired = ours(x, **kwargs)
    else:
        kwargs, shape, truth = cases.LOSSES[name]
        pair = answers(shape, truth)
        actual = LOSSES[name](*map(torch.tensor, pair))
        desired = ours(**kwargs)(*pair)
    return compared(actual.numpy(), np.array(desired), equal=True)


def update_difference(name: str, ours: Any) -> float:
    """How far the first updates of our optimizer and of its counterpart differ.

    It is the median over the weights, relative to the largest update: they treat the
    smallest gradients differently, because epsilon does not stand at the same place.
    """
    (value,) = variables(1)
    weight = keras.Variable(value)
    optimizer = ours(**cases.OPTIMIZERS[name])
    optimizer.build([weight])
    optimizer.apply([keras.ops.convert_to_tensor(value)], [weight])
    rival = _with_gradient(value)
    OPTIMIZERS[name]([rival]).step()
    desired = np.array(weight) - value
    actual = rival.detach().numpy() - value
    typical = np.median(np.abs(actual - desired))
    return float(typical / np.abs(desired).max())


def _with_gradient(value: np.ndarray) -> nn.Parameter:
    """A parameter whose gradient is its value."""
    parameter = nn.Parameter(torch.tensor(value))
    parameter.grad = parameter.detach().clone()
    return parameter
