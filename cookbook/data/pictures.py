"""Two pictures, one for its content and one for its style: files or embedded ones."""

import dataclasses
import io
import typing
import warnings
from importlib.resources import files
from pathlib import Path

import keras
import numpy as np
from PIL import Image, ImageOps

from cookbook.data.images import PARTS, Images
from cookbook.data.sources import DataSet, first_line
from cookbook.errors import fail

# Photographs that scikit-learn ships under the licence CC BY 2.0; the README beside
# them names the authors.
EMBEDDED = ("china", "flower")
LARGEST_FILE = 100_000_000  # bytes of a picture
SMALLEST = 48  # pixels per side that a picture needs, for layers that shrink it


@dataclasses.dataclass(frozen=True, kw_only=True)
class PicturePair(DataSet):
    """Two pictures of one size, and what a third picture should share with them.

    The name is that of the images from which the network learned its features; the
    training part is a number of steps towards the targets.
    """

    content: np.ndarray  # float32 (H, W, 3), from 0 to 1
    style: np.ndarray  # likewise
    targets: dict[str, np.ndarray]  # {output of the network: what it should be}

    def towards(self, targets: dict[str, np.ndarray], steps: int) -> "PicturePair":
        """The pair with `targets` and a training part of `steps` equal examples.

        An example's y are the targets, each divided by its root mean square. The mean
        squared error of an output that is divided likewise is its relative error.
        """
        repeated = {}
        for name, value in targets.items():
            scaled = value / root_mean_square(value)
            repeated[name] = np.broadcast_to(scaled, (steps, *value.shape))
        train = np.ones((steps, 1), "float32"), repeated
        return dataclasses.replace(self, targets=targets, train=train)


def root_mean_square(value: np.ndarray) -> float:
    """The root mean square of an array; 1 if all its numbers are zero."""
    return float(np.sqrt(np.mean(np.square(value)))) or 1.0


def load_pair(content: str, style: str, size: int, teacher: typing.Any) -> PicturePair:
    """The pictures `content` and `style`, each a file or one of EMBEDDED.

    Args:
        content: the picture whose content counts.
        style: the picture whose style counts; it is cut to the content's frame.
        size: pixels of the content's longer side.
        teacher: the images that taught the network its features, or the name of a
            network that comes with its weights.
    """
    content_picture = _opened("--content", content)
    style_picture = _opened("--style", style)
    frame = _frame(content, content_picture, size)
    no_parts: dict[str, typing.Any] = dict.fromkeys(PARTS)  # see `towards`
    return PicturePair(
        name=getattr(teacher, "name", teacher),
        asked=getattr(teacher, "asked", teacher),
        content=_fitted(content_picture, frame),
        style=_fitted(style_picture, frame),
        targets={},
        **no_parts,
    )


def _frame(name: str, picture: Image.Image, size: int) -> tuple[int, int]:
    """(width, height) of the picture once its longer side has `size` pixels."""
    longer = max(picture.size)
    width, height = (max(1, round(n * size / longer)) for n in picture.size)
    if min(width, height) < SMALLEST:
        fail(
            f"--content {name} has {picture.width} x {picture.height} pixels, {width}"
            f" x {height} at --size {size}, expected at least {SMALLEST} a side: "
            "give a larger --size or a less oblong picture"
        )
    return width, height


def _fitted(picture: Image.Image, frame: tuple[int, int]) -> np.ndarray:
    """The picture in the frame; what juts out of the frame is cut off."""
    fitted = ImageOps.fit(picture, frame, Image.Resampling.LANCZOS)
    return np.asarray(fitted, "float32") / 255


def _opened(flag: str, name: str) -> Image.Image:
    """The picture as RGB, turned the right way up; ends the program if it can't be."""
    try:
        with warnings.catch_warnings():
            # A small file may hold a picture that fills the memory.
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            content = io.BytesIO(_content(name))
            picture = ImageOps.exif_transpose(keras.utils.load_img(content))
    except Exception as error:  # a strange file can raise anything
        fail(
            f"{flag} got {name!r}, which is no readable picture ({first_line(error)}): "
            f"give a file such as a JPEG or PNG, or {' or '.join(EMBEDDED)}"
        )
    if min(picture.size) < SMALLEST:
        fail(
            f"{flag} {name} has {picture.width} x {picture.height} pixels, expected at "
            f"least {SMALLEST} a side: give a larger picture"
        )
    return picture


def _content(name: str) -> bytes:
    """The bytes of a picture; raises ValueError for what is not a file, or too large.

    Reading a device or a pipe might never end.
    """
    if name in EMBEDDED:
        return (files("sklearn.datasets.images") / f"{name}.jpg").read_bytes()
    path = Path(name)
    if path.exists() and not path.is_file():
        raise ValueError("it is not a file")
    size = path.stat().st_size
    if size > LARGEST_FILE:
        raise ValueError(f"it has {size:,} bytes, more than {LARGEST_FILE:,}")
    return path.read_bytes()


def tinted(images: Images, seed: int = 0) -> Images:
    """Grey images in colour, each in two random colours; others are left as they are.

    A network that learns from tinted images has features of colour, which it needs for
    pictures.
    """
    if images.shape[-1] == 3:
        return images
    rng = np.random.default_rng(seed)

    def part(x, y):
        ink, ground = rng.uniform(0, 255, (2, len(x), 1, 1, 3))
        colours = ground + (ink - ground) * (x / 255)
        return colours.astype("uint8"), y

    parts = {name: part(*getattr(images, name)) for name in PARTS}
    return dataclasses.replace(images, name=f"tinted_{images.name}", **parts)
