"""Convert label arrays of any kind (integers, text, one column, one-hot) to labels 0 .. M - 1."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from raygrid.errors import DataError


def encode(labels: Mapping[str, NDArray[Any]]) -> tuple[list[NDArray[np.int64]], tuple[str, ...]]:
    """Return each array's labels as indices into the sorted classes of all arrays, and the names of the classes.

    Parameters
    ----------
    labels : mapping of str to array
        Arrays by where they are from, for messages; each of shape (n_samples,) or (n_samples, 1), with whole numbers
        or text, or one-hot, of shape (n_samples, M), where the column is the label.

    Raises
    ------
    DataError
        An array is of another dtype or shape, or has numbers that are not whole.
    """
    plain = [_plain(where, y) for where, y in labels.items()]
    classes, y = np.unique(np.concatenate(plain), return_inverse=True)
    ends = np.cumsum([len(part) for part in plain])[:-1]
    return np.split(y.astype(np.int64), ends), tuple(map(str, classes))


def _plain(where: str, y: NDArray[Any]) -> NDArray[Any]:
    """Return labels of shape (n_samples,), int64 or text: integers of several dtypes together could become floats."""
    if y.dtype.kind not in "biufUS":
        raise DataError(f"{where}: got {y.dtype}; expected whole numbers or text")
    if y.ndim == 2 and y.shape[1] > 1:
        return _column(where, y)
    if y.ndim not in (1, 2):
        raise DataError(f"{where}: got shape {y.shape}; expected (n,), (n, 1), or (n, M), one-hot")
    y = y.reshape(-1)
    if y.dtype.kind in "US":
        return np.char.decode(y, "utf-8", "backslashreplace") if y.dtype.kind == "S" else y
    with np.errstate(invalid="ignore"):
        as_integers = y.astype(np.int64)
    wrong = y[as_integers != y]
    if len(wrong):
        raise DataError(f"{where}: got label {wrong[0]}; expected whole numbers up to {np.iinfo(np.int64).max}")
    return as_integers


def _column(where: str, y: NDArray[Any]) -> NDArray[np.int64]:
    is_one_hot = y.dtype.kind in "biuf" and np.all((y == 0) | (y == 1)) and np.all((y == 1).sum(axis=1) == 1)
    if not is_one_hot:
        raise DataError(
            f"{where}: got shape {y.shape}, not a single 1 in each row; expected a label an image, or one-hot"
        )
    columns: NDArray[np.int64] = y.argmax(axis=1).astype(np.int64)
    return columns
