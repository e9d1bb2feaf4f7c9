"""Inner products of all samples of a data set, in square tiles: computed tile by tile, kept in one array, selected.

Every tile is one matrix product on one thread, with operands padded to the tile's size. So its values depend only on
the samples and the machine's BLAS, not on the number of threads or on the cell that needs them first. Products of
floats are rounded to the dtype of the samples. If samples are far from zero (a hundred times their spread, in float32),
distances computed from the products are too inexact. The activations of a network are near zero.
"""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from itertools import pairwise
from typing import Any

import numpy as np
from numpy.typing import NDArray
from threadpoolctl import threadpool_limits

from raygrid.mixtures.mixing import blocks

Ints = NDArray[np.int64]

TILE = 1024
# More threads would only wait for memory.
_MAX_THREADS = 16
# A sum of this many products of integers from -128 to 127 is an integer of at most 2^24, which float32 holds exactly.
_EXACT = 1024


@dataclass(frozen=True)
class Gram:
    """Computes the inner products of all pairs of samples; only tiles on and below the diagonal.

    Attributes
    ----------
    X : array of shape (n_samples, n_features), any real dtype
        From `uint8`, 128 is subtracted first, which changes no distance.
    order : array of shape (n_samples,), int64
        The samples in the order of their places.
    """

    X: NDArray[Any]
    order: Ints

    @property
    def shape(self) -> tuple[int, int, int]:
        """(n_tiles, side, side): the shape of all tiles."""
        side = min(TILE, len(self.order))
        high = -(-len(self.order) // side)
        return high * (high + 1) // 2, side, side

    @property
    def dtype(self) -> np.dtype[Any]:
        """The dtype of the products: an integer for uint8, else that of the samples, at least float32."""
        if self.X.dtype != np.uint8:
            return np.result_type(self.X.dtype, np.float32)
        return np.dtype(np.int32 if self.X.shape[1] * 2**14 < 2**31 else np.int64)

    def compute(self, *, threads: int) -> Iterator[NDArray[Any]]:
        """Yield the tiles, row by row, each row from the left to the diagonal."""
        side = self.shape[1]
        left = list(blocks(len(self.order), side))
        with threadpool_limits(1, user_api="blas"), ThreadPoolExecutor(min(threads, _MAX_THREADS)) as pool:
            for i, above in enumerate(left):
                a = _padded(self.X, self.order[above], side)
                yield from pool.map(partial(self._tile, a), left[: i + 1])

    def _tile(self, a: NDArray[Any], columns: slice) -> NDArray[Any]:
        b = _padded(self.X, self.order[columns], len(a))
        if self.X.dtype != np.uint8:
            return np.asarray(a @ b.T)
        products = np.zeros((len(a), len(a)), self.dtype)
        for features in blocks(a.shape[1], _EXACT):
            products += (a[:, features] @ b[:, features].T).astype(self.dtype)
        return products


@dataclass(frozen=True)
class Tiles:
    """The computed inner products, to read from.

    Attributes
    ----------
    tiles : array of shape (n_tiles, side, side)
        As `Gram.compute` yields them; may be memory-mapped.
    """

    tiles: NDArray[Any]

    def gather(self, rows: Ints, columns: Ints) -> NDArray[np.float64]:
        """Return the products, of shape (n_rows, n_columns), at these rows and columns, both ascending."""
        side = self.tiles.shape[1]
        gathered = np.empty((len(rows), len(columns)))
        for i, some_rows in _by_tile(rows, side):
            for j, some_columns in _by_tile(columns, side):
                within = rows[some_rows] - i * side, columns[some_columns] - j * side
                gathered[some_rows, some_columns] = self._part(i, j, *within)
        return gathered

    def _part(self, i: int, j: int, rows: Ints, columns: Ints) -> NDArray[Any]:
        if i < j:
            return self._part(j, i, columns, rows).T
        tile: NDArray[Any] = self.tiles[i * (i + 1) // 2 + j]
        return tile[rows].take(columns, axis=1)


def values(X: NDArray[Any]) -> NDArray[Any]:
    """Return the numbers that are multiplied, (n_samples, n_features), as floats: uint8 minus 128, others unchanged."""
    X = X.reshape(len(X), -1)
    if X.dtype == np.uint8:
        return X - np.float32(128)
    return X.astype(np.result_type(X.dtype, np.float32), copy=False)


def _padded(X: NDArray[Any], rows: Ints, side: int) -> NDArray[Any]:
    samples = values(X[rows])
    return np.pad(samples, ((0, side - len(samples)), (0, 0))) if len(samples) < side else samples


def _by_tile(places: Ints, side: int) -> list[tuple[int, slice]]:
    """Return, for every tile that these ascending places touch, its number and the slice of its places."""
    numbers, starts = np.unique(places // side, return_index=True)
    cuts = pairwise([*starts.tolist(), len(places)])
    return [(int(number), slice(*cut)) for number, cut in zip(numbers, cuts, strict=True)]
