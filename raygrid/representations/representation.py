"""The contract of a representation, and of one that is trained."""

from abc import abstractmethod
from collections.abc import Callable
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from raygrid.level import Level
from raygrid.mixtures.samples import Samples

Vectors = NDArray[np.float32]
Map = Callable[[Samples], NDArray[np.generic]]
Scope = Literal["images", "dataset", "fold"]


class Representation(Level):
    """A level of the representation axis: a map of images that is the same for every fold.

    A subclass sets `gives` and defines `transform`; one that draws random numbers also `is_seeded`.

    Attributes
    ----------
    gives : {"images", "vectors"}
        What comes out, so that a classifier can be matched to it.
    scope : {"images", "dataset", "fold"}
        What its output is kept for: ``dataset`` is a map that is computed once for all samples of a data set, ``fold``
        one that is trained on each fold's training images, ``images`` a view of the pixels, where nothing is kept.
    """

    gives: ClassVar[Literal["images", "vectors"]]
    scope: ClassVar[Scope] = "dataset"

    @property
    def is_seeded(self) -> bool:
        """Whether the map depends on the grid's seed."""
        return False

    @property
    def is_trained_on_mixtures(self) -> bool:
        """Whether the map depends on the cell's resampler."""
        return False

    def bytes_per_image(self, image_size: int) -> int | None:
        """Return how many bytes one image of this size (its side, in pixels) becomes; None where nobody has said."""
        return None

    def transform(self, X: NDArray[np.uint8], *, seed: int) -> NDArray[np.generic]:
        """Map each image, by itself; here onto itself.

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
        return X

    def train(self, X: Samples, A: csr_array, y: NDArray[np.int64], *, seed: int) -> Map:
        """Return the map of images to what a classifier sees: here `transform`, whatever the training images are."""
        return lambda images: self.transform(images[:], seed=seed)


class TrainedRepresentation(Representation):
    """A map that is trained on the training images of a fold, once for all cells that have these in common.

    Attributes
    ----------
    train_on : {"original", "resampled"}
        These images as they are, or as the cell's resampler balances them. In both cases it is the original ones that
        are then represented, and resampled as vectors for the classifier.
    """

    gives: ClassVar[Literal["images", "vectors"]] = "vectors"
    scope: ClassVar[Scope] = "fold"
    train_on: Literal["original", "resampled"] = "original"

    @property
    def is_trained_on_mixtures(self) -> bool:
        """Whether the map depends on the cell's resampler."""
        return self.train_on == "resampled"

    @abstractmethod
    def train(self, X: Samples, A: csr_array, y: NDArray[np.int64], *, seed: int) -> Map:
        """Train on the mixtures A X.

        Parameters
        ----------
        X : Samples
            Training images, (n_train, size, size, 3), uint8.
        A : sparse array of shape (n_mixtures, n_train), float64
        y : array of shape (n_mixtures,), int64
            Labels 0 .. M - 1 of the mixtures.
        seed : int
            Of every random choice.

        Returns
        -------
        callable
            Maps images, of either partition, to vectors, (n_samples, n_features).
        """
