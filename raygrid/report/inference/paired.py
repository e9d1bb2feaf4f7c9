"""Tests of paired differences, of many at once; each is the difference of two columns in every unit.

References
----------
Nadeau, Bengio (2003), Inference for the generalization error, Machine Learning 52. Dietterich (1998), Approximate
statistical tests for comparing supervised classification learning algorithms, Neural Computation 10: of 5 x 2-fold
cross-validation, 5 degrees of freedom. Holm (1979), A simple sequentially rejective multiple test procedure,
Scandinavian Journal of Statistics 6.
"""

from dataclasses import dataclass
from math import inf, nan

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

DECIMALS = 12  # differences closer than this are equal: they differ by the rounding of a subtraction
FEWEST_FOLDS = 3
FEWEST_DATASETS = 6  # with five, the smallest p of a rank test of one difference is 1/16


@dataclass(frozen=True)
class Corrected:
    """What the corrected resampled t test finds; every array has the shape (..., n_comparisons)."""

    mean: Floats
    standard_error: Floats
    degrees: float
    """Of freedom."""

    @property
    def t(self) -> Floats:
        """The mean in standard errors; NaN where no test can be made: the folds share all images, or do not vary.

        Where the mean of folds that do not vary is 0, so is this.
        """
        with np.errstate(divide="ignore", invalid="ignore"):
            t = self.mean / self.standard_error
        known = np.where(np.isfinite(self.standard_error) & (self.standard_error > 0), t, nan)
        return np.where((self.mean == 0) & (self.standard_error == 0), 0.0, known)

    @property
    def p(self) -> Floats:
        """Two-sided; NaN where `t` is."""
        from scipy import stats

        return np.asarray(2 * stats.t.sf(np.abs(self.t), self.degrees))

    def interval(self, alpha: float | Floats) -> tuple[Floats, Floats]:
        """Return the ends of the interval of level 1 - alpha; NaN where there is none."""
        from scipy import stats

        half = stats.t.isf(np.asarray(alpha) / 2, self.degrees) * self.standard_error
        half = np.where(np.isnan(self.p), nan, half)
        return self.mean - half, self.mean + half


def corrected_t(values: Floats, correlation: float, degrees: float) -> Corrected:
    """Return the mean of values in folds that share images, and its standard error.

    Parameters
    ----------
    values : array of shape (..., n_folds, n_comparisons), float64
    correlation : float
        Of two folds. The variance of a mean of n folds is (1/n + c / (1 - c)) times that over folds; with
        c = n_test / (n_train + n_test) the second term is n_test / n_train.
    degrees : float
        Of freedom of the deviation.
    """
    values = np.round(values, DECIMALS)
    n = values.shape[-2]
    deviation = values.std(axis=-2, ddof=1) if n > 1 else np.full(values.shape[:-2] + values.shape[-1:], nan)
    deviation = np.where(deviation < 10.0**-DECIMALS, 0, deviation)
    factor = 1 / n + correlation / (1 - correlation) if correlation < 1 else inf
    with np.errstate(invalid="ignore"):
        return Corrected(values.mean(axis=-2), deviation * np.sqrt(factor), degrees)


def holm(p_values: Floats) -> Floats:
    """Return p values corrected by Holm for all of the last axis; NaN, a test that was not made, counts as a test."""
    order = np.argsort(p_values, axis=-1)  # NaN last
    m = p_values.shape[-1]
    raised = np.take_along_axis(p_values, order, axis=-1) * (m - np.arange(m))
    raised = np.where(np.isnan(raised), nan, np.minimum(1, np.maximum.accumulate(raised, axis=-1)))
    corrected = np.empty_like(raised)
    np.put_along_axis(corrected, order, raised, axis=-1)
    return corrected


def last_level(corrected: Floats, alpha: float) -> float:
    """Return the level at which Holm's procedure stops: intervals of it exclude 0 just where p is below alpha."""
    return float(alpha / max(1, (~(corrected < alpha)).sum()))
