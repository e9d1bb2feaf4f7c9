"""Class weights: factors by which the loss of each class is multiplied."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from raygrid.classifiers.classifier import Labels

ClassWeight = Literal["none", "balanced"]


def class_weights(kind: ClassWeight, y: Labels) -> NDArray[np.float64] | None:
    """Return the weight of each class, inversely proportional to its frequency among the labels `y`; None if all are 1.

    The weights of a class sum to the same number for all classes, and the mean weight of a sample is 1, as in
    scikit-learn's ``balanced``.
    """
    if kind == "none":
        return None
    counts = np.bincount(y)
    return len(y) / (len(counts) * counts)
