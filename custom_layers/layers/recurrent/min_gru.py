"""minGRU, a GRU whose gates do not see the state: its cell and the layer."""

import keras
from keras import ops

from .scan import _ScanCell, _ScanLayer


@keras.saving.register_keras_serializable(package="keras_cookbook")
class MinGRUCell(_ScanCell):
    """One step of minGRU: a GRU's update gate, which sees the input but not the state.

    z = sigmoid(x W_z + b_z)
    n = activation(x W_n + b_n)
    h = (1 - z) * h_tm1 + z * n

    Args:
        units: size U of the state h, a positive integer.
        activation: function of the new content; None leaves it as it is.
        use_bias: whether b is added.
        kernel_*, bias_*: initializers, regularizers and constraints of W (D, 2 U) and
            b (2 U): those of z come first.
        dropout: rate at which entries of x are dropped in training, with one mask for
            all steps of a sequence.
        seed: integer that makes the dropout repeatable.

    Input: x (B, D) and [h_tm1 (B, U)]. Output: h (B, U) and [h].
    Raises: ValueError for units that are not a positive integer.

    A kernel of zeros leaves the gate half open and writes 0, so half of h is kept:

    >>> cell = MinGRUCell(1, kernel_initializer="zeros")
    >>> h, _ = cell(keras.ops.ones((1, 5)), [keras.ops.array([[8.0]])])
    >>> float(h[0, 0])
    4.0

    Paper: Feng, Tung, Ahmed, Bengio, Hajimirsadeghi, "Were RNNs all we needed?", 2024.
    https://arxiv.org/abs/2410.01201
    """

    gates = 2

    def coefficients(self, z) -> tuple:
        z, n = ops.split(z, 2, axis=-1)
        z = ops.sigmoid(z)
        n = self.activation(n)
        return 1 - z, z * n


@keras.saving.register_keras_serializable(package="keras_cookbook")
class MinGRU(_ScanLayer):
    """minGRU, a recurrent layer that computes blocks of steps side by side.

    h_t = (1 - z_t) * h_tm1 + z_t * n_t, where the gate z_t and the new content n_t,
    whose formula `MinGRUCell` shows, depend on x_t alone. What several steps do
    to h can therefore be joined before h is known: the layer takes about 2 sqrt(T)
    rounds, each for many steps, in place of T.

    Args:
        units, activation, ..., dropout, seed: see `MinGRUCell`.
        activity_regularizer: penalty on the output.
        return_sequences: whether to return every h_t instead of the last one.
        return_state: whether to return the final h too.
        go_backwards: whether to read the sequence from its last step to its first.
        stateful: whether a batch starts from the final state of the batch before it.
        zero_output_for_mask: whether masked steps return zeros instead of repeating
            the output of the step before them; it concerns return_sequences only.

    Call: sequences, initial_state, mask (B, T), training. A masked step leaves the
        state as it is. Where TensorFlow makes a program before it knows T, the layer
        computes step by step.
    Input shape: (B, T, D). Output shape: (B, units), or (B, T, units).
    Raises: ValueError for units that are not a positive integer.
    Differs from the paper: it scans h, not its logarithm, so that n may be negative.
        The paper's positive n is `activation=lambda v: keras.ops.where(v >= 0, v + 0.5,
        keras.ops.sigmoid(v))`.

    It returns what a loop over the steps returns:

    >>> x = keras.random.normal((2, 100, 5), seed=1)
    >>> layer = MinGRU(3, return_sequences=True)
    >>> loop = keras.layers.RNN(layer.cell, return_sequences=True)
    >>> bool(keras.ops.max(keras.ops.abs(layer(x) - loop(x))) < 1e-5)
    True

    Paper: Feng, Tung, Ahmed, Bengio, Hajimirsadeghi, "Were RNNs all we needed?", 2024.
    https://arxiv.org/abs/2410.01201
    """

    kind_of_cell = MinGRUCell
    name_of_cell = "min_gru_cell"
