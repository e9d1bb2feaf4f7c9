"""What a check raises, and how."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

# Its docstring says what must be so, of the level that it is given; it raises where that is not so.
Check = Callable[[Any], None]


class ContractError(Exception):
    """Something is not as a level must be."""


def expect(is_so: object, message: str) -> None:
    """Raise ContractError with this message, unless it is so."""
    if not is_so:
        raise ContractError(message)


def expect_labels(labels: Any, n: int, y: NDArray[np.int64]) -> None:
    """Expect n labels, each of them one of y."""
    is_array = isinstance(labels, np.ndarray) and labels.dtype == np.int64 and labels.shape == (n,)
    expect(is_array, f"got labels: {kind_of(labels)}; expected int64 of shape ({n},)")
    for unknown in np.setdiff1d(labels, y):
        raise ContractError(f"got label {unknown}; expected one of {', '.join(map(str, np.unique(y)))}")


def kind_of(array: Any) -> str:
    """Return what a message says of an array, or of what is none."""
    return (
        f"{type(array).__name__}, {getattr(array, 'dtype', 'no dtype')} of shape {getattr(array, 'shape', 'unknown')}"
    )
