"""Placing of ink in an image, as the digits of MNIST are placed."""

import numpy as np
from PIL import Image

FILLED = 20 / 28  # share of its side that a digit of MNIST fills


def placed(ink: Image.Image, height: int, width: int) -> np.ndarray:
    """Ink, 255 on a ground of 0, as uint8 (height, width), placed as MNIST's digits.

    MNIST scales a digit until its longer side fills 20 of 28 pixels, and moves its
    centre of mass to the middle.
    """
    cut = ink.crop(ink.getbbox())
    scale = min(height * FILLED / cut.height, width * FILLED / cut.width)
    w, h = (max(1, round(scale * side)) for side in cut.size)
    small = np.asarray(cut.resize((w, h), Image.Resampling.LANCZOS))

    pixels = np.zeros((height, width), "uint8")
    top, left = _place(small, height, width)
    pixels[top : top + h, left : left + w] = small
    return pixels


def _place(ink: np.ndarray, height: int, width: int) -> tuple[int, int]:
    """(top, left) that puts the centre of mass in the middle, as far as there is room.

    ink: (h, w), which is smaller than height x width.
    """
    weights = ink / ink.sum()
    rows = (weights.sum(1) * (np.arange(len(ink)) + 0.5)).sum()
    columns = (weights.sum(0) * (np.arange(ink.shape[1]) + 0.5)).sum()
    top = np.clip(round(height / 2 - rows), 0, height - ink.shape[0])
    left = np.clip(round(width / 2 - columns), 0, width - ink.shape[1])
    return int(top), int(left)
