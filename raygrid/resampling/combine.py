"""imbalanced-learn's samplers that clean after SMOTE; both steps' parameters are parameters of the level.

References
----------
Batista, Prati, Monard (2004), SIGKDD Explorations 6(1) (SMOTE + ENN); Batista, Bazzan, Monard (2003), WOB (SMOTE +
Tomek links).
"""

from typing import Annotated, Any, Literal

from pydantic import PositiveInt
from scipy.sparse import csr_array

from raygrid.level import ADDED_LATER
from raygrid.mixtures.samples import Samples
from raygrid.resampling.class_sizes import n_after, require_number
from raygrid.resampling.imbalanced_learn import Sampler
from raygrid.resampling.over_sampling import SMOTE, check_neighbours
from raygrid.resampling.resampler import Labels, run
from raygrid.resampling.strategy import Filled, plain
from raygrid.resampling.under_sampling import EditedNearestNeighbours, without_tomek_links


class SMOTEENN(Sampler):
    """SMOTE, then EditedNearestNeighbours on all classes."""

    name: Literal["smote_enn"] = "smote_enn"
    sampling_strategy: Annotated[Filled, ADDED_LATER] = "auto"
    k_neighbors: PositiveInt = 5
    n_neighbors: PositiveInt = 3
    kind_sel: Literal["all", "mode"] = "all"

    def check_sizes(self, y: Labels) -> None:
        """Raise InfeasibleError where a class is too small."""
        check_neighbours(y, self.k_neighbors, self.sampling_strategy)
        n_filled = n_after(y, self.sampling_strategy)
        require_number(n_filled, "samples after SMOTE", self.n_neighbors + 1, "n_neighbors + 1")

    def _estimators(self, X: Samples, seed: int) -> dict[str, Any]:
        smote = SMOTE(sampling_strategy=plain(self.sampling_strategy), k_neighbors=self.k_neighbors)
        enn = EditedNearestNeighbours(sampling_strategy="all", n_neighbors=self.n_neighbors, kind_sel=self.kind_sel)
        return {"smote": smote.sampler(X, seed), "enn": enn.sampler(X, seed)}


class SMOTETomek(Sampler):
    """SMOTE, then drop all Tomek links."""

    name: Literal["SMOTETomek"] = "SMOTETomek"
    sampling_strategy: Filled = "auto"
    k_neighbors: PositiveInt = 5

    def check_sizes(self, y: Labels) -> None:
        """Raise InfeasibleError where a class is too small."""
        check_neighbours(y, self.k_neighbors, self.sampling_strategy)

    def _resampled(self, X: Samples, y: Labels, seed: int) -> tuple[csr_array, Labels]:
        smote = SMOTE(sampling_strategy=plain(self.sampling_strategy), k_neighbors=self.k_neighbors)
        return without_tomek_links(*run(smote.sampler(X, seed), y), X, "all")
