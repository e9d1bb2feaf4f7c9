"""Convert images of any size and depth to squares with 8 bits a channel; all data sets use this."""

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray
from PIL import ExifTags, Image, ImageOps

from raygrid.activity import counted
from raygrid.errors import DataError, choices

INTERPOLATIONS = {
    "nearest": Image.Resampling.NEAREST,
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
    "box": Image.Resampling.BOX,
}

# Pillow's modes of 8 bits a channel or fewer. Wider ones (I, F, ...) it would clip to 255 and say nothing.
_MODES = ("1", "L", "LA", "P", "PA", "RGB", "RGBA", "RGBX", "CMYK", "YCbCr")


def stack(images: Iterable[Image.Image], image_size: int, interpolation: str) -> NDArray[np.uint8]:
    """Return `resize` of each image as one array of shape (n_samples, image_size, image_size, 3), uint8.

    The images are taken one at a time, so that a generator never holds more than one image of full size.
    """
    resized = (resize(image, image_size, interpolation) for image in counted(images, None, "decoding image"))
    return np.fromiter(resized, dtype=np.dtype((np.uint8, (image_size, image_size, 3))))


def resize(image: Image.Image, image_size: int, interpolation: str) -> NDArray[np.uint8]:
    """Return an image as an RGB square; grey is replicated, transparency dropped, the aspect ratio not kept.

    Parameters
    ----------
    image : PIL.Image.Image
        Of any size. EXIF orientation is applied; of 16 bits a channel, the upper 8 are taken.
    image_size : int
        Width and height of the result, in pixels.
    interpolation : str
        A key of `INTERPOLATIONS`.

    Returns
    -------
    array of shape (image_size, image_size, 3), uint8

    Raises
    ------
    DataError
        The interpolation is unknown, or the image has channels of more than 16 bits.
    """
    if interpolation not in INTERPOLATIONS:
        raise DataError(f"interpolation: {choices(interpolation, INTERPOLATIONS)}")
    resized = to_8_bit(image).resize((image_size, image_size), INTERPOLATIONS[interpolation])
    return np.asarray(resized.convert("RGB"))


def to_8_bit(image: Image.Image) -> Image.Image:
    """Return an image upright, as grey where it is (resizing one channel is a third of the work), otherwise as RGB.

    Raises
    ------
    DataError
        The image has channels of more than 16 bits.
    """
    if is_turned(image):
        image = ImageOps.exif_transpose(image)
    if is_16_bit(image) and image.mode.startswith("I"):  # Pillow itself takes the upper 8 bits of colour images
        image = Image.fromarray((np.asarray(image) >> 8).astype(np.uint8))
    if image.mode not in _MODES:
        raise DataError(f"got an image of mode {image.mode}; expected 8 or 16 bits a channel; convert it first")
    image.load()
    if image.mode == "L":
        return image
    if "transparency" in image.info:  # Pillow warns where a transparent palette is not converted by way of RGBA
        image = image.convert("RGBA")
    return image.convert("RGB")


def is_turned(image: Image.Image) -> bool:
    """Whether the image's EXIF orientation says that its pixels are to be turned or mirrored."""
    return image.getexif().get(ExifTags.Base.Orientation, 1) in range(2, 9)


def is_16_bit(image: Image.Image) -> bool:
    """Whether an image, not loaded yet, has channels of 16 bits; of a colour image only its file's encoding tells."""
    return ";16" in f"{image.mode} {getattr(image, 'tile', '')}" or (image.mode == "I" and image.format == "PPM")
