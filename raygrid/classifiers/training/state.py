"""What the epochs of a training have come to so far."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from math import isfinite
from typing import Any

import numpy as np
from numpy.typing import NDArray

from raygrid.metrics.confusion import METRICS, Confusion, metrics_of, of_classes_present
from raygrid.storage.record import Curves

# What is known of each part after an epoch.
MEASURES = ("loss", *METRICS)

_Row = Mapping[str, float]
_DIGITS = 4


@dataclass
class TrainingState:
    """How far a training is; it grows with every epoch.

    Attributes
    ----------
    stage : int
        Which of the network's stages is trained, counted from 0.
    epochs : int
        How many epochs of this stage are done.
    measured : list of tuple of float
        Of each epoch of all stages: `MEASURES` of the training part, then, if there is one, of the validation part.
    best : list of array or None
        The network's weights after the best epoch of this stage; None if the last ones are kept.
    """

    stage: int = 0
    epochs: int = 0
    measured: list[tuple[float, ...]] = field(default_factory=list)
    best: list[NDArray[Any]] | None = None

    def add(self, *parts: _Row) -> None:
        """Add an epoch: what was measured of the training part, and of the validation part if there is one."""
        self.epochs += 1
        self.measured.append(tuple(float(part[name]) for part in parts for name in MEASURES))

    def validation(self, measure: str) -> list[float]:
        """Return the values of the validation part in the epochs of this stage."""
        column = len(MEASURES) + MEASURES.index(measure)
        return [row[column] for row in self.measured[len(self.measured) - self.epochs :]]

    def next_stage(self) -> "TrainingState":
        """Return the beginning of the next stage."""
        return TrainingState(self.stage + 1, 0, self.measured)

    def curves(self, kept: int) -> Curves:
        """Return all that was measured; `kept` is the epoch, counted from 1, whose weights are kept."""
        columns = [[_rounded(value) for value in column] for column in zip(*self.measured, strict=True)]
        train, validation = (
            dict(zip(MEASURES, columns[start : start + len(MEASURES)], strict=False)) for start in (0, len(MEASURES))
        )
        return Curves(train=train, validation=validation, kept=kept)


def measures_of(loss: float, confusion: Confusion) -> _Row:
    """Return `MEASURES` of a part, metrics of the classes that have samples in it."""
    return {"loss": loss, **metrics_of(of_classes_present(confusion))}


def cross_entropy(y: NDArray[np.int64], scores: NDArray[np.float32]) -> float:
    """Return the mean of -log of the probability of the true class, which counts as at least 1e-7, as in Keras."""
    return float(-np.log(np.maximum(scores[np.arange(len(y)), y], 1e-7), dtype=np.float64).mean())


def _rounded(value: float) -> float | None:
    return float(f"{value:.{_DIGITS}g}") if isfinite(value) else None
