"""Inner folds: the parts of a training part on which candidates are trained and scored. Pure."""

from collections.abc import Iterator

import numpy as np

from raygrid.cells import Cell
from raygrid.errors import InfeasibleError
from raygrid.splits.split import Ints
from raygrid.splits.splits import dealt_out


def inner_folds(cell: Cell, y: Ints) -> Iterator[tuple[Ints, Ints]]:
    """Yield the samples that candidates are trained on, and those that they are scored on, ascending, of each fold.

    Each class is dealt out at random. One with fewer samples than there are folds is scored in as many of them as it
    has samples; one with a single sample is trained on in all, and not scored. So every class is trained on.

    Parameters
    ----------
    cell : Cell
    y : array of shape (n_train,), int64
        Labels of the training part.
    """
    dealt = dealt_out(y, cell.choose.n_splits, seed=cell.seed_of("choose"))
    dealt[np.bincount(y)[y] == 1] = -1
    for number in range(cell.choose.n_splits):
        yield np.flatnonzero(dealt != number), np.flatnonzero(dealt == number)


def small_classes(cell: Cell, y: Ints) -> Ints:
    """Return the classes that are not scored in every inner fold of a cell that has some."""
    if cell.n_candidates == 1 or cell.choose.scored_on == "validation":
        return np.empty(0, dtype=np.int64)
    sizes = np.bincount(y)
    return np.flatnonzero((sizes > 0) & (sizes < cell.choose.n_splits))


def check_class_sizes(cell: Cell, y: Ints) -> None:
    """Raise InfeasibleError if the sizes of the classes alone forbid a cell: all candidates, where there are several.

    Parameters
    ----------
    y : array of shape (n_train,), int64
        Labels of the training part.
    """
    parts = [y]
    if cell.n_candidates > 1 and cell.choose.scored_on == "inner_folds":
        parts = [y[trained] for trained, _ in inner_folds(cell, y)]
    refusals = []
    for resampler in cell.resampler.candidates:
        try:
            for part in parts:
                resampler.check_sizes(part)
        except InfeasibleError as error:
            refusals.append(error)
        else:
            return
    where = f"in inner fold of {len(parts)}: " if len(parts) > 1 else ""
    raise InfeasibleError(f"{where}{refusals[0]}")
