"""The contract of a checkpoint: the state of a training, saved so that another process can continue it."""

from collections.abc import Mapping
from typing import Any, Protocol

from numpy.typing import NDArray

Arrays = Mapping[str, NDArray[Any]]


class Checkpoint(Protocol):
    """Saves and loads the state of one training."""

    def load(self) -> Arrays | None:
        """Return the arrays saved last, or None."""

    def save(self, arrays: Arrays) -> None:
        """Keep these arrays, and drop those saved before."""


class _NoCheckpoint:
    def load(self) -> None:
        return None

    def save(self, arrays: Arrays) -> None:
        pass


NO_CHECKPOINT: Checkpoint = _NoCheckpoint()
