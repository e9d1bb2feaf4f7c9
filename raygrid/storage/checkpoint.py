"""What a training leaves on its way, so that another process can go on with it."""

from collections.abc import Mapping
from typing import Any, Protocol

from numpy.typing import NDArray

Arrays = Mapping[str, NDArray[Any]]


class Checkpoint(Protocol):
    """Where one training keeps its state; who made it decides where that is."""

    def load(self) -> Arrays | None:
        """Return what was saved last, or nothing."""

    def save(self, arrays: Arrays) -> None:
        """Keep these arrays in place of what was saved before."""


class _NoCheckpoint:
    def load(self) -> None:
        return None

    def save(self, arrays: Arrays) -> None:
        pass


NO_CHECKPOINT: Checkpoint = _NoCheckpoint()
