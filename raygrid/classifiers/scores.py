"""Scores: the class probabilities of a trained classifier, optionally divided by the priors (threshold moving)."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray

from raygrid.classifiers.classifier import Classifier, Fitted, Labels
from raygrid.level import ADDED_LATER
from raygrid.mixtures.samples import Samples
from raygrid.storage.record import Curves

Scores = NDArray[np.float32]


class Scoring(ABC):
    """A trained classifier that has a score for every class, and predicts the class with the highest score."""

    @abstractmethod
    def scores(self, X: Samples) -> Scores:
        """Return the probabilities of the classes, of shape (n_samples, n_classes), float32."""

    def predict(self, X: Samples) -> Labels:
        """Return labels of shape (n_samples,); if scores are equal, the smaller label wins."""
        return _likeliest(self.scores(X))


def predictions(model: Fitted, X: Samples) -> dict[str, NDArray[Any]]:
    """Return the labels that a trained classifier predicts, `y_pred`, and its `scores` if it has any."""
    if hasattr(model, "predictions"):  # its labels are not the likeliest classes
        return dict(model.predictions(X))
    if not hasattr(model, "scores"):
        return {"y_pred": model.predict(X)}
    scores = model.scores(X)
    return {"y_pred": _likeliest(scores), "scores": scores}


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
        multiples = self.model.scores(X) / self.priors
        return np.asarray(multiples / multiples.sum(axis=1, keepdims=True), dtype=np.float32)


def _likeliest(scores: Scores) -> Labels:
    return np.asarray(scores.argmax(axis=1), dtype=np.int64)
