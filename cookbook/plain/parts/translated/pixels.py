"""Printed characters of a plain script."""

from functools import cache
from pathlib import Path
from types import SimpleNamespace

import matplotlib
import numpy as np
from PIL import Image, ImageDraw, ImageFont

FONTS = [
    "DejaVuSans",
    "DejaVuSans-Bold",
    "DejaVuSans-Oblique",
    "DejaVuSans-BoldOblique",
    "DejaVuSerif",
    "DejaVuSerif-Bold",
    "DejaVuSerif-Italic",
    "STIXGeneral",
    "STIXGeneralBol",
    "STIXGeneralItalic",
    "STIXGeneralBolIta",
    "cmr10",
    "cmb10",
    "cmss10",
    "cmti10",
    "cmtt10",
]


@cache
def glyph(font: str, character: str) -> Image.Image:
    """The character in the middle of a square, white on black."""
    folder = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    file = folder / f"{font}.ttf"
    loaded = ImageFont.truetype(str(file), 64)
    image = Image.new("L", (96, 96))
    ImageDraw.Draw(image).text((48, 48), character, 255, loaded, anchor="mm")
    return image


def drawn(character: str, side: int, rng: np.random.Generator) -> np.ndarray:
    """The character in a font drawn at random, a little slanted and turned."""
    font = rng.choice(FONTS)
    slant, angle = rng.uniform(-1, 1, 2)

    image = glyph(font, character).rotate(8 * angle)
    slanted = 1, slant / 4, -12 * slant, 0, 1, 0
    image = image.transform(image.size, Image.Transform.AFFINE, slanted)

    # As in MNIST, the longer side fills 20 of 28 pixels.
    box = image.getbbox()
    image = image.crop(box)
    scale = side * 20 / 28 / max(image.size)
    width = max(1, round(scale * image.width))
    height = max(1, round(scale * image.height))

    small = image.resize((width, height))
    place = (side - width) // 2, (side - height) // 2
    pixels = Image.new("L", (side, side))
    pixels.paste(small, place)

    return np.array(pixels)


def printed_images(data: SimpleNamespace) -> dict[str, tuple]:
    """{part: (images, labels)}: as many printed characters as `data` has images."""
    side = data.shape[0]
    printed = {}
    for seed, part in enumerate(("train", "validation", "test")):
        _, y = getattr(data, part)

        rng = np.random.default_rng(seed)
        labels = rng.integers(len(data.classes), size=len(y))

        images = []
        for label in labels:
            image = drawn(data.classes[label], side, rng)
            images.append(image)

        x = np.array(images)
        printed[part] = x[..., None], labels
    return printed


def unpaired(printed: dict[str, tuple], data: SimpleNamespace) -> SimpleNamespace:
    """Parts of printed and handwritten images, of which no two belong together."""
    for part in ("train", "test"):
        x, data.printed_labels = printed[part]
        y, _ = getattr(data, part)
        x = x.astype("float32") / 127.5 - 1
        setattr(data, part, (x, y))

    return data
