"""When a training stops, and which epoch's weights are kept: pure functions of the validation part's curve.

References
----------
Prechelt (1998), Early stopping - but when?, Neural Networks: Tricks of the Trade, Springer.
"""

from collections.abc import Sequence
from typing import Literal

import numpy as np
from pydantic import BaseModel, PositiveInt

from raygrid.level import STRICT

Judge = Literal["AvAcc", "CBA", "MAvG", "loss"]


class EarlyStopping(BaseModel):
    """Stop after some epochs that bring nothing better than an earlier one.

    Attributes
    ----------
    patience : int
        How many epochs.
    by : str
        The metric of the validation part, or ``loss``, its cross-entropy.
    """

    model_config = STRICT

    patience: PositiveInt = 5
    by: Judge = "AvAcc"


def best_epoch(values: Sequence[float], *, by: Judge) -> int:
    """Return the epoch, counted from 0, with the lowest loss or the highest metric; of equal ones the first.

    A value that is not a number is worse than any other.
    """
    heights = -np.asarray(values) if by == "loss" else np.asarray(values)
    return int(np.where(np.isnan(heights), -np.inf, heights).argmax())


def is_over(values: Sequence[float], stopping: EarlyStopping) -> bool:
    """Whether the training stops after the last of these epochs."""
    return len(values) - 1 - best_epoch(values, by=stopping.by) >= stopping.patience
