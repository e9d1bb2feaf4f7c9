"""Second stages: what is done with the last layer of a network after its training.

A new one is one class and one line in `SECOND_STAGES`.

References
----------
Kang et al. (2020), Decoupling representation and classifier for long-tailed recognition, ICLR.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Literal

from pydantic import NonNegativeFloat, PositiveFloat, PositiveInt

from raygrid.classifiers.training.part_of_level import OneOf
from raygrid.level import Level
from raygrid.networks.head import normalise


class SecondStage(Level):
    """What follows the training of a network. A subclass defines `trainings` or `finish`."""

    def trainings(self) -> Sequence[Mapping[str, Any]]:
        """Return the settings, in which they differ from the first, of further trainings; by default none."""
        return ()

    def finish(self, model: Any) -> None:
        """Change the weights of the trained Keras model; by default nothing."""


class NoSecondStage(SecondStage):
    """Nothing follows."""

    name: Literal["none"] = "none"


class Crt(SecondStage):
    """Classifier re-training: the last layer is drawn and trained anew on class-balanced batches, all else is frozen.

    Its training has the network's loss without class weights and logit adjustment, its batch size, optimiser and
    augmentation, and a constant learning rate.

    Attributes
    ----------
    epochs : int
        How many.
    learning_rate : float or None
        None is the network's.
    """

    name: Literal["crt"] = "crt"
    epochs: PositiveInt = 10
    learning_rate: PositiveFloat | None = None

    def trainings(self) -> Sequence[Mapping[str, Any]]:
        """Return one training."""
        rate = {"learning_rate": self.learning_rate} if self.learning_rate else {}
        return ({"trained_layers": "last", "balanced_batches": True, "epochs": self.epochs, **rate},)


class TauNorm(SecondStage):
    """tau-normalised classifier: in the last layer, the weights of each class are divided by their length^tau.

    Its bias becomes 0. Nothing is trained.

    Attributes
    ----------
    tau : float
        0 changes nothing but the bias; 1 makes all weights as long.
    """

    name: Literal["tau_norm"] = "tau_norm"
    tau: NonNegativeFloat = 1.0

    def finish(self, model: Any) -> None:
        """Normalise."""
        normalise(model, self.tau)


SECOND_STAGES: dict[str, type[SecondStage]] = {
    "none": NoSecondStage,
    "crt": Crt,
    "tau_norm": TauNorm,
}

AnySecondStage = Annotated[SecondStage, OneOf(SECOND_STAGES)]
