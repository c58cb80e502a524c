"""Global average pooling: a whole feature map is summarized by its mean."""

import keras
from keras import ops

from .base import _GlobalPooling


class _GlobalAveragePooling(_GlobalPooling):
    def _summary(self, x, axis: tuple[int, ...], keepdims: bool):
        return ops.mean(x, axis=axis, keepdims=keepdims)

    def _masked_summary(self, x, mask, axis: tuple[int, ...], keepdims: bool):
        # float16 cannot count beyond 2,048.
        wide = keras.backend.result_type(x.dtype, "float32")
        count = ops.sum(ops.cast(mask, wide), axis=axis, keepdims=keepdims)
        shown = ops.where(mask, ops.cast(x, wide), 0)
        total = ops.sum(shown, axis=axis, keepdims=keepdims)
        return ops.cast(total / ops.maximum(count, 1), x.dtype)


@keras.saving.register_keras_serializable(package="keras_cookbook")
class GlobalAveragePooling1D(_GlobalAveragePooling):
    """Mean over a whole sequence, without the steps that a mask hides.

    y[b, c] = sum over t of mask[b, t] * x[b, t, c] / sum over t of mask[b, t]

    Args: as in GlobalAveragePooling2D.
    Shapes: (B, T, C), or (B, C, T) with channels_first, to (B, C); with keepdims to
        (B, 1, C) or (B, C, 1).
    Differs from Keras: the output is 0, not NaN, where the mask hides the whole
        sequence. A mask of another shape than (B, T) is ignored.

    >>> x = keras.ops.array([[[1.0], [3.0], [100.0]]])
    >>> mask = keras.ops.array([[True, True, False]])
    >>> y = GlobalAveragePooling1D()(x, mask=mask)
    >>> y.numpy().tolist()  # padding does not count
    [[2.0]]

    Paper: Iyyer, Manjunatha, Boyd-Graber, Daume, "Deep unordered composition rivals
    syntactic methods for text classification", 2015. https://aclanthology.org/P15-1162
    """

    rank = 1
    expects_mask = True


@keras.saving.register_keras_serializable(package="keras_cookbook")
class GlobalAveragePooling2D(_GlobalAveragePooling):
    """Mean over each feature map: one number per channel, whatever the image's size.

    y[b, c] = mean over i, j of x[b, i, j, c]

    Args:
        data_format: "channels_last" or "channels_first"; None means Keras's setting.
        keepdims: whether the spatial axes stay, with length 1.

    Input shape: (B, H, W, C), or (B, C, H, W) with channels_first.
    Output shape: (B, C); with keepdims (B, 1, 1, C) or (B, C, 1, 1).
    Differs from Keras: places that a mask (B, H, W) hides do not count, and the output
        is 0 where the mask hides a whole map. A mask of any other shape, such as one of
        time steps that an earlier layer has passed on, says nothing about places and is
        ignored. The mask ends here; Keras's base class warns of that.

    >>> image = keras.ops.array([[1.0, 0.0], [0.0, 0.0]])
    >>> y = GlobalAveragePooling2D()(image[None, :, :, None])
    >>> y.numpy().tolist()  # the feature fills a quarter of the image
    [[0.25]]

    Paper: Lin, Chen, Yan, "Network in network", 2013. https://arxiv.org/abs/1312.4400
    """

    rank = 2


@keras.saving.register_keras_serializable(package="keras_cookbook")
class GlobalAveragePooling3D(_GlobalAveragePooling):
    """Mean over each feature volume: one number per channel, whatever its size.

    y[b, c] = mean over i, j, k of x[b, i, j, k, c]

    Args, differs from Keras: as in GlobalAveragePooling2D, with a mask (B, D, H, W).
    Shapes: (B, D, H, W, C), or (B, C, D, H, W) with channels_first, to (B, C); with
        keepdims to (B, 1, 1, 1, C) or (B, C, 1, 1, 1).

    >>> volume = keras.ops.reshape(keras.ops.arange(8.0), (1, 2, 2, 2, 1))
    >>> y = GlobalAveragePooling3D()(volume)
    >>> y.numpy().tolist()  # the mean of 0, 1, ..., 7
    [[3.5]]

    Paper: Lin, Chen, Yan, "Network in network", 2013. https://arxiv.org/abs/1312.4400
    """

    rank = 3
