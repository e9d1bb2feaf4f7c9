"""The contract of a representation."""

from abc import abstractmethod
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from raygrid.level import Level


class Representation(Level):
    """A level of the representation axis: a fixed map of images, computed once for a data set.

    Attributes
    ----------
    gives : {"images", "vectors"}
        What comes out, so that a classifier can be matched to it.
    is_view : bool
        Whether the pixels come out as they went in, perhaps in another shape: then there is nothing to compute or keep.
    """

    gives: ClassVar[Literal["images", "vectors"]]
    is_view: ClassVar[bool] = False

    @property
    def is_seeded(self) -> bool:
        """Whether the map depends on the grid's seed."""
        return False

    def fetch(self) -> None:
        """Download what is missing (pretrained weights)."""

    def bytes_per_image(self, image_size: int) -> int | None:
        """Return how many bytes one image of this size (its side, in pixels) becomes; None where nobody has said."""
        return None

    @abstractmethod
    def transform(self, X: NDArray[np.uint8], *, seed: int) -> NDArray[np.generic]:
        """Map images of shape (n_samples, size, size, 3), uint8, to arrays of shape (n_samples, ...)."""
