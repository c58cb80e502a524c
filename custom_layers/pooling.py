"""Pooling: a window, or a whole feature map, summarized by one number."""

import keras
from keras import ops


def _as_tuple(value, rank, name):
    """An integer or a sequence of `rank` positive integers as a tuple."""
    values = (value,) * rank if isinstance(value, int) else value
    try:
        values = tuple(values)
        valid = len(values) == rank and all(int(n) == n and n > 0 for n in values)
    except (TypeError, ValueError):
        valid = False
    if not valid:
        raise ValueError(
            f"The `{name}` argument must be a tuple of {rank} integers > 0, or one "
            f"such integer. Received {name}={value}"
        )
    return values


class _Pooling(keras.layers.Layer):
    """A window of `pool_size` slides over `rank` axes; `_pool` summarizes it."""

    rank = None

    def __init__(
        self, pool_size=2, strides=None, padding="valid", data_format=None, **kwargs
    ):
        super().__init__(**kwargs)
        self.pool_size = _as_tuple(pool_size, self.rank, "pool_size")
        self.strides = _as_tuple(
            pool_size if strides is None else strides, self.rank, "strides"
        )
        if padding not in ("valid", "same"):
            raise ValueError(
                f"The `padding` argument must be 'valid' or 'same'. Received: {padding}"
            )
        self.padding = padding
        self.data_format = data_format or keras.config.image_data_format()
        self.input_spec = keras.layers.InputSpec(ndim=self.rank + 2)
        self._build_at_init()

    def call(self, inputs):
        return self._pool(
            inputs, self.pool_size, self.strides, self.padding, self.data_format
        )

    def compute_output_shape(self, input_shape):
        return self.call(keras.KerasTensor(input_shape)).shape

    def get_config(self):
        return {
            **super().get_config(),
            "pool_size": self.pool_size,
            "strides": self.strides,
            "padding": self.padding,
            "data_format": self.data_format,
        }


@keras.saving.register_keras_serializable(package="keras_cookbook")
class MaxPooling2D(_Pooling):
    """Maximum over each window: is the feature anywhere near here?

    y[b, i, j, c] = max over p, q of x[b, i * stride_h + p, j * stride_w + q, c]

    Args:
        pool_size: window (p, q), or one integer for both.
        strides: step of the window; None means pool_size.
        padding: "valid" drops windows that stick out, "same" keeps them.
        data_format: "channels_last", "channels_first"; None means Keras's setting.

    Input shape: (B, H, W, C), or (B, C, H, W) with channels_first.
    Output shape: (B, H', W', C), H' = (H - p) // stride_h + 1 for "valid",
        ceil(H / stride_h) for "same".
    Raises: ValueError for sizes that are no positive integers, unknown padding.

    >>> MaxPooling2D()(keras.ops.ones((1, 5, 4, 3))).shape
    TensorShape([1, 2, 2, 3])

    Paper: Ranzato, Huang, Boureau, LeCun, "Unsupervised learning of invariant feature
    hierarchies", 2007. https://doi.org/10.1109/CVPR.2007.383157
    """

    rank = 2
    _pool = staticmethod(ops.max_pool)


class _GlobalPooling(keras.layers.Layer):
    """All `rank` spatial axes summarized at once."""

    rank = None

    def __init__(self, data_format=None, keepdims=False, **kwargs):
        super().__init__(**kwargs)
        self.data_format = data_format or keras.config.image_data_format()
        self.keepdims = keepdims
        self.input_spec = keras.layers.InputSpec(ndim=self.rank + 2)
        first = 1 if self.data_format == "channels_last" else 2
        self._axes = tuple(range(first, first + self.rank))
        self._build_at_init()

    def compute_output_shape(self, input_shape):
        return self.call(keras.KerasTensor(input_shape)).shape

    def get_config(self):
        return {
            **super().get_config(),
            "data_format": self.data_format,
            "keepdims": self.keepdims,
        }


@keras.saving.register_keras_serializable(package="keras_cookbook")
class GlobalAveragePooling2D(_GlobalPooling):
    """Mean over each feature map: one number a channel, whatever the image's size.

    y[b, c] = mean over i, j of x[b, i, j, c]

    Args:
        data_format: "channels_last", "channels_first"; None means Keras's setting.
        keepdims: whether the spatial axes stay, with length 1.

    Input shape: (B, H, W, C), or (B, C, H, W) with channels_first.
    Output shape: (B, C), or (B, 1, 1, C) with keepdims.

    >>> GlobalAveragePooling2D()(keras.ops.ones((1, 5, 4, 3))).shape
    TensorShape([1, 3])

    Paper: Lin, Chen, Yan, "Network in network", 2013. https://arxiv.org/abs/1312.4400
    """

    rank = 2

    def call(self, inputs):
        return ops.mean(inputs, axis=self._axes, keepdims=self.keepdims)
