"""Activations of a network as a representation: which layer, and whether they are averaged."""

import math
from typing import Annotated, Any, Literal

import numpy as np
from numpy.typing import NDArray

from raygrid.activity import counted
from raygrid.errors import WeightsError, choices
from raygrid.level import ADDED_LATER, Level
from raygrid.mixtures.mixing import Indexed, blocks
from raygrid.networks.architectures import ARCHITECTURES
from raygrid.networks.backbones import BackboneLevel, preprocess
from raygrid.networks.keras_backend import load_keras

_BATCH_SIZE = 64


class Activations(Level):
    """A level that reads activations of a network.

    Attributes
    ----------
    layer : str or None
        Its name in the network; None is the last convolutional layer.
    pooling : {"flatten", "average"}
        Whether to use every activation, or the average of each channel.
    """

    layer: Annotated[str | None, ADDED_LATER] = None
    pooling: Annotated[Literal["flatten", "average"], ADDED_LATER] = "flatten"

    def bytes_of(self, network: BackboneLevel, image_size: int) -> int | None:
        """Return the largest possible size of an image's last activations: a backbone halves the side some times."""
        if self.layer:
            return None
        architecture = ARCHITECTURES[network.backbone]
        places = 1 if self.pooling == "average" else math.ceil(image_size / architecture.stride) ** 2
        return 4 * max(architecture.least_channels, int(architecture.channels * network.alpha)) * places

    def reader(self, network: Any) -> Any:
        """Return the Keras model from the network's inputs to the chosen activations.

        Raises
        ------
        WeightsError
            The network has no such layer.
        """
        keras = load_keras()
        kept = self._output(network)
        pooled = keras.layers.GlobalAveragePooling2D()(kept) if self.pooling == "average" else kept
        return keras.Model(network.input, pooled)

    def _output(self, network: Any) -> Any:
        """Return the output of the chosen layer, which must be one with channels."""
        layers = [layer for layer in network.layers if len(layer.output.shape) == 4]
        if not self.layer:
            return layers[-1].output
        named = {layer.name: layer.output for layer in layers if _is_named(layer)}
        if self.layer not in named:
            raise WeightsError(f"layer of {self.name}: {choices(self.layer, named)}")
        return named[self.layer]


def outputs(model: Any, X: Indexed) -> NDArray[np.float32]:
    """Return the flattened outputs of a Keras model that takes images in [-1, 1], (n_samples, n_features)."""
    vectors = np.empty((X.shape[0], int(np.prod(model.output_shape[1:]))), dtype=np.float32)
    for batch in counted(blocks(len(vectors), _BATCH_SIZE), -(-len(vectors) // _BATCH_SIZE), "features"):
        vectors[batch] = np.asarray(model.predict_on_batch(preprocess(X[batch]))).reshape(-1, vectors.shape[1])
    return vectors


def _is_named(layer: Any) -> bool:
    """Whether a layer's name is fixed: names that Keras makes up have a number that depends on earlier layers."""
    return bool(layer.name.replace("_", "").rstrip("0123456789") != type(layer).__name__.lower())
