"""The code of adversarial training that differs between TensorFlow, JAX and torch."""

from collections.abc import Callable, Sequence
from typing import Any

import keras
from keras import ops

from ...common.private_keras import optimized_variables
from ...common.rows import dense


def _run_step(step: Callable, groups: Sequence, *args: Any) -> Any:
    """Runs step(data) in the form in which the backend's `fit` calls it.

    TensorFlow and torch pass the data, and the step changes the variables. JAX passes
    all state as values before the data, and expects the new values beside the logs.

    groups: lists of variables, in the order in which JAX's state holds their values.
    """
    if keras.backend.backend() != "jax":
        return step(*args)
    state, data = args
    pairs = [
        pair for group, values in zip(groups, state) for pair in zip(group, values)
    ]
    with keras.StatelessScope(state_mapping=pairs) as scope:
        logs = step(data)
    new_state = ([scope.get_current_value(v) for v in group] for group in groups)
    return logs, tuple(new_state)


def _minimize(
    objective: Callable,
    weights: list,
    optimizer: keras.optimizers.Optimizer,
    model: keras.Model,
) -> Any:
    """One step of the optimizer downhill; returns the loss that objective() reports.

    objective: returns (the number to minimize, the loss to report, or a nested
        structure of tensors).
    weights: those weights of `model` that the optimizer may change.
    """
    functions = {
        "jax": _jax_loss_and_gradients,
        "tensorflow": _tensorflow_loss_and_gradients,
        "torch": _torch_loss_and_gradients,
    }
    compute = functions[keras.backend.backend()]
    loss, gradients = compute(objective, weights, optimizer, model)
    if gradients:
        _apply(optimizer, gradients, weights)
    return loss


def _tensorflow_loss_and_gradients(objective, variables, optimizer, model):
    import tensorflow as tf

    weights = [v.value for v in variables]
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(weights)
        total, loss = objective()
        total = optimizer.scale_loss(total)
    return loss, tape.gradient(total, weights)


def _jax_loss_and_gradients(objective, variables, optimizer, model):
    import jax

    now = [(v, v.value) for v in (*model.variables, *optimizer.variables)]
    state = model.non_trainable_variables

    def pure(weights):
        pairs = [*now, *zip(variables, weights)]
        with keras.StatelessScope(state_mapping=pairs) as scope:
            total, loss = objective()
            total = optimizer.scale_loss(total)
        return total, (loss, [scope.get_current_value(v) for v in state])

    weights = [v.value for v in variables]
    gradients, (loss, new_state) = jax.grad(pure, has_aux=True)(weights)
    for variable, value in zip(state, new_state):
        variable.assign(value)
    return loss, gradients


def _torch_loss_and_gradients(objective, variables, optimizer, model):
    import torch

    weights = [v.value for v in variables]
    total, loss = objective()
    loss = keras.tree.map_structure(lambda tensor: tensor.detach(), loss)
    if not weights:
        return loss, []
    total = optimizer.scale_loss(total)
    gradients = torch.autograd.grad(total, weights, allow_unused=True)
    return loss, list(gradients)


def _apply(optimizer, gradients, weights) -> None:
    """Lets the optimizer change the weights."""
    backend = keras.backend.backend()
    is_scaled = isinstance(optimizer, keras.optimizers.LossScaleOptimizer)
    if backend == "jax" and is_scaled:
        _apply_without_state(optimizer, gradients, weights)
    elif backend == "torch":
        import torch

        with torch.no_grad():
            optimizer.apply(gradients, weights)
    else:
        optimizer.apply(gradients, weights)


def _apply_without_state(optimizer, gradients, weights) -> None:
    """Lets an optimizer that may skip steps change the weights, on JAX.

    The optimizer decides by a branch, in which JAX does not let variables change.
    """
    known = optimized_variables(optimizer)
    if len(weights) != len(known):
        raise ValueError(
            f"{len(known)} weights were trainable at `compile`, and {len(weights)} are "
            "now. Call `compile` again after you freeze layers."
        )
    state = [v.value for v in optimizer.variables]
    new_weights, new_state = optimizer.stateless_apply(
        state, gradients, [w.value for w in weights]
    )
    new_values = (*new_weights, *new_state)
    for variable, value in zip((*known, *optimizer.variables), new_values):
        variable.assign(value)


def _gradient_of_sum(f: Callable, x: Any) -> Any:
    """The gradient of sum(f(x)) to x, which can itself be differentiated."""
    backend = keras.backend.backend()
    if backend == "jax":
        import jax

        return jax.grad(lambda x: ops.sum(f(x)))(x)
    if backend == "tensorflow":
        import tensorflow as tf

        with tf.GradientTape(watch_accessed_variables=False) as tape:
            tape.watch(x)
            y = f(x)
        return dense(tape.gradient(y, x))
    import torch

    x = x.detach().requires_grad_(True)
    return torch.autograd.grad(ops.sum(f(x)), x, create_graph=True)[0]
