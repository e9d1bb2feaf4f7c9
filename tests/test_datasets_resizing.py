"""Resizing: every kind of image becomes an upright RGB square of 8 bits a channel."""

import io

import numpy as np
import pytest
from PIL import ExifTags, Image

from raygrid.datasets.resizing import INTERPOLATIONS, is_16_bit, resize, stack
from raygrid.errors import DataError

SIXTEEN_BIT_RGB = bytes.fromhex(  # a PNG of one pixel, (1, 256, 65535)
    "89504e470d0a1a0a0000000d4948445200000001000000011002000000c0e78f9d0000000f49444154789c6360606464"
    "f8ff1f00030d02013957c20a0000000049454e44ae426082"
)


@pytest.mark.parametrize("interpolation", INTERPOLATIONS)
@pytest.mark.parametrize("mode", ["1", "L", "LA", "P", "RGB", "RGBA", "CMYK"])
def test_every_mode_becomes_an_rgb_square(mode, interpolation):
    image = Image.new("RGB", (5, 3), (255, 255, 255)).convert(mode)
    resized = resize(image, 4, interpolation)
    assert (resized.shape, resized.dtype) == ((4, 4, 3), np.uint8)
    assert (resized == 255).all()


def test_grey_is_replicated_and_scaled_up_by_blocks():
    image = Image.fromarray(np.array([[0, 50], [100, 200]], np.uint8))
    grey = [[0, 0, 50, 50], [0, 0, 50, 50], [100, 100, 200, 200], [100, 100, 200, 200]]
    for channel in range(3):
        assert resize(image, 4, "nearest")[..., channel].tolist() == grey


def test_box_is_the_mean_and_bilinear_is_not_nearest():
    image = Image.fromarray(np.array([[0, 50], [100, 200]], np.uint8))
    assert resize(image, 1, "box").tolist() == [[[88, 88, 88]]]
    assert resize(image, 4, "bilinear")[0, :, 0].tolist() == [0, 13, 38, 50]


@pytest.mark.filterwarnings("error")
def test_transparency_is_dropped_and_colour_kept():
    image = Image.new("RGBA", (1, 1), (10, 20, 30, 0))
    assert resize(image, 1, "nearest").tolist() == [[[10, 20, 30]]]
    palette = Image.new("P", (1, 1), 1)
    palette.putpalette([0, 0, 0, 10, 20, 30])
    palette.info["transparency"] = b"\xff\x00"
    assert resize(palette, 1, "nearest").tolist() == [[[10, 20, 30]]]


@pytest.mark.parametrize("file_format", ["PNG", "TIFF", "PPM"])
def test_of_sixteen_bits_the_upper_eight_are_taken(file_format):
    content = io.BytesIO()
    Image.fromarray(np.array([[0, 255, 256, 65535]], np.uint16)).save(content, file_format)
    assert is_16_bit(Image.open(content))
    assert resize(Image.open(content), 4, "nearest")[0, :, 0].tolist() == [0, 0, 1, 255]


def test_of_colours_of_sixteen_bits_the_upper_eight_are_taken_as_well():
    content = io.BytesIO(SIXTEEN_BIT_RGB)
    assert is_16_bit(Image.open(content))
    assert resize(Image.open(content), 1, "nearest").tolist() == [[[0, 1, 255]]]


@pytest.mark.parametrize("values", [np.array([[70000]], np.int32), np.array([[0.5]], np.float32)])
def test_wider_channels_are_refused_and_not_clipped(values):
    image = Image.fromarray(values)
    assert not is_16_bit(image)
    with pytest.raises(DataError) as refused:
        resize(image, 1, "nearest")
    assert str(refused.value) == (
        f"got an image of mode {image.mode}; expected 8 or 16 bits a channel; convert it first"
    )


def test_the_exif_orientation_is_applied():
    image, content = Image.new("L", (2, 1)), io.BytesIO()
    image.putpixel((0, 0), 200)  # the left pixel; turned by a quarter to the right, the top one
    image.getexif()[ExifTags.Base.Orientation] = 6
    image.save(content, "PNG", exif=image.getexif())
    assert resize(Image.open(content), 2, "nearest")[..., 0].tolist() == [[200, 200], [0, 0]]


def test_an_unknown_interpolation_is_refused():
    with pytest.raises(DataError) as refused:
        resize(Image.new("L", (1, 1)), 1, "cubic")
    assert str(refused.value) == (
        "interpolation: got 'cubic'; expected one of nearest, bilinear, bicubic, lanczos, box; did you mean 'bicubic'?"
    )


def test_stack_keeps_the_order():
    images = (Image.new("L", (2, 2), value) for value in (3, 1, 2))
    stacked = stack(images, 1, "nearest")
    assert (stacked.shape, stacked.dtype) == ((3, 1, 1, 3), np.uint8)
    assert stacked[:, 0, 0, 0].tolist() == [3, 1, 2]
