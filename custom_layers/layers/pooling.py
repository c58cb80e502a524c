"""Pooling: a window, or a whole feature map, summarized by one number."""

import keras
from keras import ops

from ..common.private_keras import build_at_init


def _as_tuple(value, rank, name):
    """An integer, or a sequence of `rank` positive integers, as a tuple."""
    try:
        values = (value,) * rank if isinstance(value, int) else tuple(value)
        valid = len(values) == rank and all(int(n) == n and n > 0 for n in values)
    except (TypeError, ValueError):
        valid = False
    if not valid:
        raise ValueError(
            f"The `{name}` argument must be a tuple of {rank} integers > 0, or one "
            f"such integer. Received {name}={value}"
        )
    return values


def _data_format(value):
    value = value or keras.config.image_data_format()
    if value not in ("channels_last", "channels_first"):
        raise ValueError(
            "The `data_format` argument must be 'channels_last' or 'channels_first'. "
            f"Received: data_format={value}"
        )
    return value


class _Pooling(keras.layers.Layer):
    """A window of `pool_size` slides over `rank` axes; `_pool` summarizes it."""

    def __init__(
        self, pool_size, strides=None, padding="valid", data_format=None, **kwargs
    ):
        super().__init__(**kwargs)
        self.pool_size = _as_tuple(pool_size, self.rank, "pool_size")
        strides = self.pool_size if strides is None else strides
        self.strides = _as_tuple(strides, self.rank, "strides")
        if padding not in ("valid", "same"):
            raise ValueError(
                f"The `padding` argument must be 'valid' or 'same'. Received: {padding}"
            )
        self.padding = padding
        self.data_format = _data_format(data_format)
        self.input_spec = keras.layers.InputSpec(ndim=self.rank + 2)
        build_at_init(self)

    def call(self, inputs):
        window = self.pool_size, self.strides, self.padding, self.data_format
        dtype = keras.backend.standardize_dtype(inputs.dtype)
        if self.rank == 3 and dtype == "float16":  # which no backend pools on a CPU
            inputs = ops.cast(inputs, "float32")
        return ops.cast(self._pool(inputs, *window), dtype)

    def compute_output_shape(self, input_shape):
        first = 1 if self.data_format == "channels_last" else 2
        shape = list(input_shape)
        for axis, (size, stride) in enumerate(zip(self.pool_size, self.strides), first):
            if shape[axis] is not None:
                needed = size if self.padding == "valid" else 1
                shape[axis] = (shape[axis] - needed) // stride + 1
                if shape[axis] <= 0:
                    raise ValueError(
                        "Computed output size would be zero or negative. Received: "
                        f"input shape {input_shape}, pool_size={self.pool_size}, "
                        f"strides={self.strides}, padding={self.padding}."
                    )
        return tuple(shape)

    def get_config(self):
        return {
            **super().get_config(),
            "pool_size": self.pool_size,
            "strides": self.strides,
            "padding": self.padding,
            "data_format": self.data_format,
        }


class _MaxPooling(_Pooling):
    _pool = staticmethod(ops.max_pool)

    def __init__(
        self, pool_size=2, strides=None, padding="valid", data_format=None, **kwargs
    ):
        super().__init__(pool_size, strides, padding, data_format, **kwargs)


class _AveragePooling(_Pooling):
    _pool = staticmethod(ops.average_pool)


@keras.saving.register_keras_serializable(package="keras_cookbook")
class MaxPooling1D(_MaxPooling):
    """Maximum over each window of a sequence: did the feature occur around here?

    y[b, t, c] = max over p of x[b, t * stride + p, c]

    Args, raises: as in MaxPooling2D, for one axis.
    Shapes: (B, T, C) to (B, T', C), T' as in MaxPooling2D; or with channels_first.

    >>> MaxPooling1D()(keras.ops.ones((1, 5, 3))).shape
    TensorShape([1, 2, 3])

    Paper: Collobert et al., "Natural language processing (almost) from scratch", 2011.
    https://jmlr.org/papers/v12/collobert11a.html
    """

    rank = 1


@keras.saving.register_keras_serializable(package="keras_cookbook")
class MaxPooling2D(_MaxPooling):
    """Maximum over each window: is the feature anywhere near here?

    y[b, i, j, c] = max over p, q of x[b, i * stride_h + p, j * stride_w + q, c]

    Args:
        pool_size: window (p, q), or one integer for both.
        strides: step of the window; None means pool_size.
        padding: "valid" drops windows that stick out, "same" keeps them.
        data_format: "channels_last", "channels_first"; None means Keras's setting.

    Input shape: (B, H, W, C), or (B, C, H, W) with channels_first.
    Output shape: (B, H', W', C), or (B, C, H', W'); H' = (H - p) // stride_h + 1 for
        "valid", ceil(H / stride_h) for "same".
    Raises: ValueError for sizes that are no positive integers, or above the input's.

    >>> MaxPooling2D()(keras.ops.ones((1, 5, 4, 3))).shape
    TensorShape([1, 2, 2, 3])

    Paper: Ranzato, Huang, Boureau, LeCun, "Unsupervised learning of invariant feature
    hierarchies", 2007. https://doi.org/10.1109/CVPR.2007.383157
    """

    rank = 2


@keras.saving.register_keras_serializable(package="keras_cookbook")
class MaxPooling3D(_MaxPooling):
    """Maximum over each window of a volume, or of a video.

    y[b, i, j, k, c] = max over p, q, r of x[b, i * stride_d + p, ..., c]

    Args, raises: as in MaxPooling2D, for three axes.
    Shapes: (B, D, H, W, C) to (B, D', H', W', C), as in MaxPooling2D.

    >>> MaxPooling3D()(keras.ops.ones((1, 5, 4, 4, 3))).shape
    TensorShape([1, 2, 2, 2, 3])

    Paper: Tran, Bourdev, Fergus, Torresani, Paluri, "Learning spatiotemporal features
    with 3D convolutional networks", 2014. https://arxiv.org/abs/1412.0767
    """

    rank = 3


@keras.saving.register_keras_serializable(package="keras_cookbook")
class AveragePooling1D(_AveragePooling):
    """Mean over each window of a sequence: a smoother, shorter one.

    y[b, t, c] = mean over p of x[b, t * stride + p, c]

    Args, raises: as in AveragePooling2D, for one axis.
    Shapes: (B, T, C) to (B, T', C), T' as in MaxPooling2D; or with channels_first.

    >>> AveragePooling1D(2)(keras.ops.ones((1, 5, 3))).shape
    TensorShape([1, 2, 3])

    Paper: LeCun, Bottou, Bengio, Haffner, "Gradient-based learning applied to
    document recognition", 1998. https://doi.org/10.1109/5.726791
    """

    rank = 1


@keras.saving.register_keras_serializable(package="keras_cookbook")
class AveragePooling2D(_AveragePooling):
    """Mean over each window of an image: how much of the feature is around here?

    y[b, i, j, c] = mean over p, q of x[b, i * stride_h + p, j * stride_w + q, c]

    Args, raises: as in MaxPooling2D, pool_size without a default. With "same" the mean
        is over that part of the window which lies inside.
    Shapes: as in MaxPooling2D.

    >>> AveragePooling2D(2)(keras.ops.ones((1, 5, 4, 3))).shape
    TensorShape([1, 2, 2, 3])

    Paper: LeCun, Bottou, Bengio, Haffner, "Gradient-based learning applied to
    document recognition", 1998. https://doi.org/10.1109/5.726791
    """

    rank = 2


@keras.saving.register_keras_serializable(package="keras_cookbook")
class AveragePooling3D(_AveragePooling):
    """Mean over each window of a volume, or of a video's frames.

    y[b, i, j, k, c] = mean over p, q, r of x[b, i * stride_d + p, ..., c]

    Args, raises: as in AveragePooling2D, for three axes.
    Shapes: (B, D, H, W, C) to (B, D', H', W', C), as in MaxPooling2D.

    >>> AveragePooling3D(2)(keras.ops.ones((1, 5, 4, 4, 3))).shape
    TensorShape([1, 2, 2, 2, 3])

    Paper: Carreira, Zisserman, "Quo vadis, action recognition? A new model and the
    Kinetics dataset", 2017. https://arxiv.org/abs/1705.07750
    """

    rank = 3


class _GlobalPooling(keras.layers.Layer):
    """All `rank` spatial axes summarized at once, but for places that a mask hides."""

    expects_mask = False  # as Keras's; a mask that comes all the same counts

    def __init__(self, data_format=None, keepdims=False, **kwargs):
        super().__init__(**kwargs)
        self.data_format = _data_format(data_format)
        self.keepdims = keepdims
        self.supports_masking = self.expects_mask
        self.input_spec = keras.layers.InputSpec(ndim=self.rank + 2)
        build_at_init(self)

    def compute_mask(self, inputs, mask=None):
        return None  # no place is left to hide

    def compute_output_spec(self, inputs, mask=None):
        self.supports_masking |= mask is not None  # else Keras warns of its loss
        return super().compute_output_spec(inputs)

    def call(self, inputs, mask=None):
        self.supports_masking |= mask is not None
        first, channel = (1, -1) if self.data_format == "channels_last" else (2, 1)
        places = tuple(range(first, first + self.rank))
        over = {"axis": places, "keepdims": self.keepdims}
        if mask is None:
            return self._summary(inputs, **over)
        mask = ops.expand_dims(ops.cast(mask, "bool"), channel)
        return self._masked_summary(inputs, mask, **over)

    def compute_output_shape(self, input_shape):
        ones = (1,) * self.rank if self.keepdims else ()
        if self.data_format == "channels_last":
            return (input_shape[0], *ones, input_shape[-1])
        return (*input_shape[:2], *ones)

    def get_config(self):
        return {
            **super().get_config(),
            "data_format": self.data_format,
            "keepdims": self.keepdims,
        }


class _GlobalMaxPooling(_GlobalPooling):
    _summary = staticmethod(ops.max)

    def _masked_summary(self, x, mask, **over):
        y = ops.max(ops.where(mask, x, -float("inf")), **over)
        return ops.where(ops.any(mask, **over), y, 0)


class _GlobalAveragePooling(_GlobalPooling):
    _summary = staticmethod(ops.mean)

    def _masked_summary(self, x, mask, **over):
        wide = keras.backend.result_type(x.dtype, "float32")  # float16 cannot count far
        count = ops.sum(ops.cast(mask, wide), **over)
        total = ops.sum(ops.where(mask, ops.cast(x, wide), 0), **over)
        return ops.cast(total / ops.maximum(count, 1), x.dtype)


@keras.saving.register_keras_serializable(package="keras_cookbook")
class GlobalMaxPooling1D(_GlobalMaxPooling):
    """Maximum over the whole sequence: did the feature occur at all?

    y[b, c] = max over t of x[b, t, c]

    Args, differs from Keras: as in GlobalAveragePooling2D, with a mask (B, T).
    Shapes: (B, T, C) to (B, C), or to (B, 1, C) with keepdims; or with channels_first.

    >>> GlobalMaxPooling1D()(keras.ops.ones((1, 5, 3))).shape
    TensorShape([1, 3])

    Paper: Collobert et al., "Natural language processing (almost) from scratch", 2011.
    https://jmlr.org/papers/v12/collobert11a.html
    """

    rank = 1


@keras.saving.register_keras_serializable(package="keras_cookbook")
class GlobalMaxPooling2D(_GlobalMaxPooling):
    """Maximum over each feature map: is the feature anywhere in the image?

    y[b, c] = max over i, j of x[b, i, j, c]

    Args, differs from Keras: as in GlobalAveragePooling2D, masks included.

    Input shape: (B, H, W, C), or (B, C, H, W) with channels_first.
    Output shape: (B, C), or (B, 1, 1, C) and (B, C, 1, 1) with keepdims.

    >>> GlobalMaxPooling2D()(keras.ops.ones((1, 5, 4, 3))).shape
    TensorShape([1, 3])

    Paper: Oquab, Bottou, Laptev, Sivic, "Is object localization for free?", 2015.
    https://doi.org/10.1109/CVPR.2015.7298668
    """

    rank = 2


@keras.saving.register_keras_serializable(package="keras_cookbook")
class GlobalMaxPooling3D(_GlobalMaxPooling):
    """Maximum over each feature volume: is the feature anywhere in it?

    y[b, c] = max over i, j, k of x[b, i, j, k, c]

    Args, differs from Keras: as in GlobalAveragePooling2D, with a mask (B, D, H, W).
    Shapes: (B, D, H, W, C) to (B, C), or to (B, 1, 1, 1, C) with keepdims.

    >>> GlobalMaxPooling3D()(keras.ops.ones((1, 5, 4, 4, 3))).shape
    TensorShape([1, 3])

    Paper: Oquab, Bottou, Laptev, Sivic, "Is object localization for free?", 2015.
    https://doi.org/10.1109/CVPR.2015.7298668
    """

    rank = 3


@keras.saving.register_keras_serializable(package="keras_cookbook")
class GlobalAveragePooling1D(_GlobalAveragePooling):
    """Mean over the whole sequence, without the steps that a mask hides.

    y[b, c] = sum over t of mask[b, t] * x[b, t, c] / sum over t of mask[b, t]

    Args: as in GlobalAveragePooling2D.
    Shapes: (B, T, C) to (B, C), or to (B, 1, C) with keepdims; or with channels_first.
    Differs from Keras: 0 comes of a sequence all hidden, not NaN.

    >>> GlobalAveragePooling1D()(keras.ops.ones((1, 5, 3))).shape
    TensorShape([1, 3])

    Paper: Iyyer, Manjunatha, Boyd-Graber, Daume, "Deep unordered composition rivals
    syntactic methods for text classification", 2015. https://aclanthology.org/P15-1162
    """

    rank = 1
    expects_mask = True


@keras.saving.register_keras_serializable(package="keras_cookbook")
class GlobalAveragePooling2D(_GlobalAveragePooling):
    """Mean over each feature map: one number a channel, whatever the image's size.

    y[b, c] = mean over i, j of x[b, i, j, c]

    Args:
        data_format: "channels_last", "channels_first"; None means Keras's setting.
        keepdims: whether the spatial axes stay, with length 1.

    Input shape: (B, H, W, C), or (B, C, H, W) with channels_first.
    Output shape: (B, C), or (B, 1, 1, C) and (B, C, 1, 1) with keepdims.
    Differs from Keras: places that a mask (B, H, W) hides do not count; 0 comes of a
        map all hidden. The mask ends here, of which Keras's base class warns.

    >>> GlobalAveragePooling2D()(keras.ops.ones((1, 5, 4, 3))).shape
    TensorShape([1, 3])

    Paper: Lin, Chen, Yan, "Network in network", 2013. https://arxiv.org/abs/1312.4400
    """

    rank = 2


@keras.saving.register_keras_serializable(package="keras_cookbook")
class GlobalAveragePooling3D(_GlobalAveragePooling):
    """Mean over each feature volume: one number a channel, whatever its size.

    y[b, c] = mean over i, j, k of x[b, i, j, k, c]

    Args, differs from Keras: as in GlobalAveragePooling2D, with a mask (B, D, H, W).
    Shapes: (B, D, H, W, C) to (B, C), or to (B, 1, 1, 1, C) with keepdims.

    >>> GlobalAveragePooling3D()(keras.ops.ones((1, 5, 4, 4, 3))).shape
    TensorShape([1, 3])

    Paper: Lin, Chen, Yan, "Network in network", 2013. https://arxiv.org/abs/1312.4400
    """

    rank = 3
