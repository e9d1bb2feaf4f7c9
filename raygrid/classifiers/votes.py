"""Votes between pairs of classes as decision values, and the probabilities that sigmoids make of them."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from raygrid.classifiers.classifier import Fitted, Labels
from raygrid.classifiers.predicting import checked_scores
from raygrid.classifiers.scores import Scores
from raygrid.mixtures.samples import Samples

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Voting:
    """A trained classifier that votes, some of whose classes may have been lost to a resampler.

    Attributes
    ----------
    model : Fitted
        With a method `decision_values`.
    n_classes : int
        M: labels are 0 .. M - 1.
    """

    model: Fitted
    n_classes: int

    def decision_values(self, X: Samples) -> Floats:
        """Return the votes of each class and a fraction that orders equal ones, (n_samples, n_classes).

        A class that was lost has one vote less than any other.
        """
        found: Any = self.model
        labels = getattr(found, "labels_left", range(self.n_classes))
        of_left = checked_scores(found.decision_values(X), len(X), len(labels), name="decision_values")
        values = np.repeat(of_left.min(axis=1, keepdims=True) - 1, self.n_classes, axis=1)
        values[:, labels] = of_left
        return values


@dataclass(frozen=True)
class CalibratedVotes:
    """A trained classifier that predicts by votes, and has probabilities besides.

    The most probable class need not be the one with most votes, as in libsvm.
    """

    voting: Voting
    sigmoids: Floats

    def predict(self, X: Samples) -> Labels:
        """Return the class with most votes, of shape (n_samples,); if votes are equal, the smaller one."""
        return self.predictions(X)["y_pred"]

    def predictions(self, X: Samples) -> dict[str, NDArray[Any]]:
        """Return the labels, `y_pred`, and the probabilities of the classes, `scores`."""
        values = self.voting.decision_values(X)
        winners = np.rint(values).argmax(axis=1).astype(np.int64)
        return {"y_pred": winners, "scores": probabilities(values, self.sigmoids)}


def sigmoids_of(values: Floats, y: Labels) -> Floats:
    """Fit a sigmoid 1 / (1 + exp(a v + b)) to each class against the others, with Platt's targets.

    Parameters
    ----------
    values : array of shape (n_samples, n_classes), float64
        Decision values of samples that were not trained on.
    y : array of shape (n_samples,), int64

    Returns
    -------
    array of shape (n_classes, 2), float64
        a and b; of a class without samples its probability is near 0 everywhere.
    """
    from scipy.optimize import minimize
    from scipy.special import xlog1py, xlogy

    def fitted(v: Floats, is_class: NDArray[np.bool_]) -> Floats:
        n, n_class = len(v), int(is_class.sum())
        # Platt's: as if one more sample of each kind had been seen, so that no probability is 0 or 1.
        target = np.where(is_class, (n_class + 1) / (n_class + 2), 1 / (n - n_class + 2))

        def loss(ab: Floats) -> tuple[float, Floats]:
            p = _sigmoid(v, ab)
            gradient = np.array([((target - p) * v).sum(), (target - p).sum()])
            return float(-(xlogy(target, p) + xlog1py(1 - target, -p)).sum()), gradient

        start = np.array([0.0, np.log((n - n_class + 1) / (n_class + 1))])
        return np.asarray(minimize(loss, start, jac=True, method="L-BFGS-B").x)

    return np.array([fitted(values[:, i], y == i) for i in range(values.shape[1])])


def probabilities(values: Floats, sigmoids: Floats) -> Scores:
    """Return the sigmoids of decision values, made to sum to 1: (n_samples, n_classes), float32."""
    p = np.stack([_sigmoid(values[:, i], ab) for i, ab in enumerate(sigmoids)], axis=1)
    return np.asarray(p / p.sum(axis=1, keepdims=True), dtype=np.float32)


def _sigmoid(v: Floats, ab: Floats) -> Floats:
    from scipy.special import expit

    return np.asarray(np.clip(expit(-(ab[0] * v + ab[1])), 1e-12, 1 - 1e-12))
