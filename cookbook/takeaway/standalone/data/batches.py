"""Batches of arrays, in an order that can be repeated."""

from typing import Any

import keras
import numpy as np


class Batches(keras.utils.PyDataset):
    """Batches of arrays in an order that depends on the seed and the epoch alone.

    Without a seed the arrays keep their order, and the last batch may be smaller.
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
        self.count = len(keras.tree.flatten(x)[0])
        whole, rest = divmod(self.count, batch_size)
        filled = whole + bool(rest) if seed is None else max(1, whole)
        self.steps = steps or filled
        self.start_epoch(0)

    def start_epoch(self, epoch: int) -> None:
        """Draws the order of an epoch; examples that fill no batch are left out."""
        self.order = np.arange(self.count)
        if self.seed is not None:
            rng = np.random.default_rng([self.seed, epoch])
            self.order = rng.permutation(self.count)

    def __len__(self) -> int:
        return self.steps

    def __getitem__(self, index: int) -> Any:
        start = index * self.batch_size
        rows = self.order[start : start + self.batch_size]
        return keras.tree.map_structure(lambda part: part[rows], self.parts)


def joined(first: Any, second: Any) -> Any:
    """The examples of two parts (x, y) of a data set as one part."""
    return keras.tree.map_structure(lambda a, b: np.concatenate([a, b]), first, second)
