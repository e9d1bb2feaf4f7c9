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
from collections.abc import Callable, Hashable, Iterable, Mapping
from dataclasses import dataclass
from math import log
from operator import attrgetter
from typing import Any, Literal, NamedTuple

import numpy as np

from raygrid.axes import STRATUM_AXES
from raygrid.cells import Cell
from raygrid.costs.recorded import LEAST_S, Done, Recorded, Sizes, mean_of, sizes_of
from raygrid.keys import canonical
from raygrid.storage.record import Record

Basis = Literal["recorded", "power law", "scaled", "per fit"]


@dataclass(frozen=True)
class Estimate:
    """Predicted seconds of a cell, and how they were found."""

    seconds: float
    basis: Basis


class Stratum(NamedTuple):
    """What cells share that differ in nothing but the fold; each part as text."""

    levels: str
    dataset: str
    imbalance: str


_OF_LEVELS = ("representation", "resampler", "classifier", "image_size")
_OF_STRATUM = attrgetter(*STRATUM_AXES, "image_size", "split", "validation", "choose")


def stratum_of(cell: Mapping[str, Any]) -> Stratum:
    """Return the stratum of a cell, given its identity (as a record has it)."""
    levels = [cell[part] for part in (*_OF_LEVELS, "choose") if part in cell]
    dataset = [cell.get(part) for part in ("dataset", "split", "validation")]
    return Stratum(*map(canonical, (levels, dataset, cell["imbalance"])))


_TAUGHT_BY = {*_OF_LEVELS, "imbalance"}


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
        # By levels, and whether on a card.
        self._recorded: dict[tuple[str, bool], Recorded] = defaultdict(Recorded)
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
        done = Done(record.measured.seconds, sizes, sum(counts["resampled"]))
        on_card = record.measured.gpus > 0
        self.devices[on_card, record.measured.device] += 1
        self._recorded[stratum.levels, on_card].add(stratum.dataset, stratum.imbalance, done)
        self._known.clear()

    def estimate(self, cell: Cell) -> Estimate | None:
        """Return what a cell is predicted to take; None where nothing like it is recorded, or its size is not known."""
        if not self._recorded:
            return None
        known = self._stratum(cell), self._on_card(cell)
        if known not in self._known:
            self._known[known] = self._estimate(*known, cell) or self._per_fit(cell)
        return self._known[known]

    def recorded_sizes(self, cell: Cell) -> frozenset[int]:
        """Return the training sizes at which cells of the same data set and levels are recorded."""
        levels, dataset, _ = self._stratum(cell)
        recorded = self._recorded.get((levels, self._on_card(cell)))
        return recorded.training_sizes(dataset) if recorded else frozenset()

    def sizes(self, cell: Cell) -> Sizes | None:
        """Return how many samples a cell works on, where that is known."""
        return self._sizes_in(self._stratum(cell), cell) if self._recorded_sizes else self._sizes(cell)

    def spread(self) -> tuple[float, float, int] | None:
        """Return between which multiples of their stratum's mean 80% of the recorded cells lie, and of how many.

        Only strata of two records or more count; None where they have fewer than ten.
        """
        strata = [alike for recorded in self._recorded.values() for alike in recorded.all() if len(alike) > 1]
        ratios = [one.total / mean for alike in strata for mean in [mean_of(alike)] for one in alike]
        if len(ratios) < 10:
            return None
        low, high = np.quantile(ratios, [0.1, 0.9])
        return float(low), float(high), len(ratios)

    def _sizes_in(self, stratum: Stratum, cell: Cell) -> Sizes | None:
        return self._recorded_sizes.get((stratum.dataset, stratum.imbalance)) or self._sizes(cell)

    def _stratum(self, cell: Cell) -> Stratum:
        if (parts := _OF_STRATUM(cell)) not in self._strata:
            self._strata[parts] = stratum_of(cell.identity())
        return self._strata[parts]

    def _estimate(self, stratum: Stratum, on_card: bool, cell: Cell) -> Estimate | None:
        recorded = self._recorded.get((stratum.levels, on_card))
        if recorded and (alike := recorded.of(stratum.dataset, stratum.imbalance)):
            return Estimate(mean_of(alike), "recorded")
        if not recorded or not (sizes := self._sizes_in(stratum, cell)):
            return None
        on_law = recorded.on_power_law(stratum.dataset, sizes.n_train)
        if on_law is not None:
            return Estimate(on_law, "power law")
        nearest = recorded.nearest(stratum.dataset, sizes)
        return Estimate(float(np.mean([_scaled(one, sizes, cell) for one in nearest])), "scaled")

    def _per_fit(self, cell: Cell) -> Estimate | None:
        if cell.n_candidates == 1:
            return None
        known = [found.seconds for candidate in cell.candidates if (found := self.estimate(candidate))]
        return Estimate(float(np.mean(known)) * cell.n_fits, "per fit") if known else None


def _scaled(done: Done, sizes: Sizes, cell: Cell) -> float:
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
    return max(sum(seconds * growth.get(stage, rest) for stage, seconds in done.seconds.items()), LEAST_S)


def _growth_of_fitted(done: Done, sizes: Sizes) -> float:
    """Return by what the number of samples after resampling is multiplied."""
    before_after = [
        (done.sizes.n_train, sizes.n_train),
        (done.sizes.all_largest, sizes.all_largest),
        (done.sizes.all_smallest, sizes.all_smallest),
    ]
    before, after = min(before_after, key=lambda pair: abs(log(done.n_fitted / pair[0])))
    return after / before
