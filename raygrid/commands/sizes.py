"""Class sizes before a run: how many samples each level of imbalance keeps, and which cells are already infeasible."""

import re
from collections import Counter
from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from raygrid.cells import Cell, Plan, by_stratum
from raygrid.choosing import check_class_sizes
from raygrid.commands.job import Job
from raygrid.commands.printing import Terminal, activity_shown
from raygrid.costs.recorded import Sizes, sizes_of
from raygrid.datasets import DatasetLevel
from raygrid.errors import InfeasibleError
from raygrid.folds import ClassSizes, class_sizes, counts_of, parts_of
from raygrid.images import Labels, known_labels, load_labels
from raygrid.level import labels as named
from raygrid.wording import at_most, plural

# A level that drops more than this share of a data set gets a line of warning.
_MOST_DROPPED = 0.5
_DROPPED = 5  # data sets that are named in it at most

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
        self._available: dict[tuple[DatasetLevel, int], dict[str, list[int]]] = {}
        self._known: dict[tuple[Hashable, ...], ClassSizes | InfeasibleError] = {}

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

    def of(self, cell: Cell) -> ClassSizes | InfeasibleError | None:
        """Return the sizes of the classes of a cell, or why it has none; None where the labels are not known.

        They are those of the first of all folds that differ in nothing but which class is the largest, and so on.

        Raises
        ------
        DataError
            The data set lacks the parts that the grid file asks for.
        """
        labels = self.labels(cell)
        if not labels:
            return None
        available = self._counts(cell, labels)
        place = cell.imbalance, labels.class_names, *map(tuple, available.values())
        if place not in self._known:
            try:
                self._known[place] = class_sizes(cell, available, labels.class_names)
            except InfeasibleError as error:
                self._known[place] = error
        return self._known[place]

    def sizes(self, cell: Cell) -> Sizes | None:
        """Return how many samples a cell works on, where that is known."""
        known = self.of(cell)
        return sizes_of(known.train, known.test) if isinstance(known, ClassSizes) else None

    def refusal(self, cell: Cell) -> str:
        """Return why the sizes of the classes alone forbid a cell; nothing where they do not, or are not known.

        A class that it names is that of the first of all folds with such sizes.
        """
        known, labels = self.of(cell), self.labels(cell)
        if labels is None or known is None:
            return ""
        if isinstance(known, InfeasibleError):
            return str(known)
        try:
            check_class_sizes(cell, np.repeat(np.arange(len(known.train)), known.train))
        except InfeasibleError as error:
            return f"{cell.resampler.name}: {_with_names(str(error), labels.class_names)}"  # the record lacks the names
        return ""

    def refusals(self, cells: Iterable[Cell]) -> dict[str, str]:
        """Return `refusal` of the cells that have one, by key."""
        found: dict[str, str] = {}
        for alike in by_stratum(cells).values():
            split, reasons = alike[0].split, dict[int, str]()
            for cell in alike:
                fold = split.sized_as(cell.fold)
                if fold not in reasons:
                    reasons[fold] = self.refusal(cell)
                if reasons[fold]:
                    found[cell.key] = reasons[fold]
        return found

    def refused(self, planned: Plan) -> tuple[Plan, dict[str, int]]:
        """Return the plan with cells that the sizes of classes forbid as infeasible, and how many for which reason.

        A run gives each of them a record that says so.
        """
        reasons = self.refusals(planned.todo)
        todo = tuple(cell for cell in planned.todo if cell.key not in reasons)
        forbidden = tuple(cell for cell in planned.todo if cell.key in reasons)
        counts = Counter(f"{cell.dataset.name}: {reasons[cell.key]}" for cell in forbidden)
        return replace(planned, infeasible=(*planned.infeasible, *forbidden), todo=todo), dict(counts)

    def _counts(self, cell: Cell, labels: Labels) -> dict[str, list[int]]:
        place = cell.dataset, cell.split.sized_as(cell.fold)
        if place not in self._available:
            self._available[place] = counts_of(parts_of(cell, labels), labels)
        return self._available[place]


def _labels_of(cell: Cell, job: Job, *, read: bool) -> Labels | None:
    labels = known_labels(cell, job.cache)
    if labels or not read or cell.dataset.to_fetch():
        return labels
    n_images = cell.dataset.n_images()
    what = f", {plural(n_images, 'image')}" if n_images else ""
    _err.print(f"reading {cell.dataset.name}{what}; this is kept in the cache", highlight=False)
    with activity_shown():
        return load_labels(cell, job.cache)


def _with_names(message: str, class_names: Sequence[str]) -> str:
    """Return the message of a resampler, which knows the numbers of classes only, with their names."""
    names = {f"class {label}": name for label, name in enumerate(class_names)}
    return re.sub(
        r"\bclass \d+", lambda found: f"{found[0]}, {names[found[0]]!r}" if found[0] in names else found[0], message
    )


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
    first_cells = {levels[:2]: alike[0] for levels, alike in reversed(by_stratum(job.cells).items())}
    for cell in reversed(first_cells.values()):
        labels, known = folds.labels(cell), folds.of(cell)
        if labels and isinstance(known, ClassSizes):
            yield Kept(cell.dataset.name, names[cell.imbalance], **vars(known), n_images=len(labels.y))


def warnings_of(kept: list[Kept]) -> Iterator[str]:
    """Yield a line for each level that drops most of a data set."""
    for level in dict.fromkeys(each.imbalance for each in kept):
        dropped = [each for each in kept if each.imbalance == level and each.n_unused > _MOST_DROPPED * each.n_images]
        if dropped:
            used = [f"{each.n_images - each.n_unused} of {each.n_images} ({each.dataset})" for each in dropped]
            some = f"only some of the images: {', '.join(at_most(used, _DROPPED))}"
            yield f"imbalance {level} uses {some}; natural uses all: `imbalance: [natural]`"
