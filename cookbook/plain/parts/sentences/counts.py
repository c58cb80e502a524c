"""What words and pairs of words say of a text, in a plain script."""

import numpy as np
from keras import ops
from keras.initializers import Initializer
from keras.layers import Layer


class NaiveBayesNgrams(Layer):
    """Scores of classes: how much each word and pair speaks for them, times a weight.

    Row 0 of the tables says nothing: it is for padding, and for what comes again.
    """

    def __init__(
        self,
        buckets: int,
        classes: int,
        max_ngram: int,
        min_count: int,
        kernel_initializer: Initializer,
    ) -> None:
        super().__init__()
        self.shape = buckets, classes
        self.rarest = min_count

        self.kernel = self.add_weight(self.shape, kernel_initializer)
        self.ratios = self.add_weight(self.shape, "zeros", trainable=False)

    def rows_of(self, ids):
        following = ops.pad(
            ids[:, 1:],  # the next word
            [[0, 0], [0, 1]],
        )
        pairs = ops.where(following == 0, 0, 40503 * ids + following)
        rows = ops.concatenate([ids, pairs], 1) % self.shape[0]
        rows = ops.sort(rows, 1)

        before = ops.pad(
            rows[:, :-1],  # equal rows are neighbours now
            [[0, 0], [1, 0]],
        )
        return ops.where(rows == before, 0, rows)

    def adapt(self, texts: np.ndarray, labels: np.ndarray) -> None:
        """Counts in how many texts of each class each word and pair stands."""
        counts = np.zeros(self.shape)

        rows = ops.convert_to_numpy(self.rows_of(texts))
        np.add.at(counts, (rows, labels[:, None]), 1)
        counts[0] = 0

        total = counts.sum(1, keepdims=True)
        p = 1 + counts
        q = 1 + total - counts

        ratios = np.log(p / p.sum(0)) - np.log(q / q.sum(0))
        ratios = np.where(total < self.rarest, 0, ratios)
        self.ratios.assign(ratios)

    def call(self, ids):
        rows = self.rows_of(ids)
        evidence = ops.take(self.kernel, rows, 0) * ops.take(self.ratios, rows, 0)
        return ops.sum(evidence, 1)
