"""Recurrent layers without dropout and other options that no recipe uses."""

import contextlib
from collections.abc import Iterator
from typing import Any

import keras
from keras import ops

from custom_layers.layers.recurrent.scan import _scan


class _Cell(keras.layers.Layer):
    """A recurrent cell with the weights W (D, G U), U (U, G U) and b (G U) of G gates.

    A subclass names the number of its gates and computes one step in `call`.
    """

    gates = 1

    def __init__(self, units: int) -> None:
        super().__init__()
        self.units = units
        self.state_size: int | list[int] = units
        self.output_size = units
        self.kernel_initializer = keras.initializers.get("glorot_uniform")
        self.recurrent_initializer = keras.initializers.get("orthogonal")
        # Unused, but the recipe's cell draws a seed here, and the next layer the next.
        self.seed_generator = keras.random.SeedGenerator()
        self._weights_of_loop: tuple | None = None

    def build(self, input_shape: tuple) -> None:
        width = self.gates * self.units
        self.kernel = self.add_weight(
            (input_shape[-1], width), self.kernel_initializer, name="kernel"
        )
        self.recurrent_kernel = self.add_weight(
            (self.units, width), self.recurrent_initializer, name="recurrent_kernel"
        )
        self._add_bias(width)

    def _add_bias(self, width: int) -> None:
        self.bias = self.add_weight((width,), "zeros", name="bias")

    @contextlib.contextmanager
    def weights_read_once(self) -> Iterator[None]:
        """A context in which `call` takes W, U and b as they were at its beginning.

        Reading the variables anew at every step would take time.
        """
        self._weights_of_loop = self._read_weights()
        try:
            yield
        finally:
            self._weights_of_loop = None

    def _current_weights(self) -> tuple:
        return self._weights_of_loop or self._read_weights()

    def _read_weights(self) -> tuple:
        """W, U and b, as tensors."""
        weights = self.kernel, self.recurrent_kernel, self.bias
        return tuple(ops.convert_to_tensor(weight) for weight in weights)

    def get_initial_state(self, batch_size: int | None = None) -> list:
        sizes = keras.tree.flatten(self.state_size)
        return [ops.zeros((batch_size, size), self.compute_dtype) for size in sizes]


class _RecurrentLayer(keras.layers.RNN):
    """A recurrent layer, whose cell holds the weights of a step."""

    cell_class: type[_Cell]

    def __init__(self, units: int, **kwargs: Any) -> None:
        super().__init__(self.cell_class(units), **kwargs)
        self.units = units
        self.supports_masking = True

    def inner_loop(
        self, sequences: Any, initial_state: Any, mask: Any, training: bool = False
    ) -> Any:
        with self.cell.weights_read_once():
            return super().inner_loop(sequences, initial_state, mask, training)


class SimpleRNNCell(_Cell):
    """One step of the plain recurrent network of Elman.

    h = activation(x W + h_tm1 U + b)
    """

    def call(self, inputs, states):
        (h_tm1,) = states
        W, U, b = self._current_weights()
        h = ops.tanh(ops.matmul(inputs, W) + ops.matmul(h_tm1, U) + b)
        return h, [h]


class SimpleRNN(_RecurrentLayer):
    """The plain recurrent network of Elman, run over a sequence.

    h_t = tanh(x_t W + h_tm1 U + b); the output is h_T, or every h_t.
    """

    cell_class = SimpleRNNCell


class LSTMCell(_Cell):
    """One step of long short-term memory, whose gates write, keep and read a carry c.

    z_i, z_f, z_g, z_o = x W + h_tm1 U + b
    i, f, o = sigma(z_i), sigma(z_f), sigma(z_o)    the gates: write, keep, read
    c = f * c_tm1 + i * tanh(z_g)
    h = o * tanh(c)
    """

    gates = 4

    def __init__(self, units: int) -> None:
        super().__init__(units)
        self.state_size = [units, units]

    def _add_bias(self, width: int) -> None:
        def initial(shape: tuple, dtype: str | None = None) -> Any:
            zeros = ops.zeros(self.units, dtype)
            return ops.concatenate([zeros, zeros + 1, zeros, zeros])  # it first keeps

        self.bias = self.add_weight((width,), initial, name="bias")

    def call(self, inputs, states):
        h_tm1, c_tm1 = states
        W, U, b = self._current_weights()
        z = ops.matmul(inputs, W) + ops.matmul(h_tm1, U) + b
        z_i, z_f, z_g, z_o = ops.split(z, 4, axis=-1)
        i, f, o = ops.sigmoid(z_i), ops.sigmoid(z_f), ops.sigmoid(z_o)
        c = f * c_tm1 + i * ops.tanh(z_g)
        h = o * ops.tanh(c)
        return h, [h, c]


class LSTM(_RecurrentLayer):
    """Long short-term memory, run over a sequence.

    h_t, c_t = cell(x_t, h_tm1, c_tm1), the step whose formula `LSTMCell` shows;
    the output is h_T, or every h_t.
    """

    cell_class = LSTMCell


class GRUCell(_Cell):
    """One step of the gated recurrent unit: gate z mixes old and new, gate r resets.

    z, r = sigma(x W_z + h_tm1 U_z + b_z), sigma(x W_r + h_tm1 U_r + b_r)
    n = tanh(x W_n + b_n + r * (h_tm1 U_n + b'_n))
    h = z * h_tm1 + (1 - z) * n

    b has two rows: the first is added to x W, the second to h_tm1 U.
    """

    gates = 3

    def _add_bias(self, width: int) -> None:
        self.bias = self.add_weight((2, width), "zeros", name="bias")

    def call(self, inputs, states):
        (h_tm1,) = states
        W, U, b = self._current_weights()
        x_z, x_r, x_n = ops.split(ops.matmul(inputs, W) + b[0], 3, axis=-1)
        h_z, h_r, h_n = ops.split(ops.matmul(h_tm1, U) + b[1], 3, axis=-1)
        r = ops.sigmoid(x_r + h_r)
        z = ops.sigmoid(x_z + h_z)
        n = ops.tanh(x_n + r * h_n)
        h = z * h_tm1 + (1 - z) * n
        return h, [h]


class GRU(_RecurrentLayer):
    """The gated recurrent unit, run over a sequence.

    h_t = cell(x_t, h_tm1), the step whose formula `GRUCell` shows;
    the output is h_T, or every h_t.
    """

    cell_class = GRUCell


class MinGRUCell(keras.layers.Layer):
    """One step of minGRU, whose gate z sees the input but not the state.

    z, n = sigma(x W_z + b_z), x W_n + b_n
    h = (1 - z) * h_tm1 + z * n
    """

    def __init__(self, units: int) -> None:
        super().__init__()
        self.units = units
        self.state_size = units
        self.output_size = units
        self.kernel_initializer = keras.initializers.get("glorot_uniform")
        # Unused, but the recipe's cell draws a seed here, and the next layer the next.
        self.seed_generator = keras.random.SeedGenerator()

    def build(self, input_shape: tuple) -> None:
        width = 2 * self.units
        shape = input_shape[-1], width
        self.kernel = self.add_weight(shape, self.kernel_initializer, name="kernel")
        self.bias = self.add_weight((width,), "zeros", name="bias")

    def coefficients(self, x: Any) -> tuple:
        """(a, b) of h = a * h_tm1 + b"""
        z, n = ops.split(ops.matmul(x, self.kernel) + self.bias, 2, axis=-1)
        z = ops.sigmoid(z)
        return 1 - z, z * n

    def call(self, inputs, states):
        (h_tm1,) = states
        a, b = self.coefficients(inputs)
        h = a * h_tm1 + b
        return h, [h]

    def get_initial_state(self, batch_size: int | None = None) -> list:
        return [ops.zeros((batch_size, self.units), self.compute_dtype)]


class MinGRU(keras.layers.RNN):
    """minGRU, run over a sequence in blocks of steps side by side.

    h_t = cell(x_t, h_tm1), the step whose formula `MinGRUCell` shows;
    the output is h_T, or every h_t.
    """

    def __init__(self, units: int, **kwargs: Any) -> None:
        super().__init__(MinGRUCell(units), **kwargs)

    def inner_loop(
        self, sequences: Any, initial_state: Any, mask: Any, training: bool = False
    ) -> Any:
        if sequences.shape[1] is None:  # TensorFlow does not know it yet: step by step
            return super().inner_loop(sequences, initial_state, mask, training)
        a, b = self.cell.coefficients(sequences)
        hs = _scan(a, b, initial_state[0])
        return hs[:, -1], hs, [hs[:, -1]]


class Bidirectional(keras.layers.Layer):
    """A recurrent layer that runs over the sequence in both directions.

    y = [y_f, y_b], where y_b is turned back to the order of time
    """

    def __init__(self, layer: _RecurrentLayer, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        options = {"return_sequences": True, "zero_output_for_mask": True}
        kind, units = type(layer), layer.units
        self.forward_layer = kind(units, name="forward", **options)
        self.backward_layer = kind(units, name="backward", go_backwards=True, **options)

    def build(self, sequences_shape: tuple) -> None:
        self.forward_layer.build(sequences_shape)
        self.backward_layer.build(sequences_shape)

    def call(self, sequences, mask=None):
        y_f = self.forward_layer(sequences, mask=mask)
        y_b = self.backward_layer(sequences, mask=mask)
        return ops.concatenate([y_f, ops.flip(y_b, axis=1)], axis=-1)
