"""Augmentations that move what an image shows.

References
----------
He et al. (2016), Deep Residual Learning for Image Recognition, CVPR: on CIFAR, 4 pixels of padding, a random crop of
the former size, and a flip of every other image.
"""

from dataclasses import replace
from typing import Literal

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from pydantic import PositiveInt

from raygrid.classifiers.training.augmentation.augmentation import Augmentation, Batch


class Flip(Augmentation):
    """Left and right are exchanged, with probability 1/2 for each image."""

    name: Literal["flip"] = "flip"

    def applied(self, batch: Batch, rng: np.random.Generator) -> Batch:
        """Return the batch with every other image flipped, on average."""
        is_flipped = rng.random(len(batch.y)) < 0.5
        flipped = batch.images[:, :, ::-1]
        return replace(batch, images=np.where(is_flipped[:, None, None, None], flipped, batch.images))


class Crop(Augmentation):
    """Black pixels are put around each image, and a random part of the image's size is taken.

    Attributes
    ----------
    padding : int
        Number of pixels at each side.
    """

    name: Literal["crop"] = "crop"
    padding: PositiveInt = 4

    def applied(self, batch: Batch, rng: np.random.Generator) -> Batch:
        """Return the batch with every image at one of (2 padding + 1)^2 places."""
        n, height, width, _ = batch.images.shape
        around = (self.padding, self.padding)
        padded = np.pad(batch.images, ((0, 0), around, around, (0, 0)))
        down, right = rng.integers(0, 2 * self.padding + 1, (2, n))
        places = sliding_window_view(padded, (height, width), axis=(1, 2))  # (n, rows, columns, channels, size, size)
        taken = places[np.arange(n), down, right]
        return replace(batch, images=np.ascontiguousarray(np.moveaxis(taken, 1, -1)))
