"""imbalanced-learn's under-samplers: they keep a selection of the samples, or (ClusterCentroids) means of clusters.

References
----------
Mani, Zhang (2003), ICML workshop on imbalanced data sets (NearMiss); Tomek (1976), IEEE Trans. SMC 6 (links; repeated
ENN, all k-NN); Wilson (1972), IEEE Trans. SMC 2(3) (ENN); Hart (1968), IEEE Trans. Information Theory 14(3)
(condensed); Kubat, Matwin (1997), ICML (one-sided); Laurikkala (2001), AIME (cleaning rule); Smith, Martinez,
Giraud-Carrier (2014), Machine Learning 95 (instance hardness).
"""

from typing import Annotated, Any, ClassVar, Literal

import numpy as np
from pydantic import Field, PositiveFloat, PositiveInt
from scipy.sparse import csr_array

from raygrid.errors import InfeasibleError
from raygrid.level import ADDED_LATER
from raygrid.mixtures.samples import Samples
from raygrid.resampling.class_sizes import (
    cleaned,
    require_each,
    require_in_all,
    require_number,
    smallest_class,
    thinned,
)
from raygrid.resampling.imbalanced_learn import Sampler, Selecting
from raygrid.resampling.neighbours import MixtureNeighbours
from raygrid.resampling.on_samples import Centres
from raygrid.resampling.resampler import Labels, Sees, identity
from raygrid.resampling.strategy import Cleaned, Thinned


class RandomUnderSampler(Sampler):
    """Keep random samples; by default as many of every class as the smallest has."""

    sees: ClassVar[Sees] = "labels"
    compares_pairs: ClassVar[bool] = False
    name: Literal["rus"] = "rus"
    sampling_strategy: Annotated[Thinned, ADDED_LATER] = "auto"
    replacement: Annotated[bool, ADDED_LATER] = False

    def check_sizes(self, y: Labels) -> None:
        """Raise InfeasibleError where the class sizes refuse the strategy."""
        thinned(y, self.sampling_strategy)


class NearMiss(Sampler):
    """Keep samples near the smallest class: near its nearest (1) or farthest (2) samples; for 3 see the reference."""

    name: Literal["NearMiss"] = "NearMiss"
    sampling_strategy: Thinned = "auto"
    version: Literal[1, 2, 3] = 1
    n_neighbors: PositiveInt = 3
    n_neighbors_ver3: PositiveInt = 3

    def check_sizes(self, y: Labels) -> None:
        """Raise InfeasibleError where a class is too small."""
        labels = thinned(y, self.sampling_strategy)
        if labels and self.version != 2:  # which takes all samples of the smallest class as neighbours
            require_each(y, [smallest_class(y)], self.n_neighbors, "n_neighbors")
        if self.version == 3:
            require_each(y, labels, self.n_neighbors_ver3, "n_neighbors_ver3")

    def _estimators(self, X: Samples, seed: int) -> dict[str, Any]:
        counts = ("n_neighbors", "n_neighbors_ver3")  # none of them the sample itself: it is of another class
        return {name: MixtureNeighbours(X, getattr(self, name)) for name in counts}


class TomekLinks(Sampler):
    """Drop samples in Tomek links: two samples of different classes, each of which is the other's nearest."""

    name: Literal["TomekLinks"] = "TomekLinks"
    sampling_strategy: Cleaned = "auto"

    def _resampled(self, X: Samples, y: Labels, seed: int) -> tuple[csr_array, Labels]:
        return without_tomek_links(identity(y), y, X, self.sampling_strategy)


def without_tomek_links(A: csr_array, y: Labels, X: Samples, strategy: str) -> tuple[csr_array, Labels]:
    """Return the mixtures that are in no Tomek link, and their labels; the sampler itself takes no neighbours."""
    from imblearn.under_sampling import TomekLinks
    from imblearn.utils import check_sampling_strategy

    nearest = MixtureNeighbours(X, 2).fit(A).kneighbors(A, return_distance=False)[:, 1]
    kept = ~TomekLinks.is_tomek(y, nearest, check_sampling_strategy(strategy, y, "clean-sampling"))
    return A[np.flatnonzero(kept)], y[kept]


class EditedNearestNeighbours(Sampler):
    """Drop samples whose nearest neighbours are not all (`mode`: not mostly) of their class."""

    name: Literal["EditedNearestNeighbours"] = "EditedNearestNeighbours"
    sampling_strategy: Cleaned = "auto"
    n_neighbors: PositiveInt = 3
    kind_sel: Literal["all", "mode"] = "all"

    def check_sizes(self, y: Labels) -> None:
        """Raise InfeasibleError where there are too few samples."""
        require_in_all(y, self.n_neighbors + 1, "n_neighbors + 1")


class RepeatedEditedNearestNeighbours(Sampler):
    """Repeat EditedNearestNeighbours, at most `max_iter` times."""

    name: Literal["RepeatedEditedNearestNeighbours"] = "RepeatedEditedNearestNeighbours"
    sampling_strategy: Cleaned = "auto"
    n_neighbors: PositiveInt = 3
    max_iter: PositiveInt = 100
    kind_sel: Literal["all", "mode"] = "all"

    def check_sizes(self, y: Labels) -> None:
        """Raise InfeasibleError where there are too few samples."""
        require_in_all(y, self.n_neighbors + 1, "n_neighbors + 1")


class AllKNN(Selecting):
    """Apply EditedNearestNeighbours with 1, 2, ... `n_neighbors` neighbours."""

    name: Literal["AllKNN"] = "AllKNN"
    sampling_strategy: Cleaned = "auto"
    n_neighbors: PositiveInt = 3
    kind_sel: Literal["all", "mode"] = "all"
    allow_minority: bool = False


class NeighbourhoodCleaningRule(Sampler):
    """EditedNearestNeighbours, and drop the neighbours of misclassified samples of the smallest class."""

    name: Literal["NeighbourhoodCleaningRule"] = "NeighbourhoodCleaningRule"
    sampling_strategy: Cleaned = "auto"
    n_neighbors: PositiveInt = 3
    threshold_cleaning: PositiveFloat = 0.5

    def check_sizes(self, y: Labels) -> None:
        """Raise InfeasibleError where there are too few samples."""
        require_in_all(y, self.n_neighbors + 1, "n_neighbors + 1")

    def _estimators(self, X: Samples, seed: int) -> dict[str, Any]:
        editing = EditedNearestNeighbours(
            sampling_strategy=self.sampling_strategy, n_neighbors=self.n_neighbors, kind_sel="mode"
        )
        voters = MixtureNeighbours(X, self.n_neighbors)  # the sample itself is one
        return {"n_neighbors": voters, "edited_nearest_neighbours": editing.sampler(X, seed)}


class CondensedNearestNeighbour(Selecting):
    """Keep the samples that the nearest of those kept before them would misclassify."""

    name: Literal["CondensedNearestNeighbour"] = "CondensedNearestNeighbour"
    sampling_strategy: Cleaned = "auto"
    n_neighbors: PositiveInt | None = None
    n_seeds_S: PositiveInt = 1  # noqa: N815

    def check_sizes(self, y: Labels) -> None:
        """Raise InfeasibleError where a class is too small."""
        sizes = np.bincount(y)
        if any(sizes[label] > self.n_seeds_S for label in cleaned(y, self.sampling_strategy)):  # it has other samples
            _require_kept(y, self.n_seeds_S, self.n_neighbors)


class OneSidedSelection(Selecting):
    """Keep the samples that the smallest class and a few seeds would misclassify, and drop Tomek links."""

    name: Literal["OneSidedSelection"] = "OneSidedSelection"
    sampling_strategy: Cleaned = "auto"
    n_neighbors: PositiveInt | None = None
    n_seeds_S: PositiveInt = 1  # noqa: N815

    def check_sizes(self, y: Labels) -> None:
        """Raise InfeasibleError where a class is too small."""
        require_each(y, cleaned(y, self.sampling_strategy), 2, "a seed of n_seeds_S, and another")
        _require_kept(y, self.n_seeds_S, self.n_neighbors)


def _require_kept(y: Labels, n_seeds: int, n_neighbors: int | None) -> None:
    """Raise InfeasibleError if the smallest class and the seeds of another are fewer samples than neighbours."""
    smallest = smallest_class(y)
    n_kept = int(np.bincount(y)[smallest]) + n_seeds
    require_number(n_kept, f"samples of class {smallest} and seeds (n_seeds_S)", n_neighbors or 1, "n_neighbors")


class InstanceHardnessThreshold(Selecting):
    """Keep the samples that a cross-validated random forest of 100 trees finds easiest."""

    compares_pairs: ClassVar[bool] = False
    name: Literal["iht"] = "iht"
    sampling_strategy: Annotated[Thinned, ADDED_LATER] = "auto"
    cv: int = Field(5, ge=2)

    def check_sizes(self, y: Labels) -> None:
        """Raise InfeasibleError where all classes are too small."""
        thinned(y, self.sampling_strategy)
        largest = int(np.bincount(y).max())
        if largest < self.cv:
            raise InfeasibleError(f"got at most {largest} samples a class; expected at least {self.cv} (cv)")


class ClusterCentroids(Sampler):
    """Replace a class by the means of its clusters, or by the samples nearest to these (`hard`).

    The means are those of the members that k-means ends with. Where it stops by its tolerance before they settle,
    its own centres, which imbalanced-learn takes, are those of the round before.
    """

    sees: ClassVar[Sees] = "samples"
    name: Literal["ClusterCentroids"] = "ClusterCentroids"
    sampling_strategy: Thinned = "auto"
    voting: Literal["auto", "hard", "soft"] = "auto"

    def check_sizes(self, y: Labels) -> None:
        """Raise InfeasibleError where the class sizes refuse the strategy."""
        thinned(y, self.sampling_strategy)

    def _estimators(self, X: Samples, seed: int) -> dict[str, Any]:
        from sklearn.cluster import KMeans

        centres = Centres(X, KMeans(random_state=seed), are_samples=self.voting == "hard")
        return {"estimator": centres, "voting": "soft"}  # the centres are what is asked for already
