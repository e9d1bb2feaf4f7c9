"""The representation of an image as the code of an autoencoder."""

from collections.abc import Callable
from functools import partial
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import PositiveFloat, PositiveInt
from scipy.sparse import csr_array

from raygrid.activity import counted
from raygrid.mixtures.mixing import blocks, mix
from raygrid.mixtures.samples import Samples
from raygrid.networks.backbones import preprocess
from raygrid.networks.keras_backend import load_keras
from raygrid.representations.activations import outputs
from raygrid.representations.representation import TrainedRepresentation, Vectors

# Filters of the convolutions, each of which halves an image's side.
_CHANNELS = (16, 32, 64)


class Autoencoder(TrainedRepresentation):
    """The code of a small convolutional autoencoder that is trained, without labels, on the fold's training images.

    Three convolutions of stride 2, a dense layer to the code and one back, three transposed convolutions; trained with
    the mean squared error and Adam.

    Attributes
    ----------
    code_size : int
        Length of the code of an image.
    epochs : int
        How often it sees every training image.
    batch_size : int
        Images in one step.
    learning_rate : float
        Of Adam.
    """

    name: Literal["autoencoder"] = "autoencoder"
    code_size: PositiveInt = 128
    epochs: PositiveInt = 20
    batch_size: PositiveInt = 64
    learning_rate: PositiveFloat = 1e-3

    def bytes_per_image(self, image_size: int) -> int:
        """Return the size of the code."""
        return 4 * self.code_size

    def train(self, X: Samples, A: csr_array, y: NDArray[np.int64], *, seed: int) -> Callable[[Samples], Vectors]:
        """Train on the mixtures A X, mixed batch by batch."""
        encoder, autoencoder = self.build(X.shape[1], seed=seed)
        rng = np.random.default_rng(seed)
        for _ in counted(range(self.epochs), self.epochs, "autoencoder"):
            order = rng.permutation(A.shape[0])
            for batch in blocks(len(order), self.batch_size):
                images = preprocess(mix(A[order[batch]], X))
                autoencoder.train_on_batch(images, images)
        return partial(outputs, encoder)

    def build(self, image_size: int, *, seed: int) -> tuple[Any, Any]:
        """Return two Keras models that take images in [-1, 1]: the encoder, and the compiled autoencoder."""
        keras = load_keras()
        layers = keras.layers
        keras.utils.set_random_seed(seed)
        convolution = {"kernel_size": 3, "strides": 2, "padding": "same"}
        images = x = keras.Input((image_size, image_size, 3))
        for channels in _CHANNELS:
            x = layers.Conv2D(channels, activation="relu", **convolution)(x)
        shape = x.shape[1:]
        code = layers.Dense(self.code_size)(layers.Flatten()(x))
        x = layers.Reshape(shape)(layers.Dense(int(np.prod(shape)), activation="relu")(code))
        for channels in _CHANNELS[-2::-1]:
            x = layers.Conv2DTranspose(channels, activation="relu", **convolution)(x)
        x = layers.Conv2DTranspose(3, activation="tanh", **convolution)(x)
        beyond = x.shape[1] - image_size  # the output may be larger, because halved sides are rounded up
        autoencoder = keras.Model(images, layers.Cropping2D(((0, beyond), (0, beyond)))(x))
        autoencoder.compile(keras.optimizers.Adam(self.learning_rate), "mse")
        return keras.Model(images, code), autoencoder
