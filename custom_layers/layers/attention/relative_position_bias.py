"""Relative position bias: a trained number for each head and range of distances."""

from typing import Any

import keras
import numpy as np
from keras import ops

from ...common.checks import positive_integer
from ...common.types import Config, Initializer
from .position_bias import _PositionBias, _relative_positions


@keras.saving.register_keras_serializable(package="keras_cookbook")
class RelativePositionBias(_PositionBias):
    """A trained bias of attention scores, by how far the key is before or behind.

    y[h, i, j] = scores[h, i, j] + embeddings[bucket(j - i), h]

    Half of the buckets of n = |j - i| hold one distance each; those of the others grow
    by a constant factor up to max_distance, and the last one has all beyond. With N
    buckets, e = N // 2:
    bucket(n) = n                                                      n < e
    bucket(n) = min(e + floor((N - e) log(n / e) / log(max_distance / e)), N - 1)
    If bidirectional, keys behind the query (j > i) have half of the buckets, the others
    the other half; otherwise they share the bucket of distance 0, which suits causal
    attention, since it hides them.

    CachedMultiHeadAttention and the transformer blocks take this layer as their
    `position_bias`; each makes a copy with a table of its own.

    Args:
        num_buckets: number of buckets.
        max_distance: distance from which on all keys are in the last bucket.
        bidirectional: whether keys behind the query have buckets of their own.
        initializer: initializer of the table.

    Call: layer(scores, start_index=0), as `ALiBi`.
    Input shape: (..., heads, T, S). Output shape: the same.
    Raises: ValueError for too few buckets, and for a max_distance within the first e.
    Differs from T5: there all blocks share one table. Keras has no such class.

    Near keys have a bucket each, far ones share one:

    >>> layer = RelativePositionBias(8, max_distance=16, bidirectional=False)
    >>> [layer.bucket(-n) for n in (0, 1, 3, 4, 5, 6, 8, 12, 1000)]
    [0, 1, 3, 4, 4, 5, 6, 7, 7]

    Paper: Raffel et al., "Exploring the limits of transfer learning with a unified
    text-to-text transformer", 2020. https://arxiv.org/abs/1910.10683
    """

    def __init__(
        self,
        num_buckets: int = 32,
        max_distance: int = 128,
        bidirectional: bool = True,
        initializer: Initializer = "uniform",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.num_buckets = positive_integer(num_buckets, "num_buckets")
        self.max_distance = positive_integer(max_distance, "max_distance")
        self.bidirectional = bidirectional
        self.initializer = keras.initializers.get(initializer)
        buckets = self.num_buckets
        if bidirectional:
            buckets //= 2
            if self.num_buckets % 2:
                raise ValueError(
                    "The `num_buckets` argument must be even, since keys before and "
                    f"behind have half each. Received: num_buckets={num_buckets}"
                )
        if buckets < 2 or self.max_distance <= buckets // 2:
            raise ValueError(
                f"Expected at least 2 buckets for a direction, and a `max_distance` "
                f"above half as many. Received: num_buckets={num_buckets}, "
                f"max_distance={max_distance}, bidirectional={bidirectional}"
            )
        self._before = _buckets(buckets, self.max_distance)
        places = range(-self.max_distance, self.max_distance + 1)
        self._places = np.array([self.bucket(place) for place in places], "int32")

    def build(self, input_shape: tuple) -> None:
        super().build(input_shape)
        self.embeddings = self.add_weight(
            name="embeddings",
            shape=(self.num_buckets, self.heads),
            initializer=self.initializer,
        )

    def bucket(self, relative_position: int) -> int:
        """The bucket of a key j - i places behind the query, or before it: below 0."""
        n = min(abs(relative_position), self.max_distance)
        if relative_position <= 0:
            return self._before[n]
        return self._before[n] + self.num_buckets // 2 if self.bidirectional else 0

    def bias(self, queries: Any, keys: Any, start_index: Any = 0) -> Any:
        places = _relative_positions(queries, keys, start_index)
        places = ops.clip(places, -self.max_distance, self.max_distance)
        buckets = ops.take(self._places, places + self.max_distance)  # T S
        # On TensorFlow columns have a dense gradient, and rows one for each T and S.
        return ops.take(ops.transpose(self.embeddings), buckets, axis=1)  # heads T S

    def get_config(self) -> Config:
        return {
            **super().get_config(),
            "num_buckets": self.num_buckets,
            "max_distance": self.max_distance,
            "bidirectional": self.bidirectional,
            "initializer": keras.initializers.serialize(self.initializer),
        }


def _buckets(N, max_distance):
    """The bucket of each distance 0 ... max_distance, as a tuple.

    n is beyond the k-th limit, e (max_distance / e)^(k / (N - e)), if
    (n / e)^(N - e) >= (max_distance / e)^k. Integers decide it without rounding errors.
    """
    e = N // 2
    buckets = list(range(e))
    k = 0
    for n in range(e, max_distance + 1):
        while k < N - e - 1 and _is_beyond(n, k + 1, e, N - e, max_distance):
            k += 1
        buckets.append(e + k)
    return tuple(buckets)


def _is_beyond(n, k, e, parts, max_distance):
    return n**parts * e**k >= max_distance**k * e**parts
