"""Cells of a grid, a cell's key, and the plan: which cells already have a record. Only fingerprints read files."""

from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from itertools import product
from operator import attrgetter
from typing import Any, Literal

from raygrid.axes import AXES, STRATUM_AXES
from raygrid.classifiers import Classifier
from raygrid.datasets import DatasetLevel
from raygrid.gridfile.choices import Choosing
from raygrid.gridfile.levels import spelled
from raygrid.gridfile.schema import Grid
from raygrid.imbalance import Profile
from raygrid.keys import canonical_json, digest, n_candidates, plain
from raygrid.level import Level, labels
from raygrid.representations import Representation
from raygrid.resampling import Resampler
from raygrid.seeds import seed_for
from raygrid.splits import Official, Split
from raygrid.storage.record import FINAL

# Goes up when the same cell would give another result; every key changes with it.
# 2: distances and kernels follow from inner products in the precision of the features.
# 3: layers of networks are fused (raygrid.networks.fused), which rounds otherwise.
# 4: imbalance is a level, samples are one pool, and a class that a resampler removes is scored instead of refused.
PROTOCOL = 4

levels_of = attrgetter(*STRATUM_AXES)  # of a cell, what it shares with those that differ in nothing but the fold


@dataclass(frozen=True)
class Cell:
    """One point of the grid."""

    dataset: DatasetLevel
    imbalance: Profile
    fold: int
    representation: Representation
    resampler: Resampler
    classifier: Classifier
    image_size: int
    interpolation: str
    seed: int
    split: Split = field(default_factory=Official)
    validation: float | Literal["official"] | None = None
    choose: Choosing = field(default_factory=Choosing)
    _around_fold: list[str] = field(default_factory=list, init=False, repr=False, compare=False)  # as `key` writes it

    def of_fold(self, fold: int) -> "Cell":
        """Return the cell that differs from this one in nothing but the fold; what both write in keys is kept once."""
        sibling = object.__new__(type(self))
        vars(sibling).update(vars(self), fold=fold)
        vars(sibling).pop("key", None)
        return sibling

    @property
    def n_candidates(self) -> int:
        """How many candidates the cell chooses among; 1 where nothing is chosen."""
        return n_candidates(self.classifier) * n_candidates(self.resampler)

    @property
    def candidates(self) -> list["Cell"]:
        """The cells of which this one chooses one, the last parameter changing first; most often itself alone."""
        pairs = product(self.classifier.candidates, self.resampler.candidates)
        return [replace(self, classifier=classifier, resampler=resampler) for classifier, resampler in pairs]

    @property
    def n_fits(self) -> int:
        """How often a classifier is trained: each candidate in each inner fold, then the chosen one."""
        return 1 if self.n_candidates == 1 else self.n_candidates * self.choose.n_parts + 1

    def chosen_values(self, candidate: "Cell") -> dict[str, dict[str, Any]]:
        """Return the parameters of a candidate that are chosen, by axis, as plain JSON values."""
        pairs = {axis: (getattr(self, axis), getattr(candidate, axis)) for axis in ("classifier", "resampler")}
        return {axis: level.chosen_values(one) for axis, (level, one) in pairs.items() if len(level.candidates) > 1}

    def identity(self) -> dict[str, Any]:
        """Return, as plain JSON values, everything that can change the result, and nothing else."""
        return {name: plain(part) for name, part in self._decisive().items()}

    @cached_property
    def key(self) -> str:
        """The cell's name in the store: a hash of its identity."""
        if not self._around_fold:
            parts = self._decisive()
            names = sorted(parts)
            at = names.index("fold")
            self._around_fold[:] = (
                ",".join(f'"{name}":{canonical_json(parts[name])}' for name in some)
                for some in (names[:at], names[at + 1 :])
            )
        before, after = self._around_fold
        return digest(f'{{{before},"fold":{self.fold},{after}}}')  # as hash_of(self.identity())

    def _decisive(self) -> dict[str, Hashable]:
        """Return what can change the result, by name.

        A split, a validation part or a choice that nobody has asked for is not mentioned: other cells keep their keys.
        """
        asked: dict[str, Hashable] = {} if type(self.split) is Official else {"split": self.split}
        if self.validation is not None:
            asked["validation"] = self.validation
        if self.n_candidates > 1:
            asked["choose"] = self.choose
        return asked | {
            "protocol": PROTOCOL,
            "dataset": self.dataset,
            "imbalance": self.imbalance,
            "fold": self.fold,
            "representation": self.representation,
            "resampler": self.resampler,
            "classifier": self.classifier,
            "image_size": self.image_size,
            "interpolation": self.interpolation,
            "seed": self.seed,
        }

    @property
    def data_seed(self) -> int:
        """The seed of what is drawn once for all folds of a data set."""
        return seed_for(self.seed, self.dataset.name)

    @property
    def fold_seed(self) -> int:
        """The seed of the fold's subsets: the same at every level of imbalance, representation and resampler."""
        return seed_for(self.seed, self.dataset.name, self.fold)

    @property
    def uses_cards(self) -> bool:
        """Whether it computes on a card, if it is given one: it trains a network. All else is computed on CPUs."""
        return self.classifier.takes == "images"

    def seed_of(self, purpose: str) -> int:
        """Return the seed of one stage: the same for every cell that shares data set, fold and imbalance."""
        return seed_for(self.fold_seed, self.imbalance.stream, purpose)

    def levels(self) -> dict[str, str]:
        """Return the cell's level on every axis as text, as --only and exclude spell them."""
        return {axis: spelled(getattr(self, axis)) for axis in AXES}

    def __str__(self) -> str:
        return " ".join(f"{axis}={level}" for axis, level in self.levels().items())


def expand(grid: Grid) -> list[Cell]:
    """Return the grid's cells, those that are excluded left out.

    The arms are interleaved, so that cells which need a GPU and cells which do not are started side by side.
    """
    names = ("image_size", "interpolation", "seed", "split", "validation", "choose")
    shared = {name: getattr(grid, name) for name in names}
    pairs = [(arm.representation, resampler, arm.classifier) for arm in grid.arms for resampler in arm.resamplers]
    methods = dict.fromkeys(pairs)  # two arms may have one in common
    excluded = [exclusion.levels() for exclusion in grid.exclude]
    cells: list[Cell] = []
    for dataset in grid.datasets:
        firsts = [
            Cell(dataset, imbalance, 0, *method, **shared) for imbalance, method in product(grid.imbalance, methods)
        ]
        without = [_folds_without(first, excluded) for first in firsts]
        cells += [
            first.of_fold(fold)
            for fold in range(grid.folds)
            for first, folds in zip(firsts, without, strict=True)
            if None not in folds and str(fold) not in folds
        ]
    return cells


def _folds_without(cell: Cell, excluded: Sequence[Mapping[str, str]]) -> set[str | None]:
    """Return the folds in which a cell with these levels is left out; None among them stands for all."""
    levels = cell.levels().items() if excluded else {}.items()
    return {partial.get("fold") for partial in excluded if {**partial, "fold": spelled(cell.fold)}.items() <= levels}


def by_stratum(cells: Iterable[Cell]) -> dict[tuple[Level, ...], list[Cell]]:
    """Return cells by what they share that differ in nothing but the fold: their levels, in the order of STRATUM_AXES.

    Levels are first told apart as objects, of which a grid has one each: comparing them takes longer.
    """
    groups: dict[tuple[int, ...], list[Cell]] = {}
    for cell in cells:
        groups.setdefault(tuple(map(id, levels_of(cell))), []).append(cell)
    strata: dict[tuple[Level, ...], list[Cell]] = {}
    for alike in groups.values():
        strata.setdefault(levels_of(alike[0]), []).extend(alike)
    return strata


def labels_on(axis: str, cells: Sequence[Cell]) -> dict[Any, str]:
    """Return what tables call the levels that cells have on an axis, in the order in which they come."""
    levels = {id(level): level for level in map(attrgetter(axis), cells)}.values()  # comparing them takes longer
    return {level: spelled(level) for level in levels} if axis == "fold" else labels(levels)


def names_on(axis: str, cells: Sequence[Cell], names: Mapping[Any, str]) -> list[str]:
    """Return the name of each cell's level on an axis, given those of all levels, as `labels_on` returns them."""
    levels = list(map(attrgetter(axis), cells))
    objects = dict(zip(map(id, levels), levels, strict=True))
    name_of = {name: names[level] for name, level in objects.items()}
    return [name_of[id(level)] for level in levels]


@dataclass(frozen=True)
class Plan:
    """Cells against what the store has."""

    done: tuple[Cell, ...]
    infeasible: tuple[Cell, ...]
    todo: tuple[Cell, ...]
    """Never tried, or tried and failed for a reason that may pass."""


def plan(cells: Iterable[Cell], statuses: Mapping[str, str]) -> Plan:
    """Sort cells by what is left to do.

    Parameters
    ----------
    statuses : mapping
        From a cell's key to the status of its record.
    """
    by_status: dict[str, list[Cell]] = {"done": [], "infeasible": [], "todo": []}
    for cell in cells:
        status = statuses.get(cell.key, "todo")
        by_status[status if status in FINAL else "todo"].append(cell)
    return Plan(**{status: tuple(members) for status, members in by_status.items()})
