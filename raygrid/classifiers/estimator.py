"""Classifiers of scikit-learn, and of what follows its conventions, on materialised vectors."""

import importlib
from dataclasses import dataclass
from importlib.metadata import packages_distributions
from typing import Any, ClassVar, Literal, Self

import numpy as np
from pydantic import Field, JsonValue, field_validator, model_validator
from scipy.sparse import csr_array

from raygrid.classifiers.classifier import Fitted, Labels
from raygrid.classifiers.scores import Scores, Scoring, ScoringClassifier
from raygrid.errors import choices
from raygrid.mixtures.mixing import mix
from raygrid.mixtures.samples import Samples
from raygrid.storage.checkpoint import Checkpoint


class Estimator(ScoringClassifier):
    """A scikit-learn classifier of an installed package, trained on A X, which is materialised as float32.

    It predicts the class that its `predict_proba` finds the likeliest, where it has that, else what it predicts.

    Attributes
    ----------
    estimator : str
        The dotted path of its class: ``sklearn.ensemble.RandomForestClassifier``.
    parameters : mapping
        Of its constructor, plain values; what is left out has the package's default. `random_state` is the trial's.
    """

    takes: ClassVar[Literal["images", "vectors"]] = "vectors"
    name: Literal["sklearn"] = "sklearn"
    estimator: str
    parameters: dict[str, JsonValue] = Field(default_factory=dict)

    def __hash__(self) -> int:  # a dict has none
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
        own = {"random_state": seed} if "random_state" in known else {}
        for name in self.parameters:
            if name not in known or name in own:
                raise ValueError(f"unknown parameter: {choices(name, [other for other in known if other not in own])}")
        made.set_params(**self.parameters, **own)
        if hasattr(made, "_parameter_constraints"):  # else it is checked when it is trained
            made._validate_params()
        return made

    def fit(self, X: Samples, A: csr_array, y: Labels, *, seed: int, checkpoint: Checkpoint) -> Fitted:
        """Train on the mixtures A X; nothing is kept on the way."""
        trained = self.make(seed=seed).fit(mix(A, X).reshape(len(y), -1), y)
        return self.moved(Probabilities(trained), y) if hasattr(trained, "predict_proba") else _Predicting(trained)


@dataclass(frozen=True)
class Probabilities(Scoring):
    """A trained estimator that gives probabilities."""

    trained: Any

    def scores(self, X: Samples) -> Scores:
        """Return the probabilities of the classes, of shape (n_samples, n_classes), float32."""
        return np.asarray(self.trained.predict_proba(_vectors(X)), dtype=np.float32)


@dataclass(frozen=True)
class _Predicting:
    """A trained estimator that does not."""

    trained: Any

    def predict(self, X: Samples) -> Labels:
        return np.asarray(self.trained.predict(_vectors(X)), dtype=np.int64)


def _vectors(X: Samples) -> Any:
    return X[:].reshape(len(X), -1).astype(np.float32)


def _default(path: str) -> Any:
    """Return the estimator at a dotted path, at its defaults.

    Raises
    ------
    ValueError
        There is no classifier of an installed package, or one that wants more than plain values.
    """
    from sklearn.base import BaseEstimator, ClassifierMixin

    module, _, name = path.rpartition(".")
    expected = "expected the dotted path of a scikit-learn classifier: sklearn.ensemble.RandomForestClassifier, say"
    # What is installed has a version; a module of the user's own may change, and a cell's key would not tell.
    if module.partition(".")[0] not in packages_distributions():
        raise ValueError(f"got {path!r}, which is in no installed package; {expected}")
    try:
        kind = getattr(importlib.import_module(module), name, None)
        if not (isinstance(kind, type) and issubclass(kind, ClassifierMixin) and issubclass(kind, BaseEstimator)):
            raise ValueError(f"got {path!r}, which is no classifier; {expected}")
        return kind()
    except (ImportError, TypeError) as error:
        raise ValueError(f"got {path!r} ({error}); {expected}") from None
