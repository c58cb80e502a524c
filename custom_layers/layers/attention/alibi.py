"""ALiBi, attention with linear biases: the nearer a key, the more it weighs."""

from typing import Any

import keras
from keras import ops

from .position_bias import _PositionBias, _relative_positions


@keras.saving.register_keras_serializable(package="keras_cookbook")
class ALiBi(_PositionBias):
    """Attention with linear biases: scores that fall with the distance of the key.

    y[h, i, j] = scores[h, i, j] - m_h |i - j|
    m_h = 2^(-8 h / heads)    h = 1 ... heads

    A head with a large m_h looks at its neighbours, one with a small m_h far back.
    Nothing is trained and there is no table that ends, so that a model can read texts
    longer than those of its training. CachedMultiHeadAttention and the transformer
    blocks take this layer as their `position_bias`.

    Call: layer(scores, start_index=0), where start_index is the position of the first
    query, a number or a tensor; the first key stands at 0.
    Input shape: (..., heads, T, S). Output shape: the same.
    Raises: ValueError for a number of heads that is unknown.
    Differs from the authors' code: the formula holds for any number of heads. Where
    that is not a power of two, theirs takes slopes of the two powers around it.
    Keras has no such class.

    Of two heads, the first one gives a key 6 % less weight for each step that it is
    farther away, the second one 0.4 %:

    >>> scores = keras.ops.zeros((2, 1, 3))  # of one query, to three keys
    >>> y = ALiBi()(scores, start_index=2)
    >>> y.numpy().tolist()
    [[[-0.125, -0.0625, 0.0]], [[-0.0078125, -0.00390625, 0.0]]]

    Paper: Press, Smith, Lewis, "Train short, test long: attention with linear biases
    enables input length extrapolation", 2022. https://arxiv.org/abs/2108.12409
    """

    def bias(self, queries: Any, keys: Any, start_index: Any = 0) -> Any:
        slopes = [
            2 ** (-8 * h / self.heads)
            for h in range(1, self.heads + 1)  # the first is the largest
        ]
        m = ops.convert_to_tensor(slopes, "float32")
        m = ops.reshape(m, (-1, 1, 1))

        distance = ops.abs(_relative_positions(queries, keys, start_index))
        distance = ops.cast(distance, "float32")

        return -m * distance  # heads T S
