"""The contracts of a fixed representation, and of one that is trained on each fold."""

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
        The kind of its output, which must be what the classifier takes.
    scope : {"images", "dataset", "fold"}
        Where the output is cached: ``dataset`` means it is computed once for all samples of a data set, ``fold`` that
        it is trained on each fold's training images, ``images`` that it is a view of the pixels and not cached.
    libraries : tuple of str
        What changes the output of a fixed representation if its version changes: distributions, and the Keras backend.
    """

    gives: ClassVar[Literal["images", "vectors"]]
    scope: ClassVar[Scope] = "dataset"
    libraries: ClassVar[tuple[str, ...]] = ("keras_backend", "keras")

    @property
    def is_seeded(self) -> bool:
        """Whether the map depends on the grid's seed."""
        return False

    @property
    def is_trained_on_mixtures(self) -> bool:
        """Whether the map depends on the cell's resampler."""
        return False

    @property
    def needs_validation(self) -> tuple[str, ...]:
        """The dotted names of the parameters that need a validation part; if any are set, `train` gets it."""
        return ()

    def bytes_per_image(self, image_size: int) -> int | None:
        """Return the size in bytes of one image's output (`image_size` is its side in pixels); None if not known."""
        return None

    def transform(self, X: NDArray[np.uint8], *, seed: int) -> NDArray[np.generic]:
        """Map each image independently of the others; by default, to itself.

        Parameters
        ----------
        X : array of shape (n_samples, size, size, 3), uint8
            Read-only.
        seed : int
            The grid's seed; only used if `is_seeded`.

        Returns
        -------
        array of shape (n_samples, n_features), or (n_samples, size, size, 3) if it gives images
            All values are finite.
        """
        return X

    def train(self, X: Samples, A: csr_array, y: NDArray[np.int64], *, seed: int) -> Map:
        """Return the map from images to the classifier's inputs; by default `transform`, which needs no training."""
        return lambda images: self.transform(images[:], seed=seed)


class TrainedRepresentation(Representation):
    """A map that is trained on the training images of a fold, once for all cells with the same training images.

    Attributes
    ----------
    train_on : {"original", "resampled"}
        The training images before resampling, or after it. In both cases the map is then applied to the original
        images, and the cell's resampler works on the resulting vectors.
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
            Seed of all random choices.

        Returns
        -------
        callable
            Maps training or test images to vectors, (n_samples, n_features).
        """
