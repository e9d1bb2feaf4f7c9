"""Predict the seconds of a cell from the seconds of recorded cells. Nothing here reads a file.

The first of these methods that is possible is used:

1. *recorded*: the mean of the records that differ from the cell only in the fold;
2. *power law*: c n_train^p, p between 0 and 3, fitted by least squares on logarithms to the means of the cell's data
   set at two or more other training sizes;
3. *scaled*: the mean of the nearest recorded training size (of the cell's own data set if it has one), each stage
   multiplied by the growth of its work. With n = n_train, f the samples after resampling, t = n_test: splitting and
   representing grow with n, resampling with n (n^2 for one that compares pairs), predicting with t, all else with f
   (t f and f^2 for one that compares pairs). Where f is not recorded, it keeps its ratio to whichever of three it was
   nearest to: n, every class as large as the largest, every class as small as the smallest;
4. *per fit*: of a cell that chooses among candidates, the mean of what 1 to 3 say of them without a choice, times the
   number of fits: more than it takes, because inner folds are smaller than the training part, and candidates may share
   work;
5. none.

Only records with the same representation, resampler, classifier (and parameters) and image size are used, and what was
computed on a card and what was computed on CPUs do not predict each other. Predictions are for machines like those that
made the records.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from math import exp, log
from operator import attrgetter
from typing import Any, Literal, NamedTuple

import numpy as np

from raygrid.axes import STRATUM_AXES
from raygrid.cells import Cell
from raygrid.keys import hash_of
from raygrid.storage.record import Record

_STEEPEST = 3.0
_LEAST_S = 1e-3  # what is recorded is rounded to this

Basis = Literal["recorded", "power law", "scaled", "per fit"]


class Sizes(NamedTuple):
    """How many samples a cell works on, and how many there were if all classes were as large as one of them.

    Attributes
    ----------
    n_train, n_test : int
        Samples of the fold, before resampling.
    all_largest, all_smallest : int
        The classes of the training part, times the size of the largest, of the smallest.
    """

    n_train: int
    n_test: int
    all_largest: int
    all_smallest: int

    @property
    def ratio(self) -> float:
        """Of the largest class to the smallest."""
        return self.all_largest / self.all_smallest


def sizes_of(train: Sequence[int], test: Sequence[int]) -> Sizes:
    """Return the sizes of a cell with these numbers of samples a class."""
    return Sizes(sum(train), sum(test), max(train) * len(train), min(train) * len(train))


@dataclass(frozen=True)
class Estimate:
    """Predicted seconds of a cell, and how they were found."""

    seconds: float
    basis: Basis


class Stratum(NamedTuple):
    """What cells share that differ in nothing but the fold; each part hashed."""

    levels: str
    dataset: str
    imbalance: str


_OF_STRATUM = attrgetter(*STRATUM_AXES, "image_size", "split", "validation", "choose")


def stratum_of(cell: Mapping[str, Any]) -> Stratum:
    """Return the stratum of a cell, given its identity (as a record has it)."""
    levels = {part: cell[part] for part in ("representation", "resampler", "classifier", "image_size")}
    levels |= {part: cell[part] for part in ("choose",) if part in cell}
    dataset = {part: cell.get(part) for part in ("dataset", "split", "validation")}
    return Stratum(hash_of(levels), hash_of(dataset), hash_of(cell["imbalance"]))


_TAUGHT_BY = {"representation", "resampler", "classifier", "image_size", "imbalance"}


class _Done(NamedTuple):
    """What a record says about costs."""

    seconds: Mapping[str, float]
    sizes: Sizes
    n_fitted: int

    @property
    def total(self) -> float:
        return max(sum(self.seconds.values()), _LEAST_S)


class CostModel:
    """Predicts seconds of cells; learns from records.

    Parameters
    ----------
    records : iterable of Record
        Those that are not done teach nothing.
    sizes : callable
        Returns the sizes of a cell of which nothing may be recorded, where they are known.
    on_card : callable
        Tells whether a cell will be computed on a card.

    Attributes
    ----------
    devices : Counter
        How many records were computed on which: whether it is a card, and its name.
    """

    def __init__(
        self,
        records: Iterable[Record],
        sizes: Callable[[Cell], Sizes | None] = lambda cell: None,
        on_card: Callable[[Cell], bool] = lambda cell: False,
    ) -> None:
        self._sizes, self._on_card = sizes, on_card
        self.devices: Counter[tuple[bool, str]] = Counter()
        self._recorded_sizes: dict[tuple[str, str], Sizes] = {}
        # By levels and whether on a card, then by data set and imbalance.
        self._done: dict[tuple[str, bool], dict[tuple[str, str], list[_Done]]] = defaultdict(lambda: defaultdict(list))
        self._strata: dict[tuple[Hashable, ...], Stratum] = {}
        self._known: dict[tuple[Stratum, bool], Estimate | None] = {}
        for record in records:
            self.learn(record)

    def learn(self, record: Record) -> None:
        """Count a record in."""
        is_known = _TAUGHT_BY <= record.cell.keys() and "resampled" in record.class_counts
        if record.status != "done" or not record.measured.seconds or not is_known:
            return  # a record of an earlier protocol has no level of imbalance
        stratum, counts = stratum_of(record.cell), record.class_counts
        sizes = sizes_of(counts["train"], counts["test"])
        self._recorded_sizes[stratum.dataset, stratum.imbalance] = sizes
        done = _Done(record.measured.seconds, sizes, sum(counts["resampled"]))
        on_card = record.measured.gpus > 0
        self.devices[on_card, record.measured.device] += 1
        self._done[stratum.levels, on_card][stratum.dataset, stratum.imbalance].append(done)
        self._known.clear()

    def estimate(self, cell: Cell) -> Estimate | None:
        """Return what a cell is predicted to take; None where nothing like it is recorded, or its size is not known."""
        known = self._stratum(cell), self._on_card(cell)
        if known not in self._known:
            self._known[known] = self._estimate(*known, cell) or self._per_fit(cell)
        return self._known[known]

    def recorded_sizes(self, cell: Cell) -> frozenset[int]:
        """Return the training sizes at which cells of the same data set and levels are recorded."""
        levels, dataset, _ = self._stratum(cell)
        recorded = self._done.get((levels, self._on_card(cell)), {}).items()
        return frozenset(done[0].sizes.n_train for (other, _), done in recorded if other == dataset)

    def sizes(self, cell: Cell) -> Sizes | None:
        """Return how many samples a cell works on, where that is known."""
        stratum = self._stratum(cell)
        return self._recorded_sizes.get((stratum.dataset, stratum.imbalance)) or self._sizes(cell)

    def spread(self) -> tuple[float, float, int] | None:
        """Return between which multiples of their stratum's mean 80% of the recorded cells lie, and of how many.

        Only strata of two records or more count; None where they have fewer than ten.
        """
        strata = [done for by_size in self._done.values() for done in by_size.values() if len(done) > 1]
        ratios = [one.total / _mean(done) for done in strata for one in done]
        if len(ratios) < 10:
            return None
        low, high = np.quantile(ratios, [0.1, 0.9])
        return float(low), float(high), len(ratios)

    def _stratum(self, cell: Cell) -> Stratum:
        if (parts := _OF_STRATUM(cell)) not in self._strata:
            self._strata[parts] = stratum_of(cell.identity())
        return self._strata[parts]

    def _estimate(self, stratum: Stratum, on_card: bool, cell: Cell) -> Estimate | None:
        recorded, sizes = self._done.get((stratum.levels, on_card), {}), self.sizes(cell)
        if done := recorded.get((stratum.dataset, stratum.imbalance)):
            return Estimate(_mean(done), "recorded")
        if not recorded or not sizes:
            return None
        means = {
            done[0].sizes.n_train: _mean(done) for (dataset, _), done in recorded.items() if dataset == stratum.dataset
        }
        if len(means) > 1:
            return Estimate(_on_power_law(means, sizes.n_train), "power law")
        done = min(recorded.items(), key=lambda item: _distance(item[0][0], item[1][0].sizes, stratum, sizes))[1]
        return Estimate(float(np.mean([_scaled(one, sizes, cell) for one in done])), "scaled")

    def _per_fit(self, cell: Cell) -> Estimate | None:
        if cell.n_candidates == 1:
            return None
        known = [found.seconds for candidate in cell.candidates if (found := self.estimate(candidate))]
        return Estimate(float(np.mean(known)) * cell.n_fits, "per fit") if known else None


def _mean(done: list[_Done]) -> float:
    return float(np.mean([one.total for one in done]))


def _on_power_law(means: Mapping[int, float], n_train: int) -> float:
    """Return the seconds at a training size, on the power law through those at two or more others."""
    x, y = np.log(list(means)), np.log(list(means.values()))
    exponent = np.clip(np.polyfit(x, y, 1)[0], 0, _STEEPEST)
    return exp(float(y.mean() + exponent * (log(n_train) - x.mean())))


def _distance(dataset: str, recorded: Sizes, stratum: Stratum, sizes: Sizes) -> tuple[bool, float, float]:
    """Return how far records are from a stratum: of another data set, then of another ratio, then of another size."""
    return (
        dataset != stratum.dataset,
        abs(log(recorded.ratio / sizes.ratio)),
        abs(log(recorded.n_train / sizes.n_train)),
    )


def _scaled(done: _Done, sizes: Sizes, cell: Cell) -> float:
    """Return a record's seconds, each stage multiplied by the growth of its work."""
    n = sizes.n_train / done.sizes.n_train
    f = _growth_of_fitted(done, sizes)
    t = sizes.n_test / done.sizes.n_test
    growth = {
        "split": n,
        "represent": n,
        "resample": n**2 if cell.resampler.compares_pairs else n,
        "predict": t * f if cell.classifier.compares_pairs else t,
    }
    rest = f**2 if cell.classifier.compares_pairs else f
    return max(sum(seconds * growth.get(stage, rest) for stage, seconds in done.seconds.items()), _LEAST_S)


def _growth_of_fitted(done: _Done, sizes: Sizes) -> float:
    """Return by what the number of samples after resampling is multiplied."""
    before_after = [
        (done.sizes.n_train, sizes.n_train),
        (done.sizes.all_largest, sizes.all_largest),
        (done.sizes.all_smallest, sizes.all_smallest),
    ]
    before, after = min(before_after, key=lambda pair: abs(log(done.n_fitted / pair[0])))
    return after / before
