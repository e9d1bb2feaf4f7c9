"""What every data set is: a level that knows its content's checksum and gives images and labels."""

from abc import abstractmethod
from typing import Any

from raygrid.datasets.images import Images
from raygrid.level import Level


class DatasetLevel(Level):
    """One data set, named in a grid file."""

    @abstractmethod
    def fingerprint(self) -> str:
        """Return *sha256:<hex>* of the content, without downloading it."""

    @abstractmethod
    def fetch(self) -> None:
        """Make the data set's files be on this machine; raise DataError where that cannot be."""

    def n_images(self) -> int | None:
        """Return how many images there are in train and test together; None where only reading them tells."""
        return None

    @abstractmethod
    def load(self, image_size: int, interpolation: str) -> Images:
        """Return all images, resized to squares of `image_size` pixels, and their labels.

        Parameters
        ----------
        image_size : int
            Width and height of the images returned; the aspect ratio is not kept.
        interpolation : str
            A key of `raygrid.datasets.images.INTERPOLATIONS`.

        Raises
        ------
        DataError
            The files are not there and cannot be fetched, or are not what they should be.
        """

    def identity(self) -> dict[str, Any]:
        """Return the name and the content's checksum: where the files lie changes no result."""
        return {"name": self.name, "fingerprint": self.fingerprint()}
