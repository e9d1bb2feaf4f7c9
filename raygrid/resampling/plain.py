"""Plain samplers: any class with imbalanced-learn's `fit_resample`."""

from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import ConfigDict
from scipy.sparse import csr_array

from raygrid.mixtures.samples import Samples
from raygrid.resampling.resampler import Labels, Resampler, Sees, identity, unknown_labels
from raygrid.usercode.plain import made


class PlainSampler(Resampler):
    """A class with `fit_resample(X, y)`, which returns another X and y; its parameters stand beside its name.

    What it makes need not be mixtures of samples, so that distances and kernels are computed from it anew. If it takes
    `random_state`, the trial sets it. X is an array of shape (n, n_features), float32, also of images; y has the labels
    0 .. M - 1, int64.
    """

    model_config = ConfigDict(extra="allow")

    ROLE: ClassVar[str] = "sampler"
    METHODS: ClassVar[tuple[str, ...]] = ("fit_resample",)
    sees: ClassVar[Sees] = "samples"
    compares_pairs: ClassVar[bool] = True  # most do

    def apply(self, X: Samples, y: Labels, *, seed: int) -> tuple[Samples, csr_array, Labels]:
        """Return the samples that the sampler makes, each a mixture of itself alone."""
        sampler = made(self.code["class"], self.model_extra or {}, seed=seed)
        vectors = X[:].reshape(len(X), -1).astype(np.float32)
        try:
            rows, labels = _checked(sampler.fit_resample(vectors, y.copy()), vectors.shape[1], y)
        except _WrongReturnError as error:
            raise ValueError(f"{self.name}: fit_resample returned {error}") from None
        return Samples.of(rows.reshape(len(rows), *X.shape[1:]), like=X), identity(labels), labels

    def _fit(self, X: Samples, y: Labels, seed: int) -> tuple[csr_array, Labels]:
        raise NotImplementedError  # `apply` does not need it


class _WrongReturnError(Exception):
    """What a sampler returns is no resampled set."""


def _checked(returned: Any, n_features: int, y: Labels) -> tuple[NDArray[np.float32], Labels]:
    """Return the samples and labels that a sampler has made of such features and the labels `y`.

    Raises
    ------
    _WrongReturnError
        It has returned something else.
    """
    if not (isinstance(returned, tuple | list) and len(returned) == 2):
        got = type(returned).__name__ + (f" of {len(returned)}" if isinstance(returned, tuple | list) else "")
        raise _WrongReturnError(f"{got}; expected X, y")
    try:
        X_made, y_made = np.asarray(returned[0], dtype=np.float32), np.asarray(returned[1])
    except (ValueError, TypeError) as error:
        raise _WrongReturnError(f"what is no array of numbers ({error}); expected X, y") from None
    if X_made.ndim != 2 or X_made.shape[1] != n_features or y_made.shape != (len(X_made),):
        got = f"X of shape {X_made.shape} and y of shape {y_made.shape}"
        raise _WrongReturnError(f"{got}; expected (n, {n_features}) and (n,)")
    if n_wrong := len(X_made) - np.count_nonzero(np.isfinite(X_made).all(axis=1)):
        raise _WrongReturnError(f"NaN or infinite values in {n_wrong} of {len(X_made)} samples; expected finite ones")
    if unknown := unknown_labels(y_made, y):
        raise _WrongReturnError(f"label {unknown[0]!r}; expected those of y, {y.min()} to {y.max()}")
    return X_made, y_made.astype(np.int64)
