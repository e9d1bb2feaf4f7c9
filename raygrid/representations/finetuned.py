"""Activations of a network that is fine-tuned on the training images."""

from collections.abc import Callable
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from raygrid.classifiers import Part
from raygrid.classifiers.cnn import Cnn
from raygrid.mixtures.samples import Samples
from raygrid.representations.activations import Activations, outputs
from raygrid.representations.representation import TrainedRepresentation, Vectors
from raygrid.storage.checkpoint import NO_CHECKPOINT


class Finetuned(Activations, TrainedRepresentation):
    """Activations of a network that was trained to classify the fold's training images.

    Attributes
    ----------
    network : Cnn
        The classifier whose network is trained and then read.
    """

    name: Literal["finetuned"] = "finetuned"
    network: Cnn = Cnn()

    def identity(self) -> dict[str, Any]:
        """Return everything that can change a result, with the checksum of a weights file in place of its path."""
        return super().identity() | {"network": self.network.identity()}

    def fetch(self) -> None:
        """Download the weights that the training starts from."""
        self.network.fetch()

    def to_fetch(self) -> str:
        """Return the size and path of the weights that `fetch` would download, or ""."""
        return self.network.to_fetch()

    def bytes_per_image(self, image_size: int) -> int | None:
        """Return the largest possible size of the activations; None if another layer than the last one is read."""
        return self.bytes_of(self.network, image_size)

    @property
    def needs_validation(self) -> tuple[str, ...]:
        """Those of the network."""
        return tuple(f"network.{name}" for name in self.network.needs_validation)

    def train(
        self, X: Samples, A: csr_array, y: NDArray[np.int64], *, seed: int, validation: Part | None = None
    ) -> Callable[[Samples], Vectors]:
        """Train the network on the mixtures A X, as the classifier does; the validation part says when to stop."""
        if self.layer:  # refuse a wrong name before the training, not after it
            self.reader(self.network.build_backbone(X.shape[1], seed=seed))
        trained = self.network.train(X, A, y, seed=seed, checkpoint=NO_CHECKPOINT, validation=validation)
        reader = self.reader(trained.model)

        def transform(images: Samples) -> Vectors:
            trained.model.set_weights(trained.weights)  # all trainings of a process share one model
            return outputs(reader, images)

        return transform
