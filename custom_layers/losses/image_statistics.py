"""Statistics of images that a loss can compare: their style and their roughness."""

import math
from typing import Any

from keras import ops


def gram_matrix(features: Any) -> Any:
    """Gram matrix of feature maps: which features occur together, wherever they are.

    G = F^T F / (H W),   F: the features as rows, one for each of the H W places

    Two images whose Gram matrices agree in the layers of a network have the same style;
    the mean squared error of the matrices is the style loss.

    Args:
        features: tensor of shape (B, H, W, C).

    Returns:
        A tensor of shape (B, C, C).

    Example:

    >>> features = ops.reshape(ops.arange(4, dtype="float32"), (1, 2, 1, 2))
    >>> print(ops.convert_to_numpy(gram_matrix(features)))
    [[[2. 3.]
      [3. 5.]]]

    Paper: Gatys, Ecker, Bethge, "Image style transfer using convolutional neural
    networks", 2016. https://doi.org/10.1109/CVPR.2016.265
    """
    H, W, C = features.shape[1:]
    F = ops.reshape(features, (-1, H * W, C))  # B, HW, C
    F_transposed = ops.transpose(F, (0, 2, 1))
    return ops.matmul(F_transposed, F) / (H * W)  # B, C, C


def pixel_differences(image: Any) -> Any:
    """Differences of neighbouring pixels: all values are 0 in an image of one colour.

    d = x[i + 1, j] - x[i, j]  and  x[i, j + 1] - x[i, j]

    The mean of their squares is the roughness of an image, a smooth form of its total
    variation. As a term of a loss it keeps an image that is optimized free of noise.

    Args:
        image: tensor of shape (B, H, W, C).

    Returns:
        A tensor (B, (H - 1) W C + H (W - 1) C): the differences downwards, then those
        to the right.

    Example:

    >>> image = ops.reshape(ops.array([1.0, 4.0, 6.0, 13.0]), (1, 2, 2, 1))
    >>> print(ops.convert_to_numpy(pixel_differences(image)))
    [[5. 9. 3. 7.]]

    Paper: Mahendran, Vedaldi, "Understanding deep image representations by inverting
    them", 2015. https://arxiv.org/abs/1412.0035
    """
    down = image[:, 1:] - image[:, :-1]
    across = image[:, :, 1:] - image[:, :, :-1]
    rows = []
    for difference in (down, across):
        length = math.prod(difference.shape[1:])
        rows.append(ops.reshape(difference, (-1, length)))
    return ops.concatenate(rows, -1)
