"""Printed characters of a plain script."""

from functools import cache
from pathlib import Path
from types import SimpleNamespace

import matplotlib
import numpy as np
from PIL import Image, ImageDraw, ImageFont

FONTS = (
    *("DejaVuSans", "DejaVuSans-Bold", "DejaVuSans-Oblique", "DejaVuSans-BoldOblique"),
    *("DejaVuSerif", "DejaVuSerif-Bold", "DejaVuSerif-Italic"),
    *("STIXGeneral", "STIXGeneralBol", "STIXGeneralItalic", "STIXGeneralBolIta"),
    *("cmr10", "cmb10", "cmss10", "cmti10", "cmtt10"),
)


@cache
def glyph(font: str, character: str) -> Image.Image:
    """The character in the middle of a square, white on black."""
    folder = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    loaded = ImageFont.truetype(str(folder / f"{font}.ttf"), 64)
    image = Image.new("L", (96, 96))
    ImageDraw.Draw(image).text((48, 48), character, 255, loaded, anchor="mm")
    return image


def drawn(character: str, side: int, rng: np.random.Generator) -> np.ndarray:
    """The character in a font drawn at random, a little slanted and turned."""
    slant, angle = rng.uniform(-1, 1, 2)
    image = glyph(FONTS[rng.integers(len(FONTS))], character).rotate(8 * angle)
    slanted = 1, slant / 4, -12 * slant, 0, 1, 0
    image = image.transform(image.size, Image.Transform.AFFINE, slanted)

    # As in MNIST, the longer side fills 20 of 28 pixels.
    image = image.crop(image.getbbox())
    scale = side * 20 / 28 / max(image.size)
    width, height = (max(1, round(scale * length)) for length in image.size)
    pixels = np.zeros((side, side), "uint8")
    top, left = (side - height) // 2, (side - width) // 2
    pixels[top : top + height, left : left + width] = image.resize((width, height))
    return pixels


def printed_images(data: SimpleNamespace) -> dict[str, tuple]:
    """{part: (images, labels)}: as many printed characters as `data` has images."""
    printed = {}
    for seed, part in enumerate(("train", "validation", "test")):
        _, handwritten_labels = getattr(data, part)
        rng = np.random.default_rng(seed)
        labels = rng.integers(len(data.classes), size=len(handwritten_labels))
        images = [drawn(data.classes[i], data.shape[0], rng) for i in labels]
        printed[part] = np.array(images)[..., None], labels
    return printed


def unpaired(printed: dict[str, tuple], data: SimpleNamespace) -> SimpleNamespace:
    """Parts of printed and handwritten images, of which no two belong together."""
    _, data.printed_labels = printed["test"]
    for part in ("train", "test"):
        x, _ = printed[part]
        y, _ = getattr(data, part)
        setattr(data, part, (x.astype("float32") / 127.5 - 1, y))
    return data
