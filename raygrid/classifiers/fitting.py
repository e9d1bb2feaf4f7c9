"""Fit a classifier to the classes that are left after resampling, because a resampler may remove all of a class."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from scipy.sparse import csr_array

from raygrid.classifiers.classifier import Classifier, Fitted, Labels, Part, WatchingClassifier
from raygrid.classifiers.predicting import checked_scores, predictions
from raygrid.classifiers.scores import Scores, Scoring
from raygrid.errors import InfeasibleError
from raygrid.metrics.confusion import checked_labels
from raygrid.mixtures.samples import Samples
from raygrid.storage.checkpoint import Checkpoint
from raygrid.storage.record import Curves


def fit(
    classifier: Classifier,
    X: Samples,
    A: csr_array,
    y: Labels,
    n_classes: int,
    *,
    seed: int,
    checkpoint: Checkpoint,
    validation: Part | None = None,
) -> Fitted:
    """Train on the mixtures A X; a class without samples is never predicted and gets the lowest score.

    Parameters
    ----------
    X : Samples
        Training samples before resampling.
    A : sparse array of shape (n_resampled, n_train), float64
    y : array of shape (n_resampled,), int64
        Labels of the mixtures.
    n_classes : int
        M: labels are 0 .. M - 1.
    validation : Part, optional
        Seen by a `WatchingClassifier` only.

    Raises
    ------
    InfeasibleError
        Fewer than two classes are left.
    """
    labels, y_left = _classes_left(y)
    model = classifier.fit(X, A, y_left, seed=seed, checkpoint=checkpoint, **_watched(classifier, validation, labels))
    if len(labels) == n_classes:
        return model
    if hasattr(model, "scores"):
        return _ScoringLeft(cast(Scoring, model), labels, n_classes)
    return _Left(model, labels)


def predictions_of_each(
    levels: Sequence[Classifier],
    X: Samples,
    A: csr_array,
    y: Labels,
    X_test: Samples,
    *,
    seed: int,
    checkpoint: Checkpoint,
    validation: Part | None = None,
) -> Iterator[Labels]:
    """Yield the labels that each level, all of one class, predicts for `X_test`, trained like `fit`."""
    labels, y_left = _classes_left(y)
    watched = _watched(levels[0], validation, labels)
    each = type(levels[0]).predictions_of_each(
        levels, X, A, y_left, X_test, seed=seed, checkpoint=checkpoint, **watched
    )
    for predicted in each:
        yield labels[checked_labels(predicted, len(X_test), len(labels))]


def _classes_left(y: Labels) -> tuple[Labels, Labels]:
    """Return the classes that have samples, and the number of each sample's class among them."""
    labels, y_left = np.unique(y, return_inverse=True)
    if len(labels) < 2:
        raise InfeasibleError(f"got training samples of {len(labels)} class after resampling; expected at least 2")
    return labels, y_left


def curves_of(model: Fitted) -> Curves | None:
    """Return the curves of a training in epochs; None of any other."""
    return getattr(model, "curves", None)


def _watched(classifier: Classifier, validation: Part | None, labels: Labels) -> dict[str, Any]:
    """Return the validation part for a classifier that watches it: the classes that are left, numbered from 0."""
    if validation is None or not isinstance(classifier, WatchingClassifier):
        return {}
    kept = np.flatnonzero(np.isin(validation.y, labels))
    return {"validation": Part(validation.X.select(kept), np.searchsorted(labels, validation.y[kept]))}


@dataclass(frozen=True)
class _Left:
    """A classifier trained on the classes that are left."""

    model: Fitted
    labels: Labels

    @property
    def labels_left(self) -> Labels:
        return self.labels

    def decision_values(self, X: Samples) -> Any:
        """Return those of the classes that are left, if the classifier has any."""
        return cast(Any, self.model).decision_values(X)

    def predict(self, X: Samples) -> Labels:
        return np.asarray(self.labels[predictions(self.model, X, len(self.labels))["y_pred"]])


@dataclass(frozen=True)
class _ScoringLeft(Scoring):
    """A classifier trained on the classes that are left; the others get the lowest score, 0 for probabilities."""

    model: Scoring
    labels: Labels
    n_classes: int

    @property
    def curves(self) -> Curves | None:
        return curves_of(self.model)

    def scores(self, X: Samples) -> Scores:
        found = checked_scores(self.model.scores(X), len(X), len(self.labels), name="scores")
        scores = np.repeat(np.minimum(0, found.min(axis=1, keepdims=True)), self.n_classes, axis=1).astype(np.float32)
        scores[:, self.labels] = found
        return scores
