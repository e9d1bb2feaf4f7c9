"""The mixing matrix: every resampled set is X' = A X with a sparse A of shape (n_resampled, n_train).

A row has one non-zero (a sample kept or repeated), two (SMOTE's 1 - lambda and lambda) or as many as a cluster has
members (its mean), and sums to 1. All of X' is never needed at once: images are mixed batch by batch, and distances
are computed from inner products.
"""

from collections.abc import Iterator
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array


class Indexed(Protocol):
    """A data set that is read like an array: only the samples that are indexed are read."""

    @property
    def shape(self) -> tuple[int, ...]:
        """(n_samples, ...)."""

    def __getitem__(self, rows: Any, /) -> Any:
        """Return the samples at these rows, as an array."""


def mix(A: csr_array, X: Indexed) -> NDArray[np.float32]:
    """Return A X; samples that A does not use are not read.

    Parameters
    ----------
    A : sparse array of shape (n_rows, n_samples), float64
    X : array of shape (n_samples, ...), any real dtype, or an `Indexed`

    Returns
    -------
    array of shape (n_rows, ...), float32
    """
    used, columns = np.unique(A.indices, return_inverse=True)
    samples = X[used].reshape(len(used), -1).astype(np.float32)
    compact = csr_array((A.data.astype(np.float32), columns, A.indptr), shape=(A.shape[0], len(used)))
    return np.asarray(compact @ samples).reshape(A.shape[0], *X.shape[1:])


def terms(A: csr_array) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """Return A as sums: row i of A X is the sum over j of shares[i, j] times row rows[i, j] of X.

    Returns
    -------
    rows : array of shape (n_rows, n), int32
        n is the number of non-zeros of the widest row; narrower ones are filled up with row 0.
    shares : array of shape (n_rows, n), float32
        0 where they are filled up.
    """
    widths = np.diff(A.indptr)
    is_there = np.arange(widths.max(initial=0)) < widths[:, None]
    rows, shares = np.zeros(is_there.shape, dtype=np.int32), np.zeros(is_there.shape, dtype=np.float32)
    rows[is_there], shares[is_there] = A.indices, A.data
    return rows, shares


def blocks(n: int, size: int) -> Iterator[slice]:
    """Yield slices that cut ``range(n)`` into blocks of `size`; the last one may be shorter."""
    for start in range(0, n, size):
        yield slice(start, min(start + size, n))
