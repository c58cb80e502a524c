"""Batches of arrays, in an order that can be repeated."""

import keras
import numpy as np

POOL = 50  # batches among which rows are sorted by length


class Batches(keras.utils.PyDataset):
    """Batches of arrays; the order is a function of (seed, epoch) and nothing else.

    x, y: arrays of equal length, or nested tuples or dicts of them
    seed: None keeps the arrays' own order and the last, smaller batch
    padded: rows are token ids that end in zeros; a batch then holds rows of like
        length, without the columns that are zero in all of them
    """

    def __init__(self, x, y, batch_size, seed=None, padded=False):
        super().__init__()
        self.parts = x, y
        self.batch_size = batch_size
        self.seed = seed
        self.padded = padded
        first = keras.tree.flatten(x)[0]
        self._count = len(first)
        self._lengths = _length(first) if padded else None
        self.start_epoch(0)

    def start_epoch(self, epoch):
        """Draws the epoch's order; the last examples that fill no batch wait."""
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
        whole = self._order[: len(self) * self.batch_size]
        for pool in np.split(whole, range(0, len(whole), POOL * self.batch_size)[1:]):
            pool = pool[np.argsort(self._lengths[pool], kind="stable")]
            batches += np.split(pool, range(0, len(pool), self.batch_size)[1:])
        return np.concatenate([batches[i] for i in rng.permutation(len(batches))])

    def __len__(self):
        whole, rest = divmod(self._count, self.batch_size)
        return max(1, whole) if self.seed is not None else whole + bool(rest)

    def __getitem__(self, index):
        rows = self._order[index * self.batch_size :][: self.batch_size]
        batch = keras.tree.map_structure(lambda part: part[rows], self.parts)
        if not self.padded:
            return batch
        batch = keras.tree.map_structure(_trimmed, batch)
        if index == 1:  # Keras takes what its first two batches share for all batches'
            batch = keras.tree.map_structure(_of_other_width, batch, self[0])
        return batch


def _is_padded(part):
    return part.ndim == 2 and part.dtype.kind == "i"


def _trimmed(part):
    return part[:, : max(1, _length(part).max())] if _is_padded(part) else part


def _of_other_width(part, first):
    same = _is_padded(part) and part.shape[1] == first.shape[1]
    return np.pad(part, [(0, 0), (0, 1)]) if same else part


def _length(ids):
    """Number of columns up to the last that is not 0, of each row."""
    return (ids.shape[1] - (ids != 0)[:, ::-1].argmax(1)) * ids.any(1)
