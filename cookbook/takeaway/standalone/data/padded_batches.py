"""Batches of token ids whose rows end in zeros, in an order that can be repeated."""

from typing import Any

import keras
import numpy as np

from cookbook.data.batches import few_widths

POOL = 50  # batches whose rows are sorted by length together


class Batches(keras.utils.PyDataset):
    """Batches of token ids in an order that depends on the seed and the epoch alone.

    A batch holds rows of similar length and is cut to the smallest of a few widths that
    holds them. Without a seed the arrays keep their order, and the last batch may be
    smaller. Rows of numbers that are no ids, such as the vectors of texts, are shuffled
    one by one and never cut.
    """

    def __init__(
        self,
        x: Any,
        y: Any,
        batch_size: int,
        seed: int | None = None,
        steps: int | None = None,
    ) -> None:
        super().__init__()
        self.parts = x, y
        self.batch_size = batch_size
        self.seed = seed
        arrays = keras.tree.flatten(x)
        self.has_ids = arrays[0].dtype.kind == "i"
        self.lengths = np.max([_lengths(ids) for ids in arrays], axis=0)
        self.widths = few_widths(self.lengths)
        whole, rest = divmod(len(self.lengths), batch_size)
        filled = whole + bool(rest) if seed is None else max(1, whole)
        self.steps = steps or filled
        self.has_begun = False  # the first epoch
        self.start_epoch(0)

    def start_epoch(self, epoch: int) -> None:
        """Draws the order of an epoch; examples that fill no batch are left out."""
        self.order = np.arange(len(self.lengths))

        if self.seed is None:
            return
        rng = np.random.default_rng([self.seed, epoch])

        self.order = rng.permutation(len(self.order))
        if not self.has_ids:
            return
        order = self.order[: self.steps * self.batch_size]
        batches = []

        for pool in _pieces(order, POOL * self.batch_size):
            by_length = np.argsort(self.lengths[pool], kind="stable")
            batches += _pieces(pool[by_length], self.batch_size)
        shuffled = rng.permutation(len(batches))
        self.order = np.concatenate([batches[i] for i in shuffled])

    def __len__(self) -> int:
        return self.steps

    def on_epoch_begin(self) -> None:
        self.has_begun = True

    def __getitem__(self, index: int) -> Any:
        """The batch at `index`.

        Before the first epoch, Keras looks at two batches and takes an axis that is
        equally long in both as fixed, so the second one gets one more column.
        """
        start = index * self.batch_size
        rows = self.order[start : start + self.batch_size]
        widen = not self.has_begun and index % 2
        width = self.widths[self.widths.searchsorted(self.lengths[rows].max())]

        def taken(part: np.ndarray) -> np.ndarray:
            part = part[rows]
            if part.ndim < 2 or not self.has_ids:
                return part
            return _widened(part, part.shape[1] + 1) if widen else part[:, :width]

        return keras.tree.map_structure(taken, self.parts)


def joined(first: Any, second: Any) -> Any:
    """The examples of two parts (x, y) as one part; the narrower one gets zeros."""

    def both(a: np.ndarray, b: np.ndarray) -> np.ndarray:
        width = max(a.shape[1], b.shape[1]) if a.ndim > 1 else 0

        parts = [_widened(x, width) for x in (a, b) if width]

        return np.concatenate(parts or [a, b])

    return keras.tree.map_structure(both, first, second)


def _widened(rows: np.ndarray, width: int) -> np.ndarray:
    more_axes = ((0, 0),) * (rows.ndim - 2)

    return np.pad(rows, ((0, 0), (0, width - rows.shape[1]), *more_axes))


def _pieces(array: np.ndarray, size: int) -> list[np.ndarray]:
    """At least one piece, of `size` elements each; the last may be smaller."""
    return [array[i : i + size] for i in range(0, max(1, len(array)), size)]


def _lengths(ids: np.ndarray) -> np.ndarray:
    """For each row, the number of columns up to the last one that is not 0."""
    is_used = (ids != 0).any(tuple(range(2, ids.ndim)))
    from_the_end = is_used[:, ::-1].argmax(1)

    return (ids.shape[1] - from_the_end) * is_used.any(1)
