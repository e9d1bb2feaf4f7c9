"""The images themselves."""

from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from raygrid.representations.representation import Representation


class Image(Representation):
    """Pixels, as they are."""

    gives: ClassVar[Literal["images", "vectors"]] = "images"
    is_identity: ClassVar[bool] = True
    name: Literal["image"] = "image"

    def bytes_per_image(self, image_size: int) -> int:
        """Return the size of the pixels, a byte a channel."""
        return 3 * image_size**2

    def transform(self, X: NDArray[np.uint8], *, seed: int) -> NDArray[np.generic]:
        """Return `X`, of shape (n_samples, size, size, 3), uint8."""
        return X
