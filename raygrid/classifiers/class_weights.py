"""Class weights: factors by which the loss of each class is multiplied. Pure.

A new kind is one class and one line in `CLASS_WEIGHTS`. All are scaled so that the mean weight of a training sample is
1, because weights then leave the learning rate as it is.
"""

from abc import abstractmethod
from typing import Annotated, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, PlainSerializer

from raygrid.classifiers.training.part_of_level import OneOf
from raygrid.level import Level

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


class ClassWeight(Level):
    """Weights of the classes. A subclass defines `weights`."""

    @abstractmethod
    def weights(self, sizes: Ints) -> Floats | None:
        """Return the weights, (n_classes,), of classes of these sizes, all at least 1; None if all are 1."""


class NoClassWeight(ClassWeight):
    """Every class counts as much as it has samples."""

    name: Literal["none"] = "none"

    def weights(self, sizes: Ints) -> Floats | None:
        """Return None."""
        return None


class Balanced(ClassWeight):
    """n / (M n_i) for class i, of n_i samples of n: every class counts the same, as in scikit-learn's ``balanced``."""

    name: Literal["balanced"] = "balanced"

    def weights(self, sizes: Ints) -> Floats | None:
        """Return n / (M n_i)."""
        return np.asarray(sizes.sum() / (len(sizes) * sizes))


class EffectiveNumber(ClassWeight):
    """Inversely proportional to the effective number of samples, (1 - beta^n_i) / (1 - beta).

    They lie between no weights (beta 0) and ``balanced`` (beta near 1). Cui et al. scale them to the sum M; scaled as
    here, they are Cao et al.'s, whose loss is the weighted mean of a batch.

    Attributes
    ----------
    beta : float
        In [0, 1).

    References
    ----------
    Cui et al. (2019), Class-balanced loss based on effective number of samples, CVPR.
    """

    name: Literal["effective_number"] = "effective_number"
    beta: Annotated[float, Field(ge=0, lt=1)] = 0.9999

    def weights(self, sizes: Ints) -> Floats | None:
        """Return (1 - beta) / (1 - beta^n_i), scaled."""
        inverse = 1 / (1 - self.beta ** sizes.astype(np.float64))
        return np.asarray(inverse * sizes.sum() / (inverse @ sizes))


CLASS_WEIGHTS: dict[str, type[ClassWeight]] = {
    "none": NoClassWeight,
    "balanced": Balanced,
    "effective_number": EffectiveNumber,
}


def _spelled(level: ClassWeight) -> object:
    """Return the bare name of a level without parameters, as keys have had it from the beginning."""
    return level.as_dict() if len(type(level).model_fields) > 1 else level.name


AnyClassWeight = Annotated[ClassWeight, OneOf(CLASS_WEIGHTS), PlainSerializer(_spelled)]
