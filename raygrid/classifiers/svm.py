"""The support vector machine: libsvm's, through scikit-learn, on kernels made of inner products."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Annotated, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import PositiveFloat
from scipy.sparse import csr_array, eye_array

from raygrid.classifiers.class_weights import ClassWeight, class_weights
from raygrid.classifiers.classifier import Classifier, Fitted, Labels
from raygrid.level import ADDED_LATER
from raygrid.mixtures.samples import Samples, products, squares
from raygrid.storage.checkpoint import Checkpoint

Floats = NDArray[np.float64]


class Svm(Classifier):
    """C-SVC with an RBF kernel, one against one.

    The same optimisation as that of scikit-learn's SVC on the materialised mixtures, one pair of classes after the
    other, so that no more than the kernel of one pair is ever held.

    Attributes
    ----------
    C : float
        Regularisation constant.
    gamma : float, "scale" or "auto"
        Of the kernel exp(-gamma |a - b|^2): ``scale`` is 1 / (n_features * variance of X), ``auto`` 1 / n_features.
    class_weight : {"none", "balanced"}
        Whether to multiply C by the weight of each class, inversely proportional to its frequency after resampling.
    """

    takes: ClassVar[Literal["images", "vectors"]] = "vectors"
    name: Literal["svm"] = "svm"
    C: PositiveFloat = 1.0
    gamma: Literal["scale", "auto"] | PositiveFloat = "scale"
    class_weight: Annotated[ClassWeight, ADDED_LATER] = "none"

    def fit(self, X: Samples, A: csr_array, y: Labels, *, seed: int, checkpoint: Checkpoint) -> Fitted:
        """Train on the mixtures A X; nothing here is random, and nothing is kept on the way."""
        from sklearn.svm import SVC

        norms = squares(A, X)
        kernel = _Kernel(X, A, norms, self._width(X, A, norms))
        labels, weights = np.unique(y), class_weights(self.class_weight, y)
        weight_of = None if weights is None else dict(enumerate(weights))  # of all classes, not those of a pair
        members = [np.flatnonzero(y == label) for label in labels]
        pairs = list(combinations(range(len(labels)), 2))
        coefficients, intercepts = np.zeros((len(y), len(pairs))), np.empty(len(pairs))
        for i, (rows, K) in enumerate(kernel.of_pairs(members)):
            machine = SVC(C=self.C, kernel="precomputed", class_weight=weight_of).fit(K, y[rows])
            coefficients[rows[machine.support_], i] = machine.dual_coef_[0]
            intercepts[i] = machine.intercept_[0]
        return _Trained(kernel, coefficients, intercepts, labels)

    def _width(self, X: Samples, A: csr_array, norms: Floats) -> float:
        """Return gamma as a number, as scikit-learn does, from the mean and the mean square of all values of A X."""
        if self.gamma == "auto":
            return 1 / X.n_features
        if self.gamma != "scale":
            return self.gamma
        n_values = A.shape[0] * X.n_features
        variance = float(norms.sum() / n_values - ((A @ X.sums()).sum() / n_values) ** 2)
        return 1 / (X.n_features * variance) if variance > 0 else 1.0


@dataclass(frozen=True)
class _Kernel:
    """exp(-gamma |a - b|^2), a of any samples or mixtures, b of the mixtures A X, whose squared norms are given."""

    X: Samples
    A: csr_array
    norms: Floats
    gamma: float

    def of_pairs(self, members: Sequence[NDArray[np.intp]]) -> Iterator[tuple[NDArray[np.intp], Floats]]:
        """Yield, for every two classes, the rows of A that are theirs and the kernel between those, (n_rows, n_rows).

        Each kernel is overwritten by the next: new memory for every one would take longer than its values.
        """
        sizes = sorted(map(len, members))
        memory = np.empty(sum(sizes[-2:]) ** 2)
        for i, first in enumerate(members[:-1]):
            within = self._square(first, np.empty((len(first), len(first))))
            for second in members[i + 1 :]:
                n, rows = len(first), np.concatenate([first, second])
                K = memory[: len(rows) ** 2].reshape(len(rows), len(rows))
                K[:n, :n] = within
                for some, part in self.between(self.A[second], self.X, self.norms[second], first):
                    K[n:, :n][some] = part
                    K[:n, n:][:, some] = part.T
                self._square(second, K[n:, n:])
                yield rows, K

    def between(
        self, B: csr_array, Y: Samples, norms: Floats, members: NDArray[np.intp]
    ) -> Iterator[tuple[slice, Floats]]:
        """Yield the kernel of the mixtures B Y with some of the mixtures A X, some rows at a time."""
        for some, part in products(B, Y, self.A[members], self.X):
            part *= -2
            part += norms[some, None]
            part += self.norms[members]
            part = np.maximum(part, 0, out=part)
            part *= -self.gamma
            yield some, np.exp(part, out=part)

    def _square(self, members: NDArray[np.intp], K: Floats) -> Floats:
        for some, part in self.between(self.A[members], self.X, self.norms[members], members):
            (K.T if part.flags.f_contiguous else K)[some] = part  # symmetric, so it can be written as the part lies
        return K


@dataclass(frozen=True)
class _Trained:
    """What `fit` returns: for every pair of classes, the weights of the mixtures and the intercept."""

    kernel: _Kernel
    coefficients: Floats
    intercepts: Floats
    labels: Labels

    def predict(self, X: Samples) -> Labels:
        support = np.flatnonzero(self.coefficients.any(axis=1))
        weights = self.coefficients[support]
        votes = np.zeros((len(X), len(self.labels)), dtype=np.int64)
        everything = eye_array(len(X), format="csr")
        for some, part in self.kernel.between(everything, X, X.squares(), support):
            is_second = part @ weights + self.intercepts >= 0
            for i, pair in enumerate(combinations(range(len(self.labels)), 2)):
                votes[np.arange(some.start, some.stop), np.where(is_second[:, i], pair[1], pair[0])] += 1
        return np.asarray(self.labels[votes.argmax(axis=1)])  # of equal votes the smaller label wins, as in libsvm
