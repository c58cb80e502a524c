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


def numpy_yogi(w, gradients, lr=0.125, beta_1=0.875, beta_2=0.9375):
    m, v = 0.0, 2.0**-20
    for t, g in enumerate(gradients, 1):
        m = beta_1 * m + (1 - beta_1) * g
        v = v - (1 - beta_2) * np.sign(v - g * g) * g * g
        m_hat, root = m / (1 - beta_1**t), np.sqrt(1 - beta_2**t)
        w = w - lr * root * m_hat / (np.sqrt(v) + 1e-3)
        yield w


def numpy_novograd(w, gradients, lr=0.125, beta_1=0.875, beta_2=0.9375):
    """Algorithm 1, without weight decay; its first step sets m = g / |g|."""
    v = m = None
    for g in gradients:
        square = np.sum(g * g)
        v = square if v is None else beta_2 * v + (1 - beta_2) * square
        normalized = g / (np.sqrt(v) + 1e-7)
        m = normalized if m is None else beta_1 * m + normalized
        w = w - lr * m
        yield w


def numpy_cocob(w, gradients, alpha=100.0):
    """COCOB-Backprop, algorithm 2, with its start value of w."""
    start = w
    L = np.full_like(w, np.float32(1e-8))
    G = reward = theta = np.zeros_like(w)
    for g in gradients:
        L = np.maximum(L, np.abs(g))
        G = G + np.abs(g)
        reward = np.maximum(reward - (w - start) * g, 0)
        theta = theta - g
        w = start + theta / (L * np.maximum(G + L, alpha * L)) * (L + reward)
        yield w


def numpy_proximal_adagrad(w, gradients, lr=0.125, l1=0.25, l2=0.5):
    """The proximal step minimizes |u - v|^2 / 2 + r * (l1 * |v| + l2 * v^2 / 2)."""
    a = 0.125
    for g in gradients:
        a = a + g * g
        r = lr / np.sqrt(a)
        u = w - r * g
        positive, negative = (u - r * l1) / (1 + r * l2), (u + r * l1) / (1 + r * l2)
        w = np.where(positive > 0, positive, np.where(negative < 0, negative, 0))
        yield w


def numpy_frank_wolfe(w, gradients, lr=0.875, radius=2.0, ord="fro"):
    for g in gradients:
        if ord == "fro":
            s = -radius * g / (np.linalg.norm(g) + 1e-7)
        else:
            u, _, v = np.linalg.svd(g)
            s = -radius * np.outer(u[:, 0], v[0])
        w = lr * w + (1 - lr) * s
        yield w


def numpy_schedule_free(w, gradients, lr=0.125, beta_1=0.875, beta_2=0.9375, warmup=4):
    """Algorithm 1 with equal weights, in its own variables x, y and z."""
    z = x = y = w
    for t, g, _, v in moments(gradients, beta_1, beta_2):
        gamma = lr * min(1, t / warmup)
        z = z - gamma * g / (np.sqrt(v / (1 - beta_2**t)) + 1e-3)
        x = (1 - 1 / t) * x + z / t
        y = (1 - beta_1) * z + beta_1 * x
        yield y


def numpy_rprop(w, gradients, step=0.125):
    step, old = np.full_like(w, step), np.zeros_like(w)
    for g in gradients:
        g = g.copy()
        for at in np.ndindex(*w.shape):
            if g[at] * old[at] > 0:
                step[at] = min(1.25 * step[at], 50)
            elif g[at] * old[at] < 0:
                step[at] = max(0.5 * step[at], 1e-6)
                g[at] = 0
        w = w - np.sign(g) * step
        old = g
        yield w


def numpy_shampoo(w, gradients, lr=0.125, epsilon=0.25, frequency=1):
    """Algorithm 1, for matrices; with a frequency, the roots are kept in between."""
    L, R = epsilon * np.eye(w.shape[0]), epsilon * np.eye(w.shape[1])

    left = right = None

    def root(P):
        s, U = np.linalg.eigh(P)
        return U @ np.diag(s**-0.25) @ U.T

    for t, g in enumerate(gradients):
        L, R = L + g @ g.T, R + g.T @ g
        if t % frequency == 0:
            left, right = root(L), root(R)
        w = w - lr * left @ g @ right
        yield w


def numpy_soap(w, gradients, lr=0.125, beta_1=0.875, beta_2=0.9375, frequency=4):
    """Algorithms 3 and 4, for matrices; the first step only finds the eigenvectors."""
    L = R = m = v = 0.0
    Q_L, Q_R = (np.eye(size) for size in w.shape)
    for t, g in enumerate(gradients):
        if t > 0:
            m = beta_1 * m + (1 - beta_1) * g
            v = beta_2 * v + (1 - beta_2) * (Q_L.T @ g @ Q_R) ** 2
            m_hat = (Q_L.T @ m @ Q_R) / (1 - beta_1**t)
            root = np.sqrt(v) + 1e-8
            step = m_hat * np.sqrt(1 - beta_2**t) / root
            w = w - lr * Q_L @ step @ Q_R.T
        L = beta_2 * L + (1 - beta_2) * g @ g.T
        R = beta_2 * R + (1 - beta_2) * g.T @ g
        if t == 0:
            Q_L, Q_R = (np.linalg.eigh(P)[1][:, ::-1] for P in (L, R))
        elif t % frequency == 0:
            Q_L, Q_R = (np.linalg.qr(P @ Q)[0] for P, Q in ((L, Q_L), (R, Q_R)))
        yield w


def numpy_adaptive_clipping(w, gradients, lr=0.125, clipping=0.25):
    """Brock et al., equation 3, for matrices: a norm for each column."""
    for g in gradients:
        norm_w, norm_g = (np.linalg.norm(x, axis=0, keepdims=True) for x in (w, g))
        largest = clipping * np.maximum(norm_w, 1e-3)
        w = w - lr * largest / np.maximum(largest, norm_g) * g
        yield w


def numpy_centralization(w, gradients, lr=0.125):
    """Yong et al., equation 1, for matrices: a mean for each column."""
    for g in gradients:
        w = w - lr * (g - g.mean(axis=0, keepdims=True))
        yield w
