"""Families of differences that one question tests together: p values by Holm, and intervals that agree with them."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import inf, isnan, nan
from typing import Any

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
from raygrid.report.inference.signed_rank import hodges_lehmann, signed_rank_p, smaller_rank_sum, smallest_p

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
    statistic : float
        Student's t in folds; over data sets Wilcoxon's W, the smaller sum of ranks. NaN where no test was made.
    degrees : float
        Of freedom of t; NaN over data sets, and where no test was made.
    raw_p : float
        Two-sided, of this difference alone, not corrected; NaN where no test was made.
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
    statistic: float = nan
    degrees: float = nan
    raw_p: float = nan


def family_in_folds(
    samples: Sequence[Sample],
    pairs_of: Callable[[Sample], Pairs],
    *,
    alpha: float = ALPHA,
    rope: float = ROPE,
    reach: float = inf,
) -> tuple[PairedDifference, ...]:
    """Set columns against each other within each data set; the family has those of all data sets.

    Intervals are of the level at which Holm's procedure stops: each covers its difference with a probability of at
    least 1 - alpha, and with that probability all cover theirs that are of differences of zero. They end at `reach`,
    the largest difference of two values of the metric.
    """
    pairs = [pairs_of(sample) for sample in samples]
    found = [in_folds(sample, of_sample) for sample, of_sample in zip(samples, pairs, strict=True)]
    corrected = holm(np.concatenate([each.p for each in found])) if found else np.empty(0)
    level, rest = last_level(corrected, alpha), iter(corrected.tolist())
    family: list[PairedDifference] = []
    for sample, of_sample, each in zip(samples, pairs, found, strict=True):
        raw = each.p
        degrees = np.where(np.isnan(raw), nan, each.degrees)
        low, high = np.clip(each.interval(level), -reach, reach)
        numbers = {"difference": each.mean, "standard_error": each.standard_error, "statistic": each.t}
        numbers |= {"degrees": degrees, "raw_p": raw, "low": low, "high": high}
        for i, (pair, posterior) in enumerate(zip(of_sample, correlated_t(each, rope=rope), strict=True)):
            found_of: dict[str, Any] = {name: float(array[i]) for name, array in numbers.items()}
            found_of |= {"p": (p := next(rest)), "told_apart": p < alpha, "posterior": posterior}
            family.append(PairedDifference(sample.dataset, *pair, sample.n_units, **found_of))
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
            *("", *pair, len(values)),
            **_over(values, alone, level),
            p=p,
            told_apart=p < alpha,
            posterior=_posterior(values, rope),
        )
        for (_, pair), values, alone, p in zip(pairs, differences, raw, corrected.tolist(), strict=True)
    )


def is_testable(n_datasets: int, n_pairs: int, *, alpha: float) -> bool:
    """Return whether so many data sets can give a p value below alpha in a family of so many pairs."""
    return n_datasets >= FEWEST_DATASETS and smallest_p(n_datasets) * n_pairs < alpha


def _over(differences: Floats, raw_p: float, level: float) -> dict[str, Any]:
    """Return the numbers of a difference over data sets; where no test was made the estimate alone."""
    is_tested = not isnan(raw_p)
    estimate, low, high = hodges_lehmann(differences, level if is_tested else 0)
    tested = {"statistic": smaller_rank_sum(differences), "raw_p": raw_p} if is_tested else {}
    return {"difference": estimate, "low": low, "high": high} | tested


def _posterior(differences: Floats, rope: float) -> Posterior:
    if len(differences) < FEWEST_DATASETS:
        return UNKNOWN
    weights = draw_weights(len(differences), SEED)
    return signed_rank(differences, np.zeros_like(differences), rope=rope, weights=weights)


def _differences(sample: Sample, pairs: Pairs) -> Floats:
    left, right = ([sample.columns.index(pair[side]) for pair in pairs] for side in (0, 1))
    return sample.values[:, left] - sample.values[:, right]
