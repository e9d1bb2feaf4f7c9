"""What every data set is: a level that knows its content's checksum and gives images and labels."""

import json
from abc import abstractmethod
from functools import cached_property
from hashlib import sha256
from typing import Any

from raygrid.datasets.images import Images
from raygrid.level import Level


class DatasetLevel(Level):
    """A level of the dataset axis: images and labels, in their official split. A subclass defines `load`.

    One that reads files which no parameter of the type `ExistingPath` names also defines `fingerprint`; one that
    downloads them, `fetch` and `to_fetch` as well.
    """

    def fingerprint(self) -> str:
        """Return *sha256:<hex>* of the content, without downloading it: other content means another cell.

        Here, of the parameters, and of what lies at those that are paths.
        """
        parameters = json.dumps(super().identity(), sort_keys=True)
        return f"sha256:{sha256(parameters.encode()).hexdigest()}"

    def n_images(self) -> int | None:
        """Return how many images there are in train and test together; None where only reading them tells."""
        return None

    @abstractmethod
    def load(self, image_size: int, interpolation: str) -> Images:
        """Return all images, resized to squares of `image_size` pixels, and their labels: the same at every call.

        `raygrid.datasets.images.stack` resizes.

        Parameters
        ----------
        image_size : int
            Width and height of the images returned; the aspect ratio is not kept.
        interpolation : str
            A key of `raygrid.datasets.images.INTERPOLATIONS`.

        Returns
        -------
        Images
            Of shape (n_samples, image_size, image_size, 3), uint8, with labels 0 .. M - 1, int64, in both partitions.

        Raises
        ------
        DataError
            The files are not there and cannot be fetched, or are not what they should be.
        """

    def identity(self) -> dict[str, Any]:
        """Return the name and the content's checksum: where the files lie changes no result."""
        return {"name": self.name, "fingerprint": self._fingerprint}

    @cached_property
    def _fingerprint(self) -> str:
        """As this command found it: it goes, pickled, to other processes, which need not read all files again."""
        return self.fingerprint()
