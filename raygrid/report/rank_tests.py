"""Rank tests that compare the columns of a matrix; each row is a block, and higher is better.

Friedman's and Wilcoxon's tests are scipy's. Nemenyi's test and Holm's correction come from scikit-posthocs, which is
maintained (0.17.1 is of October 2026) and takes whole matrices. autorank is not used: it chooses a test by looking at
the data, while a paper names its tests beforehand, and it depends on baycomp, which has had no release since 2023.

References
----------
Demšar (2006), Statistical comparisons of classifiers over multiple data sets, JMLR 7. Iman, Davenport (1980),
Approximations of the critical region of the Friedman statistic, Communications in Statistics. Holm (1979), A simple
sequentially rejective multiple test procedure, Scandinavian Journal of Statistics.
"""

from dataclasses import dataclass
from math import inf, nan, sqrt

import numpy as np
from numpy.typing import NDArray

from raygrid.report.bayesian import DECIMALS

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


def friedman(values: Floats, alpha: float) -> Friedman:
    """Test whether the columns differ at all.

    Parameters
    ----------
    values : array of shape (n_blocks, n_columns), float64
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


def wilcoxon_holm_p_values(values: Floats) -> Floats:
    """Return the same by Wilcoxon's signed-rank test, corrected by Holm for all pairs.

    The ranks of differences of zero are split between the signs, as Demšar does.
    """
    from scipy import stats
    from statsmodels.stats.multitest import multipletests

    left, right = np.triu_indices(values.shape[1], 1)
    differences = np.round(values[:, left] - values[:, right], DECIMALS)
    raw = stats.wilcoxon(differences, zero_method="zsplit", axis=0).pvalue
    p_values = np.ones((values.shape[1], values.shape[1]))
    p_values[left, right] = p_values[right, left] = multipletests(raw, method="holm")[1]
    return p_values
