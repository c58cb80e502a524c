"""Global max pooling: a whole feature map is summarized by its largest value."""

import keras
from keras import ops

from .base import _GlobalPooling


class _GlobalMaxPooling(_GlobalPooling):
    def _summary(self, x, axis: tuple[int, ...], keepdims: bool):
        return ops.max(x, axis=axis, keepdims=keepdims)

    def _masked_summary(self, x, mask, axis: tuple[int, ...], keepdims: bool):
        y = ops.max(ops.where(mask, x, -float("inf")), axis=axis, keepdims=keepdims)
        return ops.where(ops.any(mask, axis=axis, keepdims=keepdims), y, 0)


@keras.saving.register_keras_serializable(package="keras_cookbook")
class GlobalMaxPooling1D(_GlobalMaxPooling):
    """Maximum over a whole sequence: does the feature occur at all?

    y[b, c] = max over t of x[b, t, c]

    Args: as in GlobalAveragePooling2D.
    Shapes: (B, T, C), or (B, C, T) with channels_first, to (B, C); with keepdims to
        (B, 1, C) or (B, C, 1).
    Differs from Keras: steps that a mask (B, T) hides do not count. The output is 0
        where the mask hides the whole sequence. A mask of another shape is ignored.

    >>> x = keras.ops.array([[[0.0], [9.0]], [[9.0], [0.0]], [[0.0], [0.0]]])
    >>> y = GlobalMaxPooling1D()(x)
    >>> y[:, 0].numpy().tolist()  # it occurs at the end, at the start, nowhere
    [9.0, 9.0, 0.0]

    Paper: Collobert et al., "Natural language processing (almost) from scratch", 2011.
    https://jmlr.org/papers/v12/collobert11a.html
    """

    rank = 1


@keras.saving.register_keras_serializable(package="keras_cookbook")
class GlobalMaxPooling2D(_GlobalMaxPooling):
    """Maximum over each feature map: does the feature occur anywhere in the image?

    y[b, c] = max over i, j of x[b, i, j, c]

    Args, differs from Keras: as in GlobalAveragePooling2D, masks included.

    Input shape: (B, H, W, C), or (B, C, H, W) with channels_first.
    Output shape: (B, C); with keepdims (B, 1, 1, C) or (B, C, 1, 1).

    >>> image = keras.ops.array([[0.0, 0.0, 0.0], [0.0, 9.0, 0.0]])
    >>> y = GlobalMaxPooling2D()(image[None, :, :, None])
    >>> y.numpy().tolist()  # the feature occurs, no matter where
    [[9.0]]

    Paper: Oquab, Bottou, Laptev, Sivic, "Is object localization for free?", 2015.
    https://doi.org/10.1109/CVPR.2015.7298668
    """

    rank = 2


@keras.saving.register_keras_serializable(package="keras_cookbook")
class GlobalMaxPooling3D(_GlobalMaxPooling):
    """Maximum over each feature volume: does the feature occur anywhere in it?

    y[b, c] = max over i, j, k of x[b, i, j, k, c]

    Args, differs from Keras: as in GlobalAveragePooling2D, with a mask (B, D, H, W).
    Shapes: (B, D, H, W, C), or (B, C, D, H, W) with channels_first, to (B, C); with
        keepdims to (B, 1, 1, 1, C) or (B, C, 1, 1, 1).

    >>> volume = keras.ops.reshape(keras.ops.arange(8.0), (1, 2, 2, 2, 1))
    >>> y = GlobalMaxPooling3D()(volume)
    >>> y.numpy().tolist()  # the largest of 0, 1, ..., 7
    [[7.0]]

    Paper: Oquab, Bottou, Laptev, Sivic, "Is object localization for free?", 2015.
    https://doi.org/10.1109/CVPR.2015.7298668
    """

    rank = 3
