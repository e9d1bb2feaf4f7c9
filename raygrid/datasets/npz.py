"""The .npz layout of `keras.datasets`: x_train, y_train, x_test and y_test."""

import zipfile
import zlib
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from raygrid.datasets.images import Images, stack
from raygrid.errors import DataError

KEYS = ("x_train", "y_train", "x_test", "y_test")


def read(path: Path, image_size: int, interpolation: str) -> Images:
    """Return the images and labels of an .npz.

    Parameters
    ----------
    path : Path
        Holds ``x_*`` of shape (n_samples, h, w) or (n_samples, h, w, 1 or 3), uint8, and ``y_*`` of shape
        (n_samples,) or (n_samples, 1), whole numbers or text, whose sorted values become the labels 0 to M - 1.
    image_size, interpolation
        As in `raygrid.datasets.images.resize`.

    Raises
    ------
    DataError
        The file is no .npz, lacks an array, or an array is not like that; pickled objects are never read.
    """
    arrays = _arrays(path)
    for key in ("x_train", "x_test"):
        _check_pixels(f"{path}: {key}", arrays[key])
    labels = {key: _labels(f"{path}: {key}", arrays[key]) for key in ("y_train", "y_test")}
    classes = np.unique(np.concatenate([labels["y_train"], labels["y_test"]]))
    return Images(
        X_train=_stack(arrays["x_train"], image_size, interpolation),
        y_train=np.searchsorted(classes, labels["y_train"]).astype(np.int64),
        X_test=_stack(arrays["x_test"], image_size, interpolation),
        y_test=np.searchsorted(classes, labels["y_test"]).astype(np.int64),
        class_names=tuple(str(value) for value in classes),
    )


def _arrays(path: Path) -> dict[str, NDArray[Any]]:
    try:
        with path.open("rb") as file, np.lib.npyio.NpzFile(file, allow_pickle=False) as npz:
            absent = [key for key in KEYS if key not in npz]
            if absent:
                raise DataError(f"{path}: got no {', '.join(absent)}; expected the arrays {', '.join(KEYS)}")
            return {key: npz[key] for key in KEYS}
    except (zipfile.BadZipFile, ValueError, EOFError, MemoryError, zlib.error) as error:
        raise DataError(f"{path}: got what numpy cannot read ({error}); expected an .npz of plain arrays") from error


def _check_pixels(where: str, X: NDArray[Any]) -> None:
    if X.dtype != np.uint8:
        raise DataError(f"{where}: got {X.dtype}; expected uint8, 0 to 255; scale and convert it before saving")
    if not (X.ndim == 3 or (X.ndim == 4 and X.shape[3] in (1, 3))):
        raise DataError(f"{where}: got shape {X.shape}; expected (n, h, w), (n, h, w, 1) or (n, h, w, 3)")


def _labels(where: str, y: NDArray[Any]) -> NDArray[Any]:
    """Return the labels with shape (n_samples,)."""
    if y.dtype.kind not in "iuU":
        raise DataError(f"{where}: got {y.dtype}; expected whole numbers or text")
    if not (y.ndim == 1 or (y.ndim == 2 and y.shape[1] == 1)):
        raise DataError(f"{where}: got shape {y.shape}; expected (n,) or (n, 1); save labels, not one-hot vectors")
    return y.reshape(-1)


def _stack(X: NDArray[Any], image_size: int, interpolation: str) -> NDArray[np.uint8]:
    grey = X.ndim == 4 and X.shape[3] == 1
    return stack(map(Image.fromarray, X[..., 0] if grey else X), image_size, interpolation)
