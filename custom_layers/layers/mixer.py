"""MixerBlock: the block of an MLP-Mixer, which mixes tokens and then channels."""

from typing import Any

import keras
from keras import ops

from ..common.checks import known_sizes, positive_integer, python_number
from ..common.inputs import as_floats
from ..common.types import Activation, Config, Initializer, Shape
from .block import _BlockBase


@keras.saving.register_keras_serializable(package="keras_cookbook")
class MixerBlock(_BlockBase):
    """Two small networks with residuals: one along the tokens, one along the channels.

    U = X + (W2 f(W1 norm(X)))              W1, W2 act on the T tokens of a channel
    Y = U + f(norm(U) W3) W4                W3, W4 act on the C channels of a token

    Each has biases. Tokens meet without attention: the weights between two places are
    fixed after training, whatever the places show.

    Args:
        tokens_dim: units between W1 and W2.
        channels_dim: units between W3 and W4.
        dropout: rate of the dropout before each residual sum.
        activation: the function f.
        layer_norm_epsilon: epsilon of the norms.
        kernel_initializer, bias_initializer: initializers of all kernels and biases.

    Input and output shape: (B, T, C), where T and C are known.
    Raises: ValueError for sizes that are not positive integers, for an unknown T or C.
    Keras has no such class. It takes no mask, since every token reaches every other.

    >>> layer = MixerBlock(8, 16)
    >>> x = keras.random.normal((1, 4, 6))
    >>> other = keras.ops.concatenate([x[:, :3], -x[:, 3:]], axis=1)  # token 3 differs
    >>> change = keras.ops.max(abs(layer(x) - layer(other)), axis=(0, 2))
    >>> bool(keras.ops.all(change > 1e-4))  # all tokens learn of it
    True

    Paper: Tolstikhin et al., "MLP-Mixer: an all-MLP architecture for vision", 2021.
    https://arxiv.org/abs/2105.01601
    """

    def __init__(
        self,
        tokens_dim: int,
        channels_dim: int,
        dropout: float = 0.0,
        activation: Activation = "gelu",
        layer_norm_epsilon: float = 1e-6,
        kernel_initializer: Initializer = "glorot_uniform",
        bias_initializer: Initializer = "zeros",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.tokens_dim = positive_integer(tokens_dim, "tokens_dim")
        self.channels_dim = positive_integer(channels_dim, "channels_dim")
        self.dropout = python_number(dropout)
        self.activation = keras.activations.get(activation)
        self.layer_norm_epsilon = python_number(layer_norm_epsilon)
        self.kernel_initializer = keras.initializers.get(kernel_initializer)
        self.bias_initializer = keras.initializers.get(bias_initializer)
        self.input_spec = keras.layers.InputSpec(ndim=3)

    def build(self, input_shape: Shape) -> None:
        T, C = known_sizes(input_shape, [1, 2], self)
        B = input_shape[0]
        self.rows = (-1, C, T)  # the shape of x with its tokens last
        self.token_norm = self._normalization("token_norm", (B, T, C))
        self.expand_tokens = self._dense(
            "expand_tokens", (B, C, T), self.tokens_dim, self.activation
        )
        self.contract_tokens = self._dense(
            "contract_tokens", (B, C, self.tokens_dim), T
        )
        self.channel_norm = self._normalization("channel_norm", (B, T, C))
        self.expand_channels = self._dense(
            "expand_channels", (B, T, C), self.channels_dim, self.activation
        )
        self.contract_channels = self._dense(
            "contract_channels", (B, T, self.channels_dim), C
        )
        self.dropout_layer = keras.layers.Dropout(self.dropout, dtype=self.dtype_policy)

    def call(self, inputs, training: bool | None = None):
        x = as_floats(inputs, self.compute_dtype)
        y = ops.swapaxes(self.token_norm(x), 1, 2)
        y = ops.reshape(y, self.rows)  # B, C, T
        y = self.contract_tokens(self.expand_tokens(y))
        y = ops.swapaxes(y, 1, 2)  # B, T, C
        x = x + self.dropout_layer(y, training=training)
        y = self.contract_channels(self.expand_channels(self.channel_norm(x)))
        return x + self.dropout_layer(y, training=training)

    def compute_output_shape(self, input_shape: Shape) -> Shape:
        return input_shape

    def get_config(self) -> Config:
        return {
            **super().get_config(),
            "tokens_dim": self.tokens_dim,
            "channels_dim": self.channels_dim,
            "dropout": self.dropout,
            "activation": keras.activations.serialize(self.activation),
            "layer_norm_epsilon": self.layer_norm_epsilon,
            "kernel_initializer": keras.initializers.serialize(self.kernel_initializer),
            "bias_initializer": keras.initializers.serialize(self.bias_initializer),
        }
