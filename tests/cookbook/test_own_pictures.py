"""Files of pictures: every format gives bytes of one shape, or one clear line."""

import io

import numpy as np
import pytest
from PIL import Image

from cookbook.data.files.pictures import Unreadable, read_picture
from pictures_of_noise import put

NOISE = np.random.default_rng(0).integers(0, 256, (40, 40, 3), dtype="uint8")


@pytest.mark.parametrize(
    ("mode", "name"),
    [
        ("RGB", "a.png"),
        ("P", "palette.png"),
        ("P", "palette.gif"),
        ("1", "two values.bmp"),
        ("L", "grey.JPG"),
        ("LA", "grey with alpha.png"),
        ("RGBA", "alpha.webp"),
        ("CMYK", "printed.jpeg"),
        ("I;16", "sixteen bits.png"),
    ],
)
def test_pictures_of_every_mode_and_format_become_bytes_of_one_shape(
    mode, name, tmp_path
):
    path = tmp_path / name
    if mode == "I;16":
        values = np.arange(600).reshape(20, 30).astype("uint16") * 100
        Image.fromarray(values).save(path)
    else:
        put(path, 0, mode)
    for shape in ((28, 28, 1), (8, 12, 3)):
        picture = read_picture(path, shape)
        assert picture.shape == shape
        assert picture.dtype == np.uint8
    assert picture.std() > 10
    if mode == "I;16":
        exact = read_picture(path, (20, 30, 1))[..., 0]
        np.testing.assert_array_equal(exact, values >> 8)


def test_pixels_of_the_right_size_are_left_alone(tmp_path):
    pixels = put(tmp_path / "a.png", 3)
    np.testing.assert_array_equal(read_picture(tmp_path / "a.png", (20, 30, 3)), pixels)


def test_the_aspect_ratio_is_kept_and_the_centre_is_cut(tmp_path):
    pixels = np.zeros((10, 40, 3), "uint8")
    pixels[:, 15:25] = 255  # a white square in the middle of a black strip
    Image.fromarray(pixels).save(tmp_path / "strip.png")
    assert read_picture(tmp_path / "strip.png", (10, 10, 1)).min() == 255


def test_what_is_transparent_becomes_white(tmp_path):
    pixels = np.zeros((8, 8, 4), "uint8")
    pixels[:, 4:, 3] = 255  # black, whose left half is transparent
    Image.fromarray(pixels).save(tmp_path / "a.png")
    picture = read_picture(tmp_path / "a.png", (8, 8, 1))
    assert (picture[:, :4] == 255).all()
    assert (picture[:, 4:] == 0).all()


def test_a_picture_is_turned_as_the_camera_was_held(tmp_path):
    exif = Image.Exif()
    exif[0x112] = 6  # a quarter turn clockwise
    Image.fromarray(NOISE).save(tmp_path / "a.png", exif=exif)
    turned = read_picture(tmp_path / "a.png", (40, 40, 3))
    np.testing.assert_array_equal(turned, np.rot90(NOISE, -1))


def test_of_an_animation_the_first_frame_counts(tmp_path):
    frames = [Image.new("L", (8, 8), value) for value in (200, 10)]
    frames[0].save(tmp_path / "a.gif", save_all=True, append_images=frames[1:])
    assert read_picture(tmp_path / "a.gif", (8, 8, 1)).mean() == 200


def bomb():
    """A small file that claims to hold an enormous picture."""
    content = io.BytesIO()
    Image.new("L", (1, 1)).save(content, "BMP")
    header = bytearray(content.getvalue())
    header[18:26] = (30_000).to_bytes(4, "little") * 2  # width and height
    return bytes(header)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "it is empty"),
        (b"hello", "it is none of PNG, JPEG"),
        (None, "truncated"),
        (bomb(), "pixels"),
        ("folder", "it is not a file"),
        ("missing", "No such file"),
    ],
    ids=["empty", "text", "truncated", "bomb", "folder", "missing"],
)
def test_a_broken_picture_is_named_with_its_reason(content, reason, tmp_path):
    path = tmp_path / "a.png"
    if content is None:
        put(path, 0)
        path.write_bytes(path.read_bytes()[:900])
    elif content == "folder":
        path.mkdir()
    elif content != "missing":
        path.write_bytes(content)
    with pytest.raises(Unreadable, match=reason) as caught:
        read_picture(path, (8, 8, 3))
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
