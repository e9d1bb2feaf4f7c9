"""How far a choice is, kept so that a cell that is killed goes on with the candidates that have no score yet."""

import json
import time
from collections.abc import Iterable
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from raygrid.storage.checkpoint import Arrays, Checkpoint

# Seconds of work that are worth a checkpoint, which may be sent over a network.
_WORTH_KEEPING_S = 5.0

_OUTCOMES, _TRAINING = "outcomes", "training/"


class Outcome(NamedTuple):
    """What training and scoring a candidate once came to: a score, or why there is none."""

    score: float | None
    message: str | None = None
    is_infeasible: bool = False


class Outcomes:
    """The outcomes so far, in the order in which they are computed; also the checkpoint of the training after them.

    So what a network keeps of its training is kept together with the outcomes that came before, and belongs to the one
    training that comes next.

    Parameters
    ----------
    checkpoint : Checkpoint
        The cell's.
    """

    def __init__(self, checkpoint: Checkpoint) -> None:
        kept = checkpoint.load() or {}
        self._checkpoint, self._saved_at = checkpoint, time.monotonic()
        self.outcomes = [Outcome(*each) for each in json.loads(kept[_OUTCOMES].item())] if _OUTCOMES in kept else []
        self._training = {name[len(_TRAINING) :]: kept[name] for name in kept if name.startswith(_TRAINING)}

    def load(self) -> Arrays | None:
        """Return what the training that was interrupted had saved, to the one that is now the first."""
        training, self._training = self._training, {}
        return training or None

    def save(self, arrays: Arrays) -> None:
        """Keep these arrays of a training, and all outcomes."""
        self._save({_TRAINING + name: array for name, array in arrays.items()})

    def add(self, outcomes: Iterable[Outcome]) -> None:
        """Take in outcomes as they are computed, and keep them."""
        started_at = time.monotonic()
        for outcome in outcomes:
            self.outcomes.append(outcome)
            self._training = {}
            self._save_if_worth(self._saved_at)
        self._save_if_worth(started_at)  # those that are computed together come at once

    def _save_if_worth(self, since: float) -> None:
        if time.monotonic() - since >= _WORTH_KEEPING_S:
            self._save({})

    def _save(self, training: dict[str, NDArray[Any]]) -> None:
        self._checkpoint.save({_OUTCOMES: np.array(json.dumps(self.outcomes)), **training})
        self._saved_at = time.monotonic()
