"""Recurrent formulas in NumPy, from their papers, one sequence after the other."""

import numpy as np

from oracle import array


def sigmoid(v):
    return 1 / (1 + np.exp(-v))


def softplus(v):
    return np.logaddexp(v, 0)


def with_weights(layer, x):
    """New weights of the layer, which x builds (None: it is built), as float64."""
    if x is not None:
        layer(x)
    weights = [array(*w.shape, seed=9) for w in layer.get_weights()]
    layer.set_weights(weights)
    return [w.astype("float64") for w in weights]


def loop_of_min_rnn(name, x, weights):
    """Sections 3.1 and 3.2 of Feng et al., without activation."""
    W, b = weights
    finals = []
    for sequence in x:
        h = np.zeros(W.shape[1] // (2 if name == "MinGRU" else 3))
        for x_t in sequence:
            z = x_t @ W + b
            if name == "MinGRU":
                z, n = np.split(z, 2)
                h = (1 - sigmoid(z)) * h + sigmoid(z) * n
            else:
                f, i, n = np.split(z, 3)
                f, i = sigmoid(f), sigmoid(i)
                h = f / (f + i) * h + i / (f + i) * n
        finals.append(h)
    return np.array(finals)


def scan_of_logarithms(name, x, weights):
    """All steps at once, as in appendix B of Feng et al., with contents g(n) > 0."""
    W, b = weights
    z = x @ W + b
    if name == "MinGRU":
        k, n = np.split(z, 2, axis=-1)
        log_a, log_b = -softplus(k), -softplus(-k)
    else:
        f, i, n = np.split(z, 3, axis=-1)
        difference = softplus(-f) - softplus(-i)
        log_a, log_b = -softplus(difference), -softplus(-difference)
    log_g = np.where(n >= 0, np.log(np.maximum(n, 0) + 0.5), -softplus(-n))
    before = np.cumsum(log_a, axis=1)
    sums = np.logaddexp.accumulate(log_b + log_g - before, axis=1)
    return np.exp(before + sums)


def nas(x, weights):
    """Figure 8 of Zoph and Le, with the projection of Addons where there is one."""
    W, U, b, *P = weights
    finals = []
    for sequence in x:
        c, h = np.zeros(U.shape[1] // 8), np.zeros(U.shape[0])
        for x_t in sequence:
            u, v = np.split(x_t @ W, 8), np.split(h @ U + b, 8)
            first = np.tanh(sigmoid(u[0] + v[0]) * np.maximum(u[1] + v[1], 0))
            second = np.tanh(sigmoid(u[2] + v[2]) + np.maximum(u[3] * v[3], 0))
            third = np.tanh(np.tanh(u[4] + v[4]) * sigmoid(u[5] + v[5]))
            fourth = sigmoid(np.tanh(u[6] + v[6]) + sigmoid(u[7] + v[7]))
            c = np.tanh(first + c) * second
            h = np.tanh(c * np.tanh(third + fourth))
            h = h @ P[0] if P else h
        finals.append(h)
    return np.array(finals)
