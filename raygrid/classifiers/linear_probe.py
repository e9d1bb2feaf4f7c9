"""Multinomial logistic regression on the features: a linear probe of how well they separate the classes."""

from typing import ClassVar, Literal

import numpy as np
from pydantic import PositiveFloat, PositiveInt
from scipy.sparse import csr_array

from raygrid.classifiers.class_weights import AnyClassWeight, NoClassWeight
from raygrid.classifiers.classifier import Labels
from raygrid.classifiers.estimator import Probabilities
from raygrid.classifiers.scores import Scoring, ScoringClassifier
from raygrid.mixtures.mixing import mix
from raygrid.mixtures.samples import Samples
from raygrid.storage.checkpoint import Checkpoint


class LinearProbe(ScoringClassifier):
    """Multinomial logistic regression, scikit-learn's (L-BFGS), on standardised features.

    Features are scaled to mean 0 and variance 1 in the training set after resampling (as a float32 array), so that C
    has the same meaning for every backbone.

    Attributes
    ----------
    C : float
        The inverse of the strength of the L2 penalty.
    max_iter : int
        Maximum number of steps; if training stops there, the record has a warning.
    class_weight : ClassWeight
        By what to multiply the loss of a sample, depending on the size of its class after resampling.
    """

    takes: ClassVar[Literal["images", "vectors"]] = "vectors"
    name: Literal["linear_probe"] = "linear_probe"
    C: PositiveFloat = 1.0
    max_iter: PositiveInt = 1000
    class_weight: AnyClassWeight = NoClassWeight()

    def fit(self, X: Samples, A: csr_array, y: Labels, *, seed: int, checkpoint: Checkpoint) -> Scoring:
        """Train on the mixtures A X; nothing is random, and the checkpoint is not used."""
        from sklearn.linear_model import LogisticRegression
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler

        weights = self.class_weight.weights(np.bincount(y))
        weight = None if weights is None else dict(enumerate(weights))
        regression = LogisticRegression(C=self.C, max_iter=self.max_iter, class_weight=weight)
        model = make_pipeline(StandardScaler(), regression).fit(mix(A, X).reshape(len(y), -1), y)
        return self.moved(Probabilities(model, int(y.max()) + 1), y)
