"""The superclasses of all levels that run a sampler of imbalanced-learn; see `raygrid.resampling.resampler` for others.

Parameters have the names and defaults of imbalanced-learn's class, without `random_state` (the cell has a seed),
`n_jobs` (the trial has its threads), and parameters that are not plain values, such as an estimator.

References
----------
Lemaitre, Nogueira, Aridas (2017), Imbalanced-learn, JMLR 18(17).
"""

from inspect import signature
from typing import Any, ClassVar

import numpy as np
from pydantic import GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue
from pydantic_core import CoreSchema
from scipy.sparse import csr_array

from raygrid.errors import InfeasibleError
from raygrid.mixtures.samples import Samples
from raygrid.resampling.neighbours import MixtureNeighbours
from raygrid.resampling.resampler import Labels, Resampler, Sees, identity, run

# Parameters that are a number of neighbours, without the sample itself, or an estimator that finds them.
_COUNTS = {"k_neighbors", "m_neighbors", "n_neighbors"}


class Sampler(Resampler):
    """Runs imbalanced-learn's sampler of the same class name on the identity matrix, so that the result is A.

    Where the sampler compares rows, it gets an estimator that compares the samples these rows stand for.

    Attributes
    ----------
    sampling_strategy : str, float or mapping
        Which classes are resampled, and to how many samples.
    replacement : bool
        Whether a sample may be kept several times.
    k_neighbors : int
        Among how many nearest samples of its class a sample is mixed with one.
    m_neighbors : int
        How many nearest samples tell whether a sample is near other classes.
    kind : str
        Whether a sample is mixed with its own class alone (``borderline-1``), or with any class (``borderline-2``).
    out_step : float
        How far beyond a sample a new one may lie, as a share of the distance to its neighbour.
    kmeans_estimator : int or None
        How many clusters; None is scikit-learn's 8.
    cluster_balance_threshold : float or "auto"
        The share of a class that a cluster must have to get new samples of it.
    density_exponent : float or "auto"
        How strongly the sparseness of a cluster counts.
    n_neighbors : int or None
        How many nearest samples are looked at; None is 1.
    version : int
        Which of the three rules of NearMiss.
    n_neighbors_ver3 : int
        How many nearest samples of each sample of the smallest class version 3 begins with.
    kind_sel : str
        Whether all neighbours must be of a sample's class for it to stay (``all``), or most of them (``mode``).
    max_iter : int
        How often at most it is repeated.
    allow_minority : bool
        Whether a class may become smaller than the smallest one.
    threshold_cleaning : float
        Classes larger than this share of the smallest class are cleaned.
    n_seeds_S : int
        How many samples of each other class are kept at the beginning.
    voting : str
        Whether new samples are means (``soft``), or the samples nearest to these (``hard``).
    cv : int
        How many folds tell how hard a sample is.
    """

    sees: ClassVar[Sees] = "inner products"
    compares_pairs: ClassVar[bool] = True

    @classmethod
    def __get_pydantic_json_schema__(cls, schema: CoreSchema, handler: GetJsonSchemaHandler) -> JsonSchemaValue:
        """Return the JSON schema, which takes the name of the class as well as that of the level."""
        described = handler(schema)
        names = dict.fromkeys((cls.model_fields["name"].default, cls.__name__))
        handler.resolve_ref_schema(described)["properties"]["name"] = {"enum": list(names)}
        return described

    def _fit(self, X: Samples, y: Labels, seed: int) -> tuple[csr_array, Labels]:
        try:
            return self._resampled(X, y, seed)
        except (RuntimeError, ValueError) as error:
            if not _is_raised_by_library(error):
                raise
            sizes = np.bincount(y)
            counts = f"got classes of {sizes.min()} to {sizes.max()} samples"
            raise InfeasibleError(f"{counts}; imbalanced-learn: {error}") from error

    def _resampled(self, X: Samples, y: Labels, seed: int) -> tuple[csr_array, Labels]:
        return run(self.sampler(X, seed), y)

    def sampler(self, X: Samples, seed: int) -> Any:
        """Return imbalanced-learn's sampler with these parameters, able to compare rows of the identity matrix."""
        return self._made(seed, **self._estimators(X, seed))

    def _estimators(self, X: Samples, seed: int) -> dict[str, Any]:
        """Return the estimators that compare rows, by the name of the sampler's parameter that each replaces."""
        return {name: MixtureNeighbours(X, k + 1) for name, k in self if name in _COUNTS}

    def _made(self, seed: int, **estimators: Any) -> Any:
        from imblearn import combine, over_sampling, under_sampling

        packages, name = (over_sampling, under_sampling, combine), type(self).__name__
        made = next(getattr(package, name) for package in packages if hasattr(package, name))
        given = {"random_state": seed, **self.model_dump(exclude={"name"}), **estimators}
        return made(**{name: value for name, value in given.items() if name in signature(made).parameters})


class Selecting(Sampler):
    """A sampler that takes no estimator for distances: it gets the samples themselves, and selects some of them."""

    sees: ClassVar[Sees] = "samples"

    def _resampled(self, X: Samples, y: Labels, seed: int) -> tuple[csr_array, Labels]:
        sampler = self._made(seed)
        _, y_resampled = sampler.fit_resample(X[:].reshape(len(X), -1), y)
        return identity(y)[sampler.sample_indices_], y_resampled


def _is_raised_by_library(error: Exception) -> bool:
    """Tell whether imbalanced-learn or scikit-learn raised the error, so that every repetition would fail as well.

    Other errors, also those of raygrid itself, may be corrected before the next try.
    """
    place = error.__traceback__
    while place and place.tb_next:
        place = place.tb_next
    module = place.tb_frame.f_globals.get("__name__", "") if place else ""
    return str(module).partition(".")[0] in ("imblearn", "sklearn")
