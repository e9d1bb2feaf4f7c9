"""The contract of a split."""

from abc import abstractmethod
from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from raygrid.level import Level

Ints = NDArray[np.int64]

# Ascending indices into a data set, by "train", "test" and, where there is one, "validation"; no index is in two.
Parts = Mapping[str, Ints]


class Labelled(Protocol):
    """A data set, as far as a split and a profile look at it."""

    @property
    def y(self) -> Ints:
        """Labels 0 .. M - 1, (n_samples,)."""

    @property
    def class_names(self) -> Sequence[str]:
        """One a label."""

    @property
    def parts(self) -> Parts:
        """Those that it comes with: some of "train", "validation" and "test", or none."""


class Split(Level):
    """How a data set is divided, the same way for every data set of a grid. A subclass defines `parts`."""

    @property
    def n_folds_in_turn(self) -> int:
        """How many folds belong together: a grid has a multiple of them."""
        return 1

    @abstractmethod
    def parts(self, data: Labelled, *, fold: int, seed: int) -> Parts:
        """Return the parts of one fold, before imbalance.

        Parameters
        ----------
        data : Labelled
        fold : int
            From 0.
        seed : int
            The grid's, for this data set: the same in every fold.

        Raises
        ------
        DataError
            The data set has not the parts that are asked for.
        """

    def sized_as(self, fold: int) -> int:
        """Return a fold whose parts have as many samples of each class as this one's; by default the fold itself.

        So `plan` need not divide a data set anew for each of thousands of folds.
        """
        return fold
