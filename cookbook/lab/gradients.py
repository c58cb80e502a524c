"""Gradients: the slope of an activation, sizes by layer, the flow through layers."""

from collections.abc import Callable, Sequence

import keras
import numpy as np
from keras import ops


def kernel_gradients(
    model: keras.Model, x: np.ndarray, y: np.ndarray
) -> list[np.ndarray]:
    """Gradient of a compiled model's loss for every kernel, from the first layer up."""
    import tensorflow as tf

    kernels = [v for v in model.trainable_variables if v.name == "kernel"]
    with tf.GradientTape() as tape:
        loss = model.compute_loss(x, y, model(x, training=True))
    gradients = tape.gradient(loss, kernels)
    return [np.array(gradient) for gradient in gradients]


def gradient_norms(model: keras.Model, x: np.ndarray, y: np.ndarray) -> np.ndarray:
    """Norm of the gradient for every kernel, from the first layer up."""
    return np.array([np.linalg.norm(g) for g in kernel_gradients(model, x, y)])


def slope(f: Callable, x: np.ndarray) -> np.ndarray:
    """df/dx of a function, element by element of x, by automatic differentiation."""
    import tensorflow as tf

    x = tf.convert_to_tensor(x, "float64")
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = f(x)
    return tape.gradient(y, x).numpy()


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
        z = np.array(ops.matmul(h, W))
        if inputs is not None:
            z = z + inputs[i]
        h = np.array(f(z))
        sums.append(z)
        forwards.append(_root_mean_square(h))

    slopes = slope(f, np.stack(sums))
    for df, W in zip(reversed(slopes), reversed(weights)):
        dz = gradient * df
        back.append(_root_mean_square(dz))
        gradient = np.array(ops.matmul(dz, np.swapaxes(W, -1, -2)))
    return np.array(forwards), np.array(back[::-1])


def _root_mean_square(a: np.ndarray) -> np.ndarray:
    return np.sqrt(np.mean(a * a))
