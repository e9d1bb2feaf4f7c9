"""The k nearest neighbours, found through inner products."""

from dataclasses import dataclass
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import PositiveInt
from scipy.sparse import csr_array, eye_array

from raygrid.classifiers.classifier import Labels
from raygrid.classifiers.scores import Scores, Scoring, ScoringClassifier
from raygrid.errors import InfeasibleError
from raygrid.mixtures.samples import Samples, nearest, squares
from raygrid.storage.checkpoint import Checkpoint


class Knn(ScoringClassifier):
    """Predicts the majority class of the k nearest training samples, in Euclidean distance.

    If distances are equal, the sample that comes first in the training set is nearer; if votes are equal, the smaller
    label wins.

    Attributes
    ----------
    n_neighbors : int
        How many, k.
    """

    takes: ClassVar[Literal["images", "vectors"]] = "vectors"
    compares_pairs: ClassVar[bool] = True
    name: Literal["knn"] = "knn"
    n_neighbors: PositiveInt = 5

    def fit(self, X: Samples, A: csr_array, y: Labels, *, seed: int, checkpoint: Checkpoint) -> Scoring:
        """Store the mixtures A X; nothing is random, and the checkpoint is not used.

        Raises
        ------
        InfeasibleError
            There are fewer than k training samples.
        """
        if len(y) < self.n_neighbors:
            raise InfeasibleError(f"knn: got {len(y)} training samples; expected at least {self.n_neighbors} (k)")
        return self.moved(_Trained(X, A, squares(A, X), y, self.n_neighbors), y)


@dataclass(frozen=True)
class _Trained(Scoring):
    """A fitted `Knn`: the mixtures, their squared norms and their labels."""

    X: Samples
    A: csr_array
    norms: NDArray[np.float64]
    y: Labels
    n_neighbors: int

    def scores(self, X: Samples) -> Scores:
        """Return the share of each class among the neighbours, of shape (n_samples, n_classes), float32."""
        found, _ = nearest(eye_array(len(X), format="csr"), X, self.A, self.X, self.norms, n=self.n_neighbors)
        votes = self.y[found][:, :, None] == np.arange(self.y.max() + 1)
        return np.asarray(votes.mean(axis=1), dtype=np.float32)
