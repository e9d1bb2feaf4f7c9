"""Networks that predict: one that is being trained, and one that was."""

from typing import Any

import numpy as np

from raygrid.classifiers.scores import Scores, Scoring
from raygrid.mixtures.mixing import blocks
from raygrid.mixtures.samples import Samples
from raygrid.networks.backbones import preprocess
from raygrid.storage.record import Curves

_PREDICT_BATCH = 128


class LiveNetwork(Scoring):
    """A network as it is at this moment."""

    def __init__(self, model: Any) -> None:
        self.model = model

    def scores(self, X: Samples) -> Scores:
        """Return the network's outputs, of shape (n_samples, n_classes), float32."""
        scores = [self.model.predict_on_batch(preprocess(X[rows])) for rows in blocks(len(X), _PREDICT_BATCH)]
        return np.asarray(np.concatenate(scores), dtype=np.float32)


class TrainedNetwork(LiveNetwork):
    """A trained network. All fits of a process share its Keras model, so its weights are kept separately."""

    def __init__(self, model: Any, curves: Curves | None = None) -> None:
        super().__init__(model)
        self.weights, self.curves = model.get_weights(), curves

    def scores(self, X: Samples) -> Scores:
        """Return the network's outputs, of shape (n_samples, n_classes), float32."""
        self.model.set_weights(self.weights)
        return super().scores(X)
