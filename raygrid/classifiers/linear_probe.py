"""Multinomial logistic regression: what of the classes a linear map finds in the features."""

from typing import ClassVar, Literal

from pydantic import PositiveFloat, PositiveInt
from scipy.sparse import csr_array

from raygrid.classifiers.class_weights import ClassWeight
from raygrid.classifiers.classifier import Labels
from raygrid.classifiers.estimator import Probabilities
from raygrid.classifiers.scores import Scoring, ScoringClassifier
from raygrid.mixtures.mixing import mix
from raygrid.mixtures.samples import Samples
from raygrid.storage.checkpoint import Checkpoint


class LinearProbe(ScoringClassifier):
    """Multinomial logistic regression, scikit-learn's (L-BFGS), on standardised features.

    Each feature has mean 0 and variance 1 in the training set after resampling (materialised as float32), so that C
    means the same for every backbone, whatever the size of its activations.

    Attributes
    ----------
    C : float
        The inverse of the strength of the L2 penalty.
    max_iter : int
        Steps at most; a training that stops there says so in its record.
    class_weight : {"none", "balanced"}
        Whether to multiply the loss of a sample by the weight of its class, inversely proportional to its frequency
        after resampling.
    """

    takes: ClassVar[Literal["images", "vectors"]] = "vectors"
    name: Literal["linear_probe"] = "linear_probe"
    C: PositiveFloat = 1.0
    max_iter: PositiveInt = 1000
    class_weight: ClassWeight = "none"

    def fit(self, X: Samples, A: csr_array, y: Labels, *, seed: int, checkpoint: Checkpoint) -> Scoring:
        """Train on the mixtures A X; nothing here is random, and nothing is kept on the way."""
        from sklearn.linear_model import LogisticRegression
        from sklearn.pipeline import make_pipeline
        from sklearn.preprocessing import StandardScaler

        weight = None if self.class_weight == "none" else self.class_weight
        regression = LogisticRegression(C=self.C, max_iter=self.max_iter, class_weight=weight)
        model = make_pipeline(StandardScaler(), regression).fit(mix(A, X).reshape(len(y), -1), y)
        return self.moved(Probabilities(model), y)
