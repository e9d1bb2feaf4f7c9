"""Augmentations that mix two images of a batch, and their labels.

References
----------
Zhang, Cisse, Dauphin, Lopez-Paz (2018), mixup: Beyond Empirical Risk Minimization, ICLR; Chou, Chang, Pan, Wei, Juan
(2020), Remix: Rebalanced Mixup, ECCV Workshops.
"""

from dataclasses import replace
from typing import Annotated, ClassVar, Literal

import numpy as np
from pydantic import Field, PositiveFloat

from raygrid.classifiers.training.augmentation.augmentation import Augmentation, Batch


class Mixup(Augmentation):
    """lambda times an image plus 1 - lambda times another one of its batch, and its labels likewise.

    As in the authors' code, one lambda is drawn for each batch, from Beta(alpha, alpha), and the others are the batch
    in a random order.

    Attributes
    ----------
    alpha : float
        Of the distribution of lambda: 1 is uniform; the smaller, the nearer to 0 or 1.
    """

    mixes: ClassVar[bool] = True
    name: Literal["mixup"] = "mixup"
    alpha: PositiveFloat = 1.0

    def applied(self, batch: Batch, rng: np.random.Generator) -> Batch:
        """Return the mixed batch."""
        return _mixed(batch, self.alpha, rng)


class Remix(Augmentation):
    """Mixup of the images, whose label is that of the much smaller class alone, if there is one.

    An image of a class of n_i samples is mixed with one of n_j. If n_i / n_j >= kappa and lambda < tau, only the second
    label counts; if n_i / n_j <= 1 / kappa and 1 - lambda < tau, only the first; otherwise labels are mixed as images.

    Attributes
    ----------
    alpha : float
        As of `mixup`.
    kappa : float
        How many times larger the other class has to be.
    tau : float
        How much of the image may be of the larger class.
    """

    mixes: ClassVar[bool] = True
    name: Literal["remix"] = "remix"
    alpha: PositiveFloat = 1.0
    kappa: Annotated[float, Field(ge=1)] = 3.0
    tau: Annotated[float, Field(ge=0, le=1)] = 0.5

    def applied(self, batch: Batch, rng: np.random.Generator) -> Batch:
        """Return the mixed batch."""
        mixed = _mixed(batch, self.alpha, rng)
        sizes = batch.class_sizes[batch.y]
        ratio, share = sizes / sizes[mixed.partner], mixed.share
        is_second = (ratio >= self.kappa) & (share < self.tau)
        is_first = (ratio <= 1 / self.kappa) & (1 - share < self.tau)
        return replace(mixed, share=np.select([is_second, is_first], [0.0, 1.0], share))


def _mixed(batch: Batch, alpha: float, rng: np.random.Generator) -> Batch:
    share, partner = rng.beta(alpha, alpha), rng.permutation(len(batch.y))
    images = np.float32(share) * batch.images + np.float32(1 - share) * batch.images[partner]
    return replace(batch, images=images, partner=partner, share=np.full(len(partner), share))
