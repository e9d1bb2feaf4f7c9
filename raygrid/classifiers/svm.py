"""The support vector machine, scikit-learn's."""

from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import PositiveFloat
from scipy.sparse import csr_array

from raygrid.checkpoint import Checkpoint
from raygrid.classifiers.classifier import Classifier, Fitted, Labels
from raygrid.mixing import mix

_KERNEL_CACHE_MB = 1000


class Svm(Classifier):
    """C-SVC with an RBF kernel, one against one.

    Attributes
    ----------
    C : float
        Regularisation constant.
    gamma : float, "scale" or "auto"
        Of the kernel exp(-gamma |a - b|^2): ``scale`` is 1 / (n_features * variance of X), ``auto`` 1 / n_features.
    """

    takes: ClassVar[Literal["images", "vectors"]] = "vectors"
    name: Literal["svm"] = "svm"
    C: PositiveFloat = 1.0
    gamma: Literal["scale", "auto"] | PositiveFloat = "scale"

    def fit(self, X: NDArray[np.generic], A: csr_array, y: Labels, *, seed: int, checkpoint: Checkpoint) -> Fitted:
        """Train on the mixtures A X; nothing here is random, and nothing is kept on the way."""
        from sklearn.svm import SVC

        model: Fitted = SVC(C=self.C, gamma=self.gamma, cache_size=_KERNEL_CACHE_MB).fit(mix(A, X), y)
        return model
