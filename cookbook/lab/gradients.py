"""Gradients: steps along them, their sizes, and their flow through layers."""

import numpy as np
from keras import ops


def take_steps(model, x, y, steps, batch_size=None, seed=0):
    """`steps` gradient steps of a compiled model, each on `batch_size` random examples.

    Without batch_size each step sees all of x and y (an array, or one for each output).
    It is one epoch of fit, since at an experiment's sizes most of the time would go
    into what happens between epochs.
    """
    if batch_size is None:
        rows = np.tile(np.arange(len(x)), steps)
    else:
        rows = np.random.default_rng(seed).integers(len(x), size=steps * batch_size)
    batch_size = batch_size or len(x)
    y = [part[rows] for part in y] if isinstance(y, list) else y[rows]
    model.fit(x[rows], y, batch_size=batch_size, shuffle=False, verbose=0)


def gradient_norms(model, x, y):
    """Norm of the loss's gradient to each layer's kernel, from the first layer up."""
    import tensorflow as tf

    kernels = [v for v in model.trainable_variables if v.name == "kernel"]
    with tf.GradientTape() as tape:
        loss = model.compute_loss(x, y, model(x, training=True))
    return np.array([np.linalg.norm(g) for g in tape.gradient(loss, kernels)])


def slope(f, x):
    """df/dx of an activation at every element of x, by automatic differentiation."""
    import tensorflow as tf

    x = tf.convert_to_tensor(x, "float64")
    with tf.GradientTape() as tape:
        tape.watch(x)
        y = f(x)
    return tape.gradient(y, x).numpy()


def flow(x, weights, f, gradient, inputs=None):
    """Root mean squares, layer by layer, of a signal forwards and its gradient back.

    forwards: z = h W (+ the layer's own input), h = f(z), from h = x
    back: dL/dh of the layer before = (dL/dh * f'(z)) W^T, from dL/dh = gradient on top
    x (..., B, D), each of weights (..., D, D): with more axes, several networks at once

    Returns: two arrays, the layers' h and the layers' dL/dz, each from the first layer.
    """
    h, sums, forwards, back = x, [], [], []
    for i, W in enumerate(weights):
        # NumPy's own product waits for its threads where other processes compute
        sums.append(np.array(ops.matmul(h, W)) + (0 if inputs is None else inputs[i]))
        h = np.array(f(sums[-1]))
        forwards.append(h)
    slopes = slope(f, np.stack(sums))
    for df, W in zip(reversed(slopes), reversed(weights)):
        back.append(gradient * df)
        gradient = np.array(ops.matmul(back[-1], np.swapaxes(W, -1, -2)))
    return [np.sqrt([np.mean(a * a) for a in part]) for part in (forwards, back[::-1])]
