"""Batches of arrays, in an order that can be repeated."""

import keras
import numpy as np

POOL = 50  # batches among which rows are sorted by length


class Batches(keras.utils.PyDataset):
    """Batches of arrays; the order is a function of (seed, epoch) and nothing else.

    x, y: arrays of equal length, or nested tuples or dicts of them
    seed: None keeps the arrays' own order and the last, smaller batch
    padded: rows are token ids that end in zeros; a batch then holds rows of like
        length, without the columns that are zero in all of them; where x has several
        arrays, such as source and target, the longest row counts
    steps: batches of an epoch; without it, as many as the arrays fill
    """

    def __init__(self, x, y, batch_size, seed=None, padded=False, steps=None):
        super().__init__()
        self.parts = x, y
        self.batch_size = batch_size
        self.seed = seed
        self.padded = padded
        arrays = keras.tree.flatten(x)
        self._count = len(arrays[0])
        self._lengths = np.max([_length(ids) for ids in arrays], 0) if padded else None
        self.steps = steps or self._whole_batches()
        self._asked_for_shapes = padded
        self.start_epoch(0)

    def _whole_batches(self):
        whole, rest = divmod(self._count, self.batch_size)
        return max(1, whole) if self.seed is not None else whole + bool(rest)

    def start_epoch(self, epoch, first=0):
        """Draws the epoch's order; the last examples that fill no batch wait.

        first: the batch to begin with, where the epoch goes on after a break.
        """
        self._first = first
        self._order = np.arange(self._count)
        if self.seed is None:
            return
        rng = np.random.default_rng([self.seed, epoch])
        self._order = rng.permutation(self._count)
        if self.padded:
            self._order = self._like_lengths_together(rng)

    def _like_lengths_together(self, rng):
        """The order, sorted by length within each POOL of batches, batches shuffled."""
        batches = []
        whole = self._order[: self.steps * self.batch_size]
        for pool in np.split(whole, range(0, len(whole), POOL * self.batch_size)[1:]):
            pool = pool[np.argsort(self._lengths[pool], kind="stable")]
            batches += np.split(pool, range(0, len(pool), self.batch_size)[1:])
        return np.concatenate([batches[i] for i in rng.permutation(len(batches))])

    def __len__(self):
        return self.steps - self._first

    def on_epoch_begin(self):
        """Keras's call before it takes the first batch to learn from."""
        self._asked_for_shapes = False

    def __getitem__(self, index):
        """The batch `index` after the first.

        Before an epoch begins Keras looks at two batches: what is equal in both of
        their shapes must be so in all. Lengths are not: the second of the two gets more
        columns than any batch has.
        """
        rows = self._order[(self._first + index) * self.batch_size :][: self.batch_size]
        widen = self._asked_for_shapes and index % 2
        return keras.tree.map_structure(
            lambda part: self._take(part, rows, widen), self.parts
        )

    def _take(self, part, rows, widen):
        taken = part[rows]
        if not (self.padded and taken.ndim == 2 and taken.dtype.kind == "i"):
            return taken
        if widen:
            return np.pad(taken, ((0, 0), (0, 1)))
        return taken[:, : max(1, _length(taken).max())]


def training_steps(config, examples: int, least: int = 1) -> int:
    """The number of gradient steps of a whole training, `least` at the smallest.

    config: with epochs and batch_size; examples: of the training part.
    """
    return max(least, config.epochs * max(1, examples // config.batch_size))


def joined(first, second):
    """The examples of two parts (x, y) of a data set as one part."""
    return keras.tree.map_structure(_stacked, first, second)


def _stacked(first, second):
    """The rows of both arrays; token ids of unequal length get zeros at their end."""
    if first.ndim == 2 and first.shape[1] != second.shape[1]:
        width = max(first.shape[1], second.shape[1])
        first, second = (
            np.pad(part, ((0, 0), (0, width - part.shape[1])))
            for part in (first, second)
        )
    return np.concatenate([first, second])


def _length(ids):
    """Number of columns up to the last that is not 0, of each row."""
    return (ids.shape[1] - (ids != 0)[:, ::-1].argmax(1)) * ids.any(1)
