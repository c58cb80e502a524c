"""Two pictures for a script: files, or photographs that scikit-learn ships."""

import io
from importlib.resources import files
from pathlib import Path
from typing import Any

import keras
from PIL import Image, ImageOps

from cookbook.data.pictures import PicturePair, _fitted

EMBEDDED = ("china", "flower")


def load_pair(content: str, style: str, size: int, teacher: Any) -> PicturePair:
    """The pictures `content` and `style`, each a file or one of EMBEDDED.

    size: pixels of the content's longer side; the style is cut to the same frame.
    teacher: the images that taught the network its features, or the network's name.
    """
    content_picture, style_picture = _opened(content), _opened(style)
    longer = max(content_picture.size)
    width, height = (max(1, round(n * size / longer)) for n in content_picture.size)
    nothing: Any = None  # see `towards`
    return PicturePair(
        name=getattr(teacher, "name", teacher),
        asked=getattr(teacher, "asked", teacher),
        content=_fitted(content_picture, (width, height)),
        style=_fitted(style_picture, (width, height)),
        targets={},
        train=nothing,
        validation=nothing,
        test=nothing,
    )


def _opened(name: str) -> Image.Image:
    """The picture as RGB, turned the right way up."""
    path: Any = Path(name)
    if name in EMBEDDED:
        path = files("sklearn.datasets.images") / f"{name}.jpg"
    return ImageOps.exif_transpose(keras.utils.load_img(io.BytesIO(path.read_bytes())))
