"""Nearest neighbours among mixed samples, measured through inner products.

imbalanced-learn's samplers accept a neighbours estimator of one's own. Run on the identity matrix, what they hand
to it are rows of mixing matrices; |a - b|^2 = a G a + b G b - 2 a G b with G = X X^T gives the distances between the
samples those rows stand for, so X' is never built.
"""

from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from raygrid.errors import InfeasibleError
from raygrid.mixing import blocks, mix

# Samples cast to float64 at a time, and distances held at a time: both about 256 MB.
_SAMPLE_VALUES = _DISTANCES = 2**25


class MixtureNeighbours:
    """Nearest neighbours by brute force, exact in float64; the part of scikit-learn's API that imbalanced-learn uses.

    Parameters
    ----------
    X : array of shape (n_samples, n_features), any real dtype
        The samples that mixing matrices refer to; never copied whole.
    n_neighbors : int
        How many to find, a sample itself counted in.
    """

    def __init__(self, X: NDArray[np.generic], n_neighbors: int) -> None:
        self.X, self.n_neighbors = X, n_neighbors

    def __sklearn_clone__(self) -> Self:
        """Share X: a clone of the default kind would copy it."""
        return type(self)(self.X, self.n_neighbors)

    def set_params(self, **params: object) -> Self:
        """Take no parameters; EditedNearestNeighbours sets n_jobs."""
        return self

    def fit(self, A: csr_array) -> Self:
        """Remember the mixtures (n_fitted, n_samples) among which to search.

        Raises
        ------
        InfeasibleError
            There are fewer than `n_neighbors` of them.
        """
        if A.shape[0] < self.n_neighbors:
            raise InfeasibleError(f"neighbours: got {A.shape[0]} samples; expected at least {self.n_neighbors} (k + 1)")
        self._used, columns = np.unique(A.indices, return_inverse=True)
        self._A = csr_array((A.data, columns, A.indptr), shape=(A.shape[0], len(self._used)))
        self._norms = np.concatenate([_squared_norms(mix(A[rows], self.X, np.float64)) for rows in self._rows(A)])
        return self

    def kneighbors(self, B: csr_array, return_distance: bool = False) -> NDArray[np.int64]:
        """Return the indices, of shape (n_rows, n_neighbors), of the mixtures nearest to each row of B, in order."""
        return np.concatenate([self._nearest(mix(B[rows], self.X, np.float64)) for rows in self._rows(B)])

    def kneighbors_graph(self, B: csr_array) -> csr_array:
        """Return the graph of `kneighbors`, (n_rows, n_fitted), with ones."""
        nearest = self.kneighbors(B)
        rows = np.repeat(np.arange(len(nearest)), self.n_neighbors)
        return csr_array((np.ones(nearest.size), (rows, nearest.ravel())), shape=(len(nearest), self._A.shape[0]))

    def _rows(self, A: csr_array) -> list[slice]:
        widest = max(self.X.shape[1], self._A.shape[0])
        return list(blocks(A.shape[0], max(1, _DISTANCES // widest)))

    def _nearest(self, mixed: NDArray[np.float64]) -> NDArray[np.int64]:
        products = np.empty((len(mixed), len(self._used)))
        for some in blocks(len(self._used), max(1, _SAMPLE_VALUES // self.X.shape[1])):
            products[:, some] = mixed @ self.X[self._used[some]].astype(np.float64).T
        # Ordering by |b|^2 - 2 ab is ordering by |a - b|^2.
        distances = self._norms - 2 * (self._A @ products.T).T
        near = np.argpartition(distances, self.n_neighbors - 1, axis=1)[:, : self.n_neighbors]
        near.sort(axis=1)  # of those equally near, the earlier sample goes first
        order = np.argsort(np.take_along_axis(distances, near, axis=1), axis=1, kind="stable")
        return np.take_along_axis(near, order, axis=1)


def _squared_norms(X: NDArray[np.float64]) -> NDArray[np.float64]:
    norms: NDArray[np.float64] = np.einsum("ij,ij->i", X, X)
    return norms
