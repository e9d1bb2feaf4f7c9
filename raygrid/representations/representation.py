"""The contract of a representation."""

from abc import abstractmethod
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from raygrid.level import Level


class Representation(Level):
    """A level of the representation axis: a fixed map of images, computed once for a data set.

    A subclass sets `gives` and defines `transform`; one that draws random numbers also `is_seeded`.

    Attributes
    ----------
    gives : {"images", "vectors"}
        What comes out, so that a classifier can be matched to it.
    is_identity : bool
        Whether images come out as they went in, so that there is nothing to compute or keep.
    """

    gives: ClassVar[Literal["images", "vectors"]]
    is_identity: ClassVar[bool] = False

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
        """Map each image, by itself.

        Parameters
        ----------
        X : array of shape (n_samples, size, size, 3), uint8
            Read-only.
        seed : int
            The grid's; counts where `is_seeded`.

        Returns
        -------
        array of shape (n_samples, n_features), or (n_samples, size, size, 3) where it gives images
            Numbers, all finite.
        """
