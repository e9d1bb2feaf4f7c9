"""Calibration: whether a classifier is right as often as its probabilities say. Pure.

References
----------
Guo, Pleiss, Sun, Weinberger (2017), On calibration of modern neural networks, ICML: the expected calibration error with
15 bins of equal width, and reliability diagrams. Brier (1950), Verification of forecasts expressed in terms of
probability, Monthly Weather Review 78(1): the score of several classes, from 0 to 2.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

N_BINS = 15
_SUM_TO_ONE_WITHIN = 1e-3  # probabilities are kept as float32, some libraries' as float16


@dataclass(frozen=True)
class Calibration:
    """How confident a classifier was of the classes that it predicted, and how often it was right.

    Attributes
    ----------
    brier : float
        Mean over samples of the squared distance between the probabilities and the true class as 0s and a 1, in [0, 2].
    nll : float
        Mean over samples of minus the natural logarithm of the true class' probability, in nats; a probability counts
        as at least 1.2e-7, float32's resolution.
    counts, confidences, hits : arrays of shape (N_BINS,), int64, float64 and int64
        Of the samples whose highest probability lies in ((b - 1) / N_BINS, b / N_BINS]: how many there are, the sum of
        their highest probabilities, and how many of them have that class.
    """

    brier: float
    nll: float
    counts: NDArray[np.int64]
    confidences: Floats
    hits: NDArray[np.int64]

    @property
    def ece(self) -> float:
        """The expected calibration error: the mean over samples of |accuracy - confidence| of their bin, in [0, 1]."""
        return float(np.abs(self.hits - self.confidences).sum() / self.counts.sum())

    @property
    def confidence(self) -> float:
        """The mean of the highest probability."""
        return float(self.confidences.sum() / self.counts.sum())

    @property
    def accuracy(self) -> float:
        """The share of the samples whose most probable class is the true one."""
        return float(self.hits.sum() / self.counts.sum())


def are_probabilities(scores: NDArray[np.floating]) -> bool:
    """Tell whether scores of shape (n_samples, n_classes) lie in [0, 1] and sum to 1."""
    return bool(
        len(scores)
        and np.isfinite(scores).all()
        and (scores >= 0).all()
        and np.allclose(scores.sum(axis=1, dtype=np.float64), 1, atol=_SUM_TO_ONE_WITHIN)
    )


def calibration_of(y_true: NDArray[np.int64], scores: NDArray[np.floating]) -> Calibration:
    """Compare probabilities with the true classes.

    Parameters
    ----------
    y_true : array of shape (n_samples,), int64
        Classes 0 .. n_classes - 1.
    scores : array of shape (n_samples, n_classes), float
        Probabilities; they are made to sum to exactly 1. Of equal ones the smaller class is predicted.
    """
    p = np.asarray(scores, dtype=np.float64)
    p = p / p.sum(axis=1, keepdims=True)
    samples = np.arange(len(p))
    of_true, predicted = p[samples, y_true], p.argmax(axis=1)
    highest = p[samples, predicted]
    bins = np.clip(np.ceil(highest * N_BINS).astype(np.int64) - 1, 0, N_BINS - 1)
    return Calibration(
        brier=float(((p**2).sum(axis=1) - 2 * of_true + 1).mean()),
        nll=float(-np.log(np.maximum(of_true, np.finfo(np.float32).eps)).mean()),
        counts=np.bincount(bins, minlength=N_BINS),
        confidences=np.bincount(bins, highest, N_BINS).astype(np.float64),
        hits=np.bincount(bins[predicted == y_true], minlength=N_BINS),
    )
