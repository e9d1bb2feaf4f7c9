"""The contract of a classifier."""

from abc import abstractmethod
from typing import ClassVar, Literal, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from raygrid.level import Level
from raygrid.mixtures.samples import Samples
from raygrid.storage.checkpoint import Checkpoint

Labels = NDArray[np.int64]


class Fitted(Protocol):
    """A trained classifier; one that also has scores is a `raygrid.classifiers.scores.Scoring`."""

    def predict(self, X: Samples) -> Labels:
        """Return labels of shape (n_samples,), int64, for test samples of shape (n_samples, ...).

        Always the same, whatever else the classifier is fitted to in the meantime.
        """


class Classifier(Level):
    """A level of the classifier axis. A subclass sets `takes` and defines `fit`.

    Attributes
    ----------
    takes : {"images", "vectors"}
        The representation it works on: images of shape (n_samples, size, size, 3), 0 to 255, or vectors of shape
        (n_samples, n_features).
    compares_pairs : bool
        Whether its time grows with the square of the number of samples.
    """

    takes: ClassVar[Literal["images", "vectors"]]
    compares_pairs: ClassVar[bool] = False

    @abstractmethod
    def fit(self, X: Samples, A: csr_array, y: Labels, *, seed: int, checkpoint: Checkpoint) -> Fitted:
        """Train on the mixtures A X.

        Parameters
        ----------
        X : Samples
            Training samples before resampling, (n_train, ...). `raygrid.mixtures.mixing.mix` gives A X as
            an array, or some rows of it: ``mix(A[rows], X)``.
        A : csr_array of shape (n_resampled, n_train), float64
        y : array of shape (n_resampled,), int64
            Labels 0 .. M - 1 of the mixtures, every class among them.
        seed : int
            Of every random choice.
        checkpoint : Checkpoint
            Where a long training keeps its state and finds that of an interrupted one, of the same arguments; the
            result is that of a training without interruption. A short one need not use it.
        """
