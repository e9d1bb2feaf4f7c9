"""imbalanced-learn's samplers by the names of their classes: what they have in common.

Parameters are those of the class, by name and with its defaults. Left out are `random_state` (the seed is the cell's),
`n_jobs` (the threads are the trial's), and what is no plain value: estimators, and samples by class.
"""

import re
from inspect import signature
from typing import Any, ClassVar, Literal

import numpy as np
from scipy.sparse import csr_array

from raygrid.errors import InfeasibleError
from raygrid.mixtures.samples import Samples
from raygrid.resampling.neighbours import MixtureNeighbours
from raygrid.resampling.resampler import Labels, Resampler, Sees, identity, run

# The values of `sampling_strategy`: which classes are resampled; 'auto' is all but the largest, or but the smallest.
Filled = Literal["auto", "minority", "not minority", "not majority", "all"]
Thinned = Literal["auto", "majority", "not minority", "not majority", "all"]

# Parameters that count neighbours, besides the sample itself, and that may be an estimator of them.
_COUNTS = {"k_neighbors", "m_neighbors", "n_neighbors"}

# What imbalanced-learn and scikit-learn raise where the data are too few or too plain, however often a sampler is run.
_FACTS = re.compile(
    r"Expected n_neighbors <= n_samples_fit|should be >= n_clusters|n_splits=\d+ cannot be greater"
    r"|Found array with 0 sample|Not any neigbours belong to the majority class"
    r"|No samples will be generated|All support vectors are considered as noise|No clusters found with sufficient"
)


class Sampler(Resampler):
    """One of imbalanced-learn's samplers, run on the identity matrix: what it returns is A.

    Whatever it compares rows of that matrix with is handed to it, and knows the samples that they stand for.
    """

    sees: ClassVar[Sees] = "inner products"
    compares_pairs: ClassVar[bool] = True

    def _fit(self, X: Samples, y: Labels, seed: int) -> tuple[csr_array, Labels]:
        try:
            return self._resampled(X, y, seed)
        except InfeasibleError as error:
            raise InfeasibleError(f"{self.name}: {error}") from None
        except (RuntimeError, ValueError) as error:
            if not _FACTS.search(str(error)):
                raise
            sizes = np.bincount(y)
            counts = f"got classes of {sizes.min()} to {sizes.max()} samples"
            raise InfeasibleError(f"{self.name}: {counts}; imbalanced-learn: {error}") from error

    def _resampled(self, X: Samples, y: Labels, seed: int) -> tuple[csr_array, Labels]:
        return run(self.sampler(X, seed), y)

    def sampler(self, X: Samples, seed: int) -> Any:
        """Return imbalanced-learn's sampler with these parameters, able to compare rows of the identity matrix."""
        return self._made(seed, **self._estimators(X, seed))

    def _estimators(self, X: Samples, seed: int) -> dict[str, Any]:
        """Return what it compares rows with, by the parameters that it takes the place of."""
        return {name: MixtureNeighbours(X, k + 1) for name, k in self if name in _COUNTS}

    def _made(self, seed: int, **estimators: Any) -> Any:
        from imblearn import combine, over_sampling, under_sampling

        packages = (over_sampling, under_sampling, combine)
        made = next(getattr(package, self.name) for package in packages if hasattr(package, self.name))
        given = {"random_state": seed, **self.model_dump(exclude={"name"}), **estimators}
        return made(**{name: value for name, value in given.items() if name in signature(made).parameters})


class Selecting(Sampler):
    """A sampler that cannot be handed what it measures with: it sees the samples, and what it keeps is a selection."""

    sees: ClassVar[Sees] = "samples"

    def _resampled(self, X: Samples, y: Labels, seed: int) -> tuple[csr_array, Labels]:
        sampler = self._made(seed)
        _, y_resampled = sampler.fit_resample(X[:].reshape(len(X), -1), y)
        return identity(y)[sampler.sample_indices_], y_resampled
