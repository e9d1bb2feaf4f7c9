"""Nearest neighbours among mixed samples, measured through inner products.

imbalanced-learn's samplers accept a neighbours estimator of one's own. Run on the identity matrix, what they hand
to it are rows of mixing matrices; the distances between the samples those rows stand for follow from inner products,
so X' is never built.
"""

from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from raygrid.errors import InfeasibleError
from raygrid.mixtures.samples import Samples, nearest, squares


class MixtureNeighbours:
    """Nearest neighbours by brute force; the part of scikit-learn's API that imbalanced-learn uses.

    Parameters
    ----------
    X : Samples
        That mixing matrices refer to.
    n_neighbors : int
        How many to find, a sample itself counted in.
    """

    def __init__(self, X: Samples, n_neighbors: int) -> None:
        self.X, self.n_neighbors = X, n_neighbors

    def __sklearn_clone__(self) -> Self:
        """Share X: a clone of the default kind would copy it."""
        return type(self)(self.X, self.n_neighbors)

    def set_params(self, **params: object) -> Self:
        """Take no parameters; EditedNearestNeighbours and NearMiss set n_jobs."""
        return self

    def fit(self, A: csr_array, y: Any = None) -> Self:
        """Remember the mixtures (n_fitted, n_samples) among which to search, and their labels to predict from."""
        self._A, self._squares, self._y = csr_array(A), squares(csr_array(A), self.X), y
        return self

    def kneighbors(self, B: csr_array, n_neighbors: int | None = None, return_distance: bool = True) -> Any:
        """Return which mixtures are nearest to each row of B.

        Parameters
        ----------
        B : sparse array of shape (n_rows, n_samples)
        n_neighbors : int or None
            How many, if not as many as the estimator is for.

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
        """Return the commonest label among the neighbours of each row of B, of equally common ones the smallest."""
        return np.array([np.bincount(labels).argmax() for labels in self._y[self.kneighbors(B, return_distance=False)]])
