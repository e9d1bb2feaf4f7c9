"""The decision functions of a support vector machine, one for every pair of classes, and how they vote."""

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

if TYPE_CHECKING:
    from sklearn.svm import SVC

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Machines:
    """The machines (decision functions) of all pairs of classes, filled in as fits to groups of classes are added.

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

    @classmethod
    def untrained(cls, numbers: NDArray[np.intp]) -> Self:
        """Return machines without any weight."""
        n_classes = numbers[-1] + 1
        return cls(numbers, np.zeros((len(numbers), n_classes)), np.zeros((n_classes, n_classes)))

    def add(self, rows: NDArray[np.intp], fitted: "SVC") -> None:
        """Take in a fit to the mixtures of these rows; the machines of a pair are equal in each fit that has both."""
        classes, support = fitted.classes_, rows[fitted.support_]
        sign = 1 if len(classes) == 2 else -1  # with only two classes, scikit-learn inverts libsvm's signs
        others = np.where(classes[:-1, None] < self.numbers[support], classes[:-1, None], classes[1:, None])
        self.weights[support, others] = sign * fitted.dual_coef_
        first, second = np.triu_indices(len(classes), 1)
        self.intercepts[classes[first], classes[second]] = sign * fitted.intercept_

    def is_support(self) -> NDArray[np.bool_]:
        """Return which mixtures have a weight in any machine, (n_samples,)."""
        return np.asarray(self.weights.any(axis=1))

    def voters(self, support: NDArray[np.intp]) -> "Voters":
        """Return what predicts from the kernel with these mixtures, all that have a weight among them."""
        n_classes, weights = len(self.intercepts), self.weights[support]
        first, second = np.triu_indices(n_classes, 1)
        pair = np.zeros((n_classes, n_classes), dtype=np.int64)
        pair[first, second] = pair[second, first] = np.arange(len(first))
        sample, other = weights.nonzero()
        entries = weights[sample, other], (pair[self.numbers[support[sample]], other], sample)
        rows = csr_array(entries, shape=(len(first), len(support)))
        starts = enumerate(np.diagonal(pair, 1))
        return Voters([rows[start : start + n_classes - 1 - i] for i, start in starts], self.intercepts)


@dataclass(frozen=True)
class Voters:
    """Machines that predict: for each class but the last, the weights of its machines with each later class."""

    of_first: list[csr_array]
    intercepts: Floats

    def decision_values(self, columns: Floats) -> Floats:
        """Return the votes of each class and, as less than half a vote, how clear they are: (n_classes, n_test).

        As the `decision_function` of scikit-learn's SVC.
        """
        values, sums = np.zeros((2, len(self.intercepts), columns.shape[1]))
        for i, weights in enumerate(self.of_first):
            decisions = weights @ columns + self.intercepts[i, i + 1 :, None]
            values[i] += np.count_nonzero(decisions < 0, axis=0)
            values[i + 1 :] += decisions >= 0
            sums[i] -= decisions.sum(axis=0)
            sums[i + 1 :] += decisions
        return np.asarray(values + sums / (3 * (np.abs(sums) + 1)))

    def winners(self, columns: Floats) -> NDArray[np.intp]:
        """Return the class with most votes, (n_test,), given the kernel (n_support, n_test), contiguous.

        If votes are equal, the smaller class wins, as in libsvm.
        """
        votes = np.zeros((len(self.intercepts), columns.shape[1]), dtype=np.int64)
        for i, weights in enumerate(self.of_first):
            is_second = weights @ columns + self.intercepts[i, i + 1 :, None] >= 0
            votes[i] += np.count_nonzero(~is_second, axis=0)
            votes[i + 1 :] += is_second
        return np.asarray(votes.argmax(axis=0))
