"""Bayesian tests: the correlated t test of folds, and the signed-rank test of data sets, vectorised over its draws.

baycomp, by the authors of the tests, had its last release in July 2023. It loops over the draws in Python, which takes
a second for each pair. On the same data both give the same probabilities; tests compare them with numbers computed by
baycomp 1.0.3.

References
----------
Benavoli, Mangili, Corani, Zaffalon, Ruggeri (2014), A Bayesian Wilcoxon signed-rank test based on the Dirichlet
process, ICML. Benavoli, Corani, Demšar, Zaffalon (2017), Time for a change: a tutorial for comparing multiple
classifiers through Bayesian analysis, JMLR 18 (section 3: the correlated t test; section 4.2: the region of practical
equivalence). Corani, Benavoli (2015), A Bayesian approach for comparing cross-validated algorithms on multiple data
sets, Machine Learning 100.
"""

from dataclasses import dataclass
from math import nan

import numpy as np
from numpy.typing import NDArray

from raygrid.report.inference.paired import DECIMALS, Corrected

Floats = NDArray[np.float64]

PRIOR_STRENGTH = 0.5  # of the pseudo-observation at 0, as in baycomp
MOST_DRAWS = 5_000  # the Monte Carlo error of a probability is then 0.007 at most
MOST_WEIGHTS = 1_000_000  # with very many blocks, fewer draws keep the time of a report bounded
SEED = 0  # of the Monte Carlo draws: a report made twice is the same report


@dataclass(frozen=True)
class Posterior:
    """The probabilities that the left one is better, that both are practically equivalent, that the right one is."""

    left_better: float
    equivalent: float
    right_better: float


UNKNOWN = Posterior(nan, nan, nan)


def correlated_t(found: Corrected, *, rope: float) -> list[Posterior]:
    """Return, of each difference in folds, the probabilities that it is above, within and below +-rope.

    The posterior of a mean difference is Student's t around the mean, as wide as the corrected standard error.
    """
    from scipy import stats

    spread = np.where(found.standard_error > 0, found.standard_error, nan)
    below = stats.t.cdf((-rope - found.mean) / spread, found.degrees)
    above = stats.t.sf((rope - found.mean) / spread, found.degrees)
    return [Posterior(*map(float, numbers)) for numbers in zip(above, 1 - above - below, below, strict=True)]


def draw_weights(n_blocks: int, seed: int) -> Floats:
    """Draw from the posterior Dirichlet process: how much each block counts.

    Returns
    -------
    array of shape (n_blocks + 1, n_draws), float64
        Columns sum to 1; the first row is the prior's.
    """
    n_draws = min(MOST_DRAWS, MOST_WEIGHTS // (n_blocks + 1))
    strengths = np.concatenate([[PRIOR_STRENGTH], np.ones(n_blocks)])
    return np.ascontiguousarray(np.random.default_rng(seed).dirichlet(strengths, n_draws).T)


def signed_rank(left: Floats, right: Floats, *, rope: float, weights: Floats) -> Posterior:
    """Compare two paired samples.

    Parameters
    ----------
    left, right : array of shape (n_blocks,), float64
        Higher is better.
    rope : float
        Differences up to this size are practically none.
    weights : array of shape (n_blocks + 1, n_draws), float64
        From `draw_weights`.

    Returns
    -------
    Posterior
        Of each draw the likeliest of the three regions wins, and the probabilities are the shares of wins.
    """
    differences = np.round(np.concatenate([[0.0], left - right]), DECIMALS)
    order = differences.argsort()
    differences, weights = differences[order], weights[order]
    # Of each i, the j with d_i + d_j below a threshold are those up to a position: a cumulative sum has their weight,
    # and no matrix of all pairs is needed.
    cumulated = np.concatenate([np.zeros((1, weights.shape[1])), weights.cumsum(axis=0)])
    below = np.einsum("id,id->d", weights, _cumulated_at(-2 * rope - differences, differences, cumulated))
    above = 1 - np.einsum("id,id->d", weights, _cumulated_at(2 * rope - differences, differences, cumulated))
    winners = np.argmax([above, 1 - above - below, below], axis=0)
    return Posterior(*(np.bincount(winners, minlength=3) / len(winners)).tolist())


def _cumulated_at(thresholds: Floats, differences: Floats, cumulated: Floats) -> Floats:
    """Return, of each threshold and draw, the weight of the smaller differences; equal ones count half."""
    thresholds = np.round(thresholds, DECIMALS)
    smaller, not_larger = (np.searchsorted(differences, thresholds, side=side) for side in ("left", "right"))
    if np.array_equal(smaller, not_larger):
        return np.asarray(cumulated[smaller])
    return np.asarray((cumulated[smaller] + cumulated[not_larger]) / 2)
