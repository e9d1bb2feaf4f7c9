"""How a network is trained, besides its loss: what the optimiser does, what the images become, when it ends."""

from typing import Annotated, Any, Literal, Self

import numpy as np
from pydantic import Field, NonNegativeFloat, PositiveFloat, PositiveInt, model_validator

from raygrid.classifiers.training.augmentation import AnyAugmentations
from raygrid.classifiers.training.schedules import AnySchedule, Constant, Step
from raygrid.classifiers.training.stopping import EarlyStopping, Judge
from raygrid.level import ADDED_LATER, Level
from raygrid.networks.keras_backend import load_keras


class TrainingLevel(Level):
    """A level that trains a network.

    Attributes
    ----------
    epochs : int
        How often every training sample is seen.
    batch_size : int
        Samples in one step.
    optimizer : str
        Name in Keras; its settings are Keras' defaults, except those below.
    learning_rate : float
        The full value, which `schedule` multiplies.
    momentum : float
        Of ``sgd``, as in PyTorch: of the gradients, which the learning rate then multiplies.
    weight_decay : float
        w: w / 2 times the sum of the squares of all trained weights is added to the loss, so that w times each weight
        is added to its gradient, as in PyTorch's SGD and the studies that use it. (Keras' setting of this name shrinks
        weights beside the gradient: with a momentum of 0.9 it would have to be about 10 times as large.)
    schedule : Schedule
        The learning rate by epoch.
    augment : tuple of Augmentation
        Changes of the training images, one after the other, in every epoch anew.
    balanced_batches : bool
        Whether batches have equally many samples of every class; otherwise an epoch has every sample once.
    early_stopping : EarlyStopping or None
        When to stop before the last epoch.
    precision : {"float32", "mixed_bfloat16"}
        In what layers compute. Weights, losses and scores are always float32. On cards that know bfloat16,
        ``mixed_bfloat16`` may be faster; on most CPUs it is slower.
    select : {"last", "best"} or None
        Whose epoch's weights are kept: of the last, or of the best on the validation part by what `early_stopping` says
        (without it, AvAcc). By default of the best with `early_stopping`, and of the last without.

    References
    ----------
    Kalamkar et al. (2019), A Study of BFLOAT16 for Deep Learning Training, arXiv:1905.12322; Krogh, Hertz (1991), A
    Simple Weight Decay Can Improve Generalization, NIPS; Goyal et al. (2017), Accurate, Large Minibatch SGD,
    arXiv:1706.02677, section 2.3 (momentum where the learning rate changes).
    """

    epochs: PositiveInt = 50
    batch_size: PositiveInt = 32
    optimizer: Literal["rmsprop", "adam", "sgd"] = "rmsprop"
    learning_rate: PositiveFloat = 1e-4
    momentum: Annotated[float, Field(ge=0, lt=1), ADDED_LATER] = 0.0
    weight_decay: Annotated[NonNegativeFloat, ADDED_LATER] = 0.0
    schedule: Annotated[AnySchedule, ADDED_LATER] = Constant()
    augment: Annotated[AnyAugmentations, ADDED_LATER] = ()
    balanced_batches: Annotated[bool, ADDED_LATER] = False
    early_stopping: Annotated[EarlyStopping | None, ADDED_LATER] = None
    select: Annotated[Literal["last", "best"] | None, ADDED_LATER] = None
    precision: Annotated[Literal["float32", "mixed_bfloat16"], ADDED_LATER] = "float32"

    @model_validator(mode="after")
    def _settings_fit(self) -> Self:
        if self.momentum and self.optimizer != "sgd":
            raise ValueError(f"got momentum with optimizer {self.optimizer}; it is a setting of sgd; leave one out")
        if sum(augmentation.mixes for augmentation in self.augment) > 1:
            raise ValueError("augment: got two that mix images; an image can count for two classes only; leave one out")
        if isinstance(self.schedule, Step) and min(self.schedule.after) >= self.epochs:
            raise ValueError(
                f"schedule: got steps after {', '.join(map(str, self.schedule.after))} of {self.epochs} epochs; "
                "expected one before the last; lower it"
            )
        if self.schedule.warm_up >= self.epochs:
            raise ValueError(
                f"schedule: got {self.schedule.warm_up} epochs of warm-up of {self.epochs}; expected fewer; lower it"
            )
        return self

    @property
    def judge(self) -> Judge | None:
        """By what the best epoch is selected; None if the last one is kept."""
        if self.select == "last" or not self.needs_validation:
            return None
        return self.early_stopping.by if self.early_stopping else "AvAcc"

    @property
    def needs_validation(self) -> tuple[str, ...]:
        """The names of the settings that need a validation part."""
        return tuple(
            name
            for name, is_set in (("early_stopping", self.early_stopping), ("select", self.select == "best"))
            if is_set
        )

    @property
    def mixes(self) -> bool:
        """Whether an image may count for two classes."""
        return any(augmentation.mixes for augmentation in self.augment)

    def new_optimizer(self) -> Any:
        """Return the optimiser."""
        settings = {"learning_rate": self.learning_rate} | ({"momentum": self.momentum} if self.momentum else {})
        return load_keras().optimizers.get({"class_name": self.optimizer, "config": settings})

    def penalise(self, model: Any) -> None:
        """Add the weight decay of a network to the losses that Keras minimises."""
        if self.weight_decay:
            for variable in model.trainable_variables:
                variable.regularizer = load_keras().regularizers.L2(self.weight_decay / 2)

    def set_learning_rate(self, optimizer: Any, epoch: int) -> None:
        """Set the learning rate of an epoch, counted from 0, by which the momentum so far is then multiplied as well.

        Keras keeps steps, of which the learning rate is a factor, where PyTorch, which studies use, keeps gradients:
        at a hundredth of the learning rate, Keras would go on with steps a hundred times too long.
        """
        rate, before = self.learning_rate_of(epoch), float(optimizer.learning_rate)
        optimizer.learning_rate = rate
        if self.momentum and rate != before:
            for velocity in optimizer.momentums:
                velocity.assign(velocity * (rate / before))

    def learning_rate_of(self, epoch: int) -> float:
        """Return the learning rate of an epoch, counted from 0."""
        return float(np.float32(self.learning_rate * self.schedule.multiple(epoch, self.epochs)))
