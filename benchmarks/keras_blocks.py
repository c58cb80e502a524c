"""Parts from several layers of Keras, which has no layer that does it at once."""

import typing

import keras


class _KerasBlock(keras.layers.Layer):
    """Attention and a feed-forward network from Keras's layers.

    The arguments are those of our blocks. There are no rotary positions, because Keras
    has none: what the rotation costs, Keras's side saves.
    """

    is_causal = False

    def __init__(
        self,
        intermediate_dim: int,
        num_heads: int,
        dropout: float = 0.0,
        normalize_first: bool = False,
        max_wavelength: float | None = None,
    ) -> None:
        super().__init__()
        self.intermediate_dim = intermediate_dim
        self.num_heads = num_heads
        self.rate = dropout
        self.normalize_first = normalize_first
        self.supports_masking = True

    def build(self, inputs_shape: tuple, source_shape: tuple | None = None) -> None:
        width = inputs_shape[-1]
        self.attention = self._attention(inputs_shape, inputs_shape)
        self.attention_norm = self._norm(inputs_shape)
        self.source_attention = None
        if source_shape is not None:
            self.source_attention = self._attention(inputs_shape, source_shape)
            self.source_norm = self._norm(inputs_shape)
        self.expand = keras.layers.Dense(self.intermediate_dim, "relu")
        self.expand.build(inputs_shape)
        self.contract = keras.layers.Dense(width)
        self.contract.build((*inputs_shape[:-1], self.intermediate_dim))
        self.norm = self._norm(inputs_shape)
        self.dropout = keras.layers.Dropout(self.rate)

    def _attention(self, shape: tuple, value_shape: tuple) -> keras.Layer:
        layer = keras.layers.MultiHeadAttention(
            self.num_heads, shape[-1] // self.num_heads, dropout=self.rate
        )
        layer.build(shape, value_shape)
        return layer

    def _norm(self, shape: tuple) -> keras.Layer:
        norm = keras.layers.LayerNormalization(epsilon=1e-5)
        norm.build(shape)
        return norm

    def call(
        self,
        inputs,
        source=None,
        mask=None,
        source_mask=None,
        training: bool | None = None,
    ):
        def attend(x):
            return self.attention(
                x, x, value_mask=mask, use_causal_mask=self.is_causal, training=training
            )

        def attend_to_source(x):
            return self.source_attention(
                x, source, value_mask=source_mask, training=training
            )

        x = self._with(inputs, self.attention_norm, attend, training)
        if self.source_attention is not None:
            x = self._with(x, self.source_norm, attend_to_source, training)
        return self._with(x, self.norm, self._feed_forward, training)

    def _feed_forward(self, x):
        return self.contract(self.expand(x))

    def _with(self, x, norm, part, training: bool | None):
        """The residual of a part, with its norm before or after it."""
        y = part(norm(x) if self.normalize_first else x)
        y = x + self.dropout(y, training=training)
        return y if self.normalize_first else norm(y)


class KerasDecoderBlock(_KerasBlock):
    """A block whose attention is causal."""

    is_causal = True


class KerasEncoderBlock(_KerasBlock):
    """A block whose tokens see all others."""


def keras_affine(
    height_translation: typing.Any = 0.0,
    width_translation: typing.Any = 0.0,
    rotation: typing.Any = 0.0,
    height_zoom: typing.Any = 0.0,
    width_zoom: typing.Any = None,
    x_shear: typing.Any = 0.0,
    y_shear: typing.Any = 0.0,
    flip: str | None = None,
    fill_mode: str = "reflect",
    interpolation: str = "bilinear",
    fill_value: float = 0.0,
) -> keras.layers.Pipeline:
    """Layers of Keras that vary images as RandomAffine does, one after the other."""
    fill: dict[str, typing.Any] = {"fill_mode": fill_mode, "fill_value": fill_value}
    fill["interpolation"] = interpolation
    layers: list[keras.Layer] = []
    if flip:
        layers.append(keras.layers.RandomFlip(flip))
    if height_translation or width_translation:
        sizes = height_translation, width_translation
        layers.append(keras.layers.RandomTranslation(*sizes, **fill))
    if rotation:
        layers.append(keras.layers.RandomRotation(rotation, **fill))
    if height_zoom:
        layers.append(keras.layers.RandomZoom(height_zoom, width_zoom, **fill))
    if x_shear or y_shear:
        layers.append(keras.layers.RandomShear(x_shear, y_shear, **fill))
    return keras.layers.Pipeline(layers)


BLOCKS: dict[str, typing.Any] = {
    "TransformerDecoderBlock": KerasDecoderBlock,
    "TransformerEncoderBlock": KerasEncoderBlock,
    "RandomAffine": keras_affine,
}
