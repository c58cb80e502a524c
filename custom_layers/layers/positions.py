"""Position encodings: rotary, sinusoidal, learned, and learned together with tokens."""

from typing import Any

import keras
from keras import ops

from ..common.checks import nan_unless, positive_integer, python_number, within
from ..common.initial_values import fresh
from ..common.inputs import as_floats
from ..common.private_keras import build_at_init
from ..common.types import Config, Initializer
from .embedding import Embedding
from .fused_rotation import _fuses, _turned_at_once


def _frequencies(features, wavelength):
    """wavelength^(-2 i / features) for i = 0 ... features / 2 - 1, in float32."""
    i = ops.arange(0, features, 2, dtype="float32")
    return ops.power(float(wavelength), -i / features)


def _positions(length, start_index):
    """start_index, start_index + 1, ..., as many as `length`, in float32."""
    return ops.arange(length, dtype="float32") + ops.cast(start_index, "float32")


def _waves(position, features, wavelength):
    """Sines and cosines of positions (...), a pair per frequency: (..., features)."""
    angle = ops.expand_dims(position, -1) * _frequencies(features, wavelength)
    pairs = ops.stack([ops.sin(angle), ops.cos(angle)], axis=-1)
    return ops.reshape(pairs, (*ops.shape(position), features))


def _check_even(features):
    if features is None or features % 2:
        raise ValueError(
            "This layer encodes positions in pairs of features: expected an even "
            f"number of features, got {features}."
        )


@keras.saving.register_keras_serializable(package="keras_cookbook")
class RotaryEmbedding(keras.layers.Layer):
    """Rotary positions (RoPE): pairs of features turned by an angle per position.

    angle = (start_index + position) / scaling_factor * max_wavelength^(-2 i / D)
    y_i         = x_i cos(angle) - x_(i + D/2) sin(angle)        i < D/2
    y_(i + D/2) = x_(i + D/2) cos(angle) + x_i sin(angle)

    The product of a turned query and a turned key depends only on their distance.

    Args:
        max_wavelength: wavelength of the slowest pair, as a multiple of 2 pi positions.
        scaling_factor: number that positions are divided by; above 1 it lets a model
            read texts longer than those that it was trained on.
        sequence_axis, feature_axis: axes of the positions and of the features.

    Call: layer(x, start_index=0), where start_index is the position of the first token
    of x, a number or a tensor.
    Input shape: (B, T, ..., D), D even. Output shape: the same.
    Raises: ValueError for an odd number of features.

    >>> y = RotaryEmbedding()(keras.ops.ones((1, 6, 4)))[0]
    >>> products = y @ keras.ops.transpose(y)  # of every two positions
    >>> [round(float(products[t, t + 2]), 3) for t in range(4)]  # always 2 apart
    [1.167, 1.167, 1.167, 1.167]

    Paper: Su et al., "RoFormer: enhanced transformer with rotary position embedding",
    2021. https://arxiv.org/abs/2104.09864
    """

    def __init__(
        self,
        max_wavelength: float = 10000,
        scaling_factor: float = 1.0,
        sequence_axis: int = 1,
        feature_axis: int = -1,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.max_wavelength = python_number(max_wavelength)
        self.scaling_factor = python_number(scaling_factor)
        self.sequence_axis = python_number(sequence_axis)
        self.feature_axis = python_number(feature_axis)
        self.supports_masking = True
        build_at_init(self)

    def call(self, inputs, start_index: int = 0, training: bool | None = None):
        inputs = as_floats(inputs, self.compute_dtype)
        rank = len(inputs.shape)
        T, D = self.sequence_axis % rank, self.feature_axis % rank
        _check_even(inputs.shape[D])
        position = _positions(ops.shape(inputs)[T], start_index) / self.scaling_factor
        frequency = _frequencies(inputs.shape[D], self.max_wavelength)
        position = ops.reshape(position, [-1 if a == T else 1 for a in range(rank)])
        frequency = ops.reshape(frequency, [-1 if a == D else 1 for a in range(rank)])
        angle = position * frequency
        cos = ops.cast(ops.cos(angle), inputs.dtype)
        sin = ops.cast(ops.sin(angle), inputs.dtype)
        if _fuses(training, inputs, D):
            return _turned_at_once(inputs, cos, sin)
        first, second = ops.split(inputs, 2, axis=D)
        turned = first * cos - second * sin, second * cos + first * sin
        return ops.concatenate(turned, axis=D)

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        return input_shape

    def get_config(self) -> Config:
        return {
            **super().get_config(),
            "max_wavelength": self.max_wavelength,
            "scaling_factor": self.scaling_factor,
            "sequence_axis": self.sequence_axis,
            "feature_axis": self.feature_axis,
        }


@keras.saving.register_keras_serializable(package="keras_cookbook")
class SinePositionEncoding(keras.layers.Layer):
    """Sines and cosines of the position, one pair of features per frequency.

    y[position, 2 i]     = sin((start_index + position) max_wavelength^(-2 i / D))
    y[position, 2 i + 1] = cos((start_index + position) max_wavelength^(-2 i / D))

    Args:
        max_wavelength: wavelength of the slowest pair, as a multiple of 2 pi positions.

    Call: layer(x, start_index=0) returns the encoding only; add it to x.
    Input shape: (B, T, D), D even. Output shape: the same.
    Raises: ValueError for an odd number of features.

    >>> y = SinePositionEncoding()(keras.ops.zeros((1, 2, 2)))
    >>> print(y[0].numpy().round(2))  # sine and cosine of 0, then of 1
    [[0.   1.  ]
     [0.84 0.54]]

    Paper: Vaswani et al., "Attention is all you need", 2017.
    https://arxiv.org/abs/1706.03762
    """

    def __init__(self, max_wavelength: float = 10000, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.max_wavelength = python_number(max_wavelength)
        self.supports_masking = True
        build_at_init(self)

    def call(self, inputs, start_index: int = 0):
        inputs = as_floats(inputs, self.compute_dtype)
        _check_even(inputs.shape[-1])
        *_, T, D = ops.shape(inputs)
        position = _positions(T, start_index)
        encoding = _waves(position, D, self.max_wavelength)  # (T, D)
        return ops.broadcast_to(ops.cast(encoding, inputs.dtype), ops.shape(inputs))

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        return input_shape

    def get_config(self) -> Config:
        return {**super().get_config(), "max_wavelength": self.max_wavelength}


@keras.saving.register_keras_serializable(package="keras_cookbook")
class SinusoidalEmbedding(keras.layers.Layer):
    """Sines and cosines of given numbers, such as the timesteps of a diffusion model.

    y[..., 2 i]     = sin(x max_wavelength^(-2 i / D))
    y[..., 2 i + 1] = cos(x max_wavelength^(-2 i / D))

    Args:
        output_dim: number of features D, an even positive integer.
        max_wavelength: wavelength of the slowest pair, as a multiple of 2 pi.

    Input shape: (B, ...), integers or floats. Output shape: (B, ..., D).
    Raises: ValueError for an output_dim that is not a positive integer, or odd.
    Not in Keras. Half precision changes the output only: the angles have 32 bits, as 16
    bits cannot tell timestep 999 from 1000.

    >>> y = SinusoidalEmbedding(2)(keras.ops.array([0, 1, 1000]))
    >>> print(y.numpy().round(2))
    [[0.   1.  ]
     [0.84 0.54]
     [0.83 0.56]]

    Paper: Ho, Jain, Abbeel, "Denoising diffusion probabilistic models", 2020.
    https://arxiv.org/abs/2006.11239
    """

    def __init__(
        self, output_dim: int, max_wavelength: float = 10000, **kwargs: Any
    ) -> None:
        super().__init__(**kwargs)
        self.output_dim = positive_integer(output_dim, "output_dim")
        _check_even(self.output_dim)
        self.max_wavelength = python_number(max_wavelength)
        self.autocast = False
        build_at_init(self)

    def call(self, inputs):
        x = ops.cast(inputs, "float32")
        waves = _waves(x, self.output_dim, self.max_wavelength)
        return ops.cast(waves, self.compute_dtype)

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        return (*input_shape, self.output_dim)

    def get_config(self) -> Config:
        return {
            **super().get_config(),
            "output_dim": self.output_dim,
            "max_wavelength": self.max_wavelength,
        }


@keras.saving.register_keras_serializable(package="keras_cookbook")
class PositionEmbedding(keras.layers.Layer):
    """A table with one trained vector per position.

    y[position] = position_embeddings[start_index + position]

    Args:
        sequence_length: number of positions, a positive integer.
        initializer: initializer of the vectors.

    Call: layer(x, start_index=0) returns the embedding only; add it to x.
    Input shape: (B, T, D), T <= sequence_length. Output shape: the same.
    Raises: ValueError for a sequence_length that is not a positive integer, and for
    positions beyond it. If start_index or T is known only when the program runs, such
    positions give an error on TensorFlow and torch, and NaN on JAX.

    >>> table = keras.initializers.Constant([[1.0], [2.0], [3.0]])
    >>> layer, x = PositionEmbedding(3, table), keras.ops.zeros((1, 2, 1))
    >>> layer(x).numpy().tolist()
    [[[1.0], [2.0]]]
    >>> layer(x, start_index=1).numpy().tolist()  # the second token and the third
    [[[2.0], [3.0]]]

    Paper: Gehring et al., "Convolutional sequence to sequence learning", 2017.
    https://arxiv.org/abs/1705.03122
    """

    def __init__(
        self,
        sequence_length: int,
        initializer: Initializer = "glorot_uniform",
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.sequence_length = positive_integer(sequence_length, "sequence_length")
        self.initializer = keras.initializers.get(initializer)
        self.supports_masking = True

    def build(self, input_shape: tuple) -> None:
        if input_shape[-2] is not None and input_shape[-2] > self.sequence_length:
            raise ValueError(
                f"`sequence_length` is {self.sequence_length}, and the input has "
                f"{input_shape[-2]} positions: make it larger, or cut the input."
            )
        self.position_embeddings = self.add_weight(
            name="embeddings",
            shape=(self.sequence_length, input_shape[-1]),
            initializer=self.initializer,
        )

    def call(self, inputs, start_index: int = 0):
        *_, T, D = ops.shape(inputs)
        table = ops.convert_to_tensor(self.position_embeddings)
        is_inside = within(self.sequence_length, start_index, T, "The table")
        embedding = ops.slice(table, (start_index, 0), (T, D))
        embedding = nan_unless(is_inside, embedding)
        return ops.broadcast_to(embedding, ops.shape(inputs))

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        return input_shape

    def get_config(self) -> Config:
        return {
            **super().get_config(),
            "sequence_length": self.sequence_length,
            "initializer": keras.initializers.serialize(self.initializer),
        }


@keras.saving.register_keras_serializable(package="keras_cookbook")
class TokenAndPositionEmbedding(keras.layers.Layer):
    """The sum of two trained vectors: that of the token and that of its position.

    y[t] = token_embedding[tokens[t]] + position_embedding[start_index + t]

    Args:
        vocabulary_size: number of tokens.
        sequence_length: number of positions.
        embedding_dim: number of features D.
        embeddings_initializer: initializer of both tables, which draw different values.
        mask_zero: whether token 0 is padding, so that the output carries a mask.

    Call: layer(tokens, start_index=0).
    Input shape: (B, T), integers. Output shape: (B, T, embedding_dim).
    Raises: ValueError as `PositionEmbedding`, and for a vocabulary_size or an
    embedding_dim that is not a positive integer.

    >>> layer = TokenAndPositionEmbedding(10, sequence_length=6, embedding_dim=4)
    >>> y = layer(keras.ops.array([[7, 7], [7, 2]]))
    >>> bool(keras.ops.all(y[0, 0] == y[1, 0]))  # token 7 comes first in both texts
    True
    >>> bool(keras.ops.all(y[0, 0] == y[0, 1]))  # as the second, it has another vector
    False

    Paper: Gehring et al., "Convolutional sequence to sequence learning", 2017.
    https://arxiv.org/abs/1705.03122
    """

    def __init__(
        self,
        vocabulary_size: int,
        sequence_length: int,
        embedding_dim: int,
        embeddings_initializer: Initializer = "uniform",
        mask_zero: bool = False,
        **kwargs: Any,
    ) -> None:
        super().__init__(**kwargs)
        self.vocabulary_size = positive_integer(vocabulary_size, "vocabulary_size")
        self.sequence_length = positive_integer(sequence_length, "sequence_length")
        self.embedding_dim = positive_integer(embedding_dim, "embedding_dim")
        self.embeddings_initializer = keras.initializers.get(embeddings_initializer)
        self.mask_zero = mask_zero
        self.supports_masking = True
        self.token_embedding = Embedding(
            self.vocabulary_size,
            self.embedding_dim,
            self.embeddings_initializer,
            mask_zero=mask_zero,
            dtype=self.dtype_policy,
            name="token_embedding",
        )
        self.position_embedding = PositionEmbedding(
            self.sequence_length,
            fresh(self.embeddings_initializer),  # else both tables would start alike
            dtype=self.dtype_policy,
            name="position_embedding",
        )

    def build(self, input_shape: tuple) -> None:
        self.token_embedding.build(input_shape)
        self.position_embedding.build((*input_shape, self.embedding_dim))

    def call(self, inputs, start_index: int = 0):
        tokens = self.token_embedding(inputs)
        return tokens + self.position_embedding(tokens, start_index=start_index)

    def compute_mask(self, inputs, mask=None):
        return self.token_embedding.compute_mask(inputs)

    def compute_output_shape(self, input_shape: tuple) -> tuple:
        return (*input_shape, self.embedding_dim)

    def get_config(self) -> Config:
        return {
            **super().get_config(),
            "vocabulary_size": self.vocabulary_size,
            "sequence_length": self.sequence_length,
            "embedding_dim": self.embedding_dim,
            "embeddings_initializer": keras.initializers.serialize(
                self.embeddings_initializer
            ),
            "mask_zero": self.mask_zero,
        }
