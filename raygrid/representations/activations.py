"""What of a network's activations a representation keeps."""

import math
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from raygrid.architectures import ARCHITECTURES
from raygrid.backbones import BackboneLevel, preprocess
from raygrid.errors import WeightsError, choices
from raygrid.keras_backend import load_keras
from raygrid.mixing import Indexed, blocks

_BATCH_SIZE = 64

_ADDED = {"layer": None, "pooling": "flatten"}


class Activations(BackboneLevel):
    """A level that reads activations of its backbone.

    Attributes
    ----------
    layer : str or None
        As the network names it; None is the last.
    pooling : {"flatten", "average"}
        Whether every activation is kept, or the average of each channel.
    """

    layer: str | None = None
    pooling: Literal["flatten", "average"] = "flatten"

    def identity(self) -> dict[str, Any]:
        """Return what can change a result; keys from before these parameters hold where they are at their defaults."""
        return {name: value for name, value in super().identity().items() if (name, value) not in _ADDED.items()}

    def bytes_per_image(self, image_size: int) -> int | None:
        """Return the size of the last activations, at most: a backbone halves an image's side five times."""
        if self.layer:
            return None
        network = ARCHITECTURES[self.backbone]
        places = 1 if self.pooling == "average" else math.ceil(image_size / 32) ** 2
        return 4 * max(network.least_channels, int(network.channels * self.alpha)) * places

    def read(self, backbone: Any, X: Indexed) -> NDArray[np.float32]:
        """Return the activations of images, (n_samples, n_features).

        Parameters
        ----------
        backbone : Keras model
            Of this level's architecture.
        X : array of shape (n_samples, size, size, 3), uint8

        Raises
        ------
        WeightsError
            The network has no such layer.
        """
        keras = load_keras()
        kept = self._output(backbone)
        pooled = keras.layers.GlobalAveragePooling2D()(kept) if self.pooling == "average" else kept
        return outputs(keras.Model(backbone.input, pooled), X)

    def _output(self, backbone: Any) -> Any:
        if not self.layer:
            return backbone.output
        outputs = {layer.name: layer.output for layer in backbone.layers if _has_a_name(layer)}
        if self.layer not in outputs:
            raise WeightsError(f"layer of {self.backbone}: {choices(self.layer, outputs)}")
        return outputs[self.layer]


def outputs(model: Any, X: Indexed) -> NDArray[np.float32]:
    """Return what a Keras model, which takes images in [-1, 1], makes of images: flattened, (n_samples, n_features)."""
    vectors = np.empty((X.shape[0], int(np.prod(model.output_shape[1:]))), dtype=np.float32)
    for batch in blocks(len(vectors), _BATCH_SIZE):
        vectors[batch] = np.asarray(model.predict_on_batch(preprocess(X[batch]))).reshape(-1, vectors.shape[1])
    return vectors


def _has_a_name(layer: Any) -> bool:
    """Whether a layer gives activations by channel, under a name that is not one Keras makes up: those are counted."""
    made_up = type(layer).__name__.lower()
    return len(layer.output.shape) == 4 and layer.name.replace("_", "").rstrip("0123456789") != made_up
