"""Plain samplers: any class with imbalanced-learn's `fit_resample`."""

from typing import ClassVar

import numpy as np
from pydantic import ConfigDict
from scipy.sparse import csr_array

from raygrid.mixtures.samples import Samples
from raygrid.resampling.resampler import Labels, Resampler, Sees, identity
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
        returned = sampler.fit_resample(vectors, y.copy())
        if not (isinstance(returned, tuple | list) and len(returned) == 2):
            got = type(returned).__name__ + (f" of {len(returned)}" if isinstance(returned, tuple | list) else "")
            raise ValueError(f"{self.name}: fit_resample returned {got}; expected X, y")
        X_made, y_made = returned
        rows, labels = np.asarray(X_made, dtype=np.float32), np.asarray(y_made, dtype=np.int64)
        if rows.ndim != 2 or rows.shape[1] != vectors.shape[1] or labels.shape != (len(rows),):
            got = f"X of shape {rows.shape} and y of shape {labels.shape}"
            raise ValueError(f"{self.name}: fit_resample returned {got}; expected (n, {vectors.shape[1]}) and (n,)")
        return Samples.of(rows.reshape(len(rows), *X.shape[1:]), like=X), identity(labels), labels

    def _fit(self, X: Samples, y: Labels, seed: int) -> tuple[csr_array, Labels]:
        raise NotImplementedError  # `apply` does not need it
