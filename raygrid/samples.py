"""Samples: read like an array, and with the inner products that stand for their values.

Distances and kernels of samples, and of mixtures of samples, follow from inner products: those of the mixtures A X and
B Y are A (X Y^T) B^T, and |a - b|^2 = aa + bb - 2 ab. So X' = A X is never built, and what every cell of a data set
needs again and again is computed once.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from raygrid.mixing import blocks
from raygrid.tiles import Ints, Tiles, values

# Products held at a time: few enough for the allocator to give the same memory again, instead of new pages.
_PRODUCTS = 2**21


@dataclass(frozen=True, eq=False)
class Samples:
    """Some samples of a data set: only those that are indexed are read.

    Attributes
    ----------
    X : array of shape (n, ...), uint8 or float
        A whole partition of the data set; only read.
    index : array of shape (n_samples,), int64
        Which of them are meant.
    places : array of shape (n_samples,), int64
        Where each lies in `tiles`.
    tiles : callable
        Returns the inner products of these samples, or of test samples, with training samples; called when needed.
    """

    X: NDArray[Any]
    index: Ints
    places: Ints
    tiles: Callable[[], Tiles]

    def __len__(self) -> int:
        return len(self.index)

    def __getitem__(self, rows: Any) -> NDArray[Any]:
        return np.asarray(self.X[self.index[rows]])

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        return np.asarray(self[:], dtype)  # so that scikit-learn's estimators predict from samples

    @property
    def shape(self) -> tuple[int, ...]:
        """Of the array that these samples are."""
        return len(self.index), *self.X.shape[1:]

    @property
    def n_features(self) -> int:
        """Values a sample."""
        return int(np.prod(self.X.shape[1:]))

    def sums(self) -> NDArray[np.float64]:
        """Return the sum of each sample's values, (n_samples,)."""
        return np.concatenate([values(self[some]).sum(axis=1, dtype=np.float64) for some in self._batches()])

    def squares(self) -> NDArray[np.float64]:
        """Return the inner product of each sample with itself, (n_samples,)."""
        batches = (values(self[some]).astype(np.float64) for some in self._batches())
        return np.concatenate([np.einsum("ij,ij->i", batch, batch) for batch in batches])

    def _batches(self) -> Iterator[slice]:
        return blocks(len(self), 256)


def products(A: csr_array, X: Samples, B: csr_array, Y: Samples) -> Iterator[tuple[slice, NDArray[np.float64]]]:
    """Yield the inner products of the mixtures A X with the mixtures B Y, some rows at a time.

    Parameters
    ----------
    A, B : sparse array of shape (n_rows, len(X)) and (n_columns, len(Y)), float64
    X : Samples
        Of either partition.
    Y : Samples
        Training samples.

    Yields
    ------
    rows : slice
    products : array of shape (rows.stop - rows.start, n_columns), float64
    """
    columns, B = _compact(B, Y)
    for some in blocks(A.shape[0], max(1, _PRODUCTS // max(B.shape))):
        rows, A_some = _compact(A[some], X)
        yield some, _mixed(B, _mixed(A_some, X.tiles().gather(rows, columns)).T).T


def squares(A: csr_array, X: Samples) -> NDArray[np.float64]:
    """Return the inner product of each of the mixtures A X of training samples with itself, (n_rows,)."""
    found = np.empty(A.shape[0])
    for some in blocks(A.shape[0], 256):
        rows, A_some = _compact(A[some], X)
        found[some] = A_some.multiply(_mixed(A_some, X.tiles().gather(rows, rows))).sum(axis=1)
    return found


def nearest(A: csr_array, X: Samples, B: csr_array, Y: Samples, norms: NDArray[np.float64], *, n: int) -> Ints:
    """Return which of the mixtures B Y are nearest to each of the mixtures A X, in order; of equals the first.

    Parameters
    ----------
    A, X, B, Y
        As `products` takes them.
    norms : array of shape (n_columns,), float64
        `squares` of B Y.
    n : int
        How many to find, at most n_columns.

    Returns
    -------
    array of shape (n_rows, n), int64
    """
    # Ordering by |b|^2 - 2 ab is ordering by |a - b|^2.
    return np.concatenate([_least(norms - 2 * part, n) for _, part in products(A, X, B, Y)])


def _least(distances: NDArray[np.float64], n: int) -> Ints:
    """Return the places of the least of each row in order, of equal ones the first; overwrite `distances`."""
    least, rows = np.empty((len(distances), n), dtype=np.int64), np.arange(len(distances))
    for column in least.T:
        column[:] = distances.argmin(axis=1)
        distances[rows, column] = np.inf
    return least


def _compact(A: csr_array, X: Samples) -> tuple[Ints, csr_array]:
    """Return the places of the samples that A uses, ascending, and A with a column for each of them alone."""
    used = np.unique(A.indices)
    used = used[np.argsort(X.places[used])]
    column = np.empty(A.shape[1], dtype=A.indices.dtype)
    column[used] = np.arange(len(used))
    return X.places[used], csr_array((A.data, column[A.indices], A.indptr), shape=(A.shape[0], len(used)))


def _mixed(A: csr_array, values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return A @ values; where A only selects, without a sum, and where it keeps all as they are, without a copy."""
    if A.nnz > A.shape[0]:
        return np.asarray(A @ values)
    if np.array_equal(A.indices, np.arange(len(values))):
        return values
    return values.take(A.indices, axis=0)
