"""Class weights: by how much the loss of each class is multiplied."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

from raygrid.classifiers.classifier import Labels

ClassWeight = Literal["none", "balanced"]


def class_weights(kind: ClassWeight, y: Labels) -> NDArray[np.float64] | None:
    """Return the weight of each class, inversely proportional to its frequency among the labels `y`; None if all are 1.

    With them, all classes weigh the same in sum, and a sample 1 on average, as scikit-learn's ``balanced`` has it.
    """
    if kind == "none":
        return None
    counts = np.bincount(y)
    return len(y) / (len(counts) * counts)
