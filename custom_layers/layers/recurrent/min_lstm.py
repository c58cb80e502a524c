"""minLSTM, an LSTM whose gates do not see the state: its cell and the layer."""

import keras
from keras import ops

from .scan import _ScanCell, _ScanLayer


@keras.saving.register_keras_serializable(package="keras_cookbook")
class MinLSTMCell(_ScanCell):
    """One step of minLSTM: an LSTM's gates f and i, which see x only and sum to 1.

    f, i = sigmoid(x W_f + b_f), sigmoid(x W_i + b_i)
    n = activation(x W_n + b_n)
    h = f / (f + i) * h_tm1 + i / (f + i) * n

    Args:
        units: size U of the state h, a positive integer.
        activation: function of the new content; None leaves it as it is.
        use_bias: whether b is added.
        kernel_*, bias_*: initializers, regularizers and constraints of W (D, 3 U) and
            b (3 U), in the order f, i, n.
        dropout: rate at which entries of x are dropped in training, with one mask for
            all steps of a sequence.
        seed: integer that makes the dropout repeatable.

    Input: x (B, D) and [h_tm1 (B, U)]. Output: h (B, U) and [h].
    Raises: ValueError for units that are not a positive integer.

    A kernel of zeros opens both gates alike and writes 0, so half of h is kept:

    >>> cell = MinLSTMCell(1, kernel_initializer="zeros")
    >>> h, _ = cell(keras.ops.ones((1, 5)), [keras.ops.array([[8.0]])])
    >>> float(h[0, 0])
    4.0

    Paper: Feng, Tung, Ahmed, Bengio, Hajimirsadeghi, "Were RNNs all we needed?", 2024.
    https://arxiv.org/abs/2410.01201
    """

    gates = 3

    def coefficients(self, z) -> tuple:
        f, i, n = ops.split(z, 3, axis=-1)
        # The share of f, from the logarithms of both gates, which are never both 0:
        # log sigmoid(v) = -softplus(-v), and f / (f + i) = sigmoid(log f - log i).
        f = ops.sigmoid(ops.softplus(-i) - ops.softplus(-f))
        n = self.activation(n)
        return f, (1 - f) * n


@keras.saving.register_keras_serializable(package="keras_cookbook")
class MinLSTM(_ScanLayer):
    """minLSTM, a recurrent layer that computes blocks of steps side by side.

    h_t = f_t / (f_t + i_t) * h_tm1 + i_t / (f_t + i_t) * n_t, where the gates f_t and
    i_t and the new content n_t, whose formula `MinLSTMCell` shows, depend on x_t alone.
    There is no carry beside h, and many steps are taken at once: see `MinGRU`.

    Args:
        units, activation, ..., dropout, seed: see `MinLSTMCell`.
        activity_regularizer, return_sequences, return_state, go_backwards, stateful,
            zero_output_for_mask: as in `MinGRU`.

    Call: sequences, initial_state, mask (B, T), training, as in `MinGRU`.
    Input shape: (B, T, D). Output shape: (B, units), or (B, T, units).
    Raises: ValueError for units that are not a positive integer.
    Differs from the paper: as in `MinGRU`.

    Its state goes on where a sequence was left:

    >>> x = keras.random.normal((2, 100, 5), seed=1)
    >>> layer = MinLSTM(3, return_state=True)
    >>> whole, _ = layer(x)
    >>> _, h = layer(x[:, :60])
    >>> rest, _ = layer(x[:, 60:], initial_state=[h])
    >>> bool(keras.ops.max(keras.ops.abs(whole - rest)) < 1e-5)
    True

    Paper: Feng, Tung, Ahmed, Bengio, Hajimirsadeghi, "Were RNNs all we needed?", 2024.
    https://arxiv.org/abs/2410.01201
    """

    kind_of_cell = MinLSTMCell
    name_of_cell = "min_lstm_cell"
