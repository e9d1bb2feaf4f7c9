"""MNIST, as Keras distributes it."""

from pathlib import Path
from typing import Literal

from raygrid.datasets import download, npz
from raygrid.datasets.dataset import DatasetLevel
from raygrid.datasets.images import Images

# As in keras/src/datasets/mnist.py.
URL = "https://storage.googleapis.com/tensorflow/tf-keras-datasets/mnist.npz"
CHECKSUM = "sha256:731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1"


class Mnist(DatasetLevel):
    """Handwritten digits, 28x28 grey, 60,000 for training and 10,000 for testing, 10 classes.

    References
    ----------
    Y. LeCun, L. Bottou, Y. Bengio, P. Haffner: Gradient-based learning applied to document recognition, 1998.
    """

    name: Literal["mnist"] = "mnist"

    def fingerprint(self) -> str:
        """Return the checksum of the official mnist.npz."""
        return CHECKSUM

    def fetch(self) -> None:
        """Download mnist.npz to where Keras keeps it, unless it is there."""
        download.fetch(URL, _path(), checksum=CHECKSUM, name=self.name)

    def to_fetch(self) -> str:
        """Return the size and address of mnist.npz, unless it is there and complete."""
        return download.to_fetch(URL, _path(), checksum=CHECKSUM, name=self.name, megabytes=11)

    def n_images(self) -> int:
        """Return the number of digits."""
        return 70_000

    def load(self, image_size: int, interpolation: str) -> Images:
        """Return the images and labels, downloaded first if they are not here."""
        self.fetch()
        return npz.read(_path(), image_size, interpolation)


def _path() -> Path:
    return download.cache_folder() / "mnist.npz"
