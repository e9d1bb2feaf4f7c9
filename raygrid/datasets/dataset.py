"""What every data set is: a level that knows its content's checksum and returns images and labels."""

import json
from abc import abstractmethod
from functools import cached_property
from hashlib import sha256
from typing import Any

from raygrid.datasets.images import Images
from raygrid.level import Level


class DatasetLevel(Level):
    """A level of the dataset axis: one pool of images and labels. A subclass defines `load`.

    A subclass also defines `fingerprint` if it reads files that no parameter of the type `ExistingPath` names, and
    `fetch` and `to_fetch` if it downloads files.
    """

    def fingerprint(self) -> str:
        """Return *sha256:<hex>* of the content, without downloading it, because other content is another cell.

        By default this covers the parameters, and for those that are paths the files there.
        """
        parameters = json.dumps(super().identity(), sort_keys=True)
        return f"sha256:{sha256(parameters.encode()).hexdigest()}"

    def n_images(self) -> int | None:
        """Return how many images there are; None where only reading them tells."""
        return None

    @abstractmethod
    def load(self, image_size: int, interpolation: str) -> Images:
        """Return all images, resized to squares of `image_size` pixels, and their labels, the same at every call.

        `raygrid.datasets.stack` resizes; `Images.of_parts` takes what is split already.

        Parameters
        ----------
        image_size : int
            Width and height of the images returned; the aspect ratio is not kept.
        interpolation : str
            A key of `raygrid.datasets.INTERPOLATIONS`.

        Returns
        -------
        Images
            One pool of shape (n_samples, image_size, image_size, 3), uint8, with labels 0 .. M - 1, int64, and the
            official parts as indices into it, if there are any.

        Raises
        ------
        DataError
            The files are not there and cannot be downloaded, or are not what they should be.
        """

    def identity(self) -> dict[str, Any]:
        """Return the name and the content's checksum, because where the files lie changes no result."""
        return {"name": self.name, "fingerprint": self._fingerprint}

    @cached_property
    def _fingerprint(self) -> str:
        """The fingerprint, computed once: other processes get it with the pickled level and read no file for it."""
        return self.fingerprint()
