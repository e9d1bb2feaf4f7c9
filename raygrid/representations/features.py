"""Activations of a frozen pretrained network."""

import math
from typing import ClassVar, Literal

import numpy as np
from numpy.typing import NDArray

from raygrid.backbones import BackboneLevel, preprocess
from raygrid.fused import fused
from raygrid.mixing import blocks
from raygrid.representations.representation import Representation

_BATCH_SIZE = 64


class Features(BackboneLevel, Representation):
    """The last convolutional activations of a frozen backbone, flattened."""

    gives: ClassVar[Literal["images", "vectors"]] = "vectors"
    name: Literal["features"] = "features"

    @property
    def is_seeded(self) -> bool:
        """Whether the weights are random."""
        return self.weights == "none"

    def bytes_per_image(self, image_size: int) -> int:
        """Return the size of the activations, at most: MobileNet halves an image's side five times."""
        return 4 * int(1024 * self.alpha) * math.ceil(image_size / 32) ** 2

    def transform(self, X: NDArray[np.uint8], *, seed: int) -> NDArray[np.generic]:
        """Return features of shape (n_samples, n_features), float32, at least 0 (after a ReLU)."""
        model = fused(self.build_backbone(X.shape[1], seed=seed))
        features = np.empty((len(X), int(np.prod(model.output_shape[1:]))), dtype=np.float32)
        for batch in blocks(len(X), _BATCH_SIZE):
            features[batch] = np.asarray(model.predict_on_batch(preprocess(X[batch]))).reshape(-1, features.shape[1])
        return features
