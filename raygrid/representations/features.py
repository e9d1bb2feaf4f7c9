"""Activations of a frozen pretrained network."""

from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from raygrid.representations.activations import Activations
from raygrid.representations.representation import Representation


class Features(Activations, Representation):
    """Activations of a frozen backbone, by default the last convolutional ones, flattened."""

    gives: ClassVar[Literal["images", "vectors"]] = "vectors"
    name: Literal["features"] = "features"

    @property
    def is_seeded(self) -> bool:
        """Whether the weights are random."""
        return self.weights == "none"

    def transform(self, X: NDArray[np.uint8], *, seed: int) -> NDArray[np.generic]:
        """Return features of shape (n_samples, n_features), float32."""
        return self.read(self.build_backbone(X.shape[1], seed=seed), X)
