"""Images and labels as arrays, and the one way to resize."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from raygrid.errors import DataError, choices

INTERPOLATIONS = {
    "nearest": Image.Resampling.NEAREST,
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
    "box": Image.Resampling.BOX,
}

# Pillow's modes of 8 bits a channel or fewer. The wider ones (I;16, F, ...) it would clip to 255 without a word.
_MODES = ("1", "L", "LA", "P", "PA", "RGB", "RGBA", "RGBX", "CMYK", "YCbCr")


@dataclass(frozen=True, eq=False)
class Images:
    """A data set in memory, with its official split.

    Parameters
    ----------
    X_train, X_test : array of shape (n_samples, image_size, image_size, 3), uint8
        RGB, 0 to 255.
    y_train, y_test : array of shape (n_samples,), int64
        Labels, 0 to ``len(class_names) - 1``; each occurs in both partitions.
    class_names : tuple of str
        The name of label i at place i.

    Raises
    ------
    DataError
        An array is not of that dtype and shape, a label has no name, or a partition lacks a class.
    """

    X_train: NDArray[np.uint8]
    y_train: NDArray[np.int64]
    X_test: NDArray[np.uint8]
    y_test: NDArray[np.int64]
    class_names: tuple[str, ...]

    def __post_init__(self) -> None:
        for partition, X, y in (("train", self.X_train, self.y_train), ("test", self.X_test, self.y_test)):
            _check_arrays(partition, X, y)
            _check_labels(partition, y, self.class_names)
        if self.X_train.shape[1:] != self.X_test.shape[1:]:
            raise DataError(f"X_test: got images of shape {self.X_test.shape[1:]}; expected {self.X_train.shape[1:]}")


def _check_arrays(partition: str, X: NDArray[np.uint8], y: NDArray[np.int64]) -> None:
    square = X.ndim == 4 and X.shape[1] == X.shape[2] and X.shape[3] == 3
    if X.dtype != np.uint8 or not square:
        raise DataError(
            f"X_{partition}: got {X.dtype} of shape {X.shape}; expected uint8 of shape (n_samples, size, size, 3)"
        )
    if y.dtype != np.int64 or y.shape != (len(X),):
        raise DataError(
            f"y_{partition}: got {y.dtype} of shape {y.shape}; expected int64 of shape ({len(X)},), a label an image"
        )


def _check_labels(partition: str, y: NDArray[np.int64], class_names: tuple[str, ...]) -> None:
    if len(class_names) < 2:
        raise DataError(f"y_{partition}: got {len(class_names)} class; expected at least 2; add images of others")
    present = np.unique(y)
    unnamed = [int(label) for label in present if not 0 <= label < len(class_names)]
    if unnamed:
        raise DataError(f"y_{partition}: got label {unnamed[0]}; expected 0 to {len(class_names) - 1}")
    absent = [name for label, name in enumerate(class_names) if label not in present]
    if absent:
        raise DataError(
            f"y_{partition}: got no image of {', '.join(absent)}; expected every class in train and in test; "
            "add images, or take the class out of both"
        )


def resize(image: Image.Image, image_size: int, interpolation: str) -> NDArray[np.uint8]:
    """Return an image as an RGB square; grey is replicated, transparency dropped, the aspect ratio not kept.

    Parameters
    ----------
    image : PIL.Image.Image
        Of any size, with at most 8 bits a channel.
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
        The interpolation is unknown, or the image has more than 8 bits a channel.
    """
    if interpolation not in INTERPOLATIONS:
        raise DataError(f"interpolation: {choices(interpolation, INTERPOLATIONS)}")
    resized = to_8_bit(image).resize((image_size, image_size), INTERPOLATIONS[interpolation])
    return np.asarray(resized.convert("RGB"))


def to_8_bit(image: Image.Image) -> Image.Image:
    """Return an image as grey where it is (resizing one channel is a third of the work), otherwise as RGB.

    Raises
    ------
    DataError
        The image has more than 8 bits a channel.
    """
    if image.mode not in _MODES:
        raise DataError(f"got an image of mode {image.mode}; expected 8 bits a channel; convert it first")
    image.load()
    if image.mode == "L":
        return image
    if "transparency" in image.info:  # Pillow warns where a transparent palette is not converted by way of RGBA
        image = image.convert("RGBA")
    return image.convert("RGB")


def stack(images: Iterable[Image.Image], image_size: int, interpolation: str) -> NDArray[np.uint8]:
    """Return `resize` of each image as one array of shape (n_samples, image_size, image_size, 3), uint8.

    The images are taken one at a time, so that a generator never holds more than one undiminished image.
    """
    resized = (resize(image, image_size, interpolation) for image in images)
    return np.fromiter(resized, dtype=np.dtype((np.uint8, (image_size, image_size, 3))))
