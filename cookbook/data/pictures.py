"""Two pictures, one for its content and one for its style: files, or embedded ones."""

import dataclasses
import io
from importlib.resources import files
from pathlib import Path

import keras
import numpy as np
from PIL import Image, ImageOps

from cookbook.data.sources import DataSet, first_line
from cookbook.errors import fail

# Photographs that scikit-learn brings, under the licence CC BY 2.0; its README names
# their authors.
EMBEDDED = ("china", "flower")
SMALLEST = 48  # pixels a side that a picture needs, for layers that shrink it


@dataclasses.dataclass(frozen=True, kw_only=True)
class PicturePair(DataSet):
    """Two pictures of one size, and what a third one is to have in common with them.

    DataSet's name and parts: of the images that taught the features, and the steps.
    """

    content: np.ndarray  # float32 (H, W, 3), from 0 to 1
    style: np.ndarray  # the same
    targets: dict  # {output: what it should be}

    def towards(self, targets, steps):
        """The pair with `targets`, and a training part of `steps` examples.

        An example is the number 1 and the targets, each divided by its size: an
        output that is divided alike has its relative error as mean squared error.
        """
        y = {name: value / root_mean_square(value) for name, value in targets.items()}
        repeated = {
            name: np.broadcast_to(value, (steps, *value.shape))
            for name, value in y.items()
        }
        train = np.ones((steps, 1), "float32"), repeated
        return dataclasses.replace(self, targets=targets, train=train)


def root_mean_square(value):
    """The size of an array's numbers; 1 if all are zero."""
    return float(np.sqrt(np.mean(np.square(value)))) or 1.0


def load_pair(content, style, size, teacher):
    """The pictures `content` and `style`, each a file or one of EMBEDDED.

    size: pixels of the content's longer side; the style fills the same frame, and what
    juts out of it is cut off. teacher: the images that taught the features, or the name
    of a network that comes with its weights.
    """
    first, second = _opened("--content", content), _opened("--style", style)
    frame = tuple(max(1, round(n * size / max(first.size))) for n in first.size)
    if min(frame) < SMALLEST:
        fail(
            f"--content {content} has {first.width} x {first.height} pixels, {frame[0]}"
            f" x {frame[1]} at --size {size}, expected at least {SMALLEST} a side: "
            "give a larger --size or a less oblong picture"
        )
    fitted = (ImageOps.fit(p, frame, Image.Resampling.LANCZOS) for p in (first, second))
    content, style = (np.asarray(picture, "float32") / 255 for picture in fitted)
    parts = {"train": None, "validation": None, "test": None, "targets": {}}
    name, asked = (getattr(teacher, key, teacher) for key in ("name", "asked"))
    return PicturePair(name=name, asked=asked, content=content, style=style, **parts)


def _opened(flag, name):
    """The picture as RGB, turned as its camera says; else one line and status 2."""
    path = Path(name)
    if name in EMBEDDED:
        path = files("sklearn.datasets.images") / f"{name}.jpg"
    try:
        file = io.BytesIO(path.read_bytes())
        picture = ImageOps.exif_transpose(keras.utils.load_img(file))
    except Exception as error:  # whatever a strange file can die of
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


def tinted(images, seed=0):
    """Grey images as coloured ones, each with an ink and a ground of its own.

    Images of three channels are given back as they are. What learns from the tinted
    ones has features of colour, as it needs for pictures.
    """
    if images.shape[-1] == 3:
        return images
    rng = np.random.default_rng(seed)

    def part(x, y):
        ink, ground = rng.uniform(0, 255, (2, len(x), 1, 1, 3))
        return (ground + (ink - ground) * (x / 255)).astype("uint8"), y

    names = ("train", "validation", "test")
    parts = {name: part(*getattr(images, name)) for name in names}
    return dataclasses.replace(images, name=f"tinted_{images.name}", **parts)
