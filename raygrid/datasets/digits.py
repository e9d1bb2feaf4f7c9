"""The 1,797 handwritten digits that come with scikit-learn; used in tests and in the quick start."""

import hashlib
from collections.abc import Iterable
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from raygrid.datasets.dataset import DatasetLevel
from raygrid.datasets.images import Images, consecutive
from raygrid.datasets.resizing import stack
from raygrid.errors import DataError

# Checksum of X_train, y_train, X_test and y_test before resizing.
FINGERPRINT = "sha256:5b091621285859e39076ac32932a9825fd6695b8adffefb57cd72d5759f17cdb"


class Digits(DatasetLevel):
    """Handwritten digits, 8x8 grey, 10 classes; 2/3 for training, stratified, the same whatever the grid's seed.

    References
    ----------
    Optical Recognition of Handwritten Digits, UCI Machine Learning Repository, E. Alpaydin and C. Kaynak, 1998.
    """

    name: Literal["digits"] = "digits"

    def fingerprint(self) -> str:
        """Return the checksum of the pixels and labels as split."""
        return FINGERPRINT

    def n_images(self) -> int:
        """Return the number of digits."""
        return 1_797

    def load(self, image_size: int, interpolation: str) -> Images:
        """Return the images and labels; their 17 grey levels are spread over 0 to 255."""
        X_train, y_train, X_test, y_test = arrays = _split()
        _check(arrays)
        return Images(
            X=stack(map(Image.fromarray, np.concatenate([X_train, X_test])), image_size, interpolation),
            y=np.concatenate([y_train, y_test]),
            class_names=tuple("0123456789"),
            parts=consecutive({"train": len(y_train), "test": len(y_test)}),
        )


def _split() -> tuple[NDArray[Any], ...]:
    """Return X_train, y_train, X_test, y_test; X of shape (n_samples, 8, 8), uint8."""
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    digits = load_digits()
    X = np.rint(digits.images * (255 / 16)).astype(np.uint8)
    y = digits.target.astype(np.int64)
    X_train, X_test, y_train, y_test = train_test_split(X, y, train_size=2 / 3, stratify=y, random_state=0)
    return X_train, y_train, X_test, y_test


def _check(arrays: Iterable[NDArray[Any]]) -> None:
    """Raise DataError if scikit-learn made another split, as another version may, because results would differ."""
    got = f"sha256:{hashlib.sha256(b''.join(array.tobytes() for array in arrays)).hexdigest()}"
    if got != FINGERPRINT:
        raise DataError(f"digits: got {got}; expected {FINGERPRINT}; install the scikit-learn that raygrid asks for")
