"""scikit-learn's estimators for samplers that are run on the identity matrix: they are fitted to the samples."""

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from raygrid.errors import InfeasibleError
from raygrid.mixtures.samples import Samples


def dense(X: Samples, A: csr_array) -> NDArray[Any]:
    """Return the samples that rows of the identity matrix stand for, (n_rows, n_features)."""
    return X[A.indices].reshape(A.shape[0], -1)


class OnSamples:
    """An estimator that is fitted to what rows of the identity matrix stand for, and is else the one that is given.

    Parameters
    ----------
    X : Samples
        That the rows stand for.
    estimator : object
        Of scikit-learn's API.
    """

    def __init__(self, X: Samples, estimator: Any) -> None:
        self.X, self.estimator = X, estimator
        self._rows: NDArray[Any] = np.empty(0)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.estimator, name)

    def __sklearn_clone__(self) -> Self:
        """Share X: a clone of the default kind would copy it."""
        return self

    def fit(self, A: csr_array, y: NDArray[np.int64] | None = None) -> Self:
        """Fit the estimator, but not again to the same: SMOTE's variants ask for that once for every class."""
        if not np.array_equal(A.indices, self._rows):
            self.estimator.fit(dense(self.X, A), y)
            self._rows = A.indices
        return self

    def fit_predict(self, A: csr_array) -> NDArray[np.int32]:
        """Return the cluster of each row, (n_rows,)."""
        return np.asarray(self.fit(A).labels_)


class Centres(OnSamples):
    """Clusters whose centres are rows of a mixing matrix: the means of their members, or the members nearest to these.

    Parameters
    ----------
    are_samples : bool
        Whether they are the members.
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

        labels, n = super().fit(A).labels_, self.n_clusters
        sizes = np.bincount(labels, minlength=n)
        if not sizes.all():
            raise InfeasibleError(f"got {np.count_nonzero(sizes)} different samples; expected at least {n} (clusters)")
        if self.are_samples:
            self.cluster_centers_ = A[pairwise_distances_argmin(self.estimator.cluster_centers_, dense(self.X, A))]
        else:
            shares = csr_array((1 / sizes[labels], (labels, np.arange(len(labels)))), shape=(n, len(labels)))
            self.cluster_centers_ = csr_array(shares @ A)
        return self
