"""What imbalanced-learn's samplers have in common.

Parameters are those of imbalanced-learn's class, by name and with its defaults. Left out are `random_state` (the seed
is the cell's), `n_jobs` (the threads are the trial's), and what is no plain value, such as an estimator.

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

# Parameters that count neighbours, besides the sample itself, and that may be an estimator of them.
_COUNTS = {"k_neighbors", "m_neighbors", "n_neighbors"}


class Sampler(Resampler):
    """One of imbalanced-learn's samplers, that of the same class name, run on the identity matrix: it returns A.

    Whatever it compares rows of that matrix with is handed to it, and knows the samples that they stand for.
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
        """Return what it compares rows with, by the parameters that it takes the place of."""
        return {name: MixtureNeighbours(X, k + 1) for name, k in self if name in _COUNTS}

    def _made(self, seed: int, **estimators: Any) -> Any:
        from imblearn import combine, over_sampling, under_sampling

        packages, name = (over_sampling, under_sampling, combine), type(self).__name__
        made = next(getattr(package, name) for package in packages if hasattr(package, name))
        given = {"random_state": seed, **self.model_dump(exclude={"name"}), **estimators}
        return made(**{name: value for name, value in given.items() if name in signature(made).parameters})


class Selecting(Sampler):
    """A sampler that cannot be handed what it measures with: it sees the samples, and what it keeps is a selection."""

    sees: ClassVar[Sees] = "samples"

    def _resampled(self, X: Samples, y: Labels, seed: int) -> tuple[csr_array, Labels]:
        sampler = self._made(seed)
        _, y_resampled = sampler.fit_resample(X[:].reshape(len(X), -1), y)
        return identity(y)[sampler.sample_indices_], y_resampled


def _is_raised_by_library(error: Exception) -> bool:
    """Tell whether imbalanced-learn or scikit-learn refuses the data, which each repetition would meet again.

    An error that comes from anywhere else, raygrid included, is a failure that may be mended.
    """
    place = error.__traceback__
    while place and place.tb_next:
        place = place.tb_next
    module = place.tb_frame.f_globals.get("__name__", "") if place else ""
    return str(module).partition(".")[0] in ("imblearn", "sklearn")
