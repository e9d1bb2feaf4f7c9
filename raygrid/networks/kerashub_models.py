"""Networks of KerasHub, frozen: from images to vectors."""

from importlib.util import find_spec
from typing import Any

import numpy as np
from numpy.typing import NDArray

from raygrid.activity import counted
from raygrid.errors import UsageError, WeightsError
from raygrid.mixtures.mixing import Indexed, blocks
from raygrid.networks.keras_backend import load_keras

_BATCH_SIZE = 32


def require(preset: str) -> None:
    """Raise a UsageError if KerasHub is not installed."""
    if find_spec("keras_hub") is None:
        raise UsageError(f"backbone kerashub:{preset}: KerasHub is not installed; pip install 'raygrid[kerashub]'")


def vectors(preset: str, X: Indexed, *, is_pretrained: bool, seed: int) -> NDArray[np.float32]:
    """Return what a preset's network gives, (n_samples, n_features).

    Of a network that keeps places it is the average over them; of one that gives tokens it is the first, which stands
    for the image.

    Parameters
    ----------
    preset : str
        Its name in KerasHub, or its folder.
    X : array of shape (n_samples, size, size, 3), uint8
        Resized and normalised as the preset says.
    is_pretrained : bool
        Whether the weights are the preset's; otherwise they are random.
    seed : int
        Of random weights.
    """
    network, converter = of_preset(preset, is_pretrained=is_pretrained, seed=seed)
    found = []
    for rows in counted(blocks(X.shape[0], _BATCH_SIZE), -(-X.shape[0] // _BATCH_SIZE), "features"):
        outputs = network.predict_on_batch(converter(np.asarray(X[rows])))
        found.append(_one_vector_each(outputs, preset))
    return np.concatenate(found)


def of_preset(preset: str, *, is_pretrained: bool, seed: int = 0) -> tuple[Any, Any]:
    """Return the network of a preset, and the layer that converts images for it.

    Raises
    ------
    UsageError
        KerasHub is not installed.
    WeightsError
        There is no such preset, or not one of images, or it cannot be downloaded.
    """
    require(preset)
    keras = load_keras()
    import keras_hub

    keras.utils.set_random_seed(seed)
    try:
        network = keras_hub.models.Backbone.from_preset(preset, load_weights=is_pretrained)
        return network, keras_hub.layers.ImageConverter.from_preset(preset)
    except Exception as error:  # Keras, kagglehub and huggingface_hub raise many kinds of errors
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise WeightsError(f"backbone kerashub:{preset}: got no preset of images ({reason})") from error


def _one_vector_each(outputs: Any, preset: str) -> NDArray[np.float32]:
    shape: tuple[int, ...] = tuple(getattr(outputs, "shape", ()))
    if len(shape) == 4:
        return np.asarray(np.mean(outputs, axis=(1, 2)), dtype=np.float32)
    if len(shape) in (2, 3):
        return np.asarray(outputs, dtype=np.float32).reshape(shape[0], -1, shape[-1])[:, 0]
    raise WeightsError(f"backbone kerashub:{preset}: got outputs of another kind than one array of places or tokens")
