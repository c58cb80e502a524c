"""ConvLSTM, an LSTM for sequences of images: its cell and the layers."""

from typing import Any

import keras
from keras import ops

from ...common.checks import channel_order, integer_tuple, one_of, positive_integer
from ...common.inputs import as_floats, of_any_batch
from ...common.types import (
    Activation,
    Config,
    Constraint,
    DataFormat,
    Initializer,
    Regularizer,
    Seed,
    Shape,
    Size,
)
from .layer import _of_cell, _RecurrentLayer, _with_rank
from .lstm import LSTMCell


class _ConvLSTMCell(LSTMCell):
    """One step of ConvLSTM: that of an LSTM, with convolutions as its products."""

    fused_formula = None  # that of LSTMCell has products of matrices

    def __init__(
        self,
        rank: int,
        filters: int,
        kernel_size: Size,
        strides: Size,
        padding: str,
        data_format: DataFormat,
        dilation_rate: Size,
        **kwargs: Any,
    ) -> None:
        filters = positive_integer(filters, "filters")
        super().__init__(filters, implementation=1, **kwargs)
        self.rank = rank
        self.filters = filters
        self.kernel_size = integer_tuple(kernel_size, rank, "kernel_size")
        self.strides = integer_tuple(strides, rank, "strides")
        self.padding = one_of(str(padding).lower(), ("valid", "same"), "padding")
        self.data_format = channel_order(data_format)
        self.dilation_rate = integer_tuple(dilation_rate, rank, "dilation_rate")
        self.axis = -1 if self.data_format == "channels_last" else 1
        if max(self.strides) > 1 and max(self.dilation_rate) > 1:
            raise ValueError(
                "Specifying `strides > 1` is not compatible with `dilation_rate > 1`. "
                f"Received: strides={self.strides}, dilation_rate={self.dilation_rate}"
            )

    def build(self, input_shape: tuple) -> None:
        if None in input_shape[1:]:
            raise ValueError(
                "ConvLSTM has a kernel for each channel and a state for each place, so "
                "that their numbers must be known. "
                f"Received: the shape {tuple(input_shape)} of a step."
            )
        self.shape_of_step = tuple(input_shape[1:])
        self.shape_of_state = self.state_shape(input_shape)[1:]
        super().build(input_shape)

    def _kernel_shapes(self, input_shape: tuple) -> tuple[tuple, tuple]:
        width = self.gates * self.filters
        of_x = (*self.kernel_size, input_shape[self.axis], width)
        return of_x, (*self.kernel_size, self.filters, width)

    def state_shape(self, input_shape: Shape) -> Shape:
        """The shape of h and of c, which is that of the convolution of an input."""
        is_last = self.axis == -1
        places = input_shape[1:-1] if is_last else input_shape[2:]
        lengths = [self._length(n, axis) for axis, n in enumerate(places)]
        shape = (*lengths, self.filters) if is_last else (self.filters, *lengths)
        return (input_shape[0], *shape)

    def _length(self, length: int | None, axis: int) -> int | None:
        if length is None:
            return None
        reach = 0
        if self.padding == "valid":
            reach = self.dilation_rate[axis] * (self.kernel_size[axis] - 1)
        if reach >= length:
            raise ValueError(
                f"The kernel reaches over {reach + 1} places of an axis that has "
                f"{length}. Received: kernel_size={self.kernel_size}, "
                f"dilation_rate={self.dilation_rate}, padding={self.padding}. Take a "
                'smaller kernel, or padding="same".'
            )
        return -((reach - length) // self.strides[axis])  # rounded up

    def _sum(self, x, h_tm1, training: bool | None):
        """x * W + h_tm1 * U + b, with * a convolution; U keeps the size of h."""
        W, U, b = self._current_weights()
        mask_x, mask_h = self._dropout_masks(x, h_tm1, training)
        x_W = self._convolution(
            as_floats(x, self.compute_dtype),
            W,
            mask_x,
            strides=self.strides,
            padding=self.padding,
            dilation_rate=self.dilation_rate,
        )
        z = x_W + self._convolution(h_tm1, U, mask_h, padding="same")
        if b is not None and self.axis == 1:
            b = ops.reshape(b, (-1, *[1] * self.rank))
        return z if b is None else z + b

    def _convolution(self, x, kernel, masks, **options):
        """x * kernel, or the same with a dropout mask of x for each gate."""

        def convolve(x, kernel):
            return of_any_batch(
                lambda x: ops.conv(x, kernel, data_format=self.data_format, **options),
                x,
            )

        if masks is None:
            return convolve(x, kernel)
        kernels = ops.split(kernel, len(masks), axis=-1)
        pairs = zip(masks, kernels)
        parts = [convolve(x * mask, kernel) for mask, kernel in pairs]
        return ops.concatenate(parts, axis=self.axis)

    def get_initial_state(self, batch_size: int | None = None) -> list:
        shape = (batch_size, *self.shape_of_state)
        return [ops.zeros(shape, dtype=self.compute_dtype) for _ in range(2)]

    def get_config(self) -> Config:
        config = {
            **super().get_config(),
            "filters": self.filters,
            "kernel_size": self.kernel_size,
            "strides": self.strides,
            "padding": self.padding,
            "data_format": self.data_format,
            "dilation_rate": self.dilation_rate,
        }
        del config["units"]
        return config


class _ConvLSTM(_RecurrentLayer):
    """ConvLSTM for images with `rank` axes of places."""

    cell: _ConvLSTMCell
    rank = 0
    filters: int = _of_cell("filters")
    kernel_size: tuple = _of_cell("kernel_size")
    strides: tuple = _of_cell("strides")
    padding: str = _of_cell("padding")
    data_format: str = _of_cell("data_format")
    dilation_rate: tuple = _of_cell("dilation_rate")
    recurrent_activation = _of_cell("recurrent_activation")
    unit_forget_bias: bool = _of_cell("unit_forget_bias")

    def __init__(
        self,
        filters: int,
        kernel_size: Size,
        strides: Size = 1,
        padding: str = "valid",
        data_format: DataFormat = None,
        dilation_rate: Size = 1,
        activation: Activation = "tanh",
        recurrent_activation: Activation = "sigmoid",
        use_bias: bool = True,
        kernel_initializer: Initializer = "glorot_uniform",
        recurrent_initializer: Initializer = "orthogonal",
        bias_initializer: Initializer = "zeros",
        unit_forget_bias: bool = True,
        kernel_regularizer: Regularizer = None,
        recurrent_regularizer: Regularizer = None,
        bias_regularizer: Regularizer = None,
        activity_regularizer: Regularizer = None,
        kernel_constraint: Constraint = None,
        recurrent_constraint: Constraint = None,
        bias_constraint: Constraint = None,
        dropout: float = 0.0,
        recurrent_dropout: float = 0.0,
        seed: Seed = None,
        return_sequences: bool = False,
        return_state: bool = False,
        go_backwards: bool = False,
        stateful: bool = False,
        **kwargs: Any,
    ) -> None:
        cell = _ConvLSTMCell(
            rank=self.rank,
            filters=filters,
            kernel_size=kernel_size,
            strides=strides,
            padding=padding,
            data_format=data_format,
            dilation_rate=dilation_rate,
            activation=activation,
            recurrent_activation=recurrent_activation,
            use_bias=use_bias,
            kernel_initializer=kernel_initializer,
            recurrent_initializer=recurrent_initializer,
            bias_initializer=bias_initializer,
            unit_forget_bias=unit_forget_bias,
            kernel_regularizer=kernel_regularizer,
            recurrent_regularizer=recurrent_regularizer,
            bias_regularizer=bias_regularizer,
            kernel_constraint=kernel_constraint,
            recurrent_constraint=recurrent_constraint,
            bias_constraint=bias_constraint,
            dropout=dropout,
            recurrent_dropout=recurrent_dropout,
            seed=seed,
            dtype=kwargs.get("dtype"),
            trainable=kwargs.get("trainable", True),
            name="conv_lstm_cell",
        )
        super().__init__(
            cell,
            return_sequences=return_sequences,
            return_state=return_state,
            go_backwards=go_backwards,
            stateful=stateful,
            activity_regularizer=activity_regularizer,
            **kwargs,
        )
        self.input_spec = keras.layers.InputSpec(ndim=self.rank + 3)

    def _loop(self, sequences, initial_state, mask, training: bool = False):
        if None in sequences.shape[2:]:  # known when the layer was built
            batch_and_time = ops.shape(sequences)[:2]
            shape = (*batch_and_time, *self.cell.shape_of_step)
            sequences = ops.reshape(sequences, shape)
        if mask is not None:
            # Keras's loop on JAX needs the axes, or it lays the batch along the images.
            mask = _with_rank(mask, self.rank + 3)
        return super()._loop(sequences, initial_state, mask, training)

    def compute_output_shape(
        self, sequences_shape: tuple, initial_state_shape: Any = None
    ) -> tuple:
        batch, steps, *shape = sequences_shape
        state = self.cell.state_shape((batch, *shape))
        y = (batch, steps, *state[1:]) if self.return_sequences else state
        return (y, state, state) if self.return_state else y


@keras.saving.register_keras_serializable(package="keras_cookbook")
class ConvLSTM1D(_ConvLSTM):
    """ConvLSTM for sequences of rows, such as the spectra of a recording.

    The formula is that of ConvLSTM2D, with convolutions along one axis.

    Args, call, raises, differs from Keras: as in ConvLSTM2D.
    Input shape: (B, T, W, C), or (B, T, C, W) with channels_first.
    Output shape: (B, W', filters), or (B, T, W', filters) with return_sequences.

    A pulse that moves changes every frame, and the layer follows it: its answer to a
    moved sequence is its moved answer.

    >>> import numpy as np
    >>> pulse = np.zeros((1, 3, 12, 1), "float32")
    >>> for t in range(3):
    ...     pulse[0, t, 3 + t] = 1
    >>> layer = ConvLSTM1D(2, 3, padding="same")
    >>> h, moved = layer(pulse), layer(np.roll(pulse, 4, axis=2))
    >>> np.allclose(np.roll(h, 4, axis=1), moved, atol=1e-6)
    True

    Paper: Shi, Chen, Wang, Yeung, Wong, Woo, "Convolutional LSTM network: a machine
    learning approach for precipitation nowcasting", 2015.
    https://arxiv.org/abs/1506.04214
    """

    rank = 1


@keras.saving.register_keras_serializable(package="keras_cookbook")
class ConvLSTM2D(_ConvLSTM):
    """ConvLSTM for sequences of images, whose memory is an image too.

    z_i, z_f, z_g, z_o = x * W + h_tm1 * U + b    where * is a convolution
    i, f, o = sigma(z_i), sigma(z_f), sigma(z_o)
    c = f c_tm1 + i activation(z_g)
    h = o activation(c)

    W has the given strides, padding and dilation; U keeps the size of h.

    Args:
        filters: number of channels of h and c, a positive integer.
        kernel_size, strides, padding, data_format, dilation_rate: as in Conv2D;
            padding is "valid" or "same".
        activation, ..., recurrent_dropout, seed: as in LSTM. Each gate has dropout
            masks of its own.
        return_sequences, return_state, go_backwards, stateful: as in LSTM.

    Call: sequences, initial_state [h, c], mask (B, T), training.
    Input shape: (B, T, H, W, C), or (B, T, C, H, W) with channels_first; H, W and C
        must be known.
    Output shape: (B, H', W', filters), or (B, T, H', W', filters) with
        return_sequences; H' and W' as in Conv2D.
    Raises: ValueError for arguments that Conv2D refuses, and for images whose size is
        unknown or below the kernel.
    Differs from Keras: one convolution of x, and one of h, makes all gates; a mask is
        right on JAX too, where Keras lays it along the images; zero_output_for_mask,
        unrolled loops, states and sequences without steps as in LSTM.

    Only the frame before the last one tells where the dot is going. The memory of the
    layer tells the two ways apart:

    >>> import numpy as np
    >>> right, left = np.zeros((2, 1, 2, 5, 5, 1), "float32")
    >>> right[0, 0, 2, 1] = left[0, 0, 2, 3] = 1
    >>> right[0, 1, 2, 2] = left[0, 1, 2, 2] = 1
    >>> layer = ConvLSTM2D(2, 3, padding="same")
    >>> bool(np.abs(layer(right) - layer(left)).max() > 1e-3)
    True

    Paper: Shi, Chen, Wang, Yeung, Wong, Woo, "Convolutional LSTM network: a machine
    learning approach for precipitation nowcasting", 2015.
    https://arxiv.org/abs/1506.04214
    """

    rank = 2


@keras.saving.register_keras_serializable(package="keras_cookbook")
class ConvLSTM3D(_ConvLSTM):
    """ConvLSTM for sequences of volumes, such as scans of a beating heart.

    The formula is that of ConvLSTM2D, with convolutions along three axes.

    Args, call, raises, differs from Keras: as in ConvLSTM2D.
    Input shape: (B, T, D, H, W, C), or (B, T, C, D, H, W) with channels_first.
    Output shape: (B, D', H', W', filters), or (B, T, D', H', W', filters) with
        return_sequences.

    A mask hides missing scans: they change nothing.

    >>> import numpy as np
    >>> scans = np.random.default_rng(0).normal(size=(1, 3, 4, 4, 4, 1))
    >>> layer = ConvLSTM3D(2, 3)
    >>> masked = layer(scans, mask=np.array([[True, False, True]]))
    >>> np.allclose(masked, layer(scans[:, [0, 2]]), atol=1e-6)
    True

    Paper: Shi, Chen, Wang, Yeung, Wong, Woo, "Convolutional LSTM network: a machine
    learning approach for precipitation nowcasting", 2015.
    https://arxiv.org/abs/1506.04214
    """

    rank = 3
