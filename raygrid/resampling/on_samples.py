"""scikit-learn's estimators, fitted to the samples that rows of a mixing matrix stand for."""

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from raygrid.errors import InfeasibleError
from raygrid.mixtures.mixing import mix
from raygrid.mixtures.samples import Samples


def dense(X: Samples, A: csr_array) -> NDArray[Any]:
    """Return the mixtures A X as vectors, (n_rows, n_features); in the dtype of X where A only selects."""
    selects = (A.data == 1).all() and (np.diff(A.indptr) == 1).all()
    return (X[A.indices] if selects else mix(A, X)).reshape(A.shape[0], -1)


class OnSamples:
    """An estimator that is given rows of a mixing matrix, and is fitted to the mixtures that they stand for.

    Parameters
    ----------
    X : Samples
        The samples that are mixed.
    estimator : object
        One of scikit-learn's, which has all other attributes.
    """

    def __init__(self, X: Samples, estimator: Any) -> None:
        self.X, self.estimator = X, estimator
        self._fitted_to: tuple[Any, ...] = ()

    def __getattr__(self, name: str) -> Any:
        if name == "estimator":  # it is not there yet while this is being unpickled
            raise AttributeError(name)
        return getattr(self.estimator, name)

    def __sklearn_clone__(self) -> Self:
        """Share X, which the default clone would copy."""
        return self

    def fit(self, A: csr_array, y: NDArray[np.int64] | None = None) -> Self:
        """Fit the estimator, but not to the same again, which SMOTE's variants ask for once for every class."""
        given: tuple[Any, ...] = (A.data, A.indices, A.indptr, y)
        if not (self._fitted_to and all(map(np.array_equal, given, self._fitted_to))):
            self.estimator.fit(dense(self.X, A), y)
            self._fitted_to = tuple(map(np.copy, given))
        return self

    def fit_predict(self, A: csr_array) -> NDArray[np.int32]:
        """Return the cluster of each row, (n_rows,)."""
        return np.asarray(self.fit(A).labels_)


class Centres(OnSamples):
    """Clusters whose centres are rows of a mixing matrix: the means of their members, or the members nearest to them.

    Parameters
    ----------
    are_samples : bool
        Whether the centres are members.
    """

    def __init__(self, X: Samples, estimator: Any, *, are_samples: bool) -> None:
        super().__init__(X, estimator)
        self.are_samples = are_samples

    def fit(self, A: csr_array, y: NDArray[np.int64] | None = None) -> Self:
        """Find clusters, and `cluster_centers_` of shape (n_clusters, n_samples).

        Raises
        ------
        InfeasibleError
            A cluster has no member: there are fewer different samples than clusters.
        """
        from sklearn.metrics import pairwise_distances_argmin

        vectors = dense(self.X, A)
        labels, n = self.estimator.fit(vectors).labels_, self.n_clusters
        sizes = np.bincount(labels, minlength=n)
        if not sizes.all():
            raise InfeasibleError(f"got {np.count_nonzero(sizes)} different samples; expected at least {n} (clusters)")
        if self.are_samples:
            self.cluster_centers_ = A[pairwise_distances_argmin(self.estimator.cluster_centers_, vectors)]
        else:
            shares = csr_array((1 / sizes[labels], (labels, np.arange(len(labels)))), shape=(n, len(labels)))
            self.cluster_centers_ = csr_array(shares @ A)
        return self
