"""What is recorded of cells with the same levels, and what it says of other sizes. Nothing here reads a file."""

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from math import exp, log
from operator import itemgetter
from typing import NamedTuple

import numpy as np

_STEEPEST = 3.0
LEAST_S = 1e-3  # what is recorded is rounded to this


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


class Done(NamedTuple):
    """What a record says about costs."""

    seconds: Mapping[str, float]
    sizes: Sizes
    n_fitted: int

    @property
    def total(self) -> float:
        """Seconds of all stages."""
        return max(sum(self.seconds.values()), LEAST_S)


# Records that differ only in the fold.
Alike = list[Done]


def mean_of(alike: Alike) -> float:
    """Return the mean seconds of records."""
    return float(np.mean([one.total for one in alike]))


class Recorded:
    """Records of cells with the same levels, by data set and imbalance.

    What follows from those of a data set, or from all, is found when it is first asked for after a record came.
    """

    def __init__(self) -> None:
        self._alike: dict[tuple[str, str], Alike] = {}
        self._of_dataset: dict[str, list[Alike]] = defaultdict(list)
        self._laws: dict[str, _PowerLaw | None] = {}
        self._ladders: dict[str | None, _Ladder] = {}

    def add(self, dataset: str, imbalance: str, done: Done) -> None:
        """Count a record in."""
        place = dataset, imbalance
        if place not in self._alike:
            self._alike[place] = []
            self._of_dataset[dataset].append(self._alike[place])
        self._alike[place].append(done)
        self._laws.pop(dataset, None)
        self._ladders.pop(dataset, None)
        self._ladders.pop(None, None)

    def all(self) -> Iterable[Alike]:
        """Return the records of every data set and imbalance."""
        return self._alike.values()

    def of(self, dataset: str, imbalance: str) -> Alike:
        """Return the records of a data set and imbalance, none where there are none."""
        return self._alike.get((dataset, imbalance), [])

    def training_sizes(self, dataset: str) -> frozenset[int]:
        """Return the training sizes of the records of a data set."""
        return frozenset(alike[0].sizes.n_train for alike in self._of_dataset.get(dataset, ()))

    def on_power_law(self, dataset: str, n_train: int) -> float | None:
        """Return the seconds at a training size, on the power law through those at two or more others, if there are."""
        if dataset not in self._laws:
            of_dataset = self._of_dataset.get(dataset, ())
            means = {alike[0].sizes.n_train: mean_of(alike) for alike in of_dataset}
            self._laws[dataset] = _PowerLaw.through(means) if len(means) > 1 else None
        law = self._laws[dataset]
        return law.at(n_train) if law else None

    def nearest(self, dataset: str, sizes: Sizes) -> Alike:
        """Return the records of this data set, or else of any, that are nearest in ratio, then in training size."""
        where = dataset if dataset in self._of_dataset else None
        if where not in self._ladders:
            self._ladders[where] = _Ladder(self._alike.values() if where is None else self._of_dataset[where])
        return self._ladders[where].nearest(sizes)


class _PowerLaw(NamedTuple):
    """Seconds that grow with a power of the training size."""

    exponent: float
    mean_log_n: float
    mean_log_seconds: float

    @classmethod
    def through(cls, means: Mapping[int, float]) -> "_PowerLaw":
        """Return the law that is nearest to mean seconds at several training sizes."""
        x, y = np.log(list(means)), np.log(list(means.values()))
        return cls(float(np.clip(np.polyfit(x, y, 1)[0], 0, _STEEPEST)), float(x.mean()), float(y.mean()))

    def at(self, n_train: int) -> float:
        """Return the seconds at a training size."""
        return exp(self.mean_log_seconds + self.exponent * (log(n_train) - self.mean_log_n))


class _Ladder:
    """Records in the order of their ratios, then of their training sizes: of several alike the first."""

    def __init__(self, recorded: Iterable[Alike]) -> None:
        first: dict[float, dict[float, tuple[int, Alike]]] = {}
        for position, alike in enumerate(recorded):
            sizes = alike[0].sizes
            first.setdefault(sizes.ratio, {}).setdefault(sizes.n_train, (position, alike))
        self._ratios = sorted(first)
        self._steps = {ratio: (sorted(of_ratio), of_ratio) for ratio, of_ratio in first.items()}

    def nearest(self, sizes: Sizes) -> Alike:
        """Return the records that are nearest in ratio, then in training size; of several the first."""
        found = [
            (distance, *of_ratio[n_train])
            for ratio, _ in _nearest(self._ratios, sizes.ratio)
            for training_sizes, of_ratio in [self._steps[ratio]]
            for n_train, distance in _nearest(training_sizes, sizes.n_train)
        ]
        return min(found, key=itemgetter(0, 1))[2]


def _nearest(ascending: Sequence[float], wanted: float) -> list[tuple[float, float]]:
    """Return those of some numbers that are nearest by their ratio, one or two, and how far they are."""
    i = bisect_left(ascending, wanted)
    beside = [(number, abs(log(number / wanted))) for number in ascending[max(0, i - 1) : i + 1]]
    least = min(distance for _, distance in beside)
    return [(number, distance) for number, distance in beside if distance == least]
