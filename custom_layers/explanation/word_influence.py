"""How much each word of a text speaks for a class."""

import numpy as np


def influence(model, ids, label, unknown):
    """How much each word of a text speaks for a label, (T,).

    influence[t] = log-odds(label | text) - log-odds(label | text with t unknown)

    model: logits from word ids; ids: (T,) without padding; label: one of the classes;
    unknown: the id that stands for a word outside the vocabulary.

    Paper: Li, Monroe, Jurafsky, "Understanding neural networks through representation
    erasure", 2016. https://arxiv.org/abs/1612.08220
    """
    erased = np.where(np.eye(len(ids), dtype=bool), unknown, ids)  # T, T
    log_p = _log_softmax(model.predict(np.vstack([ids, erased]), 64, verbose=0))
    others = np.delete(log_p, label, 1)
    odds = log_p[:, label] - np.log(np.exp(others).sum(1) + 1e-300)
    return odds[0] - odds[1:]


def _log_softmax(logits):
    z = logits.astype("float64") - logits.max(-1, keepdims=True)
    return z - np.log(np.exp(z).sum(-1, keepdims=True))
