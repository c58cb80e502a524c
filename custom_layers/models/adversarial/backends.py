"""The code of adversarial training that differs between TensorFlow, JAX and torch."""

from collections.abc import Callable, Sequence
from typing import Any

import keras
from keras import ops


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


def _loss_and_gradients(
    objective: Callable, variables: list, model: keras.Model
) -> tuple[Any, list]:
    """The loss that objective() reports, and the gradients of what it minimizes.

    objective: returns (the number to minimize, the loss to report).
    variables: the weights of `model` that the gradients belong to.
    """
    functions = {
        "jax": _jax_loss_and_gradients,
        "tensorflow": _tensorflow_loss_and_gradients,
        "torch": _torch_loss_and_gradients,
    }
    return functions[keras.backend.backend()](objective, variables, model)


def _tensorflow_loss_and_gradients(objective, variables, model):
    import tensorflow as tf

    weights = [v.value for v in variables]
    with tf.GradientTape(watch_accessed_variables=False) as tape:
        tape.watch(weights)
        total, loss = objective()
    return loss, tape.gradient(total, weights)


def _jax_loss_and_gradients(objective, variables, model):
    import jax

    now = [(v, v.value) for v in model.variables]
    state = model.non_trainable_variables

    def pure(weights):
        pairs = [*now, *zip(variables, weights)]
        with keras.StatelessScope(state_mapping=pairs) as scope:
            total, loss = objective()
        return total, (loss, [scope.get_current_value(v) for v in state])

    weights = [v.value for v in variables]
    gradients, (loss, new_state) = jax.grad(pure, has_aux=True)(weights)
    for variable, value in zip(state, new_state):
        variable.assign(value)
    return loss, gradients


def _torch_loss_and_gradients(objective, variables, model):
    import torch

    weights = [v.value for v in variables]
    total, loss = objective()
    return loss.detach(), torch.autograd.grad(total, weights)


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
        return tape.gradient(y, x)
    import torch

    x = x.detach().requires_grad_(True)
    return torch.autograd.grad(ops.sum(f(x)), x, create_graph=True)[0]
