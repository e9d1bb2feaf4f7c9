"""A function of the distances between mixtures of samples, computed from inner products a block at a time."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from raygrid.mixtures.samples import Samples, products

Floats = NDArray[np.float64]

# If classes have fewer samples on average, several share a kernel, because for single pairs scikit-learn's overhead
# would be larger than libsvm's work. A group of classes has this many samples; a kernel of two groups has about 0.5 GB.
_FEW, _GROUP = 128, 4096


def groups(sizes: NDArray[np.int64]) -> list[NDArray[np.intp]]:
    """Return the rows of each group of classes, at least two groups; rows are sorted by class.

    A large class is a group of its own, because the pairs within a group are optimised again with every other group.
    """
    n_samples, ends = int(sizes.sum()), np.cumsum(sizes)
    groups: Floats = np.arange(len(sizes), dtype=np.float64)
    if n_samples < _FEW * len(sizes):
        n_groups = max(2, -(-n_samples // _GROUP))
        groups = (ends - sizes / 2) * n_groups // n_samples  # by where the middle of a class lies
    return np.split(np.arange(n_samples), ends[:-1][np.diff(groups) > 0])


@dataclass(frozen=True)
class Pairs:
    """A function of |a - b|^2 for any mixtures a and the mixtures b of A X.

    Attributes
    ----------
    X : Samples
    A : sparse array of shape (n_rows, len(X)), float64
    norms : array of shape (n_rows,), float64
        `squares` of A X.
    function : callable
        Takes an array of squared distances, which it may overwrite, and returns one of that shape.
    """

    X: Samples
    A: csr_array
    norms: Floats
    function: Callable[[Floats], Floats]

    def of_pairs(self, members: Sequence[NDArray[np.intp]]) -> Iterator[tuple[NDArray[np.intp], Floats]]:
        """Yield, for every two groups, their rows of A and the values between these rows, (n_rows, n_rows).

        Each array overwrites the last one, because allocating memory would take longer than computing the values.
        """
        sizes = sorted(map(len, members))
        memory = np.empty(sum(sizes[-2:]) ** 2)
        for i, first in enumerate(members[:-1]):
            within = self._square(first, np.empty((len(first), len(first))))
            for second in members[i + 1 :]:
                n, rows = len(first), np.concatenate([first, second])
                K = memory[: len(rows) ** 2].reshape(len(rows), len(rows))
                K[:n, :n] = within
                for block, part in self.between(self.A[second], self.X, self.norms[second], first):
                    K[n:, :n][block] = part
                    K[:n, n:][:, block] = part.T
                self._square(second, K[n:, n:])
                yield rows, K

    def between(
        self, B: csr_array, Y: Samples, norms: Floats, members: NDArray[np.intp]
    ) -> Iterator[tuple[slice, Floats]]:
        """Yield the values of the mixtures B Y with the selected mixtures of A X, a block of rows at a time."""
        for block, part in products(B, Y, self.A[members], self.X):
            part *= -2
            part += norms[block, None]
            part += self.norms[members]
            yield block, self.function(np.maximum(part, 0, out=part))

    def _square(self, members: NDArray[np.intp], K: Floats) -> Floats:
        for block, part in self.between(self.A[members], self.X, self.norms[members], members):
            # K is symmetric, so a part may be written transposed, in the order in which it lies in memory.
            (K.T if part.flags.f_contiguous else K)[block] = part
        return K


@dataclass(frozen=True)
class Rbf:
    """The function exp(-gamma d) of squared distances d."""

    gamma: float

    def __call__(self, squared: Floats, out: Floats | None = None) -> Floats:
        """Return the values, written to `out`, by default over the distances."""
        values = np.multiply(squared, -self.gamma, out=squared if out is None else out)
        return np.exp(values, out=values)


def unchanged(squared: Floats) -> Floats:
    """Return the squared distances as they are."""
    return squared
