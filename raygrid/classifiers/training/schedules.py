"""Schedules: the learning rate of each epoch, as a factor of `learning_rate`. Pure.

A new schedule is one class and one line in `SCHEDULES`.

References
----------
Goyal et al. (2017), Accurate, Large Minibatch SGD: Training ImageNet in 1 Hour, arXiv:1706.02677 (linear warm-up); He
et al. (2016), Deep Residual Learning for Image Recognition, CVPR (step); Loshchilov, Hutter (2017), SGDR: Stochastic
Gradient Descent with Warm Restarts, ICLR (cosine, here without restarts).
"""

from abc import abstractmethod
from math import cos, pi
from typing import Annotated, Literal

from pydantic import Field, NonNegativeInt, PositiveFloat, PositiveInt

from raygrid.classifiers.training.part_of_level import OneOf
from raygrid.level import Level


class Schedule(Level):
    """A learning rate by epoch. A subclass defines `after_warm_up`.

    Attributes
    ----------
    warm_up : int
        W: in epoch e, counted from 0, of the first W the factor is (e + 1) / W.
    """

    warm_up: NonNegativeInt = 0

    def multiple(self, epoch: int, epochs: int) -> float:
        """Return what the learning rate is multiplied by in an epoch, counted from 0, of so many epochs."""
        if epoch < self.warm_up:
            return (epoch + 1) / self.warm_up
        return self.after_warm_up(epoch, epochs)

    @abstractmethod
    def after_warm_up(self, epoch: int, epochs: int) -> float:
        """Return it for an epoch after the warm-up."""


class Constant(Schedule):
    """The same learning rate in every epoch."""

    name: Literal["constant"] = "constant"

    def after_warm_up(self, epoch: int, epochs: int) -> float:
        """Return 1."""
        return 1.0


class Step(Schedule):
    """A learning rate that is multiplied by `factor` before each of some epochs.

    Attributes
    ----------
    after : tuple of int
        How many epochs are trained before each step: with 160 and 180, the steps are before epochs 161 and 181.
    factor : float
        Of one step.
    """

    name: Literal["step"] = "step"
    after: Annotated[tuple[PositiveInt, ...], Field(strict=False, min_length=1)]
    factor: PositiveFloat = 0.1

    def after_warm_up(self, epoch: int, epochs: int) -> float:
        """Return the product of the steps that are done."""
        return float(self.factor ** sum(epoch >= step for step in self.after))


class Cosine(Schedule):
    """A learning rate that falls from its full value to nearly 0 along half a cosine.

    With W epochs of warm-up and E epochs in all, the factor in epoch e is (1 + cos(pi (e - W) / (E - W))) / 2.
    """

    name: Literal["cosine"] = "cosine"

    def after_warm_up(self, epoch: int, epochs: int) -> float:
        """Return the height of the cosine."""
        return (1 + cos(pi * (epoch - self.warm_up) / (epochs - self.warm_up))) / 2


SCHEDULES: dict[str, type[Schedule]] = {
    "constant": Constant,
    "step": Step,
    "cosine": Cosine,
}

AnySchedule = Annotated[Schedule, OneOf(SCHEDULES)]
