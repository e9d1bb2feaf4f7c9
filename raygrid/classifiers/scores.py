"""Scores: the class probabilities of a trained classifier, optionally divided by the priors (threshold moving)."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Annotated

import numpy as np
from numpy.typing import NDArray

from raygrid.classifiers.classifier import Classifier, Labels
from raygrid.classifiers.predicting import checked_scores, likeliest
from raygrid.level import ADDED_LATER
from raygrid.mixtures.samples import Samples
from raygrid.storage.record import Curves

Scores = NDArray[np.float32]


class Scoring(ABC):
    """A trained classifier that has a score for every class, and predicts the class with the highest score."""

    @abstractmethod
    def scores(self, X: Samples) -> Scores:
        """Return the probabilities of the classes, of shape (n_samples, n_classes), float32, all of them finite."""

    def predict(self, X: Samples) -> Labels:
        """Return labels of shape (n_samples,); if scores are equal, the smaller label wins."""
        return likeliest(self.scores(X))


class ScoringClassifier(Classifier):
    """A level of the classifier axis that gives probabilities.

    Attributes
    ----------
    threshold_moving : bool
        Whether to predict the class with the highest ratio of its probability to its prior. The prior is its share of
        the training set after resampling.

    References
    ----------
    Zhou, Liu (2006), Training cost-sensitive neural networks with methods addressing the class imbalance problem,
    IEEE Transactions on Knowledge and Data Engineering 18(1); Menon et al. (2021), Long-tail learning via logit
    adjustment, ICLR (as "post-hoc" adjustment, tau = 1).
    """

    threshold_moving: Annotated[bool, ADDED_LATER] = False

    def moved(self, model: Scoring, y: Labels) -> Scoring:
        """Return the model that was trained on labels `y`, with moved thresholds if `threshold_moving` is set."""
        return _Moved(model, np.bincount(y) / len(y)) if self.threshold_moving else model


@dataclass(frozen=True)
class _Moved(Scoring):
    """Class probabilities as if all classes were equally frequent."""

    model: Scoring
    priors: NDArray[np.float64]

    @property
    def curves(self) -> Curves | None:
        return getattr(self.model, "curves", None)

    def scores(self, X: Samples) -> Scores:
        found = checked_scores(self.model.scores(X), len(X), len(self.priors), name="scores")
        multiples = found / self.priors
        total = multiples.sum(axis=1, keepdims=True)
        return np.asarray(np.divide(multiples, total, out=multiples, where=total != 0), dtype=np.float32)
