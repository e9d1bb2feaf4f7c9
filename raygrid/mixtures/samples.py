"""Samples of a data set: read like an array, together with their inner products.

Distances and kernels of samples, and of mixtures of samples, follow from inner products: those of the mixtures A X and
B Y are A (X Y^T) B^T, and |a - b|^2 = aa + bb - 2 ab. So X' = A X is never built, and the inner products X X^T, which
all cells of a data set need, are computed once.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from raygrid.mixtures.mixing import blocks
from raygrid.mixtures.tiles import Ints, Tiles, values

# Products in memory at a time: so few that the allocator reuses the same memory; more for neighbours, where reading
# more of a tile at once saves time.
_PRODUCTS, _NEIGHBOURS = 2**21, 2**24


@dataclass(frozen=True, eq=False)
class Samples:
    """A selection of the samples of a data set; values are read when they are indexed.

    Attributes
    ----------
    X : array of shape (n, ...), uint8 or float
        All samples of the data set; never written to.
    index : array of shape (n_samples,), int64
        Rows of X that are selected.
    places : array of shape (n_samples,), int64
        Row and column of each selected sample in `tiles`.
    tiles : callable or None
        Returns the inner products of all samples of the data set; called when needed. None: they are computed anew.
    offset : float
        Subtracted from the values before they are multiplied, as 128 is from those of uint8 images.
    """

    X: NDArray[Any]
    index: Ints
    places: Ints
    tiles: Callable[[], Tiles] | None
    offset: float = 0.0

    @classmethod
    def of(cls, X: NDArray[np.float32], like: "Samples") -> Self:
        """Return all rows of an array, new samples on the same scale as those of a data set."""
        everything = np.arange(len(X))
        return cls(X, everything, everything, None, 128.0 if like.X.dtype == np.uint8 else like.offset)

    def __len__(self) -> int:
        return len(self.index)

    def __getitem__(self, rows: Any) -> NDArray[Any]:
        return np.asarray(self.X[self.index[rows]])

    def select(self, rows: Ints) -> "Samples":
        """Return the samples at these rows, with the same inner products."""
        return replace(self, index=self.index[rows], places=self.places[rows])

    def __array__(self, dtype: Any = None, copy: bool | None = None) -> NDArray[Any]:
        return np.asarray(self[:], dtype)  # so that scikit-learn's estimators predict from samples

    @property
    def shape(self) -> tuple[int, ...]:
        """(n_samples, ...): the shape of the selected samples as an array."""
        return len(self.index), *self.X.shape[1:]

    @property
    def n_features(self) -> int:
        """Number of values of one sample."""
        return int(np.prod(self.X.shape[1:]))

    def sums(self) -> NDArray[np.float64]:
        """Return the sum of each sample's values, (n_samples,)."""
        return np.concatenate([self._multiplied(batch).sum(axis=1, dtype=np.float64) for batch in self._batches()])

    def squares(self) -> NDArray[np.float64]:
        """Return the inner product of each sample with itself, (n_samples,)."""
        batches = (self._multiplied(rows).astype(np.float64) for rows in self._batches())
        return np.concatenate([np.einsum("ij,ij->i", batch, batch) for batch in batches])

    def _multiplied(self, rows: Any) -> NDArray[Any]:
        """Return the numbers of which products are those of the samples, (n_rows, n_features)."""
        return values(self[rows]) - np.float32(self.offset) if self.offset else values(self[rows])

    def _batches(self) -> Iterator[slice]:
        return blocks(len(self), 256)


def products(A: csr_array, X: Samples, B: csr_array, Y: Samples) -> Iterator[tuple[slice, NDArray[np.float64]]]:
    """Yield the inner products of the mixtures A X with the mixtures B Y, a block of rows at a time.

    Parameters
    ----------
    A, B : sparse array of shape (n_rows, len(X)) and (n_columns, len(Y)), float64
    X, Y : Samples
        Of the same data set, whose inner products are known, or of any two, whose products are computed.

    Yields
    ------
    rows : slice
    products : array of shape (rows.stop - rows.start, n_columns), float64
    """
    for block, half, B_used in _half_mixed(A, X, B, Y, held=_PRODUCTS):
        yield block, _mixed(B_used, half.T).T


def _half_mixed(
    A: csr_array, X: Samples, B: csr_array, Y: Samples, *, held: int
) -> Iterator[tuple[slice, NDArray[np.float64], csr_array]]:
    """Yield products of the mixtures A X with the samples of Y that B uses, `held` at a time, and B's used columns."""
    columns, B = _compact(B, Y)
    for block in blocks(A.shape[0], max(1, held // max(B.shape))):
        rows, A_block = _compact(A[block], X)
        yield block, _mixed(A_block, _between(X, rows, Y, columns)), B


def squares(A: csr_array, X: Samples) -> NDArray[np.float64]:
    """Return the inner product of each of the mixtures A X with itself, (n_rows,)."""
    found = np.empty(A.shape[0])
    for block in blocks(A.shape[0], 256):
        rows, A_block = _compact(A[block], X)
        found[block] = A_block.multiply(_mixed(A_block, _between(X, rows, X, rows))).sum(axis=1)
    return found


def nearest(
    A: csr_array, X: Samples, B: csr_array, Y: Samples, norms: NDArray[np.float64], *, n: int
) -> tuple[Ints, NDArray[np.float64]]:
    """Return which of the mixtures B Y are nearest to each of the mixtures A X, nearest first, ties by lower index.

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
    indices : array of shape (n_rows, n), int64
    products : array of shape (n_rows, n), float64
        The inner products with the mixtures found.
    """
    indices, found = np.empty((A.shape[0], n), dtype=np.int64), np.empty((A.shape[0], n))
    in_order = np.argsort(X.places[A.indices[A.indptr[:-1]]], kind="stable")  # so that a block reads few tiles
    for block, half, B_used in _half_mixed(A[in_order], X, B, Y, held=_NEIGHBOURS):
        for i, row in zip(in_order[block], half, strict=True):  # one row at a time fits into the processor's cache
            products = B_used @ row
            distances = norms - 2 * products  # |b|^2 - 2 ab differs from |a - b|^2 by a constant
            for j in range(n):
                indices[i, j] = distances.argmin()
                distances[indices[i, j]] = np.inf
            found[i] = products[indices[i]]
    return indices, found


def _between(X: Samples, rows: Ints, Y: Samples, columns: Ints) -> NDArray[np.float64]:
    """Return the inner products of some samples of X with some of Y, (n_rows, n_columns)."""
    if X.tiles is not None and Y.tiles is not None:
        return X.tiles().gather(X.places[rows], Y.places[columns])
    ours, theirs = (of._multiplied(some).astype(np.float64) for of, some in ((X, rows), (Y, columns)))
    return np.asarray(ours @ theirs.T)


def _compact(A: csr_array, X: Samples) -> tuple[Ints, csr_array]:
    """Return the samples that A uses, by their places, and A with only their columns, in this order."""
    used = np.unique(A.indices).astype(np.int64)
    used = used[np.argsort(X.places[used])]
    column = np.empty(A.shape[1], dtype=A.indices.dtype)
    column[used] = np.arange(len(used))
    return used, csr_array((A.data, column[A.indices], A.indptr), shape=(A.shape[0], len(used)))


def _mixed(A: csr_array, values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return A @ values; faster if A only selects rows, and without a copy if it is the identity."""
    if A.nnz > A.shape[0]:
        return np.asarray(A @ values)
    if np.array_equal(A.indices, np.arange(len(values))):
        return values
    return values.take(A.indices, axis=0)
