"""The contract of a classifier."""

from abc import abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar, Literal, Protocol, Self

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from raygrid.classifiers.predicting import predictions
from raygrid.level import CHOOSABLE, Level
from raygrid.mixtures.samples import Samples
from raygrid.storage.checkpoint import Checkpoint

Labels = NDArray[np.int64]


@dataclass(frozen=True)
class Part:
    """The validation part of a fold, as it is: not resampled.

    Attributes
    ----------
    X : Samples
    y : array of shape (n_validation,), int64
        Labels 0 .. M - 1.
    """

    X: Samples
    y: Labels


class Fitted(Protocol):
    """A trained classifier.

    One that also has scores is a `raygrid.classifiers.scores.Scoring`. One that was trained in epochs may have
    `curves`, a `raygrid.storage.record.Curves`, which the record keeps.
    """

    def predict(self, X: Samples) -> Labels:
        """Return labels of shape (n_samples,), int64, for test samples of shape (n_samples, ...).

        The labels do not change if the same `Classifier` is fitted again to other samples.
        """


class Classifier(Level):
    """A level of the classifier axis. A subclass sets `takes` and defines `fit`.

    Attributes
    ----------
    takes : {"images", "vectors"}
        The representation it works on: images of shape (n_samples, size, size, 3), 0 to 255, or vectors of shape
        (n_samples, n_features).
    compares_pairs : bool
        Whether its run time grows with the square of the number of samples.
    """

    model_config = CHOOSABLE
    takes: ClassVar[Literal["images", "vectors"]]
    compares_pairs: ClassVar[bool] = False

    @property
    def is_calibrated(self) -> bool:
        """Whether its trained form, which has `decision_values`, gets probabilities from inner folds."""
        return False

    @property
    def needs_validation(self) -> tuple[str, ...]:
        """The names of the parameters that need a validation part; a grid without one is refused. By default none."""
        return ()

    @abstractmethod
    def fit(self, X: Samples, A: csr_array, y: Labels, *, seed: int, checkpoint: Checkpoint) -> Fitted:
        """Train on the mixtures A X.

        Parameters
        ----------
        X : Samples
            Training samples before resampling, (n_train, ...). `raygrid.mixtures.mixing.mix` computes A X as
            an array, and ``mix(A[rows], X)`` only these rows.
        A : csr_array of shape (n_resampled, n_train), float64
        y : array of shape (n_resampled,), int64
            Labels 0 .. M - 1 of the mixtures; every class occurs.
        seed : int
            Seed of all random choices.
        checkpoint : Checkpoint
            Saves the state of a long training, and loads the state of an interrupted training with the same arguments.
            The result must be equal to that of an uninterrupted training. A short training need not use it.
        """

    @classmethod
    def predictions_of_each(
        cls,
        levels: Sequence[Self],
        X: Samples,
        A: csr_array,
        y: Labels,
        X_test: Samples,
        *,
        seed: int,
        checkpoint: Checkpoint,
        **watched: Part,
    ) -> Iterator[Labels]:
        """Yield the labels that each of some levels of this class predicts for `X_test`, trained on the mixtures A X.

        By default they are trained one after the other. A subclass whose levels have work in common may do it once.

        Parameters
        ----------
        levels : sequence of Classifier
            The candidates of a cell that chooses among them.
        X, A, y, seed, checkpoint
            As of `fit`, for all levels.
        X_test : Samples
            Samples on which the levels are compared; never those of the test part.
        watched : Part
            `validation`, of a `WatchingClassifier` only.

        Yields
        ------
        array of shape (len(X_test),), int64
            In the order of the levels, and as equal to those of `predictions` after `fit` as rounding allows.
        """
        for level in levels:
            model = level.fit(X, A, y, seed=seed, checkpoint=checkpoint, **watched)
            yield predictions(model, X_test, int(y.max()) + 1)["y_pred"]


class WatchingClassifier(Classifier):
    """A classifier whose training sees the validation part: to follow it, to stop, or to select an epoch."""

    @abstractmethod
    def fit(
        self, X: Samples, A: csr_array, y: Labels, *, seed: int, checkpoint: Checkpoint, validation: Part | None = None
    ) -> Fitted:
        """Train on the mixtures A X, as a `Classifier` does.

        Parameters
        ----------
        validation : Part, optional
            None where the grid has no validation part. Never a test sample. Where a resampler has removed a class, its
            samples are left out. In an inner fold of `choose` it is the same part as in the fit that follows.
        """
