"""Colour transfer: a picture in the colours of another one."""

import numpy as np


def colour_transfer(
    content: np.ndarray,
    style: np.ndarray,
) -> np.ndarray:
    """Gives a picture the colours of another one: their mean and their covariance.

    c' = S C^-1 (c - mean of the content) + mean of the style

    c is the colour of a pixel; C and S are the Cholesky factors of the covariances of
    the content's and of the style's colours. Only colours change, each pixel by itself.

    Args:
        content: array (H, W, 3) of values from 0 to 1.
        style: array of the same kind, of any height and width.

    Returns:
        An array of the content's shape, float32. Values below 0 or above 1 are clipped,
        so that the covariance is met exactly only where none are.

    Raises: ValueError for pictures of another shape, of fewer than two pixels, or with
        values outside [0, 1].

    Example:

    >>> content = np.random.default_rng(0).uniform(size=(8, 8, 3))
    >>> moved = colour_transfer(content, 0.2 + content / 4)
    >>> print(np.allclose(moved, 0.2 + content / 4, atol=1e-3))
    True

    Paper: Gatys, Bethge, Hertzmann, Shechtman, "Preserving color in neural artistic
    style transfer", 2016. https://arxiv.org/abs/1606.05897
    """
    _check_picture(content, "content")
    _check_picture(style, "style")
    c = content.reshape(-1, 3)
    s = style.reshape(-1, 3)
    C = _cholesky_factor(c)
    S = _cholesky_factor(s)
    transform = S @ np.linalg.inv(C)
    centred = c - c.mean(0)
    moved = centred @ transform.T + s.mean(0)
    moved = np.clip(moved, 0, 1).astype("float32")
    return moved.reshape(content.shape)


def _cholesky_factor(colours: np.ndarray) -> np.ndarray:
    """The factor of the covariance of colours (N, 3), which need not be regular."""
    covariance = np.cov(colours.T)
    covariance += 1e-6 * np.eye(3)
    return np.linalg.cholesky(covariance)


def _check_picture(picture: np.ndarray, name: str) -> None:
    is_picture = picture.ndim == 3 and picture.shape[2] == 3 and picture.size >= 6
    if not is_picture:
        raise ValueError(
            f"`{name}` must be a picture (H, W, 3) of at least two pixels. "
            f"Received: shape={picture.shape}"
        )
    lowest, highest = picture.min(), picture.max()
    if not (lowest >= 0 and highest <= 1):  # NaN is refused too
        raise ValueError(
            f"The values of `{name}` must lie between 0 and 1: divide bytes by 255. "
            f"Received: values from {lowest} to {highest}"
        )
