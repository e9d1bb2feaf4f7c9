"""Wilcoxon's signed-rank test of differences in data sets, and the interval that belongs to it.

References
----------
Demšar (2006), Statistical comparisons of classifiers over multiple data sets, JMLR 7. Benavoli, Corani, Mangili (2016),
Should we really use post-hoc tests based on mean-ranks?, JMLR 17: why pairs are not tested by Nemenyi's test here.
Hodges, Lehmann (1963), Estimates of location based on rank tests, Annals of Mathematical Statistics 34.
"""

from math import nan

import numpy as np
from numpy.typing import NDArray

from raygrid.report.inference.paired import DECIMALS

Floats = NDArray[np.float64]

MOST_ENUMERATED = 13  # data sets: 8,192 ways to give signs, of which each is looked at where differences tie


def smallest_p(n_datasets: int) -> float:
    """Return the smallest p value that the test of one difference can give: all signs are equal."""
    return float(2.0 ** (1 - n_datasets))


def smaller_rank_sum(differences: Floats) -> float:
    """Return Wilcoxon's W: of the sums of the ranks of positive and of negative differences, the smaller one.

    Ranks of zeros are split between both.
    """
    from scipy import stats

    rounded = np.round(differences, DECIMALS)
    ranks = stats.rankdata(np.abs(rounded))
    of_zeros = ranks[rounded == 0].sum() / 2
    return float(min(ranks[rounded > 0].sum(), ranks[rounded < 0].sum()) + of_zeros)


def signed_rank_p(differences: Floats) -> Floats:
    """Return two-sided p values.

    Parameters
    ----------
    differences : array of shape (..., n_datasets, n_comparisons), float64

    Returns
    -------
    array of shape (..., n_comparisons), float64
        Exact up to 50 data sets, and where differences tie up to 13. Ranks of zeros are split between the signs.
    """
    from scipy import stats

    moved = np.round(np.moveaxis(differences, -2, -1), DECIMALS)
    flat = moved.reshape(-1, moved.shape[-1])
    sizes = np.sort(np.abs(flat), axis=1)
    tied = (sizes[:, 0] == 0) | (np.diff(sizes, axis=1) == 0).any(axis=1)
    p = np.ones(len(flat))
    if not tied.all():
        p[~tied] = stats.wilcoxon(flat[~tied], axis=1).pvalue
    if tied.any():
        p[tied] = [_tied_p(row) for row in flat[tied]]
    return p.reshape(moved.shape[:-1])


def _tied_p(differences: Floats) -> float:
    from scipy import stats

    n = len(differences)
    if not differences.any():
        return 1.0
    if n <= MOST_ENUMERATED:
        every = stats.PermutationMethod(n_resamples=2**n)
        return float(stats.wilcoxon(differences, zero_method="zsplit", method=every).pvalue)
    return float(stats.wilcoxon(differences, zero_method="zsplit", method="approx").pvalue)


def hodges_lehmann(differences: Floats, alpha: float) -> tuple[float, float, float]:
    """Return the median of all averages of two differences, and the interval of level 1 - alpha around it.

    Parameters
    ----------
    differences : array of shape (n_datasets,), float64
    alpha : float

    Returns
    -------
    tuple of float
        Estimate, low, high; the ends are NaN where so few data sets allow no interval of that level.
    """
    n = len(differences)
    first, second = np.triu_indices(n)
    averages = np.sort(np.round((differences[first] + differences[second]) / 2, DECIMALS))
    n_outside = int((np.cumsum(_sum_of_ranks(n)) <= alpha / 2).sum())
    ends = (averages[n_outside - 1], averages[-n_outside]) if n_outside else (nan, nan)
    return float(np.median(averages)), float(ends[0]), float(ends[1])


def _sum_of_ranks(n: int) -> Floats:
    """Return the distribution of the sum of the ranks of one sign: the probability of 0, 1, ... n (n + 1) / 2."""
    probabilities = np.ones(1)
    for rank in range(1, n + 1):
        probabilities = (np.pad(probabilities, (0, rank)) + np.pad(probabilities, (rank, 0))) / 2
    return probabilities
