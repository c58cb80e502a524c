"""Pictures of the user: files of several formats, read as arrays of one shape."""

import contextlib
import os
import warnings
from collections.abc import Iterator
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps

SUFFIXES = (".png", ".jpg", ".jpeg", ".bmp", ".gif", ".webp")
FORMATS = ("PNG", "JPEG", "BMP", "GIF", "WEBP")  # what Pillow may take a file for
LARGEST_FILE = 200_000_000  # bytes
MOST_PIXELS = 80_000_000  # of a picture, whatever the size of its file
Shape = tuple[int, int, int]  # H, W, C


class Unreadable(ValueError):
    """The error of a file that holds no picture; its message is one clear line."""


def picture_files(folder: Path) -> list[Path]:
    """The picture files in a folder and in folders inside it, sorted by path."""
    return files_ending(folder, SUFFIXES)


def files_ending(folder: Path, suffixes: tuple[str, ...]) -> list[Path]:
    """The files with such endings in a folder and in folders inside it, sorted by path.

    Hidden files and what lies in hidden folders are left out. Programs and operating
    systems put them there, such as .DS_Store.
    """
    found = []
    for parent, folders, names in os.walk(folder):
        folders[:] = [name for name in folders if not is_hidden(name)]
        found += [
            Path(parent, name)
            for name in names
            if not is_hidden(name) and name.lower().endswith(suffixes)
        ]
    return sorted(found)


def is_hidden(name: str) -> bool:
    """Whether a file or folder of this name belongs to a program, not to the user."""
    return name.startswith(".") or name == "__MACOSX"


def read_picture(path: Path, shape: Shape) -> np.ndarray:
    """The picture in a file, as uint8 (H, W, C); C is 1 for grey or 3 for colour.

    The aspect ratio is kept: the picture is scaled until it covers H x W, and its
    centre is cut out. It is turned the right way up if a camera noted how it was held.
    What is transparent becomes white. Of an animation, the first frame counts.

    Raises:
        Unreadable: if the file holds no whole picture, or an enormous one.
    """
    with refusing_bombs():
        return decoded(path, shape)


def decoded(path: Path, shape: Shape) -> np.ndarray:
    """What `read_picture` returns; threads call this inside `refusing_bombs`."""
    with opened(path) as picture:
        return cut_to_shape(picture, shape)


@contextlib.contextmanager
def refusing_bombs() -> Iterator[None]:
    """Refuses small files with pictures that fill the memory, in all threads."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", Image.DecompressionBombWarning)
        yield


@contextlib.contextmanager
def opened(path: Path) -> Iterator[Image.Image]:
    """The picture in a file, of which only the header is read yet.

    Raises Unreadable, also for what goes wrong while the picture is used.
    """
    try:
        _check_file(path)
        with Image.open(path, formats=FORMATS) as picture:
            _check_size(picture)
            yield picture
    except Exception as error:  # a strange file can raise anything
        raise Unreadable(f"{path} can't be read as a picture ({_reason(error)})") from (
            error
        )


def _check_file(path: Path) -> None:
    """Raises ValueError for what is not a file, such as a device, or is too large."""
    if path.exists() and not path.is_file():
        raise ValueError("it is not a file")
    size = path.stat().st_size
    if not size:
        raise ValueError("it is empty")
    if size > LARGEST_FILE:
        raise ValueError(f"it has {size:,} bytes, more than {LARGEST_FILE:,}")


def _check_size(picture: Image.Image) -> None:
    width, height = picture.size
    if width * height > MOST_PIXELS:
        raise ValueError(
            f"it has {width:,} x {height:,} pixels, more than {MOST_PIXELS:,}"
        )


def _reason(error: Exception) -> str:
    """Why a file can't be read, in a few words."""
    if isinstance(error, Image.DecompressionBombWarning | Image.DecompressionBombError):
        return f"it has more than {MOST_PIXELS:,} pixels"
    if isinstance(error, Image.UnidentifiedImageError):
        return f"it is none of {', '.join(FORMATS)}"
    text = getattr(error, "strerror", None) or str(error) or type(error).__name__
    first, *_ = text.strip().splitlines()
    return first[:200].rstrip(".")


def cut_to_shape(picture: Image.Image, shape: Shape) -> np.ndarray:
    """The picture as uint8 (H, W, C), as `read_picture` describes it."""
    height, width, channels = shape
    # A large JPEG is decoded at a half, a quarter or an eighth of its size, which is
    # much faster; twice the size that is needed is kept.
    longer = 2 * max(height, width)
    picture.draft(None, (longer, longer))
    mode = "L" if channels == 1 else "RGB"
    plain = _without_transparency(_upright(_eight_bits(picture))).convert(mode)
    cut = ImageOps.fit(plain, (width, height), Image.Resampling.LANCZOS)
    return np.asarray(cut, "uint8").reshape(shape)


def has_colour(picture: Image.Image) -> bool:
    """Whether a picture has other colours than shades of grey."""
    if picture.mode in ("1", "L", "LA", "La", "I", "F") or picture.mode[:2] == "I;":
        return False
    colours = np.asarray(_without_transparency(picture).convert("RGB"))
    return bool((colours != colours[..., :1]).any())


def _eight_bits(picture: Image.Image) -> Image.Image:
    """A grey picture of 16 bits per pixel with the upper 8 of them."""
    if picture.mode[0] not in "IF":
        return picture
    values = np.clip(np.asarray(picture), 0, 2**16 - 1).astype("uint16")
    grey = Image.fromarray((values >> 8).astype("uint8"))
    grey.info = {}
    return grey


def _upright(picture: Image.Image) -> Image.Image:
    """The picture as its camera was held; damaged notes of the camera are ignored."""
    try:
        return ImageOps.exif_transpose(picture)
    except OSError:
        raise  # the picture itself is damaged
    except Exception:
        return picture


def _without_transparency(picture: Image.Image) -> Image.Image:
    """The picture on a white ground, if parts of it may be transparent."""
    if not picture.has_transparency_data:
        return picture
    ground = Image.new("RGBA", picture.size, "white")
    ground.alpha_composite(picture.convert("RGBA"))
    return ground.convert("RGB")
