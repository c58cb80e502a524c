"""Recurrent cells: one step in time, from (x_t, h_tm1) to h_t.

A cell shows its formula; weights, dropout and configuration are in `_Cell`. Cells run
inside `keras.layers.RNN`, alone or stacked, and inside the layers of layers.py.
"""

import contextlib

import keras
from keras import ops

from ...common.private_keras import CellWithDropout

_MODULES = {
    "activation": keras.activations,
    "initializer": keras.initializers,
    "regularizer": keras.regularizers,
    "constraint": keras.constraints,
}


def _module_of(name):
    """The Keras module that reads and writes the argument `name`, or None."""
    return _MODULES.get(name.rpartition("_")[2])


class _Cell(keras.layers.Layer, CellWithDropout):
    """What all cells share: W, U and b for `gates` gates, dropout, configuration.

    `scope` is the `locals()` of the subclass's __init__: each argument becomes an
    attribute of its name and a key of the configuration.
    """

    gates = 1

    def __init__(self, scope):
        own = ("self", "__class__", "kwargs")
        arguments = {k: v for k, v in scope.items() if k not in own}
        units, kwargs = scope["units"], scope["kwargs"]
        if not isinstance(units, int) or units <= 0:
            raise ValueError(
                "Received an invalid value for argument `units`, "
                f"expected a positive integer, got {units}."
            )
        implementation = kwargs.pop("implementation", 2)
        super().__init__(**kwargs)
        for name, value in arguments.items():
            module = _module_of(name)
            setattr(self, name, module.get(value) if module else value)
        self._names = tuple(arguments)
        self.dropout = min(1.0, max(0.0, self.dropout))
        self.recurrent_dropout = min(1.0, max(0.0, self.recurrent_dropout))
        self.implementation = 1 if self.recurrent_dropout else implementation
        if self.gates > 1 and self.implementation == 1:
            self.dropout_mask_count = self.gates  # each gate has noise of its own
        self.seed_generator = keras.random.SeedGenerator(self.seed)
        self.state_size = self.output_size = units
        self.bias_shape = (self.gates * units,)
        self.bias = None
        self._at_hand = None

    def build(self, input_shape):
        width = self.gates * self.units
        self.kernel = self._add("kernel", (input_shape[-1], width), "kernel")
        self.recurrent_kernel = self._add(
            "recurrent_kernel", (self.units, width), "recurrent"
        )
        if self.use_bias:
            self.bias = self._add(
                "bias", self.bias_shape, "bias", initializer=self._start_of_bias
            )

    def _add(self, name, shape, prefix, **more):
        """A weight with the initializer, regularizer and constraint of `prefix`."""
        roles = ("initializer", "regularizer", "constraint")
        ways = {role: getattr(self, f"{prefix}_{role}") for role in roles}
        return self.add_weight(name=name, shape=shape, **{**ways, **more})

    def _start_of_bias(self, shape, dtype=None):
        return self.bias_initializer(shape, dtype=dtype)

    @contextlib.contextmanager
    def weights_at_hand(self):
        """Within it `call` finds its weights read, once for all steps.

        A layer runs its loop so, which saves several reads a step.
        """
        self._at_hand = self._read()
        try:
            yield
        finally:
            self._at_hand = None

    def _read(self):
        """W, U and b, as tensors."""
        W, U = map(ops.convert_to_tensor, (self.kernel, self.recurrent_kernel))
        return W, U, None if self.bias is None else ops.convert_to_tensor(self.bias)

    def _sum(self, x, h, training):
        """x W + h U + b, x and h under dropout."""
        mask_x, mask_h = self._masks(x, h, training)
        W, U, b = self._at_hand or self._read()
        z = _product(x, W, mask_x) + _product(h, U, mask_h)
        return z if b is None else z + b

    def _masks(self, x, h, training):
        if not training:
            return None, None
        return self.get_dropout_mask(x), self.get_recurrent_dropout_mask(h)

    def get_initial_state(self, batch_size=None):
        zeros = ops.zeros((batch_size, self.units), dtype=self.compute_dtype)
        return [zeros for _ in keras.tree.flatten(self.state_size)]

    def get_config(self):
        config = super().get_config()
        for name in self._names:
            module, value = _module_of(name), getattr(self, name)
            config[name] = module.serialize(value) if module else value
        return config


def _product(x, kernel, masks):
    """x kernel, with x under one dropout mask, or under one for each gate."""
    if masks is None:
        return ops.matmul(x, kernel)
    if not isinstance(masks, list):
        return ops.matmul(x * masks, kernel)
    kernels = ops.split(kernel, len(masks), axis=-1)
    return ops.concatenate(
        [ops.matmul(x * mask, part) for mask, part in zip(masks, kernels)], axis=-1
    )


@keras.saving.register_keras_serializable(package="keras_cookbook")
class SimpleRNNCell(_Cell):
    """One step of the plain recurrent network of Elman.

    h = activation(x W + h_tm1 U + b)

    Args:
        units: size U of the state h, a positive integer.
        activation: applied to the sum; None leaves it linear.
        use_bias: whether b is added.
        kernel_*, recurrent_*, bias_*: start values, penalties and projections of
            W, U and b.
        dropout, recurrent_dropout: share of x and of h_tm1 silenced in training, with
            one mask for all steps of a sequence.
        seed: integer that makes the dropout repeatable.

    Input: x (B, D) and [h_tm1 (B, U)]. Output: h (B, U) and [h].
    Raises: ValueError for units that are no positive integer.

    >>> x = keras.ops.ones((2, 7, 5))
    >>> keras.layers.RNN(SimpleRNNCell(3))(x).shape
    TensorShape([2, 3])

    Paper: Elman, "Finding structure in time", 1990.
    https://doi.org/10.1207/s15516709cog1402_1
    """

    def __init__(
        self,
        units,
        activation="tanh",
        use_bias=True,
        kernel_initializer="glorot_uniform",
        recurrent_initializer="orthogonal",
        bias_initializer="zeros",
        kernel_regularizer=None,
        recurrent_regularizer=None,
        bias_regularizer=None,
        kernel_constraint=None,
        recurrent_constraint=None,
        bias_constraint=None,
        dropout=0.0,
        recurrent_dropout=0.0,
        seed=None,
        **kwargs,
    ):
        super().__init__(locals())

    def call(self, inputs, states, training=False):
        h_tm1 = states[0] if keras.tree.is_nested(states) else states
        h = self.activation(self._sum(inputs, h_tm1, training))
        return h, [h] if keras.tree.is_nested(states) else h


@keras.saving.register_keras_serializable(package="keras_cookbook")
class LSTMCell(_Cell):
    """One step of long short-term memory: a carry c that gates write, keep and read.

    z_i, z_f, z_g, z_o = x W + h_tm1 U + b
    i, f, o = sigma(z_i), sigma(z_f), sigma(z_o)    write, keep, read
    c = f * c_tm1 + i * activation(z_g)
    h = o * activation(c)

    Args:
        units: size U of h and c, a positive integer.
        activation, recurrent_activation: of the carry, and sigma of the gates.
        use_bias: whether b is added.
        unit_forget_bias: b of the gate f starts at 1, so that c is kept at first.
        kernel_*, recurrent_*, bias_*: start values, penalties and projections of
            W, U and b.
        dropout, recurrent_dropout: share of x and of h_tm1 silenced in training, with
            one mask for all steps of a sequence.
        seed: integer that makes the dropout repeatable.

    Input: x (B, D) and [h_tm1, c_tm1], (B, U) each. Output: h (B, U) and [h, c].
    Raises: ValueError for units that are no positive integer.

    >>> x = keras.ops.ones((2, 7, 5))
    >>> keras.layers.RNN(LSTMCell(3))(x).shape
    TensorShape([2, 3])

    Paper: Hochreiter and Schmidhuber, "Long short-term memory", 1997, with the forget
    gate of Gers, Schmidhuber and Cummins, 2000.
    https://doi.org/10.1162/neco.1997.9.8.1735
    """

    gates = 4

    def __init__(
        self,
        units,
        activation="tanh",
        recurrent_activation="sigmoid",
        use_bias=True,
        kernel_initializer="glorot_uniform",
        recurrent_initializer="orthogonal",
        bias_initializer="zeros",
        unit_forget_bias=True,
        kernel_regularizer=None,
        recurrent_regularizer=None,
        bias_regularizer=None,
        kernel_constraint=None,
        recurrent_constraint=None,
        bias_constraint=None,
        dropout=0.0,
        recurrent_dropout=0.0,
        seed=None,
        **kwargs,
    ):
        super().__init__(locals())
        self.state_size = [units, units]

    def _start_of_bias(self, shape, dtype=None):
        if not self.unit_forget_bias:
            return self.bias_initializer(shape, dtype=dtype)
        b_i = self.bias_initializer((self.units,), dtype=dtype)
        b_go = self.bias_initializer((2 * self.units,), dtype=dtype)
        return ops.concatenate([b_i, ops.ones_like(b_i), b_go])

    def call(self, inputs, states, training=False):
        h_tm1, c_tm1 = states
        i, f, g, o = ops.split(self._sum(inputs, h_tm1, training), 4, axis=-1)
        sigma = self.recurrent_activation
        c = sigma(f) * c_tm1 + sigma(i) * self.activation(g)
        h = sigma(o) * self.activation(c)
        return h, [h, c]


@keras.saving.register_keras_serializable(package="keras_cookbook")
class GRUCell(_Cell):
    """One step of the gated recurrent unit: one gate mixes old and new, one resets.

    z, r = sigma(x W_z + h_tm1 U_z + b_z), sigma(x W_r + h_tm1 U_r + b_r)
    n = activation(x W_n + b_n + r * (h_tm1 U_n + b'_n))    reset_after
    n = activation(x W_n + b_n + (r * h_tm1) U_n)           else
    h = z * h_tm1 + (1 - z) * n

    With reset_after b has two rows, one beside x W and one beside h_tm1 U.

    Args:
        units: size U of the state h, a positive integer.
        activation, recurrent_activation: of the candidate n, and sigma of the gates.
        use_bias: whether b is added.
        kernel_*, recurrent_*, bias_*: start values, penalties and projections of
            W, U and b.
        dropout, recurrent_dropout: share of x and of h_tm1 silenced in training, with
            one mask for all steps of a sequence.
        reset_after: whether r acts after the product with U (as on GPUs) or before.
        seed: integer that makes the dropout repeatable.

    Input: x (B, D) and [h_tm1 (B, U)]. Output: h (B, U) and [h].
    Raises: ValueError for units that are no positive integer.

    >>> x = keras.ops.ones((2, 7, 5))
    >>> keras.layers.RNN(GRUCell(3))(x).shape
    TensorShape([2, 3])

    Paper: Cho, van Merrienboer, Gulcehre, Bahdanau, Bougares, Schwenk, Bengio,
    "Learning phrase representations using RNN encoder-decoder for statistical machine
    translation", 2014. https://arxiv.org/abs/1406.1078
    """

    gates = 3

    def __init__(
        self,
        units,
        activation="tanh",
        recurrent_activation="sigmoid",
        use_bias=True,
        kernel_initializer="glorot_uniform",
        recurrent_initializer="orthogonal",
        bias_initializer="zeros",
        kernel_regularizer=None,
        recurrent_regularizer=None,
        bias_regularizer=None,
        kernel_constraint=None,
        recurrent_constraint=None,
        bias_constraint=None,
        dropout=0.0,
        recurrent_dropout=0.0,
        reset_after=True,
        seed=None,
        **kwargs,
    ):
        super().__init__(locals())
        if reset_after:
            self.bias_shape = (2, 3 * units)

    def _read(self):
        """W, U and the biases beside x W and beside h U, as tensors."""
        b = 0 if self.bias is None else ops.convert_to_tensor(self.bias)
        b_x, b_h = (b[0], b[1]) if self.use_bias and self.reset_after else (b, 0)
        W, U = map(ops.convert_to_tensor, (self.kernel, self.recurrent_kernel))
        return W, U, b_x, b_h

    def call(self, inputs, states, training=False):
        h_tm1 = states[0] if keras.tree.is_nested(states) else states
        sigma = self.recurrent_activation
        W, U, b_x, b_h = self._at_hand or self._read()
        mask_x, mask_h = self._masks(inputs, h_tm1, training)
        x_z, x_r, x_n = ops.split(_product(inputs, W, mask_x) + b_x, 3, axis=-1)
        if self.reset_after:
            h_z, h_r, h_n = ops.split(_product(h_tm1, U, mask_h) + b_h, 3, axis=-1)
            h_n = sigma(x_r + h_r) * h_n
        else:
            U_zr, U_n = U[:, : 2 * self.units], U[:, 2 * self.units :]
            h_U = _product(h_tm1, U_zr, mask_h and mask_h[:2])
            h_z, h_r = ops.split(h_U, 2, axis=-1)
            h_n = _product(sigma(x_r + h_r) * h_tm1, U_n, mask_h and mask_h[2:])
        n = self.activation(x_n + h_n)
        z = sigma(x_z + h_z)
        h = z * h_tm1 + (1 - z) * n
        return h, [h] if keras.tree.is_nested(states) else h
