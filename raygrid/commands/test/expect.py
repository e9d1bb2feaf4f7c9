"""`expect` and ContractError: how a check of `test` reports that a level breaks its contract."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

# A check gets a level; it raises ContractError if its own docstring, which is printed, is not true for the level.
Check = Callable[[Any], None]


class ContractError(Exception):
    """A level does not do what its axis asks for."""


def expect(is_so: object, message: str) -> None:
    """Raise ContractError with this message, unless `is_so`."""
    if not is_so:
        raise ContractError(message)


def expect_labels(labels: Any, n: int, y: NDArray[np.int64]) -> None:
    """Expect n labels, each of them one of y."""
    is_array = isinstance(labels, np.ndarray) and labels.dtype == np.int64 and labels.shape == (n,)
    expect(is_array, f"got labels: {kind_of(labels)}; expected int64 of shape ({n},)")
    for unknown in np.setdiff1d(labels, y):
        raise ContractError(f"got label {unknown}; expected one of {', '.join(map(str, np.unique(y)))}")


def kind_of(array: Any) -> str:
    """Return the words for an array in a message, or for what should be one."""
    return (
        f"{type(array).__name__}, {getattr(array, 'dtype', 'no dtype')} of shape {getattr(array, 'shape', 'unknown')}"
    )
