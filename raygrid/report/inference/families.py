"""Families of differences that one question tests together: p values by Holm, and intervals that agree with them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import nan

import numpy as np
from numpy.typing import NDArray

from raygrid.report.inference.bayesian import (
    SEED,
    UNKNOWN,
    Posterior,
    correlated_t,
    draw_weights,
    signed_rank,
)
from raygrid.report.inference.paired import FEWEST_DATASETS, FEWEST_FOLDS, Corrected, corrected_t, holm, last_level
from raygrid.report.inference.samples import Column, Sample
from raygrid.report.inference.signed_rank import hodges_lehmann, signed_rank_p, smallest_p

Floats = NDArray[np.float64]
Pairs = tuple[tuple[Column, Column], ...]

ALPHA = 0.05
ROPE = 0.01  # metrics that differ by no more are as good as each other


@dataclass(frozen=True)
class PairedDifference:
    """One method set against another in the same units.

    Attributes
    ----------
    dataset : str
        Whose folds the units are; empty where the units are data sets.
    left, right : tuple of str
    n_units : int
    difference : float
        Left minus right: the mean over folds, or the median of the averages of two data sets.
    standard_error : float
        Of the mean over folds, with what shared images add; NaN over data sets.
    low, high : float
        The interval; NaN where the design allows none.
    p : float
        Corrected by Holm for the family; NaN where no test was made.
    told_apart : bool
        Whether the interval excludes 0, that is, whether p is below alpha.
    posterior : Posterior
        What the Bayesian test says: of this difference alone, not corrected for others.
    """

    dataset: str
    left: Column
    right: Column
    n_units: int
    difference: float
    standard_error: float = nan
    low: float = nan
    high: float = nan
    p: float = nan
    told_apart: bool = False
    posterior: Posterior = UNKNOWN


def family_in_folds(
    samples: Sequence[Sample], pairs_of: Callable[[Sample], Pairs], *, alpha: float = ALPHA, rope: float = ROPE
) -> tuple[PairedDifference, ...]:
    """Set columns against each other within each data set; the family has those of all data sets.

    Intervals are of the level at which Holm's procedure stops: each covers its difference with a probability of at
    least 1 - alpha, and with that probability all cover theirs that are of differences of zero.
    """
    pairs = [pairs_of(sample) for sample in samples]
    found = [in_folds(sample, of_sample) for sample, of_sample in zip(samples, pairs, strict=True)]
    corrected = holm(np.concatenate([each.p for each in found])) if found else np.empty(0)
    level, rest = last_level(corrected, alpha), iter(corrected.tolist())
    family = []
    for sample, of_sample, each in zip(samples, pairs, found, strict=True):
        low, high = each.interval(level)
        for i, ((left, right), posterior) in enumerate(zip(of_sample, correlated_t(each, rope=rope), strict=True)):
            mean, error, start, end = (float(array[i]) for array in (each.mean, each.standard_error, low, high))
            p = next(rest)
            family.append(
                PairedDifference(
                    sample.dataset, left, right, sample.n_units, mean, error, start, end, p, p < alpha, posterior
                )
            )
    return tuple(family)


def in_folds(sample: Sample, pairs: Pairs) -> Corrected:
    """Return the corrected t test of every pair, without a standard error where there are too few folds."""
    found = corrected_t(_differences(sample, pairs), sample.correlation, sample.degrees)
    if sample.n_units < FEWEST_FOLDS:
        return replace(found, standard_error=np.full_like(found.mean, nan))
    return found


def family_over_datasets(
    samples: Sequence[Sample], pairs_of: Callable[[Sample], Pairs], *, alpha: float = ALPHA, rope: float = ROPE
) -> tuple[PairedDifference, ...]:
    """Set columns against each other over data sets, by Wilcoxon's signed-rank test; no p where none could be small."""
    pairs = [(sample, pair) for sample in samples for pair in pairs_of(sample)]
    differences = [_differences(sample, (pair,))[:, 0] for sample, pair in pairs]
    raw = [
        float(signed_rank_p(values[:, None])[0]) if is_testable(len(values), len(pairs), alpha=alpha) else nan
        for values in differences
    ]
    corrected = holm(np.array(raw)) if raw else np.empty(0)
    level = last_level(corrected, alpha)
    return tuple(
        PairedDifference(
            "", *pair, len(values), *_over(values, level if p <= 1 else 0), p, p < alpha, _posterior(values, rope)
        )
        for (_, pair), values, p in zip(pairs, differences, corrected.tolist(), strict=True)
    )


def is_testable(n_datasets: int, n_pairs: int, *, alpha: float) -> bool:
    """Return whether so many data sets can give a p value below alpha in a family of so many pairs."""
    return n_datasets >= FEWEST_DATASETS and smallest_p(n_datasets) * n_pairs < alpha


def _over(differences: Floats, level: float) -> tuple[float, float, float, float]:
    """Return the estimate, no standard error, and the interval, which a level of 0 does not have."""
    estimate, low, high = hodges_lehmann(differences, level)
    return estimate, nan, low, high


def _posterior(differences: Floats, rope: float) -> Posterior:
    if len(differences) < FEWEST_DATASETS:
        return UNKNOWN
    weights = draw_weights(len(differences), SEED)
    return signed_rank(differences, np.zeros_like(differences), rope=rope, weights=weights)


def _differences(sample: Sample, pairs: Pairs) -> Floats:
    left, right = ([sample.columns.index(pair[side]) for pair in pairs] for side in (0, 1))
    return sample.values[:, left] - sample.values[:, right]
