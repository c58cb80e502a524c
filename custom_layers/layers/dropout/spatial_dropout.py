"""Spatial dropout: whole feature maps fall silent, not single places of them."""

import keras
from keras import ops

from ...common.checks import channel_order
from ...common.types import Config, DataFormat, DType, Seed
from .dropout import Dropout


class _SpatialDropout(Dropout):
    """Dropout of whole feature maps that have `rank` spatial axes."""

    rank = 0

    def __init__(
        self,
        rate: float,
        data_format: DataFormat = None,
        seed: Seed = None,
        name: str | None = None,
        dtype: DType = None,
    ) -> None:
        super().__init__(rate, seed=seed, name=name, dtype=dtype)
        self.data_format = channel_order(data_format)
        self.input_spec = keras.layers.InputSpec(ndim=self.rank + 2)

    def _shape_of_noise(self, inputs):
        batch, *places, last = ops.shape(inputs)
        ones = [1] * self.rank
        if self.data_format == "channels_first":
            return [batch, places[0], *ones]
        return [batch, *ones, last]

    def get_config(self) -> Config:
        config = super().get_config()
        return {
            "rate": self.rate,
            "data_format": self.data_format,
            "seed": self.seed,
            "name": self.name,
            "dtype": config["dtype"],
        }


@keras.saving.register_keras_serializable(package="keras_cookbook")
class SpatialDropout1D(_SpatialDropout):
    """Dropout of whole channels of a sequence: neighbouring steps fall together.

    training:  y = x * m / (1 - rate), m of shape (B, 1, C) ~ Bernoulli(1 - rate)
    inference: y = x

    Args:
        rate: share of channels set to zero, in [0, 1].
        seed: an integer that makes the noise repeatable.

    Input and output shape: (B, T, C).
    Raises: ValueError for a rate outside [0, 1].
    Differs from Keras: as Dropout does.

    >>> y = SpatialDropout1D(0.5)(keras.ops.ones((2, 4, 30)), training=True)
    >>> sorted(set(y.numpy().ravel().tolist()))
    [0.0, 2.0]
    >>> bool(keras.ops.all(y == y[:, :1]))  # a channel is silent at all steps or none
    True

    Paper: Tompson, Goroshin, Jain, LeCun, Bregler, "Efficient object localization using
    convolutional networks", 2015. https://arxiv.org/abs/1411.4280
    """

    rank = 1

    def __init__(
        self,
        rate: float,
        seed: Seed = None,
        name: str | None = None,
        dtype: DType = None,
    ) -> None:
        super().__init__(rate, "channels_last", seed, name, dtype)

    def get_config(self) -> Config:
        config = super().get_config()
        del config["data_format"]
        return config


@keras.saving.register_keras_serializable(package="keras_cookbook")
class SpatialDropout2D(_SpatialDropout):
    """Dropout of whole feature maps: neighbouring pixels fall together.

    training:  y = x * m / (1 - rate), m of shape (B, 1, 1, C) ~ Bernoulli(1 - rate)
    inference: y = x

    Args:
        rate: share of feature maps set to zero, in [0, 1].
        data_format: "channels_last" or "channels_first"; None means Keras's setting.
        seed: an integer that makes the noise repeatable.

    Input and output shape: (B, H, W, C) or (B, C, H, W).
    Raises: ValueError for a rate outside [0, 1] or another data_format.
    Differs from Keras: as Dropout does.

    >>> y = SpatialDropout2D(0.5)(keras.ops.ones((2, 4, 4, 30)), training=True)
    >>> sorted(set(y.numpy().ravel().tolist()))
    [0.0, 2.0]
    >>> bool(keras.ops.all(y == y[:, :1, :1]))  # a map is silent everywhere or nowhere
    True

    Paper: Tompson, Goroshin, Jain, LeCun, Bregler, "Efficient object localization using
    convolutional networks", 2015. https://arxiv.org/abs/1411.4280
    """

    rank = 2


@keras.saving.register_keras_serializable(package="keras_cookbook")
class SpatialDropout3D(_SpatialDropout):
    """Dropout of whole feature volumes: neighbouring voxels fall together.

    training:  y = x * m / (1 - rate), m of shape (B, 1, 1, 1, C) ~ Bernoulli(1 - rate)
    inference: y = x

    Args:
        rate: share of feature volumes set to zero, in [0, 1].
        data_format: "channels_last" or "channels_first"; None means Keras's setting.
        seed: an integer that makes the noise repeatable.

    Input and output shape: (B, D, H, W, C) or (B, C, D, H, W).
    Raises: ValueError for a rate outside [0, 1] or another data_format.
    Differs from Keras: as Dropout does.

    >>> y = SpatialDropout3D(0.5)(keras.ops.ones((2, 4, 4, 4, 30)), training=True)
    >>> sorted(set(y.numpy().ravel().tolist()))
    [0.0, 2.0]
    >>> bool(keras.ops.all(y == y[:, :1, :1, :1]))  # silent everywhere or nowhere
    True

    Paper: Tompson, Goroshin, Jain, LeCun, Bregler, "Efficient object localization using
    convolutional networks", 2015. https://arxiv.org/abs/1411.4280
    """

    rank = 3
