"""Naive Bayes as a layer: n-grams that speak for a class, with trained weights."""

from typing import Any

import keras
import numpy as np
from keras import ops

from ..common.checks import positive_integer, python_number
from ..common.types import Config, Constraint, Initializer, Regularizer, Shape
from .embedding import MULTIPLIER

BATCH = 500  # texts that `adapt` counts at a time


@keras.saving.register_keras_serializable(package="keras_cookbook")
class NaiveBayesNgrams(keras.layers.Layer):
    """Scores of classes from n-grams, which begin as naive Bayes and learn (NB-SVM).

    "not good" is evidence of its own, whose strength is counted before it is trained.

    y[c] = b[c] + sum over the distinct n-grams g of a text: v[g, c] r[g, c]
    r[g, c] = log(p[g, c] / |p[c]|) - log(q[g, c] / |q[c]|)
    p[g, c] = alpha + number of texts of class c with g
    q[g, c] = alpha + number of texts of other classes with g

    |p[c]| is the sum of p over g. `adapt` counts r, which is never trained, and sets b
    to the log-odds of the classes. With v = 1 the layer is naive Bayes; training v
    and b is what the paper does with a support vector machine. N-grams of 1 to
    `max_ngram` tokens are found by hashing, as in BigramEmbedding:

    bucket of x[t], ..., x[t + n - 1] = h[n] mod num_buckets
    h[1] = x[t],  h[n] = 40503 h[n - 1] + x[t + n - 1]     in 32-bit integers

    Args:
        num_buckets: number of rows of r and v, larger than each token; n-grams whose
            hash is the same share a row.
        num_classes: number of scores.
        max_ngram: number of tokens of the longest n-grams.
        alpha: what is added to every count.
        min_count: r is 0 for what fewer texts hold. Training on the counted texts needs
            more than 1: an n-gram of a single text gives away its class.
        kernel_initializer, kernel_regularizer, kernel_constraint: start values of v, a
            penalty on it, its projection. Training goes better from less than 1.

    Input shape: (B, T), integers; 0 is padding, and no n-gram reaches over it. Output
        shape: (B, num_classes), logits.
    Raises: ValueError for sizes that are not positive integers, for fewer than two
        classes, for an alpha that is not above 0, and by `adapt` for labels that are
        not those of num_classes.
    Before `adapt`, r and so the scores are 0. Keras has no such class.

    >>> layer = NaiveBayesNgrams(1000, num_classes=2, max_ngram=2)
    >>> good, bad, _not = 1, 2, 3
    >>> texts = [[good, 0], [good, 0], [_not, bad], [bad, 0], [bad, 0], [_not, good]]
    >>> layer.adapt(texts, [1, 1, 1, 0, 0, 0])
    >>> scores = layer(keras.ops.array(texts))
    >>> keras.ops.argmax(scores, axis=-1).numpy().tolist()  # the pairs decide
    [1, 1, 1, 0, 0, 0]

    Paper: Wang, Manning, "Baselines and bigrams: simple, good sentiment and topic
    classification", 2012. https://aclanthology.org/P12-2018
    """

    def __init__(
        self,
        num_buckets: int,
        num_classes: int,
        max_ngram: int = 3,
        alpha: float = 1.0,
        min_count: int = 1,
        kernel_initializer: Initializer = "ones",
        kernel_regularizer: Regularizer = None,
        kernel_constraint: Constraint = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.num_buckets = positive_integer(num_buckets, "num_buckets")
        self.num_classes = positive_integer(num_classes, "num_classes")
        if self.num_classes < 2:
            raise ValueError(
                "`num_classes` must be at least 2, since each class is compared with "
                f"the others. Received: num_classes={num_classes}"
            )
        self.max_ngram = positive_integer(max_ngram, "max_ngram")
        self.min_count = positive_integer(min_count, "min_count")
        self.alpha = python_number(alpha)
        if not self.alpha > 0:
            raise ValueError(
                f"`alpha` must be above 0, such as 1.0. Received: alpha={alpha}"
            )
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.kernel_regularizer = keras.regularizers.get(kernel_regularizer)
        self.kernel_constraint = keras.constraints.get(kernel_constraint)
        # Keras would cast the tokens to float16, which cannot hold large integers.
        self.autocast = False

    def build(self, input_shape: Shape | None = None) -> None:
        if self.built:
            return
        shape = self.num_buckets, self.num_classes
        self.kernel = self.add_weight(
            name="kernel",
            shape=shape,
            initializer=self.kernel_initializer,
            regularizer=self.kernel_regularizer,
            constraint=self.kernel_constraint,
        )
        self.bias = self.add_weight(
            name="bias", shape=(self.num_classes,), initializer="zeros"
        )
        self.ratios = self.add_weight(
            name="ratios", shape=shape, initializer="zeros", trainable=False
        )

    def adapt(self, texts: Any, labels: Any) -> None:
        """Counts the n-grams of texts, (N, T), whose classes are labels, (N,)."""
        texts, labels = np.asarray(texts), np.asarray(labels)
        C = self.num_classes
        if labels.shape != texts.shape[:1] or not _are_classes(labels, C):
            raise ValueError(
                f"`labels` must be a class from 0 to {C - 1} for each of the "
                f"{len(texts)} texts. Received: labels={labels}"
            )
        self.build()
        counts = self._counts(texts, labels)
        total = counts.sum(axis=1, keepdims=True)
        p = self.alpha + counts
        q = self.alpha + total - counts
        r = np.log(p / p.sum(axis=0)) - np.log(q / q.sum(axis=0))
        r[total[:, 0] < self.min_count] = 0
        self.ratios.assign(r)

        n = self.alpha + np.bincount(labels, minlength=C)
        others = n.sum() - n
        self.bias.assign(np.log(n / others))

    def _counts(self, texts: np.ndarray, labels: np.ndarray) -> np.ndarray:
        """The number of texts of each class with each n-gram, (num_buckets, C)."""
        counts = np.zeros((self.num_buckets, self.num_classes))
        for start in range(0, len(texts), BATCH):
            part = slice(start, start + BATCH)
            y = labels[part]
            ngrams = self._ngrams(texts[part])
            buckets, is_first = map(ops.convert_to_numpy, ngrams)

            for c in np.unique(y):
                of_class = y == c
                found = buckets[is_first & of_class[:, None]]
                counts[:, c] += np.bincount(found, minlength=self.num_buckets)

        return counts

    def _ngrams(self, x):
        """(buckets of the n-grams of each text, whether each is the first of its kind).

        The buckets are sorted, so that equal ones are neighbors.
        """
        x = ops.cast(x, "int32")  # B, T
        h, following = x, x
        is_ngram = ops.not_equal(x, 0)
        parts = []
        for n in range(1, self.max_ngram + 1):
            if n > 1:
                following = ops.pad(following[:, 1:], [[0, 0], [0, 1]])
                h = MULTIPLIER * h + following
                is_ngram = ops.logical_and(is_ngram, ops.not_equal(following, 0))
            bucket = h % self.num_buckets
            parts.append(ops.where(is_ngram, bucket, self.num_buckets))

        buckets = ops.concatenate(parts, axis=1)  # B, max_ngram T
        buckets = ops.sort(buckets, axis=1)
        before = ops.pad(buckets[:, :-1], [[0, 0], [1, 0]], constant_values=-1)
        is_other = ops.not_equal(buckets, before)
        is_bucket = buckets < self.num_buckets
        return buckets, ops.logical_and(is_other, is_bucket)

    def call(self, inputs):
        buckets, is_first = self._ngrams(inputs)
        rows = ops.minimum(buckets, self.num_buckets - 1)
        v = ops.take(self.kernel, rows, axis=0)  # B, max_ngram T, C
        r = ops.take(self.ratios, rows, axis=0)
        counts_once = ops.expand_dims(is_first, -1)
        evidence = ops.where(counts_once, v * r, 0.0)
        y = self.bias + ops.sum(evidence, axis=1)
        return ops.cast(y, self.compute_dtype)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return (input_shape[0], self.num_classes)

    def get_config(self) -> Config:
        return {
            **super().get_config(),
            "num_buckets": self.num_buckets,
            "num_classes": self.num_classes,
            "max_ngram": self.max_ngram,
            "alpha": self.alpha,
            "min_count": self.min_count,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
            "kernel_regularizer": keras.regularizers.serialize(self.kernel_regularizer),
            "kernel_constraint": keras.constraints.serialize(self.kernel_constraint),
        }


def _are_classes(labels: np.ndarray, count: int) -> bool:
    """Whether all labels are integers from 0 to below `count`."""
    is_whole = np.issubdtype(labels.dtype, np.integer)
    return bool(is_whole and np.all((labels >= 0) & (labels < count)))
