"""Friedman's test and Nemenyi's, over data sets: secondary, because what they say of a pair depends on the others.

Each row of a matrix is a data set, and higher is better. Friedman's test is scipy's, Nemenyi's scikit-posthocs'.
autorank is not used: it chooses a test by looking at the data, while a paper names its tests beforehand, and it depends
on baycomp, which has had no release since 2023.

References
----------
Demšar (2006), Statistical comparisons of classifiers over multiple data sets, JMLR 7. Iman, Davenport (1980),
Approximations of the critical region of the Friedman statistic, Communications in Statistics. Benavoli, Corani, Mangili
(2016), Should we really use post-hoc tests based on mean-ranks?, JMLR 17.
"""

from dataclasses import dataclass
from math import inf, nan, sqrt

import numpy as np
from numpy.typing import NDArray

from raygrid.report.inference.samples import Column, Sample

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Friedman:
    """The test of all columns together, NaN where it was not made."""

    chi2: float = nan
    """Corrected for ties, as scipy has it; Demšar's equation (6) is not."""
    f: float = nan
    """Iman and Davenport's, which is less conservative: Demšar's equation (7)."""
    p: float = nan
    """That of F."""
    critical_difference: float = nan
    """Of average ranks, by Nemenyi."""


@dataclass(frozen=True)
class MeanRanks:
    """The average ranks of three columns or more over data sets.

    Attributes
    ----------
    metric : str
    arm : tuple of str
        Empty where the columns are those of all arms.
    columns : tuple of tuple of str
    ranks : tuple of float
        Of each column; the best possible is 1.
    n_datasets : int
    friedman : Friedman
    p_values : array of shape (n_columns, n_columns), float64
        Nemenyi's.
    """

    metric: str
    arm: Column
    columns: tuple[Column, ...]
    ranks: tuple[float, ...]
    n_datasets: int
    friedman: Friedman
    p_values: Floats


def mean_ranks(metric: str, arm: Column, sample: Sample, alpha: float) -> MeanRanks:
    """Return the ranks of the columns of a sample whose units are data sets."""
    from scipy import stats

    ranks = stats.rankdata(-sample.values, axis=1).mean(axis=0)
    return MeanRanks(
        metric,
        arm,
        sample.columns,
        tuple(ranks.tolist()),
        sample.n_units,
        friedman(sample.values, alpha),
        nemenyi_p_values(sample.values),
    )


def friedman(values: Floats, alpha: float) -> Friedman:
    """Test whether the columns differ at all.

    Parameters
    ----------
    values : array of shape (n_datasets, n_columns), float64
        Three columns at least.
    alpha : float
        Significance level of the critical difference.

    Returns
    -------
    Friedman
        F is infinite where all blocks agree; where each ties all columns, the critical difference alone is known.
    """
    from scipy import stats

    n, k = values.shape
    with np.errstate(divide="ignore", invalid="ignore"):
        chi2 = np.float64(stats.friedmanchisquare(*values.T).statistic)
        f = (n - 1) * chi2 / np.maximum(n * (k - 1) - chi2, 0)
    q = stats.studentized_range.ppf(1 - alpha, k, inf) / sqrt(2)
    return Friedman(
        chi2=float(chi2),
        f=float(f),
        p=float(stats.f.sf(f, k - 1, (k - 1) * (n - 1))),
        critical_difference=float(q * sqrt(k * (k + 1) / (6 * n))),
    )


def nemenyi_p_values(values: Floats) -> Floats:
    """Return the p value of every pair of columns, of shape (n_columns, n_columns)."""
    import scikit_posthocs

    return np.asarray(scikit_posthocs.posthoc_nemenyi_friedman(values), dtype=np.float64)
