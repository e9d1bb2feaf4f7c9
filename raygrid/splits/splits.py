"""The splits that a grid file may name."""

from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from raygrid.errors import DataError
from raygrid.seeds import seed_for
from raygrid.splits.split import Ints, Labelled, Parts, Split


class Official(Split):
    """The train and test parts that the data set comes with, the same in every fold: imbalance makes folds differ."""

    name: Literal["official"] = "official"

    def parts(self, data: Labelled, *, fold: int, seed: int) -> Parts:
        """Return the data set's own parts."""
        if not {"train", "test"} <= set(data.parts):
            found = f"only {', '.join(data.parts)}" if data.parts else "no parts"
            raise DataError(
                f"got {found}; expected train and test; write `split: {{name: holdout, test: 0.3}}` or "
                "`split: {name: stratified_kfold, n_splits: 5}` into the grid file, which make a test part"
            )
        for part in ("train", "test"):
            present = np.bincount(data.y[data.parts[part]], minlength=len(data.class_names))
            absent = [name for name, size in zip(data.class_names, present, strict=True) if not size]
            if absent:
                raise DataError(
                    f"got no image of {', '.join(absent)} in {part}; expected every class in train and in test; "
                    "add images, take the class out of both, or let `split:` make the parts"
                )
        return data.parts

    def sized_as(self, fold: int) -> int:
        """Return 0: all folds have the same parts."""
        return 0


class Holdout(Split):
    """A share of each class, drawn anew in each fold, is the test part.

    Attributes
    ----------
    test : float
        The share, between 0 and 1: rounded to a whole number of samples of each class, at least 1, never all of them.
    """

    name: Literal["holdout"] = "holdout"
    test: Annotated[float, Field(gt=0, lt=1)] = 0.3

    def parts(self, data: Labelled, *, fold: int, seed: int) -> Parts:
        """Return the parts; official ones are pooled first."""
        left, taken = without_share(data.y, self.test, seed=seed_for(seed, "holdout", fold))
        return {"train": left, "test": taken}

    def sized_as(self, fold: int) -> int:
        """Return 0: a share of each class is as large in every fold."""
        return 0


class StratifiedKFold(Split):
    """Each class is dealt out to n_splits parts of nearly equal size; each of these is the test part of one fold.

    After n_splits folds they are dealt out anew: ``n_splits: 2`` with ``folds: 10`` is 5 x 2 cross-validation.

    Attributes
    ----------
    n_splits : int
        At least 2.
    """

    name: Literal["stratified_kfold"] = "stratified_kfold"
    n_splits: Annotated[int, Field(ge=2)] = 5

    @property
    def n_folds_in_turn(self) -> int:
        """As many as there are parts: then every sample is tested once."""
        return self.n_splits

    def parts(self, data: Labelled, *, fold: int, seed: int) -> Parts:
        """Return the parts; official ones are pooled first."""
        repetition, number = divmod(fold, self.n_splits)
        dealt = dealt_out(data.y, self.n_splits, seed=seed_for(seed, "stratified k-fold", repetition))
        return {"train": np.flatnonzero(dealt != number), "test": np.flatnonzero(dealt == number)}

    def sized_as(self, fold: int) -> int:
        """Return the fold of the first repetition: how many samples are dealt to a part does not depend on chance."""
        return fold % self.n_splits


def dealt_out(y: Ints, n_splits: int, *, seed: int) -> Ints:
    """Return the part, 0 .. n_splits - 1, of each sample: each class is dealt out at random."""
    rng = np.random.default_rng(seed)
    dealt, n_dealt = np.empty(len(y), dtype=np.int64), 0
    for label in range(int(y.max()) + 1):  # one class goes on where the last one ended: parts of equal size
        members = rng.permutation(np.flatnonzero(y == label))
        dealt[members] = (n_dealt + np.arange(len(members))) % n_splits
        n_dealt += len(members)
    return dealt


def without_share(y: Ints, share: float, *, seed: int) -> tuple[Ints, Ints]:
    """Return what is left without a random share of each class, and that share: ascending indices into `y`.

    Of each class the share is rounded to a whole number of samples, at least 1 but never the last one.
    """
    rng = np.random.default_rng(seed)
    taken = np.zeros(len(y), dtype=bool)
    for label in np.unique(y):
        members = rng.permutation(np.flatnonzero(y == label))
        taken[members[: size_of_share(len(members), share)]] = True
    return np.flatnonzero(~taken), np.flatnonzero(taken)


def size_of_share(size: int, share: float) -> int:
    """Return how many samples a share of a class has: a whole number, at least 1 but never all of them."""
    return min(max(1, round(share * size)), size - 1)
