"""The ranking of methods by a metric, with intervals under the same rules as the tests."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from math import nan

import numpy as np
import pandas as pd

from raygrid.metrics.further import range_of, reach_of
from raygrid.report.inference.design import Design
from raygrid.report.inference.families import ALPHA, PairedDifference, family_in_folds, family_over_datasets
from raygrid.report.inference.limits import limits_in_folds, limits_over_datasets
from raygrid.report.inference.paired import FEWEST_DATASETS, FEWEST_FOLDS, Corrected, corrected_t
from raygrid.report.inference.questions import all_pairs, best_samples
from raygrid.report.inference.samples import Column, Sample, columns_of, over_datasets, values_of
from raygrid.wording import plural

_ALONE = "The interval of a mean is of one method alone, not corrected for the others."


@dataclass(frozen=True)
class RankedMethod:
    """One line of a ranking.

    Attributes
    ----------
    method : tuple of str
        Representation, classifier, resampler.
    mean : float
        Over levels of imbalance, folds and data sets.
    low, high : float
        The 95% interval of the mean; NaN where the design allows none.
    n_units : int
        Folds of one data set, or data sets.
    difference_to_best : float
        Its value minus that of the best method, paired; 0 of the best.
    difference_low, difference_high : float
        The interval of that difference, corrected for all pairs; over two to five data sets it covers the difference in
        each of them.
    told_apart : bool
        Whether that interval is below 0.
    """

    method: Column
    mean: float
    low: float
    high: float
    n_units: int
    difference_to_best: float
    difference_low: float
    difference_high: float
    told_apart: bool


@dataclass(frozen=True)
class Ranking:
    """Methods in the order of their means, best first.

    Attributes
    ----------
    metric : str
    methods : tuple of RankedMethod
    unit : str
        One sentence: what the intervals are over, and what they speak of.
    notes : tuple of str
        Sentences: what was left out, and why intervals are missing.
    datasets : tuple of str
        Those that it is about.
    n_comparisons : int
        Differences that are tested together: those of the answer to *Which method is best?* in the same units.
    """

    metric: str
    methods: tuple[RankedMethod, ...]
    unit: str
    notes: tuple[str, ...] = ()
    datasets: tuple[str, ...] = ()
    n_comparisons: int = 0

    @property
    def is_over_datasets(self) -> bool:
        """Whether there are enough data sets to speak of data sets in general."""
        return len(self.datasets) >= FEWEST_DATASETS


def compared(n_comparisons: int) -> str:
    """Return how many comparisons are tested together, and how they are corrected: *36 comparisons, Holm*."""
    return plural(n_comparisons, "comparison") + (", Holm" if n_comparisons > 1 else "")


def rankings(frame: pd.DataFrame, designs: Mapping[str, Design], *, alpha: float = ALPHA) -> tuple[Ranking, ...]:
    """Return the ranking over all data sets by every metric.

    Parameters
    ----------
    frame : DataFrame
        One line per cell and metric, from `raygrid.report.frame.frame_of`.
    designs : mapping
        By data set, from `raygrid.report.inference.design.designs_of`.
    alpha : float
        One minus the level of the intervals.
    """
    done = frame.assign(value=frame["value"].where(frame["status"] == "done"))
    return tuple(
        _ranking(str(metric), best_samples(list(values_of(cells)), designs)[0], alpha)
        for metric, cells in done.groupby("metric", sort=False)
    )


def _ranking(metric: str, samples: Sequence[Sample], alpha: float) -> Ranking:
    columns = columns_of(samples)
    over = over_datasets(samples, columns)
    having = [sample for sample in samples if set(columns) <= set(sample.columns)]
    if not having:
        return Ranking(metric, (), "", ("No level and fold has a result of every method, so nothing is ranked",))
    if len(having) >= FEWEST_DATASETS:
        family = family_over_datasets([over], all_pairs, alpha=alpha)
        notes = tuple(limits_over_datasets([over], len(family), alpha=alpha))
    else:
        # Of all data sets, although some are not ranked: these tests are then those of the statistics.
        family = family_in_folds(samples, all_pairs, alpha=alpha, reach=reach_of(metric))
        notes = (*limits_in_folds(having), *over.notes)
    means, *ends = _means(having, over, alpha)
    low, high = (np.clip(end, *range_of(metric)) for end in ends)
    best = columns[int(np.argmax(means))]
    datasets = tuple(sample.dataset for sample in having)
    ranked = [one for one in family if not one.dataset or one.dataset in datasets]
    methods = [
        RankedMethod(
            column, float(means[i]), float(low[i]), float(high[i]), _n_units(having), *_to_best(column, best, ranked)
        )
        for i, column in enumerate(columns)
    ]
    methods.sort(key=lambda method: -method.mean)
    return Ranking(metric, tuple(methods), _unit(having), tuple(dict.fromkeys(notes)), datasets, len(family))


def _n_units(samples: Sequence[Sample]) -> int:
    return samples[0].n_units if len(samples) == 1 else len(samples)


def _means(samples: Sequence[Sample], over: Sample, alpha: float) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the mean of every column with its interval: over data sets if they are enough, else over folds."""
    if len(samples) >= FEWEST_DATASETS:
        found = corrected_t(over.values, over.correlation, over.degrees)
        return found.mean, *found.interval(alpha)
    order = [[sample.columns.index(column) for column in over.columns] for sample in samples]
    each = [
        corrected_t(sample.values[:, at], sample.correlation, sample.degrees)
        for sample, at in zip(samples, order, strict=True)
    ]
    fewest = min(sample.n_units for sample in samples)
    errors = np.sqrt(sum(one.standard_error**2 for one in each)) / len(samples)
    errors = errors if fewest >= FEWEST_FOLDS else np.full_like(errors, nan)
    found = Corrected(over.values.mean(axis=0), errors, min(sample.degrees for sample in samples))
    return found.mean, *found.interval(alpha)


def _to_best(column: Column, best: Column, family: Sequence[PairedDifference]) -> tuple[float, float, float, bool]:
    """Return the difference to the best column, the interval that holds in every data set, and if it is below 0."""
    if column == best:
        return 0.0, 0.0, 0.0, False
    against = [one for one in family if {one.left, one.right} == {column, best}]
    signs = [1 if one.left == column else -1 for one in against]
    difference = float(np.mean([sign * one.difference for sign, one in zip(signs, against, strict=True)]))
    ends = [
        (one.low, one.high) if sign > 0 else (-one.high, -one.low) for sign, one in zip(signs, against, strict=True)
    ]
    low, high = np.min(ends, axis=0)[0], np.max(ends, axis=0)[1]
    is_below = difference < 0 and all(sign * one.difference < 0 for sign, one in zip(signs, against, strict=True))
    return difference, float(low), float(high), is_below and all(one.told_apart for one in against)


def _unit(samples: Sequence[Sample]) -> str:
    if len(samples) >= FEWEST_DATASETS:
        return f"Intervals are over {plural(len(samples), 'data set')}. {_ALONE}"
    if len(samples) == 1:
        [sample] = samples
        return (
            f"Intervals are over {plural(sample.n_units, 'fold')} of {sample.dataset}, widened because folds share "
            f"images; they speak of this data set only. {_ALONE}"
        )
    return (
        f"Intervals are over the folds of each of {plural(len(samples), 'data set')}, widened because folds share "
        f"images; that of a difference covers it in each of them, and of other data sets nothing is said. {_ALONE}"
    )
