"""Picture files for tests."""

import numpy as np
from PIL import Image


def put(path, seed, mode="RGB", size=(30, 20), **options):
    """Writes a picture of noise, in which no two seeds agree."""
    path.parent.mkdir(parents=True, exist_ok=True)
    width, height = size
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), "uint8")
    Image.fromarray(pixels).convert(mode).save(path, **options)
    return pixels
