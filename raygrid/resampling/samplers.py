"""The paper's resamplers by its names: imbalanced-learn's own, run so that what they return is A itself.

References
----------
Lemaitre, Nogueira, Aridas (2017), Imbalanced-learn, JMLR 18(17); Chawla et al. (2002), SMOTE, JAIR 16;
Batista, Prati, Monard (2004), SIGKDD Explorations 6(1) (SMOTE + ENN); Smith, Martinez, Giraud-Carrier (2014), An
instance level analysis of data complexity, Machine Learning 95 (IHT).
"""

from typing import Any, ClassVar, Literal

import numpy as np
from pydantic import Field, PositiveInt
from scipy.sparse import csr_array

from raygrid.errors import InfeasibleError
from raygrid.mixtures.samples import Samples
from raygrid.resampling.neighbours import MixtureNeighbours
from raygrid.resampling.resampler import Labels, Resampler, Sees, identity, run


class NoResampling(Resampler):
    """Leave the training set as it is."""

    name: Literal["none"] = "none"

    def _fit(self, X: Samples, y: Labels, seed: int) -> tuple[csr_array, Labels]:
        return identity(y), y


class RandomOversampling(Resampler):
    """Repeat random samples of every class up to the size of the largest."""

    name: Literal["ros"] = "ros"

    def _fit(self, X: Samples, y: Labels, seed: int) -> tuple[csr_array, Labels]:
        from imblearn.over_sampling import RandomOverSampler

        return run(RandomOverSampler(random_state=seed), y)


class RandomUndersampling(Resampler):
    """Keep as many random samples of every class as the smallest has."""

    name: Literal["rus"] = "rus"

    def _fit(self, X: Samples, y: Labels, seed: int) -> tuple[csr_array, Labels]:
        from imblearn.under_sampling import RandomUnderSampler

        return run(RandomUnderSampler(random_state=seed), y)


class Smote(Resampler):
    """Fill every class up with points between a sample and one of its k nearest of the same class."""

    sees: ClassVar[Sees] = "inner products"
    compares_pairs: ClassVar[bool] = True
    name: Literal["smote"] = "smote"
    k_neighbors: PositiveInt = 5

    def _fit(self, X: Samples, y: Labels, seed: int) -> tuple[csr_array, Labels]:
        return run(_smote(X, y, self.k_neighbors, seed), y)


class SmoteEnn(Resampler):
    """SMOTE, then drop every sample whose nearest neighbours are not all (or not mostly) of its class."""

    sees: ClassVar[Sees] = "inner products"
    compares_pairs: ClassVar[bool] = True
    name: Literal["smote_enn"] = "smote_enn"
    k_neighbors: PositiveInt = 5
    n_neighbors: PositiveInt = 3
    kind_sel: Literal["all", "mode"] = "all"

    def _fit(self, X: Samples, y: Labels, seed: int) -> tuple[csr_array, Labels]:
        from imblearn.combine import SMOTEENN
        from imblearn.under_sampling import EditedNearestNeighbours

        neighbours = MixtureNeighbours(X, self.n_neighbors + 1)
        enn = EditedNearestNeighbours(sampling_strategy="all", n_neighbors=neighbours, kind_sel=self.kind_sel)
        return run(SMOTEENN(random_state=seed, smote=_smote(X, y, self.k_neighbors, seed), enn=enn), y)


class Iht(Resampler):
    """Keep the samples of every class that a cross-validated random forest of 100 trees finds easiest."""

    sees: ClassVar[Sees] = "samples"
    name: Literal["iht"] = "iht"
    cv: int = Field(5, ge=2)

    def _fit(self, X: Samples, y: Labels, seed: int) -> tuple[csr_array, Labels]:
        from imblearn.under_sampling import InstanceHardnessThreshold

        largest = int(np.bincount(y).max())
        if largest < self.cv:
            raise InfeasibleError(f"iht: got at most {largest} samples a class; expected at least {self.cv} (cv)")
        sampler = InstanceHardnessThreshold(cv=self.cv, random_state=seed)
        # The forest cannot work on mixtures: it sees the samples themselves, and what it keeps is a selection.
        _, y_resampled = sampler.fit_resample(X[:].reshape(len(X), -1), y)
        return identity(y)[sampler.sample_indices_], y_resampled


def _smote(X: Samples, y: Labels, k: int, seed: int) -> Any:
    """Return imbalanced-learn's SMOTE, measuring distances in X; refuse a class without k neighbours for a sample."""
    from imblearn.over_sampling import SMOTE

    sizes = np.bincount(y)
    if k >= sizes.min() < sizes.max():
        raise InfeasibleError(
            f"smote: got {sizes.min()} samples of class {sizes.argmin()}; expected at least {k + 1} (k_neighbors + 1)"
        )
    return SMOTE(random_state=seed, k_neighbors=MixtureNeighbours(X, k + 1))
