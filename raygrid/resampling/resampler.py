"""The contract of a resampler, the one that changes nothing, and how to get a mixing matrix from a sampler."""

from abc import abstractmethod
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array, eye_array

from raygrid.errors import InfeasibleError
from raygrid.level import CHOOSABLE, Level
from raygrid.mixtures.samples import Samples

Labels = NDArray[np.int64]
Sees = Literal["labels", "inner products", "samples"]


class Resampler(Level):
    """A level of the resampler axis, which balances the classes of a training set.

    A subclass defines `_fit`, with the parameters and results of `resample`, and sets `name`.

    Attributes
    ----------
    sees : "labels", "inner products" or "samples"
        What it uses of the training set. If "samples", the whole set is read into memory as a dense array.
    compares_pairs : bool
        Whether its time grows with the square of the number of samples.
    """

    model_config = CHOOSABLE
    sees: ClassVar[Sees] = "labels"
    compares_pairs: ClassVar[bool] = False

    def apply(self, X: Samples, y: Labels, *, seed: int) -> tuple[Samples, csr_array, Labels]:
        """Return what the classifier is trained on: samples, their mixtures A, and the labels of these.

        The samples are X, and A and the labels those of `resample`, unless a sampler makes samples that are no
        mixtures.
        """
        return X, *self.resample(X, y, seed=seed)

    def resample(self, X: Samples, y: Labels, *, seed: int) -> tuple[csr_array, Labels]:
        """Return the resampled training set as mixtures of training samples.

        Parameters
        ----------
        X : Samples
            Training samples, (n_train, ...): uint8 images or float32 vectors. ``X[rows]`` reads some, ``X[:]`` all.
        y : array of shape (n_train,), int64
            Labels 0 .. M - 1, every class among them.
        seed : int
            Of every random choice.

        Returns
        -------
        A : csr_array of shape (n_resampled, n_train), float64
            Rows sum to 1; the resampled set is A X.
        y : array of shape (n_resampled,), int64
            The class of each mixture. A class may lose all its samples; its recall is then 0.

        Raises
        ------
        InfeasibleError
            A class is too small for this resampler.
        """
        classes = np.unique(y)  # a user's own may change y
        try:
            self.check_sizes(y)
            returned: Any = self._fit(X, y, seed)
        except InfeasibleError as error:
            raise InfeasibleError(f"{self.name}: {error}") from None
        try:
            return _checked(returned, len(y), classes)
        except ValueError as error:
            raise ValueError(f"{self.name}: _fit returned {error}") from None

    def check_sizes(self, y: Labels) -> None:
        """Raise InfeasibleError if the class sizes alone make this resampler fail; `plan` calls it before a run.

        Parameters
        ----------
        y : array of shape (n_train,), int64
            Labels 0 .. M - 1, every class among them.
        """

    @abstractmethod
    def _fit(self, X: Samples, y: Labels, seed: int) -> tuple[csr_array, Labels]:
        """Do the work of `resample`."""


class NoResampling(Resampler):
    """Leave the training set as it is."""

    name: Literal["none"] = "none"

    def _fit(self, X: Samples, y: Labels, seed: int) -> tuple[csr_array, Labels]:
        return identity(y), y


def _checked(returned: Any, n_samples: int, classes: Labels) -> tuple[csr_array, Labels]:
    """Return the mixtures of n_samples and their labels: a classifier would be blamed for wrong ones.

    Raises
    ------
    ValueError
        They are anything else.
    """
    if not (isinstance(returned, tuple | list) and len(returned) == 2):
        raise ValueError(f"{type(returned).__name__}; expected A, y")
    A, labels = returned[0], np.asarray(returned[1])
    shape = getattr(A, "shape", type(A).__name__)
    if labels.ndim != 1 or shape != (len(labels), n_samples):
        raise ValueError(f"A of shape {shape} and y of shape {labels.shape}; expected (n, {n_samples}) and (n,)")
    if not np.isfinite(A.sum()):  # the user's own may divide by 0
        raise ValueError("NaN or infinite shares of samples; expected finite ones")
    if unknown := unknown_labels(labels, classes):
        raise ValueError(f"label {unknown[0]!r}; expected those of y, {classes[0]} to {classes[-1]}")
    return A, labels.astype(np.int64, copy=False)


def unknown_labels(labels: NDArray[Any], y: Labels) -> list[Any]:
    """Return the labels, of any kind, that `y` does not have."""
    known = set(y.tolist())
    return [label for label in labels.tolist() if label not in known]


def identity(y: Labels) -> csr_array:
    """Return the mixing matrix that leaves all samples as they are."""
    return eye_array(len(y), format="csr")


def run(sampler: Any, y: Labels) -> tuple[csr_array, Labels]:
    """Return the mixing matrix and the labels, by running imbalanced-learn's sampler on the identity matrix."""
    A, y_resampled = sampler.fit_resample(identity(y), y)
    return csr_array(A), y_resampled
