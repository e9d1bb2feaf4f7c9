"""The contract of a data set: a level that loads images and labels, and has a checksum of them."""

import json
from abc import abstractmethod
from functools import cached_property
from hashlib import sha256
from typing import Any

from raygrid.datasets.images import Images
from raygrid.level import Level


class DatasetLevel(Level):
    """A level of the dataset axis: one pool of images and labels. A subclass defines `load` and sets `name`.

    A subclass also defines `fingerprint` if it reads files that no parameter of the type `ExistingPath` names, and
    `fetch` and `to_fetch` if it downloads files.
    """

    def fingerprint(self) -> str:
        """Return *sha256:<hex>* of the content, without downloading it; it is part of a cell's key.

        By default it is computed from the parameters, and from the files at parameters that are paths.
        """
        parameters = json.dumps(super().identity(), sort_keys=True)
        return f"sha256:{sha256(parameters.encode()).hexdigest()}"

    def n_images(self) -> int | None:
        """Return the number of images; None if it is only known after loading."""
        return None

    @abstractmethod
    def load(self, image_size: int, interpolation: str) -> Images:
        """Return all images, resized to squares of `image_size` pixels, and their labels, the same at every call.

        Use `raygrid.datasets.stack` to resize, and `Images.of_parts` if the data set has official parts. Without parts,
        the grid file must name a `split` that makes a test part.

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
            The files do not exist and cannot be downloaded, or have the wrong content.
        """

    def identity(self) -> dict[str, Any]:
        """Return the name and the checksum of the content; not the path, because it does not change a result."""
        return {"name": self.name, "fingerprint": self._fingerprint}

    @cached_property
    def _fingerprint(self) -> str:
        """The fingerprint, computed once; it is pickled with the level, so other processes need not read the files."""
        return self.fingerprint()
