"""Printed characters: drawn with the fonts of matplotlib, and varied a little."""

import math
import string
from collections.abc import Sequence
from functools import cache
from pathlib import Path

import matplotlib
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from cookbook.data.images import PARTS, Images
from cookbook.data.rendered.placing import placed
from cookbook.data.sources import Part
from cookbook.errors import fail

# DejaVu Sans Mono is not among them, since its zero has a dot, which nobody writes.
FONTS = (
    *("DejaVuSans", "DejaVuSans-Bold", "DejaVuSans-Oblique", "DejaVuSans-BoldOblique"),
    *("DejaVuSerif", "DejaVuSerif-Bold", "DejaVuSerif-Italic"),
    *("STIXGeneral", "STIXGeneralBol", "STIXGeneralItalic", "STIXGeneralBolIta"),
    *("cmr10", "cmb10", "cmss10", "cmti10", "cmtt10"),
)
CHARACTERS = string.digits + string.ascii_letters  # that all of these fonts have
SIDE = 96  # pixels of the square in which a character is drawn, before it is scaled
HEIGHT = 64  # of a line of text in it
TURN = math.radians(8)  # largest angle by which a character is turned, either way
SLANT = 0.25  # largest shift to a side, as a share of the height, either way
NARROW, WIDE = 0.85, 1.2  # factors by which its width changes


def printed_images(data: Images) -> dict[str, Part]:
    """{part: (images, labels)}: as many printed characters as `data` has images.

    The classes of `data` must be single characters, such as digits. Which of them an
    image shows, and in which font, is drawn at random, always alike. Ink has the
    colour that it has in `data`: white on black, or black on white.
    """
    _check_classes(data)
    x, _ = data.train
    is_dark_on_light = bool(x[:1000].mean() > 127)

    printed = {}
    for seed, name in enumerate(PARTS):
        like, _ = getattr(data, name)
        images, labels = draw_characters(data.classes, len(like), data.shape, seed)
        if is_dark_on_light:
            images = 255 - images
        printed[name] = images, labels
    return printed


def _check_classes(data: Images) -> None:
    """Ends the program if a class is not a character that the fonts have."""
    for name in data.classes:
        if len(name) != 1 or name not in CHARACTERS:
            fail(
                f"{data.name} has the class {name!r}, expected single letters or "
                "digits as classes, which can be printed, such as those of mnist"
            )


def draw_characters(
    classes: Sequence[str], count: int, shape: tuple[int, ...], seed: int
) -> Part:
    """(images, labels): uint8 (count, H, W, C), white on black, and their classes."""
    rng = np.random.default_rng(seed)
    height, width, _ = shape
    labels = rng.integers(len(classes), size=count)
    fonts = rng.integers(len(FONTS), size=count)
    variations = rng.uniform(-1, 1, (count, 3))

    images = np.zeros((count, *shape), "uint8")
    for i, (label, font) in enumerate(zip(labels, fonts)):
        glyph = _glyph(FONTS[font], classes[label])
        moved = glyph.transform(
            glyph.size,
            Image.Transform.AFFINE,
            _affine(*variations[i]),
            Image.Resampling.BILINEAR,
        )
        pixels = placed(moved, height, width)
        images[i] = pixels[..., None]

    return images, labels


@cache
def _glyph(font: str, character: str) -> Image.Image:
    """The character in the middle of a square, white on black."""
    folder = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    loaded = ImageFont.truetype(str(folder / f"{font}.ttf"), HEIGHT)
    image = Image.new("L", (SIDE, SIDE))
    middle = SIDE / 2, SIDE / 2
    ImageDraw.Draw(image).text(middle, character, 255, loaded, anchor="mm")
    return image


def _affine(turn: float, slant: float, width: float) -> tuple[float, ...]:
    """Where in the glyph each pixel comes from, as Pillow takes it: (a, b, c, d, e, f).

    turn, slant, width: from -1 to 1, the shares of the largest variations.
    """
    angle = turn * TURN
    cos = math.cos(angle)
    sin = math.sin(angle)
    turned = np.array([[cos, -sin], [sin, cos]])

    share = (width + 1) / 2
    factor = NARROW * (WIDE / NARROW) ** share
    narrowed = 1 / factor
    slanted = slant * SLANT
    stretched = np.array([[narrowed, slanted], [0, 1]])
    matrix = stretched @ turned

    # The middle stays where it is.
    centre = np.full(2, SIDE / 2)
    shift = centre - matrix @ centre

    rows = np.column_stack([matrix, shift])
    return tuple(rows.ravel().tolist())
