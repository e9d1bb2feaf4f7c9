"""Classifiers of scikit-learn, or of packages with the same interface, trained on A X as an array of vectors."""

import importlib
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Self

import numpy as np
from pydantic import Field, JsonValue, field_validator, model_validator
from scipy.sparse import csr_array

from raygrid.classifiers.classifier import Fitted, Labels
from raygrid.classifiers.predicting import checked_probabilities
from raygrid.classifiers.scores import Scores, Scoring, ScoringClassifier
from raygrid.errors import choices
from raygrid.mixtures.mixing import mix
from raygrid.mixtures.samples import Samples
from raygrid.storage.checkpoint import Checkpoint
from raygrid.usercode.source import distributions


class Estimator(ScoringClassifier):
    """A classifier of an installed package with scikit-learn's interface, trained on A X as a float32 array.

    If it has `predict_proba`, the class with the highest probability is predicted, else the result of its `predict`.

    Attributes
    ----------
    estimator : str
        The dotted path of its class, e.g. ``sklearn.ensemble.RandomForestClassifier``.
    parameters : mapping
        Arguments of its constructor, plain values; others have the package's defaults. The trial sets `random_state`.
    """

    takes: ClassVar[Literal["images", "vectors"]] = "vectors"
    name: Literal["sklearn"] = "sklearn"
    estimator: str
    parameters: dict[str, JsonValue] = Field(default_factory=dict)

    def __hash__(self) -> int:  # because `parameters` is a dict, which has no hash
        return hash(self.model_dump_json())

    @field_validator("estimator")
    @classmethod
    def _is_a_classifier(cls, estimator: str) -> str:
        _default(estimator)
        return estimator

    @model_validator(mode="after")
    def _can_be_made(self) -> Self:
        made = self.make(seed=0)
        if self.threshold_moving and not hasattr(made, "predict_proba"):
            raise ValueError(f"got threshold_moving with {self.estimator}, which gives no probabilities; leave it out")
        return self

    def make(self, *, seed: int) -> Any:
        """Return the estimator, untrained.

        Raises
        ------
        ValueError
            It does not take these parameters.
        """
        made = _default(self.estimator)
        known = made.get_params(deep=False)
        fixed = {"random_state": seed} if "random_state" in known else {}
        for name in self.parameters:
            if name not in known or name in fixed:
                raise ValueError(
                    f"unknown parameter: {choices(name, [other for other in known if other not in fixed])}"
                )
        made.set_params(**self.parameters, **fixed)
        if hasattr(made, "_parameter_constraints"):  # otherwise the values are checked only in training
            made._validate_params()
        return made

    def fit(self, X: Samples, A: csr_array, y: Labels, *, seed: int, checkpoint: Checkpoint) -> Fitted:
        """Train on the mixtures A X; the checkpoint is not used."""
        trained = self.make(seed=seed).fit(mix(A, X).reshape(len(y), -1), y)
        return trained_estimator(self, trained, y)


def trained_estimator(level: ScoringClassifier, trained: Any, y: Labels) -> Fitted:
    """Return as a level's model what scikit-learn's interface has trained on labels `y`."""
    if not hasattr(trained, "predict_proba"):
        return Predicting(trained)
    return level.moved(Probabilities(trained, int(y.max()) + 1), y)


@dataclass(frozen=True)
class Probabilities(Scoring):
    """A trained estimator that gives probabilities of labels 0 .. n_classes - 1."""

    trained: Any
    n_classes: int

    def scores(self, X: Samples) -> Scores:
        """Return the probabilities of the classes, of shape (n_samples, n_classes), float32."""
        return checked_probabilities(self.trained.predict_proba(_vectors(X)), len(X), self.n_classes)


@dataclass(frozen=True)
class Predicting:
    """A trained estimator that gives no probabilities."""

    trained: Any

    def predict(self, X: Samples) -> Labels:
        """Return its labels of shape (n_samples,), int64."""
        predicted = np.asarray(self.trained.predict(_vectors(X)))
        if predicted.shape != (len(X),) or predicted.dtype.kind not in "fiu":
            return predicted  # what is no label is refused by its name
        with np.errstate(invalid="ignore"):
            whole = predicted.astype(np.int64)
        return whole if np.array_equal(whole, predicted) else predicted


def _vectors(X: Samples) -> Any:
    return X[:].reshape(len(X), -1).astype(np.float32)


def _default(path: str) -> Any:
    """Return the estimator at a dotted path, with default parameters.

    Raises
    ------
    ValueError
        There is no classifier of an installed package at this path, or it needs arguments that are not plain values.
    """
    from sklearn.base import BaseEstimator, ClassifierMixin

    module, _, name = path.rpartition(".")
    expected = "expected the dotted path of a scikit-learn classifier: sklearn.ensemble.RandomForestClassifier, say"
    # Only installed packages, which have a version: a module of the user may change without changing a cell's key.
    if module.partition(".")[0] not in distributions():
        raise ValueError(f"got {path!r}, which is in no installed package; {expected}")
    try:
        kind = getattr(importlib.import_module(module), name, None)
        if not (isinstance(kind, type) and issubclass(kind, ClassifierMixin) and issubclass(kind, BaseEstimator)):
            raise ValueError(f"got {path!r}, which is no classifier; {expected}")
        return kind()
    except (ImportError, TypeError) as error:
        raise ValueError(f"got {path!r} ({error}); {expected}") from None
