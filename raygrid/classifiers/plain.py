"""Plain classifiers: any class with scikit-learn's `fit` and `predict`."""

from typing import ClassVar, Literal

import numpy as np
from pydantic import ConfigDict
from scipy.sparse import csr_array

from raygrid.classifiers.classifier import Fitted, Labels
from raygrid.classifiers.estimator import trained_estimator
from raygrid.classifiers.scores import ScoringClassifier
from raygrid.mixtures.mixing import mix
from raygrid.mixtures.samples import Samples
from raygrid.storage.checkpoint import Checkpoint
from raygrid.usercode.plain import made


class PlainClassifier(ScoringClassifier):
    """A class with `fit(X, y)` and `predict(X)`, trained on A X as an array; its parameters stand beside its name.

    If it has `predict_proba`, which returns (n, M), the class with the highest probability is predicted, else the
    result of its `predict`. If it takes `random_state`, the trial sets it. X is an array of shape (n, n_features),
    float32; y has the labels 0 .. M - 1, int64, each of them at least once.
    """

    model_config = ConfigDict(extra="allow")

    ROLE: ClassVar[str] = "classifier"
    METHODS: ClassVar[tuple[str, ...]] = ("fit", "predict")
    takes: ClassVar[Literal["images", "vectors"]] = "vectors"

    def fit(self, X: Samples, A: csr_array, y: Labels, *, seed: int, checkpoint: Checkpoint) -> Fitted:
        """Train on the mixtures A X; the checkpoint is not used."""
        model = made(self.code["class"], self.model_extra or {}, seed=seed)
        model.fit(np.ascontiguousarray(mix(A, X).reshape(len(y), -1)), y.copy())
        return trained_estimator(self, model, y)
