"""Gradients: the slope of an activation, sizes by layer, the flow through layers."""

from collections.abc import Callable, Sequence

import keras
import numpy as np
from keras import ops


def value_and_gradients(f: Callable, weights: Sequence[keras.Variable]) -> tuple:
    """(f(), the gradient of the sum of its numbers to each of the weights)"""
    backend = keras.backend.backend()
    if backend == "jax":
        import jax

        def pure(values):
            pairs = list(zip(weights, values))
            with keras.StatelessScope(state_mapping=pairs):
                value = f()
            return ops.sum(value), value

        values = [w.value for w in weights]
        gradients, value = jax.grad(pure, has_aux=True)(values)
        return value, gradients
    if backend == "torch":
        import torch

        value = f()
        return value, torch.autograd.grad(value.sum(), [w.value for w in weights])
    import tensorflow as tf

    with tf.GradientTape() as tape:
        value = f()
    return value, tape.gradient(value, weights)


def kernel_gradients(
    model: keras.Model, x: np.ndarray, y: np.ndarray
) -> list[np.ndarray]:
    """Gradient of a compiled model's loss for every kernel, from the first layer up."""
    kernels = [v for v in model.trainable_variables if v.name == "kernel"]
    x, y = ops.convert_to_tensor(x), ops.convert_to_tensor(y)

    def loss():
        return model.compute_loss(x, y, model(x, training=True))

    _, gradients = value_and_gradients(loss, kernels)
    return [ops.convert_to_numpy(gradient) for gradient in gradients]


def gradient_norms(model: keras.Model, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Norm of the gradient for every kernel, from the first layer up."""
    return np.array([np.linalg.norm(g) for g in kernel_gradients(model, x, y)])


def slope(f: Callable, x: np.ndarray) -> np.ndarray:
    """df/dx of a function, element by element of x, by automatic differentiation."""
    place = keras.Variable(x, dtype="float64")
    _, (gradient,) = value_and_gradients(lambda: f(place.value), [place])
    return ops.convert_to_numpy(gradient)


def numeric_gradient(
    f: Callable[[], float], w: np.ndarray, h: float = 1e-6
) -> np.ndarray:
    """df/dw = (f(w + h) - f(w - h)) / (2 h), element by element, by finite differences.

    Args:
        f: computes the number from the array w, which is changed in place meanwhile.
        w: the array.
        h: half of the distance between the two points.
    """
    gradient = np.zeros_like(w)
    for place in np.ndindex(w.shape):
        w[place] += h
        above = f()
        w[place] -= 2 * h
        below = f()
        w[place] += h
        gradient[place] = (above - below) / (2 * h)
    return gradient


def flow(
    x: np.ndarray,
    weights: Sequence[np.ndarray] | np.ndarray,
    f: Callable,
    gradient: np.ndarray,
    inputs: Sequence[np.ndarray] | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Size of a signal on its way up, and of its gradient on its way down, by layer.

    Forwards, from h = x: z = h W (plus the layer's own input), h = f(z).
    Backwards, from dL/dh = gradient: dL/dz = dL/dh f'(z); one layer below, dL/dh is
    dL/dz W^T.

    Args:
        x: the signal, (..., B, D); further axes number several networks.
        weights: the matrix W of each layer, (..., D, D).
        f: the activation.
        gradient: dL/dh of the last layer, shaped as x.
        inputs: each layer's own input, shaped as x.

    Returns:
        Root mean squares of every layer's h, and of every layer's dL/dz, both from the
        first layer to the last.
    """
    h = x
    sums, forwards, back = [], [], []
    for i, W in enumerate(weights):
        # NumPy's own product waits for its threads while other processes compute.
        z = ops.convert_to_numpy(ops.matmul(h, W))
        if inputs is not None:
            z = z + inputs[i]
        h = ops.convert_to_numpy(f(z))
        sums.append(z)
        forwards.append(_root_mean_square(h))

    slopes = slope(f, np.stack(sums))
    for df, W in zip(reversed(slopes), reversed(weights)):
        dz = gradient * df
        back.append(_root_mean_square(dz))
        gradient = ops.convert_to_numpy(ops.matmul(dz, np.swapaxes(W, -1, -2)))
    return np.array(forwards), np.array(back[::-1])


def _root_mean_square(a: np.ndarray) -> np.ndarray:
    return np.sqrt(np.mean(a * a))
