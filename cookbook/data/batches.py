"""Batches of arrays, in an order that can be repeated."""

import dataclasses
import typing

import keras
import numpy as np

POOL = 50  # batches whose rows are sorted by length together
LEAST = 20  # steps that an epoch should have
SMALLEST = 8  # examples; the statistics of a smaller batch say little
LARGEST = 2**28  # bytes of arrays that TensorFlow gets, perhaps as a copy
AT_ONCE = 2**15  # bytes of batches that TensorFlow gathers together, if they are small
MOST_WIDTHS = 8  # of batches of token ids
# Compiling a network for one more width takes about as long as reading so many tokens.
WORTH = 5_000


class Batches(keras.utils.PyDataset):
    """Batches of arrays in an order that depends on the seed and the epoch alone.

    Args:
        x, y: arrays of equal length, or nested tuples or dicts of such arrays.
        batch_size: examples per batch.
        seed: random seed of the order. With None the arrays keep their order, and the
            last batch may be smaller than the others.
        padded: whether rows are token ids with zeros at their end. Then a batch holds
            rows of similar length and is cut to the smallest of a few widths that holds
            them, so that a network is compiled for few shapes. Where x has several
            arrays, such as a source and a target, the longest row counts for all. A
            token may have several ids, such as those of its characters, on more axes.
        steps: batches per epoch; without it, as many as the arrays fill.
    """

    def __init__(
        self,
        x,
        y,
        batch_size: int,
        seed: int | None = None,
        padded: bool = False,
        steps: int | None = None,
    ) -> None:
        super().__init__()
        self.parts = x, y
        self.batch_size = batch_size
        self.seed = seed
        self.padded = padded
        arrays = keras.tree.flatten(x)
        self._count = len(arrays[0])
        self._lengths = np.zeros(self._count, int)  # of rows; used if they are padded
        if padded:
            self._lengths = np.max([_lengths(array) for array in arrays], axis=0)
            self._widths = few_widths(self._lengths)
        self.steps = steps or self._whole_batches()
        self._asked_for_shapes = padded
        self._rest: list[np.ndarray] = []  # one array: the rows that an epoch has left
        self.start_epoch(0)

    def _whole_batches(self) -> int:
        whole, rest = divmod(self._count, self.batch_size)
        if self.seed is None:
            return whole + bool(rest)
        return max(1, whole)

    def start_epoch(self, epoch: int, first: int = 0) -> None:
        """Draws the order of an epoch; examples that do not fill a batch are left out.

        first: the batch to begin with, where a run goes on in the middle of an epoch.
        """
        self._first = first
        self._order = self._order_of(epoch)
        self._rest[:] = [self._order[first * self.batch_size :]]

    def _order_of(self, epoch: int) -> np.ndarray:
        if self.seed is None:
            return np.arange(self._count)
        rng = np.random.default_rng([self.seed, epoch])
        order = rng.permutation(self._count)
        return self._sorted_in_pools(order, rng) if self.padded else order

    def _sorted_in_pools(
        self, order: np.ndarray, rng: np.random.Generator
    ) -> np.ndarray:
        """The order, sorted by length within each POOL of batches, batches shuffled."""
        order = order[: self.steps * self.batch_size]
        batches = []
        for pool in _pieces(order, POOL * self.batch_size):
            by_length = np.argsort(self._lengths[pool], kind="stable")
            batches += _pieces(pool[by_length], self.batch_size)
        shuffled = rng.permutation(len(batches))
        return np.concatenate([batches[i] for i in shuffled])

    def __len__(self) -> int:
        return self.steps - self._first

    def on_epoch_begin(self) -> None:
        """Notes that an epoch begins; Keras calls this before its first batch."""
        self._asked_for_shapes = False

    def __getitem__(self, index: int) -> tuple:
        """The batch at `index`, counted from the epoch's first one.

        Before an epoch begins, Keras looks at two batches and takes an axis that is
        equally long in both as fixed. Lengths of rows are not fixed, so the second of
        these batches gets one more column than any batch has.
        """
        start = (self._first + index) * self.batch_size
        rows = self._order[start : start + self.batch_size]
        if not self.padded:
            return keras.tree.map_structure(lambda part: part[rows], self.parts)
        widen = bool(self._asked_for_shapes and index % 2)
        longest = self._lengths[rows].max()
        width = self._widths[self._widths.searchsorted(longest)]

        def batch_of(part):
            return _cut(part[rows], width, widen)

        return keras.tree.map_structure(batch_of, self.parts)

    def pipeline(self) -> typing.Any:
        """The same batches, as `fit` gets them soonest.

        TensorFlow gathers the rows of arrays in memory itself: the threads of tf.data
        need no turn of Python's in each step. They are given the order of an epoch when
        the epoch begins. Where that is not possible, these Batches are returned.
        """
        arrays = keras.tree.flatten(self.parts)
        is_in_memory = all(type(array) is np.ndarray for array in arrays)
        is_small = is_in_memory and sum(array.nbytes for array in arrays) <= LARGEST
        if keras.backend.backend() != "tensorflow" or self.padded or not is_small:
            return self
        return self._dataset()

    def _bytes_of_a_batch(self) -> int:
        arrays = keras.tree.flatten(self.parts)
        rows = [array[:1] for array in arrays]
        of_an_example = sum(row.nbytes for row in rows)
        return of_an_example * self.batch_size

    def _dataset(self) -> typing.Any:
        import tensorflow as tf

        with tf.device("CPU:0"):  # where tf.data gathers, also if there is a GPU
            parts = keras.tree.map_structure(tf.convert_to_tensor, self.parts)
        size = self.batch_size
        steps = len(self)
        rest = self._rest

        def orders() -> typing.Iterator[np.ndarray]:
            # TensorFlow keeps this function until `keras.backend.clear_session`, so it
            # must not hold the arrays.
            yield from rest

        # Small batches are gathered several at once and then cut, because to start an
        # operation takes longer than to copy their rows.
        count = AT_ONCE // max(1, self._bytes_of_a_batch())
        some = max(1, count) * size

        def batches_of(order):
            end = steps * size
            order = order[:end]

            def gathered(start):
                rows = order[start : start + some]
                return keras.tree.map_structure(
                    lambda x: tf.gather(x, rows),
                    parts,
                )

            starts = tf.data.Dataset.range(0, end, some)
            return starts.map(gathered).rebatch(size)

        order = tf.TensorSpec([None], "int64")
        dataset = tf.data.Dataset.from_generator(orders, output_signature=order)
        dataset = dataset.flat_map(batches_of)
        length = tf.data.experimental.assert_cardinality(steps)
        return dataset.apply(length).prefetch(2)


def few_widths(lengths: np.ndarray) -> np.ndarray:
    """The widths, MOST_WIDTHS at most, to which rows of these lengths are padded.

    They need the fewest places that so many widths can. Each further width saves at
    least WORTH places, or else there are fewer widths.
    """
    if not len(lengths):
        return np.array([1])

    # Lengths are rounded up, to 100 different ones at most: that bounds the work.
    grain = max(1, -(-lengths.max() // 100))
    rounded = -(-lengths // grain) * grain
    ends, counts = np.unique(np.maximum(rounded, 1), return_counts=True)
    rows = counts.cumsum()  # that are no longer than each end

    # between[i, j]: the places of the rows after ends[i] up to ends[j], of that width
    between = (rows - rows[:, None]) * ends
    is_backwards = np.tri(len(ends), dtype=bool)  # i >= j

    # places[j]: the fewest places of the rows up to ends[j], with one width at first
    places = rows * ends
    last_cuts: list = []  # for each further width: where the one before the last ends
    while len(last_cuts) + 1 < MOST_WIDTHS:
        options = places[:, None] + between
        options = np.where(is_backwards, places, options)
        fewest = options.min(0)
        if places[-1] - fewest[-1] < WORTH:
            break

        last_cuts.append(options.argmin(0))
        places = fewest

    # The cuts are found from the last one to the first.
    chosen = [len(ends) - 1]
    for cut in reversed(last_cuts):
        chosen.append(cut[chosen[-1]])
    return ends[np.unique(chosen)]


def training_steps(config: typing.Any, examples: int, least: int = 1) -> int:
    """The number of gradient steps in a whole training, never below `least`.

    Args:
        config: a Config with `epochs` and `batch_size`.
        examples: examples in the training part.
        least: the smallest answer.
    """
    per_epoch = max(1, examples // config.batch_size)
    return max(least, config.epochs * per_epoch)


def for_few(config: typing.Any, examples: int) -> typing.Any:
    """The config, with smaller batches if an epoch would have fewer than LEAST steps.

    A batch_size that was chosen, and so differs from the recipe's, is left as it is.
    """
    fitting = max(SMALLEST, examples // LEAST)
    is_chosen = config.batch_size != type(config).batch_size
    if is_chosen or fitting >= config.batch_size:
        return config
    print(f"{examples} examples are few: a batch holds {fitting} of them")
    return dataclasses.replace(config, batch_size=fitting)


def balanced_weights(y: np.ndarray) -> dict[int, float]:
    """{class: weight of its examples}, so that all classes weigh equally; mean 1.

    With n_c of N examples in class c, of C classes:  weight_c = N / (C n_c)

    y: the number of each example's class, or rows of 0s with a 1 at the class.
    """
    numbers = y if y.ndim == 1 else y.argmax(-1)
    counts = np.bincount(numbers)
    present = np.flatnonzero(counts)
    weights = dict.fromkeys(range(len(counts)), 1.0)
    for label in present.tolist():
        weights[label] = float(len(numbers) / (len(present) * counts[label]))
    return weights


def joined(first, second):
    """The examples of two parts (x, y) of a data set as one part."""
    return keras.tree.map_structure(_stacked, first, second)


def _stacked(first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """The rows of both arrays; the narrower token ids get zeros at their end."""
    if first.ndim == 2 or (first.ndim > 2 and first.dtype.kind == "i"):
        width = max(first.shape[1], second.shape[1])
        first, second = _widened(first, width), _widened(second, width)
    return np.concatenate([first, second])


def _widened(rows: np.ndarray, width: int) -> np.ndarray:
    missing = width - rows.shape[1]
    more_axes = ((0, 0),) * (rows.ndim - 2)
    return np.pad(rows, ((0, 0), (0, missing), *more_axes)) if missing else rows


def _pieces(array: np.ndarray, size: int) -> list[np.ndarray]:
    """At least one piece, of `size` elements each; the last may be smaller."""
    starts = range(0, max(1, len(array)), size)
    return [array[start : start + size] for start in starts]


def _cut(rows: np.ndarray, width: int, widen: bool) -> np.ndarray:
    """Token ids cut to `width`, or widened by a column; other arrays as they are."""
    if rows.ndim < 2 or rows.dtype.kind != "i":
        return rows
    if widen:
        return _widened(rows, rows.shape[1] + 1)
    return rows[:, :width]


def _lengths(ids: np.ndarray) -> np.ndarray:
    """For each row, the number of columns up to the last one that is not 0."""
    more_axes = tuple(range(2, ids.ndim))
    is_used = (ids != 0).any(more_axes)
    from_the_end = is_used[:, ::-1].argmax(1)
    return (ids.shape[1] - from_the_end) * is_used.any(1)
