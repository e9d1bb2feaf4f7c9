"""Nearest neighbours among mixed samples, measured through inner products.

imbalanced-learn's samplers accept a neighbours estimator of one's own. Run on the identity matrix, what they hand
to it are rows of mixing matrices; the distances between the samples those rows stand for follow from inner products,
so X' is never built.
"""

from typing import Self

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from raygrid.errors import InfeasibleError
from raygrid.samples import Samples, nearest, squares


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
        self._A, self._squares = csr_array(A), squares(csr_array(A), self.X)
        return self

    def kneighbors(self, B: csr_array, return_distance: bool = False) -> NDArray[np.int64]:
        """Return the indices, of shape (n_rows, n_neighbors), of the mixtures nearest to each row of B, in order."""
        return nearest(csr_array(B), self.X, self._A, self.X, self._squares, n=self.n_neighbors)

    def kneighbors_graph(self, B: csr_array) -> csr_array:
        """Return the graph of `kneighbors`, (n_rows, n_fitted), with ones."""
        nearest = self.kneighbors(B)
        rows = np.repeat(np.arange(len(nearest)), self.n_neighbors)
        return csr_array((np.ones(nearest.size), (rows, nearest.ravel())), shape=(len(nearest), self._A.shape[0]))
