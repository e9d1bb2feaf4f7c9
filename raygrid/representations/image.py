"""Pixels as a representation: as images, or as vectors."""

from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from raygrid.representations.representation import Representation, Scope


class Image(Representation):
    """Pixels as images, of shape (n_samples, size, size, 3), uint8."""

    gives: ClassVar[Literal["images", "vectors"]] = "images"
    scope: ClassVar[Scope] = "images"
    name: Literal["image"] = "image"


class Raw(Representation):
    """Pixels as vectors, of shape (n_samples, size * size * 3), uint8."""

    gives: ClassVar[Literal["images", "vectors"]] = "vectors"
    scope: ClassVar[Scope] = "images"
    name: Literal["raw"] = "raw"

    def transform(self, X: NDArray[np.uint8], *, seed: int) -> NDArray[np.generic]:
        """Return a view of `X`, of shape (n_samples, size * size * 3), uint8."""
        return X.reshape(len(X), -1)
