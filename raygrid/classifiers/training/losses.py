"""Losses of a network, and how they know of imbalance.

A new loss is one class and one line in `LOSSES`.
"""

from abc import abstractmethod
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import NonNegativeFloat, PositiveFloat

from raygrid.classifiers.training.part_of_level import OneOf
from raygrid.level import Level
from raygrid.networks.keras_backend import load_keras

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

_EPSILON = 1e-7  # Keras' own, by which probabilities are kept from 0 and 1
_TINY = 1e-30  # about the smallest probability of which float32 still has the inverse


class Loss(Level):
    """What a probability costs. A subclass defines `costs`, and `margins` if it treats classes differently."""

    def scale_of_head(self) -> float | None:
        """Return the scale of the network's last layer if it must be normalised (`networks.head`); by default None."""
        return None

    def margins(self, sizes: Ints) -> Floats:
        """Return a number for each class, (n_classes,), which depends on the sizes of all; by default 0."""
        return np.zeros(len(sizes))

    @abstractmethod
    def costs(self, p: Any, others: Any, margin: Any) -> Any:
        """Return what each sample costs, a tensor of shape (n_samples,).

        Parameters
        ----------
        p : tensor of shape (n_samples,), float32
            The probability of a sample's own class.
        others : tensor of shape (n_samples,), float32
            The sum of those of all other classes, which is more exact than 1 - p.
        margin : tensor of shape (n_samples,), float32
            What `margins` says of its own class.
        """


class CrossEntropy(Loss):
    """-log p."""

    name: Literal["cross_entropy"] = "cross_entropy"

    def costs(self, p: Any, others: Any, margin: Any) -> Any:
        """Return -log p."""
        return -load_keras().ops.log(_clipped(p))


class Focal(Loss):
    """-(1 - p)^gamma log p, which makes light of samples that are classified well.

    Attributes
    ----------
    gamma : float
        0 is the cross-entropy.

    References
    ----------
    Lin et al. (2017), Focal loss for dense object detection, ICCV.
    """

    name: Literal["focal"] = "focal"
    gamma: NonNegativeFloat = 2.0

    def costs(self, p: Any, others: Any, margin: Any) -> Any:
        """Return -(1 - p)^gamma log p."""
        ops, p = load_keras().ops, _clipped(p)
        return ops.power(1.0 - p, self.gamma) * -ops.log(p)


class Ldam(Loss):
    """The cross-entropy of cosines, that of a sample's own class less a margin that is larger for small classes.

    The last layer has no bias and gives s cos(w_j, x), with s = `scale`. A sample of class i costs
    -log(exp(s cos_i - s D_i) / (exp(s cos_i - s D_i) + the sum over j != i of exp(s cos_j))), D_i being
    `max_margin` (n_min / n_i)^(1/4). Predictions have no margin.

    Attributes
    ----------
    max_margin : float
        The margin of the smallest class, "max_m" in the authors' code.
    scale : float
        "s" in the authors' code.

    References
    ----------
    Cao et al. (2019), Learning imbalanced datasets with label-distribution-aware margin loss, NeurIPS.
    """

    name: Literal["ldam"] = "ldam"
    max_margin: PositiveFloat = 0.5
    scale: PositiveFloat = 30.0

    def scale_of_head(self) -> float | None:
        """Return s."""
        return self.scale

    def margins(self, sizes: Ints) -> Floats:
        """Return s D_i."""
        return np.asarray(self.scale * self.max_margin * (sizes.min() / sizes) ** 0.25)

    def costs(self, p: Any, others: Any, margin: Any) -> Any:
        """Return -log(p exp(-s D) / (p exp(-s D) + others))."""
        ops = load_keras().ops
        p = ops.maximum(p, _TINY)  # not Keras' 1e-7, beyond which a sample would not be learnt from
        return margin - ops.log(p) + ops.log(p * ops.exp(-margin) + others)


LOSSES: dict[str, type[Loss]] = {
    "cross_entropy": CrossEntropy,
    "focal": Focal,
    "ldam": Ldam,
}

AnyLoss = Annotated[Loss, OneOf(LOSSES)]


def _clipped(p: Any) -> Any:
    return load_keras().ops.clip(p, _EPSILON, 1.0 - _EPSILON)
