"""The convolutional network, fine-tuned from end to end."""

from functools import lru_cache
from typing import Any, ClassVar, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import PositiveFloat, PositiveInt
from scipy.sparse import csr_array

from raygrid.backbones import BackboneLevel, preprocess
from raygrid.classifiers.classifier import Classifier, Fitted, Labels
from raygrid.keras_backend import load_keras
from raygrid.mixing import blocks, mix
from raygrid.samples import Samples

_PREDICT_BATCH = 128


class Cnn(BackboneLevel, Classifier):
    """Backbone, global average pooling, one hidden dense layer, softmax; all layers trained.

    Attributes
    ----------
    dense_units : int
        Width of the hidden layer.
    epochs, batch_size : int
    optimizer : str
        As Keras defines it, at its defaults but for the learning rate.
    learning_rate : float
    """

    takes: ClassVar[Literal["images", "vectors"]] = "images"
    name: Literal["cnn"] = "cnn"
    dense_units: PositiveInt = 1024
    epochs: PositiveInt = 50
    batch_size: PositiveInt = 32
    optimizer: Literal["rmsprop", "adam", "sgd"] = "rmsprop"
    learning_rate: PositiveFloat = 1e-4

    def fit(self, X: Samples, A: csr_array, y: Labels, *, seed: int) -> Fitted:
        """Train on the mixtures A X, mixed batch by batch."""
        image_size, n_classes = X.shape[1], int(y.max()) + 1
        model = _compiled(self, image_size, n_classes)
        model.set_weights(self.build(image_size, n_classes, seed=seed).get_weights())
        for variable in model.optimizer.variables:
            if variable is not model.optimizer._learning_rate:
                variable.assign(np.zeros(variable.shape, variable.dtype))
        model.fit(
            _batches(X, A, y, batch_size=self.batch_size, seed=seed), epochs=self.epochs, shuffle=False, verbose=0
        )
        return _Trained(model)

    def build(self, image_size: int, n_classes: int, *, seed: int) -> Any:
        """Return the network, uncompiled, a Keras model from images in [-1, 1] to class probabilities."""
        keras = load_keras()
        backbone = self.build_backbone(image_size, seed=seed)
        x = keras.layers.GlobalAveragePooling2D()(backbone.output)
        x = keras.layers.Dense(self.dense_units, activation="relu")(x)
        return keras.Model(backbone.input, keras.layers.Dense(n_classes, activation="softmax")(x))


@lru_cache(maxsize=1)
def _compiled(cnn: Cnn, image_size: int, n_classes: int) -> Any:
    """Return the network with its optimiser, built once a process: tracing it takes longer than a small cell."""
    keras = load_keras()
    model = cnn.build(image_size, n_classes, seed=0)
    optimizer = keras.optimizers.get({"class_name": cnn.optimizer, "config": {"learning_rate": cnn.learning_rate}})
    model.compile(optimizer, "sparse_categorical_crossentropy")
    optimizer.build(model.trainable_variables)
    return model


def _batches(X: Samples, A: csr_array, y: Labels, *, batch_size: int, seed: int) -> Any:
    """Return the training batches as a Keras data set: (images in [-1, 1], labels), reshuffled every epoch."""
    keras = load_keras()

    class Batches(keras.utils.PyDataset):  # type: ignore[name-defined,misc]
        def __init__(self) -> None:
            super().__init__()
            self.rng = np.random.default_rng(seed)
            self.on_epoch_end()

        def __len__(self) -> int:
            return -(-len(y) // batch_size)

        def __getitem__(self, i: int) -> tuple[NDArray[np.float32], Labels]:
            rows = self.order[i * batch_size : (i + 1) * batch_size]
            return preprocess(mix(A[rows], X)), y[rows]

        def on_epoch_end(self) -> None:
            self.order = self.rng.permutation(len(y))

    return Batches()


class _Trained:
    """What `fit` returns. The model is shared by all fits of a process, so the weights are kept beside it."""

    def __init__(self, model: Any) -> None:
        self.model, self.weights = model, model.get_weights()

    def predict(self, X: Samples) -> Labels:
        self.model.set_weights(self.weights)
        scores = [self.model.predict_on_batch(preprocess(X[some])) for some in blocks(len(X), _PREDICT_BATCH)]
        return np.asarray(np.concatenate(scores).argmax(axis=1), dtype=np.int64)
