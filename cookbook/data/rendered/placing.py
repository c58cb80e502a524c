"""Placing of ink in an image, as the digits of MNIST are placed."""

import numpy as np
from PIL import Image

FILLED = 20 / 28  # share of its side that a digit of MNIST fills


def placed(ink: Image.Image, height: int, width: int) -> np.ndarray:
    """Ink, 255 on a ground of 0, as uint8 (height, width), placed as MNIST's digits.

    MNIST scales a digit until its longer side fills 20 of 28 pixels, and moves its
    centre of mass to the middle.
    """
    box = ink.getbbox()
    cut = ink.crop(box)

    # The longer side fills its share.
    across = width * FILLED / cut.width
    down = height * FILLED / cut.height
    scale = min(across, down)
    w = max(1, round(scale * cut.width))
    h = max(1, round(scale * cut.height))
    small = cut.resize((w, h), Image.Resampling.LANCZOS)

    # The centre of mass is in the middle.
    mass = np.asarray(small)
    top = _start(mass.sum(1), height)
    left = _start(mass.sum(0), width)

    pixels = np.zeros((height, width), "uint8")
    rows = slice(top, top + h)
    columns = slice(left, left + w)
    pixels[rows, columns] = mass
    return pixels


def _start(mass: np.ndarray, room: int) -> int:
    """Where a line of so much mass begins, so that its centre is that of the room.

    It stays inside of the room.
    """
    length = len(mass)
    middles = np.arange(length) + 0.5
    centre = np.average(middles, weights=mass)

    start = round(room / 2 - centre)
    last = room - length
    return min(max(start, 0), last)
