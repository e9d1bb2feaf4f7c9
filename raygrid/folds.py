"""Folds: which samples of a data set a cell uses, decided by its split and then by its imbalance profile. Pure."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from raygrid.cells import Cell
from raygrid.errors import DataError, InfeasibleError
from raygrid.imbalance import Profile
from raygrid.seeds import seed_for
from raygrid.splits import Labelled
from raygrid.splits.split import Ints, Parts
from raygrid.splits.splits import size_of_share, without_share
from raygrid.wording import plural


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
    parts = parts_of(cell, data)
    available = counts_of(parts, data)
    order = cell.imbalance.order(available["train"], seed=cell.fold_seed)
    sizes = dict(_kept(cell, available, order, data.class_names))

    def subset(part: str) -> Ints:
        """Return the samples of a part that are kept."""
        index = parts[part]
        return index[first_of_each_class(data.y[index], sizes[part], seed=seed_for(cell.fold_seed, part))]

    train, test = subset("train"), subset("test")
    validation = subset("validation") if "validation" in sizes else np.empty(0, dtype=np.int64)
    if isinstance(cell.validation, float):
        left, taken = without_share(data.y[train], cell.validation, seed=seed_for(cell.fold_seed, "validation"))
        train, validation = train[left], train[taken]
    return Fold(train, validation, test, order)


def parts_of(cell: Cell, data: Labelled) -> Parts:
    """Return the parts of a cell's fold, before imbalance.

    Raises
    ------
    DataError
        The data set has not the parts that the grid file asks for.
    """
    try:
        parts = cell.split.parts(data, fold=cell.fold, seed=cell.data_seed)
        if cell.validation == "official" and "validation" not in parts:
            raise DataError("got no validation part; write a share, `validation: 0.2`")
    except DataError as error:
        raise DataError(f"{cell.dataset.name}: {error}") from None
    return parts


def counts_of(parts: Parts, data: Labelled) -> dict[str, list[int]]:
    """Return how many samples of each class every part has."""
    n_classes = len(data.class_names)
    return {part: np.bincount(data.y[index], minlength=n_classes).tolist() for part, index in parts.items()}


@dataclass(frozen=True)
class ClassSizes:
    """How many samples of each class the parts of a fold have; `validation` is empty unless it is asked for."""

    train: list[int]
    validation: list[int]
    test: list[int]


def class_sizes(cell: Cell, available: Mapping[str, Sequence[int]], class_names: Sequence[str]) -> ClassSizes:
    """Return the sizes of the classes in `fold_of`, without drawing a sample.

    Parameters
    ----------
    available : mapping
        Samples of each class, by part, before imbalance.

    Raises
    ------
    InfeasibleError
        A class would keep no sample.
    """
    order = cell.imbalance.order(available["train"], seed=cell.fold_seed)
    kept = {part: sizes.tolist() for part, sizes in _kept(cell, available, order, class_names)}
    train, validation = kept["train"], kept.get("validation", [])
    if isinstance(cell.validation, float):
        validation = [size_of_share(size, cell.validation) for size in train]
        train = [size - taken for size, taken in zip(train, validation, strict=True)]
    return ClassSizes(train, validation, kept["test"])


def _kept(
    cell: Cell, available: Mapping[str, Sequence[int]], order: Ints, class_names: Sequence[str]
) -> Iterator[tuple[str, Ints]]:
    """Yield how many samples of each class are kept of each part that is asked for."""
    for part in ("train", "validation", "test") if cell.validation == "official" else ("train", "test"):
        sizes_of = cell.imbalance.test_sizes if part == "test" else cell.imbalance.sizes
        sizes = sizes_of(available[part], order)
        if not sizes.all():
            label = int(sizes.argmin())
            is_empty = not available[part][label]
            why = "; expected at least 1; add images" if is_empty else ", of which none would be kept; lower the ratio"
            raise InfeasibleError(
                f"imbalance {cell.imbalance.text}: got {plural(available[part][label], 'image')} of "
                f"{class_names[label]!r} in {part}{why}"
            )
        yield part, sizes


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
