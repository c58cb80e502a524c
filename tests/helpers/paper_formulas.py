"""Formulas of optimizers that Keras lacks, or fails at, in NumPy from their papers.

Each takes the start value of a weight and its gradients, and yields the weight after
each step, in float64.
"""

import numpy as np


def moments(gradients, beta_1=0.875, beta_2=0.9375):
    """(t, g, m, v) of Adam for every step."""
    m = v = 0.0
    for t, g in enumerate(gradients, 1):
        m = beta_1 * m + (1 - beta_1) * g
        v = beta_2 * v + (1 - beta_2) * g * g
        yield t, g, m, v


def numpy_rectified_adam(w, gradients, lr=0.125, beta_1=0.875, beta_2=0.9375):
    rho_inf = 2 / (1 - beta_2) - 1
    for t, _, m, v in moments(gradients, beta_1, beta_2):
        rho = rho_inf - 2 * t * beta_2**t / (1 - beta_2**t)
        m_hat = m / (1 - beta_1**t)
        if rho > 5:
            above = (rho - 4) * (rho - 2) * rho_inf
            below = (rho_inf - 4) * (rho_inf - 2) * rho
            length = np.sqrt(1 - beta_2**t) / (np.sqrt(v) + 1e-7)
            w = w - lr * m_hat * np.sqrt(above / below) * length
        else:
            w = w - lr * m_hat
        yield w


def numpy_adabelief(w, gradients, lr=0.125, beta_1=0.875, beta_2=0.9375):
    s, epsilon = 0.0, 1e-3
    for t, g, m, _ in moments(gradients, beta_1, beta_2):
        s = beta_2 * s + (1 - beta_2) * (g - m) ** 2 + epsilon
        s_hat = s / (1 - beta_2**t)
        w = w - lr * (m / (1 - beta_1**t)) / (np.sqrt(s_hat) + epsilon)
        yield w


def numpy_muon(w, gradients, lr=0.125):
    m = 0.0
    for g in gradients:
        m = 0.95 * m + g
        x = g + 0.95 * m
        x = x / (np.linalg.norm(x) + 1e-7)
        u, s, vt = np.linalg.svd(x, full_matrices=False)
        for _ in range(5):  # the iteration only acts on the singular values
            s = 3.4445 * s - 4.775 * s**3 + 2.0315 * s**5
        w = w - lr * 0.2 * np.sqrt(max(w.shape)) * (u * s) @ vt
        yield w


def numpy_lookahead(w, gradients, lr=0.125, k=4, alpha=0.3):
    slow = w
    for t, g in enumerate(gradients, 1):
        w = w - lr * g
        if t % k == 0:
            slow = w = slow + alpha * (w - slow)
        yield w
