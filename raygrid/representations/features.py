"""Activations of a frozen pretrained network."""

from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from raygrid.level import Level
from raygrid.networks.backbones import BackboneLevel
from raygrid.networks.fused import fused
from raygrid.representations.activations import Activations, outputs
from raygrid.representations.kerashub_features import KerasHubFeatures
from raygrid.representations.representation import Representation
from raygrid.representations.timm_features import TimmFeatures


class Features(Activations, BackboneLevel, Representation):
    """Activations of a frozen backbone, by default the last convolutional ones, flattened."""

    gives: ClassVar[Literal["images", "vectors"]] = "vectors"
    name: Literal["features"] = "features"

    @classmethod
    def variants(cls) -> tuple[type[Level], ...]:
        """Return the classes for backbones of other libraries."""
        return (TimmFeatures, KerasHubFeatures)

    @property
    def is_seeded(self) -> bool:
        """Whether the weights are random."""
        return self.weights == "none"

    def bytes_per_image(self, image_size: int) -> int | None:
        """Return the largest possible size of the activations; None if another layer than the last one is read."""
        return self.bytes_of(self, image_size)

    def transform(self, X: NDArray[np.uint8], *, seed: int) -> NDArray[np.generic]:
        """Return features of shape (n_samples, n_features), float32."""
        return outputs(fused(self.reader(self.build_backbone(X.shape[1], seed=seed))), X)
