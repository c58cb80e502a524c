"""Statistics of images that a loss can compare: their style and their roughness."""

import math

from keras import ops


def gram_matrix(features):
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
    _, H, W, C = features.shape
    places = H * W
    F = ops.reshape(features, (-1, places, C))  # B, HW, C
    F_transposed = ops.transpose(F, (0, 2, 1))  # B, C, HW
    G = ops.matmul(F_transposed, F)  # B, C, C
    return G / places


def pixel_differences(image):
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
    # Each pixel less the one above it, and less the one at its left.
    down = image[:, 1:] - image[:, :-1]
    across = image[:, :, 1:] - image[:, :, :-1]
    rows = [_flat(down), _flat(across)]
    return ops.concatenate(rows, -1)


def _flat(tensor):
    """Each example as one row."""
    length = math.prod(tensor.shape[1:])
    return ops.reshape(tensor, (-1, length))
