"""imbalanced-learn's over-samplers: samples repeated, or mixed with a neighbour.

References
----------
Chawla et al. (2002), SMOTE, JAIR 16; Han, Wang, Mao (2005), Borderline-SMOTE, ICIC; Nguyen, Cooper, Kamei (2011),
IJKESDP 3(1) (SVM-SMOTE); Last, Douzas, Bacao (2017), arXiv:1711.00837 (k-means SMOTE); He et al. (2008), ADASYN, IJCNN.
"""

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, PositiveInt

from raygrid.level import ADDED_LATER
from raygrid.mixtures.samples import Samples
from raygrid.resampling.class_sizes import filled, require_each, require_in_all
from raygrid.resampling.imbalanced_learn import Sampler
from raygrid.resampling.library_internals import measure_clusters_of_samples
from raygrid.resampling.on_samples import OnSamples
from raygrid.resampling.resampler import Labels, Sees
from raygrid.resampling.strategy import Counts, Filled


class RandomOverSampler(Sampler):
    """Repeat random samples; without the noise of `shrinkage`, which no mixture of samples has."""

    sees: ClassVar[Sees] = "labels"
    compares_pairs: ClassVar[bool] = False
    name: Literal["ros"] = "ros"
    sampling_strategy: Annotated[Filled, ADDED_LATER] = "auto"

    def check_sizes(self, y: Labels) -> None:
        """Raise InfeasibleError where the class sizes refuse the strategy."""
        filled(y, self.sampling_strategy)


class SMOTE(Sampler):
    """Add points between a sample and one of its k nearest of the same class."""

    name: Literal["smote"] = "smote"
    sampling_strategy: Annotated[Filled, ADDED_LATER] = "auto"
    k_neighbors: PositiveInt = 5

    def check_sizes(self, y: Labels) -> None:
        """Raise InfeasibleError where a class is too small."""
        check_neighbours(y, self.k_neighbors, self.sampling_strategy)


def check_neighbours(y: Labels, k: int, sampling_strategy: str | float | Counts, *, name: str = "k_neighbors") -> None:
    """Raise InfeasibleError where a class that SMOTE is to fill up has no k neighbours for a sample."""
    require_each(y, filled(y, sampling_strategy), k + 1, f"{name} + 1")


class BorderlineSMOTE(Sampler):
    """SMOTE from the samples at least half of whose m nearest are of other classes, but not all."""

    name: Literal["BorderlineSMOTE"] = "BorderlineSMOTE"
    sampling_strategy: Filled = "auto"
    k_neighbors: PositiveInt = 5
    m_neighbors: PositiveInt = 10
    kind: Literal["borderline-1", "borderline-2"] = "borderline-1"

    def check_sizes(self, y: Labels) -> None:
        """Raise InfeasibleError where there are too few samples."""
        if filled(y, self.sampling_strategy):
            require_in_all(y, self.m_neighbors + 1, "m_neighbors + 1")


class SVMSMOTE(Sampler):
    """SMOTE from support vectors, inwards where other classes are near, else outwards: shares may be negative."""

    sees: ClassVar[Sees] = "samples"
    name: Literal["SVMSMOTE"] = "SVMSMOTE"
    sampling_strategy: Filled = "auto"
    k_neighbors: PositiveInt = 5
    m_neighbors: PositiveInt = 10
    out_step: Annotated[float, Field(ge=0, le=1)] = 0.5

    def check_sizes(self, y: Labels) -> None:
        """Raise InfeasibleError where a class is too small."""
        check_neighbours(y, self.k_neighbors, self.sampling_strategy)
        if filled(y, self.sampling_strategy):
            require_in_all(y, self.m_neighbors + 1, "m_neighbors + 1")

    def _estimators(self, X: Samples, seed: int) -> dict[str, Any]:
        from sklearn.svm import SVC

        return super()._estimators(X, seed) | {"svm_estimator": OnSamples(X, SVC(gamma="scale"))}


class KMeansSMOTE(Sampler):
    """SMOTE within clusters, more in sparse ones; `kmeans_estimator` is how many clusters, if not scikit-learn's 8."""

    sees: ClassVar[Sees] = "samples"
    name: Literal["KMeansSMOTE"] = "KMeansSMOTE"
    sampling_strategy: Filled = "auto"
    k_neighbors: PositiveInt = 2
    kmeans_estimator: PositiveInt | None = None
    cluster_balance_threshold: Literal["auto"] | float = "auto"
    density_exponent: Literal["auto"] | float = "auto"

    def check_sizes(self, y: Labels) -> None:
        """Raise InfeasibleError where a class is too small."""
        check_neighbours(y, self.k_neighbors, self.sampling_strategy)  # of one cluster even
        if filled(y, self.sampling_strategy):
            require_in_all(y, self._n_clusters, "clusters: kmeans_estimator")

    @property
    def _n_clusters(self) -> int:
        return self.kmeans_estimator or 8  # scikit-learn's default

    def sampler(self, X: Samples, seed: int) -> Any:
        """Return the sampler, which measures distances between samples wherever it measures."""
        sampler = super().sampler(X, seed)
        measure_clusters_of_samples(sampler, X)
        return sampler

    def _estimators(self, X: Samples, seed: int) -> dict[str, Any]:
        from sklearn.cluster import MiniBatchKMeans

        clusters = MiniBatchKMeans(n_clusters=self._n_clusters, random_state=seed)
        return super()._estimators(X, seed) | {"kmeans_estimator": OnSamples(X, clusters)}


class ADASYN(Sampler):
    """SMOTE with more points where more of a sample's nearest are of other classes."""

    name: Literal["ADASYN"] = "ADASYN"
    sampling_strategy: Filled = "auto"
    n_neighbors: PositiveInt = 5

    def check_sizes(self, y: Labels) -> None:
        """Raise InfeasibleError where a class is too small."""
        check_neighbours(y, self.n_neighbors, self.sampling_strategy, name="n_neighbors")
