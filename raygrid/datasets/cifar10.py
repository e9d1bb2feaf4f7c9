"""CIFAR-10, from the same archive that Keras downloads; its pickles are parsed but never executed."""

import pickletools
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from raygrid.datasets import download
from raygrid.datasets.dataset import DatasetLevel
from raygrid.datasets.files import read_tar
from raygrid.datasets.images import Images, consecutive
from raygrid.datasets.resizing import stack
from raygrid.errors import DataError

# As in keras/src/datasets/cifar10.py.
URL = "https://www.cs.toronto.edu/~kriz/cifar-10-python.tar.gz"
CHECKSUM = "sha256:6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce"
# File name of the archive in the cache of Keras 3, and of Keras 2.
CACHE_NAMES = ("cifar-10-batches-py-target_archive", "cifar-10-batches-py.tar.gz")

TRAIN = tuple(f"cifar-10-batches-py/data_batch_{i}" for i in range(1, 6))
TEST = ("cifar-10-batches-py/test_batch",)
CLASS_NAMES = ("airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck")


class Cifar10(DatasetLevel):
    """Small photographs, 32x32 RGB, 50,000 for training and 10,000 for testing, 10 classes.

    References
    ----------
    A. Krizhevsky: Learning Multiple Layers of Features from Tiny Images, 2009.
    """

    name: Literal["cifar10"] = "cifar10"

    def fingerprint(self) -> str:
        """Return the checksum of the official cifar-10-python.tar.gz."""
        return CHECKSUM

    def fetch(self) -> None:
        """Download the archive to where Keras keeps it, unless it is there."""
        download.fetch(URL, _path(), checksum=CHECKSUM, name=self.name)

    def to_fetch(self) -> str:
        """Return the size and address of the archive, unless it is there and complete."""
        return download.to_fetch(URL, _path(), checksum=CHECKSUM, name=self.name, megabytes=170)

    def n_images(self) -> int:
        """Return the number of photographs."""
        return 60_000

    def load(self, image_size: int, interpolation: str) -> Images:
        """Return the images and labels, downloaded first if they are not here."""
        self.fetch()
        return read(_path(), image_size, interpolation)


def _path() -> Path:
    places = [download.cache_folder() / name for name in CACHE_NAMES]
    return next((place for place in places if place.exists()), places[0])


def read(path: Path, image_size: int, interpolation: str) -> Images:
    """Return the images and labels of cifar-10-python.tar.gz; raise DataError for any other archive."""
    batches = read_tar(path, TRAIN + TEST)
    absent = [name for name in TRAIN + TEST if name not in batches]
    if absent:
        raise DataError(f"{path}: got no {', '.join(absent)}; expected cifar-10-python.tar.gz")
    parsed = {name: read_batch(f"{path}: {name}", batch) for name, batch in batches.items()}
    pixels = (image for name in TRAIN + TEST for image in parsed[name][0])
    sizes = {part: sum(len(parsed[name][1]) for name in names) for part, names in (("train", TRAIN), ("test", TEST))}
    return Images(
        X=stack(map(Image.fromarray, pixels), image_size, interpolation),
        y=np.concatenate([parsed[name][1] for name in TRAIN + TEST]),
        class_names=CLASS_NAMES,
        parts=consecutive(sizes),
    )


def read_batch(where: str, batch: bytes) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Return the images and labels of one batch, a pickle of Python 2, without unpickling it.

    A pickle is a program. This only lists its instructions, and takes the one long string (the pixels)
    and the small numbers that follow the string *labels*.

    Parameters
    ----------
    where : str
        The batch, for messages.
    batch : bytes
        The pickle.

    Returns
    -------
    X : array of shape (n_samples, 32, 32, 3), uint8
    y : array of shape (n_samples,), int64

    Raises
    ------
    DataError
        The instructions do not give 3,072 pixels a label.
    """
    pixels, labels, key = b"", list[int](), ""
    for instruction, value in _instructions(where, batch):
        if instruction == "BINSTRING":
            pixels += value.encode("latin-1")
        elif instruction == "SHORT_BINSTRING":
            key = value
        elif instruction == "BININT1" and key == "labels":
            labels.append(value)
    if not labels or len(pixels) != 3072 * len(labels):
        raise DataError(
            f"{where}: got {len(pixels)} bytes of pixels and {len(labels)} labels; expected 3072 bytes a label"
        )
    X = np.frombuffer(pixels, np.uint8).reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1)
    return X, np.array(labels, np.int64)


def _instructions(where: str, batch: bytes) -> list[tuple[str, Any]]:
    try:
        return [(opcode.name, argument) for opcode, argument, _ in pickletools.genops(batch)]
    except ValueError as error:
        raise DataError(f"{where}: got no whole pickle ({error}); expected a batch of CIFAR-10") from error
