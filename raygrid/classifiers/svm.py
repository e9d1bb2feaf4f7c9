"""The support vector machine of libsvm, through scikit-learn, with kernels computed from inner products."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import PositiveFloat
from scipy.sparse import csr_array, eye_array

from raygrid.classifiers.class_weights import AnyClassWeight, NoClassWeight
from raygrid.classifiers.classifier import Classifier, Fitted, Labels
from raygrid.level import ADDED_LATER
from raygrid.mixtures.samples import Samples, products, squares
from raygrid.storage.checkpoint import Checkpoint

if TYPE_CHECKING:
    from sklearn.svm import SVC

Floats = NDArray[np.float64]

# If classes have fewer samples on average, several share a kernel, because for single pairs scikit-learn's overhead
# would be larger than libsvm's work. A group of classes has this many samples; a kernel of two groups has about 0.5 GB.
_FEW, _GROUP = 128, 4096


class Svm(Classifier):
    """C-SVC with an RBF kernel, one against one.

    The same optimisation as scikit-learn's SVC on the array A X, but one pair of classes after the other, so that only
    the kernel of one pair is in memory. Many small classes share a kernel.

    Attributes
    ----------
    C : float
        Regularisation constant.
    gamma : float, "scale" or "auto"
        Of the kernel exp(-gamma |a - b|^2): ``scale`` is 1 / (n_features * variance of X), ``auto`` is 1 / n_features.
    class_weight : ClassWeight
        By what to multiply C for each class, depending on its size after resampling.
    """

    takes: ClassVar[Literal["images", "vectors"]] = "vectors"
    compares_pairs: ClassVar[bool] = True
    name: Literal["svm"] = "svm"
    C: PositiveFloat = 1.0
    gamma: Literal["scale", "auto"] | PositiveFloat = "scale"
    class_weight: Annotated[AnyClassWeight, ADDED_LATER] = NoClassWeight()

    def fit(self, X: Samples, A: csr_array, y: Labels, *, seed: int, checkpoint: Checkpoint) -> Fitted:
        """Train on the mixtures A X; nothing is random, and the checkpoint is not used."""
        from sklearn.svm import SVC

        norms, by_class = squares(A, X), np.argsort(y, kind="stable")
        kernel = _Kernel(X, A[by_class], norms[by_class], self._width(X, A, norms))
        labels, numbers, sizes = np.unique(y[by_class], return_inverse=True, return_counts=True)
        weights = self.class_weight.weights(sizes)
        weight_of = None if weights is None else dict(enumerate(weights))  # of all classes, not of a kernel's
        machine = SVC(C=self.C, kernel="precomputed", class_weight=weight_of)
        fits = ((rows, machine.fit(K, numbers[rows])) for rows, K in kernel.of_pairs(_groups(sizes)))
        return _Trained(kernel, _machines(fits, numbers), labels)

    def _width(self, X: Samples, A: csr_array, norms: Floats) -> float:
        """Return gamma as a number, as scikit-learn does, from the mean and the mean square of all values of A X."""
        if self.gamma == "auto":
            return 1 / X.n_features
        if self.gamma != "scale":
            return self.gamma
        n_values = A.shape[0] * X.n_features
        variance = float(norms.sum() / n_values - ((A @ X.sums()).sum() / n_values) ** 2)
        return 1 / (X.n_features * variance) if variance > 0 else 1.0


def _groups(sizes: NDArray[np.int64]) -> list[NDArray[np.intp]]:
    """Return the rows of each group of classes, at least two groups; rows are sorted by class.

    A large class is a group of its own, because the pairs within a group are optimised again with every other group.
    """
    n_samples, ends = int(sizes.sum()), np.cumsum(sizes)
    groups: Floats = np.arange(len(sizes), dtype=np.float64)
    if n_samples < _FEW * len(sizes):
        n_groups = max(2, -(-n_samples // _GROUP))
        groups = (ends - sizes / 2) * n_groups // n_samples  # by where the middle of a class lies
    return np.split(np.arange(n_samples), ends[:-1][np.diff(groups) > 0])


@dataclass(frozen=True)
class _Kernel:
    """The kernel exp(-gamma |a - b|^2) between any mixtures a and the mixtures b of A X, with given squared norms."""

    X: Samples
    A: csr_array
    norms: Floats
    gamma: float

    def of_pairs(self, members: Sequence[NDArray[np.intp]]) -> Iterator[tuple[NDArray[np.intp], Floats]]:
        """Yield, for every two groups, their rows of A and the kernel between these rows, (n_rows, n_rows).

        Each kernel overwrites the last one, because allocating memory would take longer than computing the values.
        """
        sizes = sorted(map(len, members))
        memory = np.empty(sum(sizes[-2:]) ** 2)
        for i, first in enumerate(members[:-1]):
            within = self._square(first, np.empty((len(first), len(first))))
            for second in members[i + 1 :]:
                n, rows = len(first), np.concatenate([first, second])
                K = memory[: len(rows) ** 2].reshape(len(rows), len(rows))
                K[:n, :n] = within
                for block, part in self.between(self.A[second], self.X, self.norms[second], first):
                    K[n:, :n][block] = part
                    K[:n, n:][:, block] = part.T
                self._square(second, K[n:, n:])
                yield rows, K

    def between(
        self, B: csr_array, Y: Samples, norms: Floats, members: NDArray[np.intp]
    ) -> Iterator[tuple[slice, Floats]]:
        """Yield the kernel of the mixtures B Y with the selected mixtures of A X, a block of rows at a time."""
        for block, part in products(B, Y, self.A[members], self.X):
            part *= -2
            part += norms[block, None]
            part += self.norms[members]
            part = np.maximum(part, 0, out=part)
            part *= -self.gamma
            yield block, np.exp(part, out=part)

    def _square(self, members: NDArray[np.intp], K: Floats) -> Floats:
        for block, part in self.between(self.A[members], self.X, self.norms[members], members):
            # K is symmetric, so a part may be written transposed, in the order in which it lies in memory.
            (K.T if part.flags.f_contiguous else K)[block] = part
        return K


@dataclass(frozen=True)
class _Machines:
    """The trained machines (decision functions) of all pairs of classes.

    Attributes
    ----------
    numbers : array of shape (n_samples,), int64
        The class of each mixture, ascending.
    weights : array of shape (n_samples, n_classes), float64
        Weight of each mixture in the machine of its class and another one; a decision >= 0 is a vote for the second.
    intercepts : array of shape (n_classes, n_classes), float64
        Intercept of the machine of two classes; the row is the first one.
    """

    numbers: NDArray[np.intp]
    weights: Floats
    intercepts: Floats

    def of_first(self, support: NDArray[np.intp]) -> list[csr_array]:
        """Return the weights of these mixtures: for each class but the last, a row for each later class."""
        n_classes, weights = len(self.intercepts), self.weights[support]
        first, second = np.triu_indices(n_classes, 1)
        pair = np.zeros((n_classes, n_classes), dtype=np.int64)
        pair[first, second] = pair[second, first] = np.arange(len(first))
        sample, other = weights.nonzero()
        entries = weights[sample, other], (pair[self.numbers[support[sample]], other], sample)
        rows = csr_array(entries, shape=(len(first), len(support)))
        return [rows[start : start + n_classes - 1 - i] for i, start in enumerate(np.diagonal(pair, 1))]


def _machines(fits: Iterator[tuple[NDArray[np.intp], "SVC"]], numbers: NDArray[np.intp]) -> _Machines:
    """Return the machines of all pairs from fits to groups; a pair that is in several fits is equal in each."""
    n_classes = numbers[-1] + 1
    weights, intercepts = np.zeros((len(numbers), n_classes)), np.zeros((n_classes, n_classes))
    for rows, fitted in fits:
        classes, support = fitted.classes_, rows[fitted.support_]
        sign = 1 if len(classes) == 2 else -1  # with only two classes, scikit-learn inverts libsvm's signs
        others = np.where(classes[:-1, None] < numbers[support], classes[:-1, None], classes[1:, None])
        weights[support, others] = sign * fitted.dual_coef_
        first, second = np.triu_indices(len(classes), 1)
        intercepts[classes[first], classes[second]] = sign * fitted.intercept_
    return _Machines(numbers, weights, intercepts)


@dataclass(frozen=True)
class _Trained:
    """A trained `Svm`."""

    kernel: _Kernel
    machines: _Machines
    labels: Labels

    def predict(self, X: Samples) -> Labels:
        support = np.flatnonzero(self.machines.weights.any(axis=1))
        of_first = list(zip(self.machines.of_first(support), self.machines.intercepts, strict=False))
        everything, predicted = eye_array(len(X), format="csr"), np.empty(len(X), dtype=self.labels.dtype)
        for block, part in self.kernel.between(everything, X, X.squares(), support):
            columns, votes = np.ascontiguousarray(part.T), np.zeros((len(self.labels), len(part)), dtype=np.int64)
            for i, (weights, intercepts) in enumerate(of_first):
                is_second = weights @ columns + intercepts[i + 1 :, None] >= 0
                votes[i] += np.count_nonzero(~is_second, axis=0)
                votes[i + 1 :] += is_second
            predicted[block] = self.labels[votes.argmax(axis=0)]
        return predicted  # if votes are equal, the smaller label wins, as in libsvm
