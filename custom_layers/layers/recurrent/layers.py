"""SimpleRNN, LSTM and GRU: a cell of cells.py run over a sequence."""

import inspect

import keras

from .cells import GRUCell, LSTMCell, SimpleRNNCell


def _of_cell(name):
    return property(lambda self: getattr(self.cell, name))


class _Recurrent(keras.layers.RNN):
    """What the layers share: a cell of `cell_class`, its arguments and configuration.

    `scope` is the `locals()` of the subclass's __init__: what the cell's __init__
    takes goes to the cell, everything else to keras.layers.RNN.
    """

    cell_class = None
    cell_name = None
    units = _of_cell("units")
    activation = _of_cell("activation")
    use_bias = _of_cell("use_bias")
    kernel_initializer = _of_cell("kernel_initializer")
    recurrent_initializer = _of_cell("recurrent_initializer")
    bias_initializer = _of_cell("bias_initializer")
    kernel_regularizer = _of_cell("kernel_regularizer")
    recurrent_regularizer = _of_cell("recurrent_regularizer")
    bias_regularizer = _of_cell("bias_regularizer")
    kernel_constraint = _of_cell("kernel_constraint")
    recurrent_constraint = _of_cell("recurrent_constraint")
    bias_constraint = _of_cell("bias_constraint")
    dropout = _of_cell("dropout")
    recurrent_dropout = _of_cell("recurrent_dropout")

    def __init__(self, scope):
        own = ("self", "__class__", "kwargs", "use_cudnn")
        arguments = {k: v for k, v in scope.items() if k not in own} | scope["kwargs"]
        cell = self.cell_class(
            **{k: arguments.pop(k) for k in self._cell_names() if k in arguments},
            dtype=arguments.get("dtype"),
            trainable=arguments.get("trainable", True),
            name=self.cell_name,
        )
        super().__init__(cell, **arguments)
        self.input_spec = keras.layers.InputSpec(ndim=3)
        if "use_cudnn" in scope:
            self.use_cudnn = _checked_cudnn(scope["use_cudnn"])

    @classmethod
    def _cell_names(cls):
        names = inspect.signature(cls.cell_class.__init__).parameters
        return [k for k in names if k not in ("self", "kwargs")] + ["implementation"]

    def call(
        self,
        sequences,
        initial_state=None,
        mask=None,
        training=False,
        sequences_mask=None,  # Keras fills this one where an initial_state is given
    ):
        mask = sequences_mask if mask is None else mask
        return super().call(sequences, initial_state, mask, training)

    def inner_loop(self, sequences, initial_state, mask, training=False):
        with self.cell.weights_at_hand():
            return super().inner_loop(sequences, initial_state, mask, training)

    def get_config(self):
        config, cell = super().get_config(), self.cell.get_config()
        del config["cell"]
        return {
            **config,
            **{k: cell[k] for k in self._cell_names() if k in cell},
            "activity_regularizer": keras.regularizers.serialize(
                self.activity_regularizer
            ),
        }

    @classmethod
    def from_config(cls, config):
        return cls(**config)


def _checked_cudnn(use_cudnn):
    if use_cudnn not in ("auto", True, False):
        raise ValueError(
            "Invalid value received for argument `use_cudnn`. Expected one of "
            f"{{'auto', True, False}}. Received: use_cudnn={use_cudnn}"
        )
    return use_cudnn


@keras.saving.register_keras_serializable(package="keras_cookbook")
class SimpleRNN(_Recurrent):
    """The plain recurrent network of Elman over a sequence.

    h_t = activation(x_t W + h_tm1 U + b); the output is h_T, or every h_t.

    Args:
        units ... recurrent_dropout, seed: of the cell, see `SimpleRNNCell`.
        activity_regularizer: penalty on the output.
        return_sequences: whether every h_t is returned, or the last one.
        return_state: whether the final state is returned too.
        go_backwards: runs from the last step to the first.
        stateful: a batch starts from the final state of the batch before it.
        unroll: writes the loop out, step by step.
        zero_output_for_mask: masked steps put out zeros, not the output before them.

    Call: sequences, initial_state, mask (B, T), training. A masked step leaves the
        state as it is.
    Input shape: (B, T, D). Output shape: (B, units), or (B, T, units).
    Raises: ValueError for units that are no positive integer.
    Differs from Keras: applies activity_regularizer; its configuration keeps the seed;
        the mask that the input carries counts with an initial_state, too.

    >>> SimpleRNN(3)(keras.ops.ones((2, 7, 5))).shape
    TensorShape([2, 3])

    Paper: Elman, "Finding structure in time", 1990.
    https://doi.org/10.1207/s15516709cog1402_1
    """

    cell_class = SimpleRNNCell
    cell_name = "simple_rnn_cell"

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
        activity_regularizer=None,
        kernel_constraint=None,
        recurrent_constraint=None,
        bias_constraint=None,
        dropout=0.0,
        recurrent_dropout=0.0,
        return_sequences=False,
        return_state=False,
        go_backwards=False,
        stateful=False,
        unroll=False,
        seed=None,
        **kwargs,
    ):
        super().__init__(locals())


@keras.saving.register_keras_serializable(package="keras_cookbook")
class LSTM(_Recurrent):
    """Long short-term memory over a sequence; `LSTMCell` has the formula of a step.

    (h_t, c_t) = cell(x_t, h_tm1, c_tm1); the output is h_T, or every h_t.

    Args:
        units ... recurrent_dropout, seed: of the cell, see `LSTMCell`.
        activity_regularizer: penalty on the output.
        return_sequences: whether every h_t is returned, or the last one.
        return_state: whether the final h and c are returned too.
        go_backwards: runs from the last step to the first.
        stateful: a batch starts from the final state of the batch before it.
        unroll: writes the loop out, step by step.
        zero_output_for_mask: masked steps put out zeros, not the output before them.
        use_cudnn: "auto", True or False, for compatibility; the loop is always ours.

    Call: sequences, initial_state [h, c], mask (B, T), training. A masked step leaves
        the state as it is.
    Input shape: (B, T, D). Output shape: (B, units), or (B, T, units).
    Raises: ValueError for units that are no positive integer, or another use_cudnn.
    Differs from Keras: never uses cuDNN; the mask that the input carries counts with
        an initial_state, too.

    >>> LSTM(3, return_sequences=True)(keras.ops.ones((2, 7, 5))).shape
    TensorShape([2, 7, 3])

    Paper: Hochreiter and Schmidhuber, "Long short-term memory", 1997.
    https://doi.org/10.1162/neco.1997.9.8.1735
    """

    cell_class = LSTMCell
    cell_name = "lstm_cell"
    recurrent_activation = _of_cell("recurrent_activation")
    unit_forget_bias = _of_cell("unit_forget_bias")

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
        activity_regularizer=None,
        kernel_constraint=None,
        recurrent_constraint=None,
        bias_constraint=None,
        dropout=0.0,
        recurrent_dropout=0.0,
        seed=None,
        return_sequences=False,
        return_state=False,
        go_backwards=False,
        stateful=False,
        unroll=False,
        use_cudnn="auto",
        **kwargs,
    ):
        super().__init__(locals())


@keras.saving.register_keras_serializable(package="keras_cookbook")
class GRU(_Recurrent):
    """The gated recurrent unit over a sequence; `GRUCell` has the formula of a step.

    h_t = cell(x_t, h_tm1); the output is h_T, or every h_t.

    Args:
        units ... recurrent_dropout, seed, reset_after: of the cell, see `GRUCell`.
        activity_regularizer: penalty on the output.
        return_sequences: whether every h_t is returned, or the last one.
        return_state: whether the final h is returned too.
        go_backwards: runs from the last step to the first.
        stateful: a batch starts from the final state of the batch before it.
        unroll: writes the loop out, step by step.
        zero_output_for_mask: masked steps put out zeros, not the output before them.
        use_cudnn: "auto", True or False, for compatibility; the loop is always ours.

    Call: sequences, initial_state, mask (B, T), training. A masked step leaves the
        state as it is.
    Input shape: (B, T, D). Output shape: (B, units), or (B, T, units).
    Raises: ValueError for units that are no positive integer, or another use_cudnn.
    Differs from Keras: never uses cuDNN; the mask that the input carries counts with
        an initial_state, too.

    >>> GRU(3)(keras.ops.ones((2, 7, 5))).shape
    TensorShape([2, 3])

    Paper: Cho, van Merrienboer, Gulcehre, Bahdanau, Bougares, Schwenk, Bengio,
    "Learning phrase representations using RNN encoder-decoder for statistical machine
    translation", 2014. https://arxiv.org/abs/1406.1078
    """

    cell_class = GRUCell
    cell_name = "gru_cell"
    recurrent_activation = _of_cell("recurrent_activation")
    reset_after = _of_cell("reset_after")

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
        activity_regularizer=None,
        kernel_constraint=None,
        recurrent_constraint=None,
        bias_constraint=None,
        dropout=0.0,
        recurrent_dropout=0.0,
        seed=None,
        return_sequences=False,
        return_state=False,
        go_backwards=False,
        stateful=False,
        unroll=False,
        reset_after=True,
        use_cudnn="auto",
        **kwargs,
    ):
        super().__init__(locals())
