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

    Example:

    >>> content = np.random.default_rng(0).uniform(size=(8, 8, 3))
    >>> moved = colour_transfer(content, 0.2 + content / 4)
    >>> print(np.allclose(moved, 0.2 + content / 4, atol=1e-3))
    True

    Paper: Gatys, Bethge, Hertzmann, Shechtman, "Preserving color in neural artistic
    style transfer", 2016. https://arxiv.org/abs/1606.05897
    """
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
