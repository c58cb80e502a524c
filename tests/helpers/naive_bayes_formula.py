"""Naive Bayes over n-grams, written with sets, and how far a layer is from it."""

import keras
import numpy as np

BUCKETS = 1000
# Tokens 0 to 5, 0 for padding at the end; in some texts an n-gram occurs twice.
TEXTS = np.array(
    [
        [3, 4, 3, 4, 0, 0],
        [5, 1, 2, 5, 1, 2],
        [4, 0, 0, 0, 0, 0],
        [1, 1, 1, 2, 0, 0],
        [2, 3, 4, 5, 1, 0],
        [5, 4, 0, 0, 0, 0],
        [2, 2, 5, 0, 0, 0],
    ],
    "int32",
)
LABELS = np.array([0, 1, 2, 1, 0, 0, 1])


def bucket(ngram):
    """The row of an n-gram; small tokens need no more than Python's integers."""
    h = ngram[0]
    for token in ngram[1:]:
        h = 40_503 * h + token
    wrapped = (h + 2**31) % 2**32 - 2**31
    return wrapped % BUCKETS


def distinct(text, longest):
    """The rows of the n-grams that a text has."""
    words = [int(token) for token in text if token]
    return {
        bucket(words[i : i + n])
        for n in range(1, longest + 1)
        for i in range(len(words) - n + 1)
    }


def ratios(texts, labels, classes, longest, alpha, fewest=1):
    """r, (buckets, classes), and b, (classes,)."""
    texts_with = np.zeros(BUCKETS)
    for text in texts:
        texts_with[list(distinct(text, longest))] += 1
    r, b = np.zeros((BUCKETS, classes)), np.zeros(classes)
    for c in range(classes):
        p, q = np.full(BUCKETS, alpha), np.full(BUCKETS, alpha)
        for text, label in zip(texts, labels):
            for g in distinct(text, longest):
                (p if label == c else q)[g] += 1
        r[:, c] = np.log(p / p.sum()) - np.log(q / q.sum())
        r[texts_with < fewest, c] = 0
        of_class, of_others = np.sum(labels == c), np.sum(labels != c)
        b[c] = np.log((of_class + alpha) / (of_others + alpha * (classes - 1)))
    return r, b


def error_of_naive_bayes(cls):
    """How far scores are from the formula, with weights v that differ from 1."""
    longest, alpha, fewest, classes = 2, 0.5, 2, 3
    layer = cls(BUCKETS, classes, longest, alpha, fewest)
    layer.adapt(TEXTS, LABELS)
    r, b = ratios(TEXTS, LABELS, classes, longest, alpha, fewest)
    v = np.random.default_rng(0).uniform(0.5, 1.5, r.shape)
    layer.kernel.assign(v)
    y = keras.ops.convert_to_numpy(layer(TEXTS))
    wanted = np.array(
        [b + sum((v * r)[g] for g in distinct(text, longest)) for text in TEXTS]
    )
    return np.abs(y - wanted).max() / np.abs(wanted).max()


ERRORS = {"NaiveBayesNgrams": error_of_naive_bayes}
