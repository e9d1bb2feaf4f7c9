"""Folds: which samples of a data set a cell uses, decided by its split and then by its imbalance profile. Pure."""

from dataclasses import dataclass

import numpy as np

from raygrid.cells import Cell
from raygrid.errors import DataError, InfeasibleError
from raygrid.imbalance import Profile
from raygrid.seeds import seed_for
from raygrid.splits import Labelled
from raygrid.splits.split import Ints
from raygrid.splits.splits import without_share


@dataclass(frozen=True)
class Fold:
    """The samples of one fold at one level of imbalance.

    Attributes
    ----------
    train, validation, test : array of shape (n,), int64
        Ascending indices into the data set; no index is in two of them. `validation` is empty unless it is asked for.
    class_order : array of shape (n_classes,), int64
        The classes by rank, from the one that the profile makes the largest to the smallest.
    """

    train: Ints
    validation: Ints
    test: Ints
    class_order: Ints


def fold_of(cell: Cell, data: Labelled) -> Fold:
    """Return the samples of a cell.

    For one fold of a data set the class order does not depend on the ratio, and of each class the first samples of one
    random order are kept. So two cells of a fold have samples in common for every representation, resampler and
    classifier, and those at a larger ratio lie within those at a smaller one wherever fewer are kept of every class.

    Raises
    ------
    DataError
        The data set has not the parts that the grid file asks for.
    InfeasibleError
        A class would keep no sample.
    """
    try:
        parts = cell.split.parts(data, fold=cell.fold, seed=cell.data_seed)
    except DataError as error:
        raise DataError(f"{cell.dataset.name}: {error}") from None
    n_classes = len(data.class_names)
    available = {part: np.bincount(data.y[index], minlength=n_classes).tolist() for part, index in parts.items()}
    order = cell.imbalance.order(available["train"], seed=cell.fold_seed)

    def subset(part: str, sizes: Ints) -> Ints:
        """Return the samples of a part that are kept, given how many of each class."""
        if not sizes.all():
            label = int(sizes.argmin())
            raise InfeasibleError(
                f"imbalance {cell.imbalance.text}: got {available[part][label]} images of "
                f"{data.class_names[label]!r} in {part}, of which none would be kept; lower the ratio"
            )
        index = parts[part]
        return index[first_of_each_class(data.y[index], sizes, seed=seed_for(cell.fold_seed, part))]

    train = subset("train", cell.imbalance.sizes(available["train"], order))
    validation = np.empty(0, dtype=np.int64)
    if cell.validation == "official":
        if "validation" not in parts:
            raise DataError(f"{cell.dataset.name}: got no validation part; write a share, `validation: 0.2`")
        validation = subset("validation", cell.imbalance.sizes(available["validation"], order))
    elif cell.validation is not None:
        left, taken = without_share(data.y[train], cell.validation, seed=seed_for(cell.fold_seed, "validation"))
        train, validation = train[left], train[taken]
    test = subset("test", cell.imbalance.test_sizes(available["test"], order))
    return Fold(train, validation, test, order)


def imbalanced(y: Ints, profile: Profile, *, seed: int) -> Ints:
    """Return which samples with these labels a profile keeps as training samples: ascending indices into `y`."""
    available = np.bincount(y).tolist()
    sizes = profile.sizes(available, profile.order(available, seed=seed))
    return first_of_each_class(y, sizes, seed=seed_for(seed, "train"))


def first_of_each_class(y: Ints, sizes: Ints, *, seed: int) -> Ints:
    """Return as many samples of each class as `sizes` says: the first in an order that depends on the seed alone."""
    rng = np.random.default_rng(seed)
    kept = [rng.permutation(np.flatnonzero(y == label))[:size] for label, size in enumerate(sizes)]
    return np.sort(np.concatenate(kept))
