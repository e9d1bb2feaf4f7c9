"""Nearest neighbours among mixed samples, measured through inner products.

imbalanced-learn's samplers accept an estimator that finds neighbours. They run on the identity matrix, so they give
it rows of mixing matrices. It computes the distances between the mixtures from inner products, without the mixtures.
"""

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from raygrid.errors import InfeasibleError
from raygrid.mixtures.samples import Samples, nearest, squares


class MixtureNeighbours:
    """Nearest neighbours by brute force, with the part of scikit-learn's API that imbalanced-learn uses.

    Parameters
    ----------
    X : Samples
        The samples that are mixed.
    n_neighbors : int
        How many to find; a sample is its own first neighbour.
    """

    def __init__(self, X: Samples, n_neighbors: int) -> None:
        self.X, self.n_neighbors = X, n_neighbors

    def __sklearn_clone__(self) -> Self:
        """Share X, which the default clone would copy."""
        return type(self)(self.X, self.n_neighbors)

    def set_params(self, **params: object) -> Self:
        """Ignore all parameters; EditedNearestNeighbours and NearMiss set n_jobs."""
        return self

    def fit(self, A: csr_array, y: Any = None) -> Self:
        """Keep the mixtures (n_fitted, n_samples) to search among, and their labels to predict from."""
        self._A, self._squares, self._y = csr_array(A), squares(csr_array(A), self.X), y
        return self

    def kneighbors(self, B: csr_array, n_neighbors: int | None = None, return_distance: bool = True) -> Any:
        """Return which mixtures are nearest to each row of B.

        Parameters
        ----------
        B : sparse array of shape (n_rows, n_samples)
        n_neighbors : int or None
            How many; as many as the estimator's, if not given.

        Returns
        -------
        distances : array of shape (n_rows, n_neighbors), float64
            Ascending; only if asked for.
        indices : array of shape (n_rows, n_neighbors), int64

        Raises
        ------
        InfeasibleError
            There are fewer than `n_neighbors` of them.
        """
        B, k = csr_array(B), n_neighbors or self.n_neighbors
        if self._A.shape[0] < k:
            raise InfeasibleError(f"neighbours: got {self._A.shape[0]} samples; expected at least {k}")
        indices, products = nearest(B, self.X, self._A, self.X, self._squares, n=k)
        if not return_distance:
            return indices
        squared = squares(B, self.X)[:, None] + self._squares[indices] - 2 * products
        return np.sqrt(squared.clip(min=0)), indices

    def kneighbors_graph(self, B: csr_array) -> csr_array:
        """Return the graph of `kneighbors`, (n_rows, n_fitted), with ones."""
        nearest = self.kneighbors(B, return_distance=False)
        rows = np.repeat(np.arange(len(nearest)), self.n_neighbors)
        return csr_array((np.ones(nearest.size), (rows, nearest.ravel())), shape=(len(nearest), self._A.shape[0]))

    def predict(self, B: csr_array) -> NDArray[np.int64]:
        """Return the commonest label among the neighbours of each row of B; the smallest of equally common ones."""
        return np.array([np.bincount(labels).argmax() for labels in self._y[self.kneighbors(B, return_distance=False)]])
