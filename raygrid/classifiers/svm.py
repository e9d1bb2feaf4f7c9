"""The support vector machine of libsvm, through scikit-learn, with kernels computed from inner products."""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import PositiveFloat
from scipy.sparse import csr_array, eye_array

from raygrid.classifiers.class_weights import AnyClassWeight, NoClassWeight
from raygrid.classifiers.classifier import Classifier, Fitted, Labels, Part
from raygrid.classifiers.machines import Machines
from raygrid.classifiers.pairs import Pairs, Rbf, groups, unchanged
from raygrid.level import ADDED_LATER
from raygrid.mixtures.samples import Samples, squares
from raygrid.storage.checkpoint import Checkpoint

if TYPE_CHECKING:
    from sklearn.svm import SVC

Floats = NDArray[np.float64]


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
    probability : {"none", "sigmoid"}
        Whether to keep probabilities besides the labels, which stay the same (`raygrid.choosing.calibrated`). It takes
        five more fits.
    """

    takes: ClassVar[Literal["images", "vectors"]] = "vectors"
    compares_pairs: ClassVar[bool] = True
    name: Literal["svm"] = "svm"
    C: PositiveFloat = 1.0
    gamma: Literal["scale", "auto"] | PositiveFloat = "scale"
    class_weight: Annotated[AnyClassWeight, ADDED_LATER] = NoClassWeight()
    probability: Annotated[Literal["none", "sigmoid"], ADDED_LATER] = "none"

    @property
    def is_calibrated(self) -> bool:
        """Whether sigmoids make probabilities of its votes."""
        return self.probability != "none"

    def fit(self, X: Samples, A: csr_array, y: Labels, *, seed: int, checkpoint: Checkpoint) -> Fitted:
        """Train on the mixtures A X; nothing is random, and the checkpoint is not used."""
        given = _Given.sorted_by_class(X, A, y)
        kernel = Pairs(X, given.A, given.norms, Rbf(self._width(given)))
        machines, machine = Machines.untrained(given.numbers), self._machine(given)
        for rows, K in kernel.of_pairs(groups(given.sizes)):
            machines.add(rows, machine.fit(K, given.numbers[rows]))
        return _Trained(kernel, machines, given.labels)

    @classmethod
    def predictions_of_each(
        cls,
        levels: Sequence[Self],
        X: Samples,
        A: csr_array,
        y: Labels,
        X_test: Samples,
        *,
        seed: int,
        checkpoint: Checkpoint,
        **watched: Part,
    ) -> Iterator[Labels]:
        """Yield the predictions of all levels at the end; distances are computed once, a kernel once for each gamma."""
        given = _Given.sorted_by_class(X, A, y)
        distances = Pairs(X, given.A, given.norms, unchanged)
        trained = [(Machines.untrained(given.numbers), level._machine(given)) for level in levels]
        of_width: dict[float, list[int]] = defaultdict(list)
        for i, level in enumerate(levels):
            of_width[level._width(given)].append(i)
        memory = np.empty(0)
        for rows, squared in distances.of_pairs(groups(given.sizes)):
            memory = memory if memory.size >= squared.size else np.empty(squared.size)
            for gamma, positions in of_width.items():
                K = Rbf(gamma)(squared, memory[: squared.size].reshape(squared.shape))
                for machines, machine in (trained[i] for i in positions):
                    machines.add(rows, machine.fit(K, given.numbers[rows]))
        del memory
        yield from _predictions(distances, [machines for machines, _ in trained], of_width, given.labels, X_test)

    def _machine(self, given: "_Given") -> "SVC":
        """Return libsvm's machine, untrained."""
        from sklearn.svm import SVC

        weights = self.class_weight.weights(given.sizes)
        weight_of = None if weights is None else dict(enumerate(weights))  # of all classes, not of a pair's
        return SVC(C=self.C, kernel="precomputed", class_weight=weight_of)

    def _width(self, given: "_Given") -> float:
        """Return gamma as a number, as scikit-learn does, from the mean and the mean square of all values of A X."""
        if self.gamma == "auto":
            return 1 / given.X.n_features
        return given.scale if self.gamma == "scale" else self.gamma


@dataclass(frozen=True)
class _Given:
    """The mixtures A X that are trained on, sorted by class.

    Attributes
    ----------
    X : Samples
    A : sparse array of shape (n_rows, len(X)), float64
    norms : array of shape (n_rows,), float64
        `squares` of A X.
    order : array of shape (n_rows,), int64
        Position of each mixture as it was given.
    labels, sizes : array of shape (n_classes,), int64
        Of each class that is there.
    numbers : array of shape (n_rows,), int64
        Positions in `labels`, ascending.
    """

    X: Samples
    A: csr_array
    norms: Floats
    order: NDArray[np.intp]
    labels: Labels
    numbers: NDArray[np.intp]
    sizes: NDArray[np.intp]

    @classmethod
    def sorted_by_class(cls, X: Samples, A: csr_array, y: Labels) -> Self:
        """Return the mixtures, those of a class in the order in which they are given."""
        order = np.argsort(y, kind="stable")
        labels, numbers, sizes = np.unique(y[order], return_inverse=True, return_counts=True)
        return cls(X, A[order], squares(A, X)[order], order, labels, numbers, sizes)

    @cached_property
    def scale(self) -> float:
        """1 / (n_features * variance) of all values of A X; 1 where they are all equal."""
        n_values, as_given = self.A.shape[0] * self.X.n_features, np.argsort(self.order)  # sums are of that order
        mean = (self.A @ self.X.sums())[as_given].sum() / n_values
        variance = float(self.norms[as_given].sum() / n_values - mean**2)
        return 1 / (self.X.n_features * variance) if variance > 0 else 1.0


@dataclass(frozen=True)
class _Trained:
    """A trained `Svm`."""

    kernel: Pairs
    machines: Machines
    labels: Labels

    def decision_values(self, X: Samples) -> Floats:
        """Return the decision values of each class, (n_samples, n_classes)."""
        support = np.flatnonzero(self.machines.is_support())
        voters, everything = self.machines.voters(support), eye_array(len(X), format="csr")
        values = np.empty((len(X), len(self.labels)))
        for block, part in self.kernel.between(everything, X, X.squares(), support):
            values[block] = voters.decision_values(np.ascontiguousarray(part.T)).T
        return values

    def predict(self, X: Samples) -> Labels:
        support = np.flatnonzero(self.machines.is_support())
        voters, everything = self.machines.voters(support), eye_array(len(X), format="csr")
        predicted = np.empty(len(X), dtype=self.labels.dtype)
        for block, part in self.kernel.between(everything, X, X.squares(), support):
            predicted[block] = self.labels[voters.winners(np.ascontiguousarray(part.T))]
        return predicted


def _predictions(
    distances: Pairs, trained: Sequence[Machines], of_width: Mapping[float, Sequence[int]], labels: Labels, X: Samples
) -> Labels:
    """Return the labels that each of some machines predicts, (n_machines, len(X)), from the same distances."""
    support = np.flatnonzero(np.any([machines.is_support() for machines in trained], axis=0))
    voters, everything = [machines.voters(support) for machines in trained], eye_array(len(X), format="csr")
    predicted = np.empty((len(trained), len(X)), dtype=labels.dtype)
    for block, part in distances.between(everything, X, X.squares(), support):
        columns = np.ascontiguousarray(part.T)
        for gamma, positions in of_width.items():
            K = Rbf(gamma)(columns, np.empty_like(columns))
            for i in positions:
                predicted[i, block] = labels[voters[i].winners(K)]
    return predicted
