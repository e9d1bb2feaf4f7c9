"""The contract of an augmentation."""

from abc import abstractmethod
from dataclasses import dataclass
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from raygrid.level import Level

Ints = NDArray[np.int64]


@dataclass(frozen=True)
class Batch:
    """Images of a batch, which may each count for two classes.

    Attributes
    ----------
    images : array of shape (n, size, size, 3), float32
        0 to 255.
    y : array of shape (n,), int64
        The labels.
    class_sizes : array of shape (n_classes,), int64
        Of the whole training set, after resampling.
    partner : array of shape (n,), int64
        The place in the batch of the image whose label is the second one of each image.
    share : array of shape (n,), float64
        How much the own label of each image counts, in [0, 1]; the second one counts for the rest.
    """

    images: NDArray[np.float32]
    y: Ints
    class_sizes: Ints
    partner: Ints
    share: NDArray[np.float64]

    @classmethod
    def of(cls, images: NDArray[np.float32], y: Ints, class_sizes: Ints) -> Self:
        """Return a batch of images that count for their own label only."""
        return cls(images, y, class_sizes, np.arange(len(y)), np.ones(len(y)))


class Augmentation(Level):
    """A random change of the images of a batch. A subclass defines `applied`.

    Attributes
    ----------
    mixes : bool
        Whether an image may then count for two classes.
    """

    mixes: ClassVar[bool] = False

    @abstractmethod
    def applied(self, batch: Batch, rng: np.random.Generator) -> Batch:
        """Return the changed batch; the arrays of `batch` stay as they are."""
