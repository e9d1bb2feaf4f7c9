"""Class sizes before a run: how many samples each level of imbalance keeps, and which cells are already infeasible."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from raygrid.cells import Cell
from raygrid.choosing import check_class_sizes
from raygrid.commands.job import Job
from raygrid.commands.printing import Terminal, activity_shown
from raygrid.costs.model import Sizes, sizes_of
from raygrid.errors import InfeasibleError
from raygrid.folds import Fold, fold_of
from raygrid.images import Labels, known_labels, load_labels
from raygrid.level import labels as named
from raygrid.wording import plural

# A level that drops more than this share of a data set gets a line of warning.
_MOST_DROPPED = 0.5

_err = Terminal(stderr=True)


class Folds:
    """The folds of a job's cells, as far as the labels of their data sets are known.

    Parameters
    ----------
    job : Job
    read : bool
        Whether data sets that nobody has read so far are read now, if their files are on this machine.

    Raises
    ------
    UsageError
        A data set is broken.
    """

    def __init__(self, job: Job, *, read: bool) -> None:
        cells = {cell.dataset: cell for cell in reversed(job.cells)}
        self._cache = job.cache
        self._labels = {dataset: _labels_of(cell, job, read=read) for dataset, cell in cells.items()}
        self._folds: dict[tuple[Any, ...], Fold | InfeasibleError] = {}

    def labels(self, cell: Cell) -> Labels | None:
        """Return the labels of a cell's data set, if they are known."""
        return self._labels.get(cell.dataset)

    def look_up(self, cell: Cell) -> None:
        """Take in the labels of a cell's data set, if they have come into the cache meanwhile."""
        if not self._labels.get(cell.dataset) and (labels := known_labels(cell, self._cache)):
            self._labels[cell.dataset] = labels

    def notes(self) -> Iterator[str]:
        """Yield what was done to the files of the data sets that a user must know."""
        for dataset, labels in self._labels.items():
            yield from (f"{dataset.name}: {note}" for note in (labels.notes if labels else ()))

    def of(self, cell: Cell) -> Fold | InfeasibleError | None:
        """Return the fold of a cell, or why it has none; None where the labels are not known.

        Raises
        ------
        DataError
            The data set lacks the parts that the grid file asks for.
        """
        place, labels = (cell.dataset, cell.imbalance, cell.fold), self.labels(cell)
        if not labels:
            return None
        if place not in self._folds:
            try:
                self._folds[place] = fold_of(cell, labels)
            except InfeasibleError as error:
                self._folds[place] = error
        return self._folds[place]

    def sizes(self, cell: Cell) -> Sizes | None:
        """Return how many samples a cell works on, where that is known."""
        labels, fold = self.labels(cell), self.of(cell)
        if labels is None or not isinstance(fold, Fold):
            return None
        return sizes_of(*(_counts(labels, index) for index in (fold.train, fold.test)))

    def refusal(self, cell: Cell) -> str:
        """Return why the sizes of the classes alone forbid a cell; nothing where they do not, or are not known."""
        labels, fold = self.labels(cell), self.of(cell)
        if isinstance(fold, InfeasibleError):
            return str(fold)
        if labels is None or fold is None:
            return ""
        try:
            check_class_sizes(cell, labels.y[fold.train])
        except InfeasibleError as error:
            return f"{cell.resampler.name}: {_with_names(str(error), labels.class_names)}"  # the record lacks the names
        return ""


def _labels_of(cell: Cell, job: Job, *, read: bool) -> Labels | None:
    labels = known_labels(cell, job.cache)
    if labels or not read or cell.dataset.to_fetch():
        return labels
    n_images = cell.dataset.n_images()
    what = f", {plural(n_images, 'image')}" if n_images else ""
    _err.print(f"reading {cell.dataset.name}{what}; this is kept in the cache", markup=False, highlight=False)
    with activity_shown():
        return load_labels(cell, job.cache)


def _with_names(message: str, class_names: Sequence[str]) -> str:
    """Return the message of a resampler, which knows the numbers of classes only, with their names."""
    names = {f"class {label}": name for label, name in enumerate(class_names)}
    return re.sub(
        r"\bclass \d+", lambda found: f"{found[0]}, {names[found[0]]!r}" if found[0] in names else found[0], message
    )


def _counts(labels: Labels, index: Any) -> list[int]:
    counts: list[int] = np.bincount(labels.y[index], minlength=len(labels.class_names)).tolist()
    return counts


@dataclass(frozen=True)
class Kept:
    """What of a data set one level of imbalance keeps, in the first fold.

    Attributes
    ----------
    train, validation, test : list of int
        Samples of each class; `validation` has none unless the grid file asks for a validation part.
    n_images, n_unused : int
        All images of the data set, and those that are in no part of this fold.
    """

    dataset: str
    imbalance: str
    train: list[int]
    validation: list[int]
    test: list[int]
    n_images: int

    @property
    def n_unused(self) -> int:
        """Images that are in no part of this fold."""
        return self.n_images - sum(self.train) - sum(self.validation) - sum(self.test)

    def to_json(self) -> dict[str, Any]:
        """Return all of it as plain JSON values."""
        return {**vars(self), "ratio": max(self.train) / min(self.train), "unused": self.n_unused}


def kept_of(job: Job, folds: Folds) -> Iterator[Kept]:
    """Yield what each level of imbalance keeps of each data set whose labels are known, where it can be realised."""
    names = named(cell.imbalance for cell in job.cells)
    first_cells: dict[tuple[Any, ...], Cell] = {}
    for cell in job.cells:
        first_cells.setdefault((cell.dataset, cell.imbalance), cell)
    for cell in first_cells.values():
        labels, fold = folds.labels(cell), folds.of(cell)
        if labels and isinstance(fold, Fold):
            train, validation, test = (_counts(labels, index) for index in (fold.train, fold.validation, fold.test))
            yield Kept(cell.dataset.name, names[cell.imbalance], train, validation, test, n_images=len(labels.y))


def warnings_of(kept: list[Kept]) -> Iterator[str]:
    """Yield a line for each level that drops most of a data set."""
    for level in dict.fromkeys(each.imbalance for each in kept):
        dropped = [each for each in kept if each.imbalance == level and each.n_unused > _MOST_DROPPED * each.n_images]
        if dropped:
            used = ", ".join(f"{each.n_images - each.n_unused} of {each.n_images} ({each.dataset})" for each in dropped)
            yield f"imbalance {level} uses only some of the images: {used}; natural uses all: `imbalance: [natural]`"
