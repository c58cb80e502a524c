"""Formulas of papers in NumPy, for what Keras lacks, and how far a component is off.

Each function of CHECKS takes a component, the real one or a mutant, and returns its
largest relative error.
"""

import keras
import numpy as np
from keras import ops

from loss_cases import AsLayer
from oracle import array, run_layer


def log_softmax(z):
    z = z - z.max(-1, keepdims=True)
    return z - np.log(np.exp(z).sum(-1, keepdims=True))


def token_crossentropy(y, z, e):
    """(loss, its gradient to z): the mean over the tokens that are not 0."""
    V = z.shape[-1]
    truth = (1 - e) * np.eye(V)[y] + e / V  # B, T, V
    is_token = (y != 0)[..., None]
    log_p = log_softmax(z)
    loss = -np.sum(truth * log_p * is_token) / is_token.sum()
    return loss, (np.exp(log_p) - truth) * is_token / is_token.sum()


def frechet_distance(x, y):
    """Of features (samples, D); S T has the eigenvalues of a symmetric matrix."""
    x, y = x.astype("float64"), y.astype("float64")
    m, n, S, T = x.mean(0), y.mean(0), np.cov(x.T), np.cov(y.T)
    root = np.sqrt(np.abs(np.linalg.eigvals(S @ T).real)).sum()
    return np.sum((m - n) ** 2) + np.trace(S) + np.trace(T) - 2 * root


def mode_overlap(samples, centres, spread):
    """Counted sample by sample."""
    near = [0] * len(centres)
    for sample in samples:
        for mode, centre in enumerate(centres):
            near[mode] += np.linalg.norm(sample - centre) < 3 * spread
    return sum(min(count / len(samples), 1 / len(centres)) for count in near)


def share_of_tokens(y, scores):
    """Token accuracy, counted token by token."""
    right = [scores[at].argmax() == y[at] for at in zip(*np.nonzero(y))]
    return sum(right) / len(right)


def wholly_right(y, scores):
    """Of each sequence, whether all its tokens are right."""
    return [
        all(scores[b, t].argmax() == y[b, t] for t in np.nonzero(y[b])[0])
        for b in range(len(y))
    ]


def judge(D=3, classes=2):
    """A judge whose features are the image's own numbers."""
    x = keras.Input((D,))
    return keras.Model(x, [keras.layers.Identity()(x), keras.layers.Dense(classes)(x)])


def small_network(trainable=True):
    """A network of which the gradient of a logit to its feature maps is known."""
    return keras.Sequential(
        [
            keras.Input((5, 6, 2)),
            keras.layers.Conv2D(4, 1, use_bias=False, trainable=trainable),
            keras.layers.GlobalAveragePooling2D(),
            keras.layers.Dense(3, use_bias=False, trainable=trainable),
        ]
    )


def heat_of_small_network(model, x, classes):
    """After a mean over places, d logit[c] / d A_k[i, j] = V[k, c] / (H * W)."""
    W, V = (np.array(w, "float64") for w in model.get_weights())
    A = np.einsum("bijc,ck->bijk", x.astype("float64"), W[0, 0])
    a = V[:, classes].T / A[0, ..., 0].size  # B, K
    return np.maximum(np.einsum("bk,bijk->bij", a, A), 0)


class Bag:
    """A model whose logits are sums of the scores of the words."""

    def __init__(self, scores):
        self.scores = np.array(scores, "float32")  # words, classes

    def predict(self, ids, **_):
        return self.scores[ids].sum(1)


def influence_in_a_bag(scores, ids, label, unknown):
    """From probabilities, with one word after the other erased."""

    def log_odds(ids):
        p = np.exp(log_softmax(scores[ids].sum(0)))
        return np.log(p[label] / (1 - p[label]))

    erased = [[*ids[:t], unknown, *ids[t + 1 :]] for t in range(len(ids))]
    return np.array([log_odds(ids) - log_odds(other) for other in erased])


def relative_error(found, wanted):
    found, wanted = np.array(found, "float64"), np.array(wanted, "float64")
    assert found.shape == wanted.shape
    return np.abs(found - wanted).max() / np.abs(wanted).max()


def _token_crossentropy(cls):
    y = np.array([[1, 2, 3, 4], [4, 0, 0, 0]])
    z = array(2, 4, 5) * 2
    errors = []
    for e in (0.0, 0.2):
        loss, gradient = token_crossentropy(y, z.astype("float64"), e)
        found = run_layer(AsLayer(cls(e), y), z)
        slope = found["gradient to input 0"] / array(seed=3)
        errors.append(relative_error(found["output 0"], loss))
        errors.append(relative_error(slope, gradient))
    return max(errors)


def _frechet_distance(cls):
    x = array(120, 3) @ array(3, 3, seed=1) + 1
    y = array(120, 3, seed=2) @ array(3, 3, seed=3) - 1
    metric = cls(judge())
    for start in (0, 50, 100):
        part = slice(start, start + 50)
        metric.update_state(x[part], y[part])
    return relative_error(metric.result(), frechet_distance(x, y))


def _mode_overlap(cls):
    centres = np.array([[0.0, 0.0], [3.0, 0.0], [0.0, 3.0]], "float32")
    samples = np.repeat(centres, [20, 6, 4], axis=0) + array(30, 2) * 0.3
    metric = cls(centres, 0.2)
    metric.update_state(None, samples[:10])
    metric.update_state(None, samples[10:])
    return relative_error(metric.result(), mode_overlap(samples, centres, 0.2))


def _token_metric(formula):
    def check(function):
        y = np.array([[1, 2, 3], [2, 0, 0], [3, 1, 0], [1, 0, 0]])
        scores = np.eye(4)[[[1, 2, 3], [2, 3, 3], [3, 2, 1], [2, 0, 0]]]
        found = function(ops.convert_to_tensor(y), ops.convert_to_tensor(scores))
        found = ops.convert_to_numpy(ops.cast(found, "float32"))
        return relative_error(found, np.ones(len(y)) * formula(y, scores))

    return check


def _grad_cam(function):
    model, x, classes = small_network(), array(5, 5, 6, 2), np.array([0, 1, 2, 0, 1])
    heat = function(model, model.layers[0], x, classes)
    return relative_error(heat, heat_of_small_network(model, x, classes))


def _influence(function):
    scores, ids = array(6, 3), [2, 5, 1, 3, 2]
    found = function(Bag(scores), np.array(ids), label=1, unknown=1)
    return relative_error(found, influence_in_a_bag(scores, ids, 1, 1))


CHECKS = {
    "TokenCrossentropy": _token_crossentropy,
    "FrechetDistance": _frechet_distance,
    "ModeOverlap": _mode_overlap,
    "token_accuracy": _token_metric(share_of_tokens),
    "whole_answers": _token_metric(wholly_right),
    "grad_cam": _grad_cam,
    "influence": _influence,
}
