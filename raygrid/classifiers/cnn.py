"""Convolutional networks, trained from end to end."""

import gc
from abc import abstractmethod
from functools import cache
from typing import Annotated, Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import NonNegativeInt, PositiveFloat, PositiveInt, model_validator
from scipy.sparse import csr_array

from raygrid.classifiers.class_weights import NoClassWeight
from raygrid.classifiers.classifier import Labels
from raygrid.classifiers.losses import LossLevel
from raygrid.classifiers.resuming import restore, saving
from raygrid.classifiers.scores import Scores, Scoring, ScoringClassifier
from raygrid.classifiers.training.batches import balanced, batches_of, shuffled
from raygrid.classifiers.training.second_stages import AnySecondStage, NoSecondStage
from raygrid.level import ADDED_LATER
from raygrid.mixtures.mixing import blocks
from raygrid.mixtures.samples import Samples
from raygrid.networks.backbones import BackboneLevel, preprocess
from raygrid.networks.fused import fused
from raygrid.networks.head import classifier_of, with_normalised_classifier
from raygrid.networks.keras_backend import load_keras
from raygrid.storage.checkpoint import Checkpoint

Weights = list[NDArray[Any]]

_PREDICT_BATCH = 128


class Network(LossLevel, ScoringClassifier):
    """A Keras network from images to class probabilities, all layers trained.

    Attributes
    ----------
    epochs, batch_size : int
    optimizer : str
        Name in Keras; its settings are Keras' defaults, except the learning rate.
    learning_rate : float
    balanced_batches : bool
        Whether batches have equally many samples of every class; otherwise an epoch has every sample once.
    trained_layers : {"all", "last"}
        Whether only the last layer is trained, its classifier.
    second_stage : SecondStage
        What follows the training.
    is_fused : bool
        Whether layers are replaced by faster ones (`raygrid.networks.fused`). Not done for a user's network, because
        its layers may not allow copies.
    """

    takes: ClassVar[Literal["images", "vectors"]] = "images"
    is_fused: ClassVar[bool] = False
    epochs: PositiveInt = 50
    batch_size: PositiveInt = 32
    optimizer: Literal["rmsprop", "adam", "sgd"] = "rmsprop"
    learning_rate: PositiveFloat = 1e-4
    balanced_batches: Annotated[bool, ADDED_LATER] = False
    trained_layers: Annotated[Literal["all", "last"], ADDED_LATER] = "all"
    second_stage: Annotated[AnySecondStage, ADDED_LATER] = NoSecondStage()

    @model_validator(mode="after")
    def _has_lengths_to_normalise(self) -> Self:
        if self.second_stage.name == "tau_norm" and self.loss.scale_of_head():
            normalised = f"got second_stage tau_norm with loss {self.loss.name}, whose last layer is normalised already"
            raise ValueError(f"{normalised}; leave one out")
        return self

    @abstractmethod
    def build(self, image_size: int, n_classes: int, *, seed: int) -> Any:
        """Return the network, uncompiled, a Keras model from images in [-1, 1] to class probabilities."""

    def network(self, image_size: int, n_classes: int, *, seed: int) -> Any:
        """Return what `build` returns, with the last layer that the loss needs."""
        model, scale = self.build(image_size, n_classes, seed=seed), self.loss.scale_of_head()
        return with_normalised_classifier(model, scale) if scale else model

    def stages(self) -> tuple["Network", ...]:
        """Return the networks to train one after the other, each from the weights of the one before; here, this one.

        All have the same architecture. What else differs, a later stage's own methods and parameters say: its epochs,
        batches and loss, which layers it trains (`freeze`) and where it starts (`initialised`).
        """
        changes = self.second_stage.trainings()
        alone = {"second_stage": NoSecondStage(), "class_weight": NoClassWeight(), "class_weight_after": 0}
        alone |= {"logit_adjustment": 0.0}
        return (self, *(self.model_copy(update=alone | dict(each)) for each in changes))

    def freeze(self, model: Any) -> None:
        """Mark layers that are not trained, before the network is compiled."""
        if self.trained_layers == "last":
            last = classifier_of(model)
            for layer in model.layers:
                layer.trainable = layer is last

    def initialised(self, image_size: int, n_classes: int, *, seed: int, start: Weights | None = None) -> Any:
        """Return the compiled network and a new optimiser state.

        Parameters
        ----------
        seed : int
            Of the weights that `build` draws.
        start : list of array, optional
            Weights of the stage before, in place of those; if only the last layer is trained, it is drawn anew.
        """
        model, optimizer_start = _compiled(self, image_size, n_classes)
        drawn = self.network(image_size, n_classes, seed=seed)
        for variable, value in zip(model.variables, drawn.variables, strict=True):
            variable.assign(value)
        del drawn
        gc.collect()  # a Keras model refers to itself, so Python would free it only much later
        if start is not None:
            n_anew = len(model.layers[-1].weights) if self.trained_layers == "last" else 0
            model.set_weights([*start[: len(start) - n_anew], *model.get_weights()[len(start) - n_anew :]])
        for variable, value in zip(model.optimizer.variables, optimizer_start, strict=True):
            variable.assign(value)
        return model

    def batches(self, X: Samples, A: csr_array, y: Labels, *, seed: int | tuple[int, ...], epochs_done: int = 0) -> Any:
        """Return the training batches as a Keras data set, in another order every epoch."""
        return batches_of(
            X,
            A,
            y,
            targets=lambda epoch: self.targets(y, epoch=epoch),
            order=balanced if self.balanced_batches else shuffled,
            batch_size=self.batch_size,
            seed=seed,
            epochs_done=epochs_done,
        )

    def fit(self, X: Samples, A: csr_array, y: Labels, *, seed: int, checkpoint: Checkpoint) -> Scoring:
        """Train on the mixtures A X, mixed batch by batch; continue an interrupted training from its checkpoint."""
        return self.moved(self.train(X, A, y, seed=seed, checkpoint=checkpoint), y)

    def train(self, X: Samples, A: csr_array, y: Labels, *, seed: int, checkpoint: Checkpoint) -> "TrainedNetwork":
        """Train like `fit`, but return the network without moved thresholds."""
        saved, model = checkpoint.load(), None
        for number, stage in enumerate(self.stages()):
            start = model.get_weights() if model else None
            model = stage.initialised(X.shape[1], int(y.max()) + 1, seed=seed, start=start)
            epochs_done = restore(model, saved, epochs=stage.epochs)
            model.fit(
                stage.batches(X, A, y, seed=(seed, number) if number else seed, epochs_done=epochs_done),
                initial_epoch=epochs_done,
                epochs=stage.epochs,
                callbacks=[saving(model, checkpoint, epochs=stage.epochs)],
                shuffle=False,
                verbose=0,
            )
        self.second_stage.finish(model)
        return TrainedNetwork(model)


class Cnn(BackboneLevel, Network):
    """Backbone, global average pooling, at most one hidden dense layer, softmax; all layers trained.

    Attributes
    ----------
    backbone : str
        Any except EfficientNet. It drops connections at random in training, and on torch the trial cannot seed this.
    dense_units : int
        Width of the hidden layer; 0 leaves it out.
    """

    is_fused: ClassVar[bool] = True
    name: Literal["cnn"] = "cnn"
    backbone: Literal["mobilenet", "mobilenet_v2", "mobilenet_v3_small", "resnet50", "resnet32"] = "mobilenet"
    dense_units: NonNegativeInt = 1024

    def build(self, image_size: int, n_classes: int, *, seed: int) -> Any:
        """Return the network, uncompiled, a Keras model from images in [-1, 1] to class probabilities."""
        keras = load_keras()
        backbone = self.build_backbone(image_size, seed=seed)
        x = keras.layers.GlobalAveragePooling2D()(backbone.output)
        if self.dense_units:
            x = keras.layers.Dense(self.dense_units, activation="relu")(x)
        return keras.Model(backbone.input, keras.layers.Dense(n_classes, activation="softmax")(x))


@cache
def _compiled(cnn: Network, image_size: int, n_classes: int) -> tuple[Any, list[NDArray[Any]]]:
    """Return the network with its optimiser, and the initial values of the optimiser's variables.

    Every network is kept in memory, because building and tracing one takes longer than a small cell, and TensorFlow
    does not free the memory of one that is dropped (experiments/benchmarks/worker_memory.py). A grid has few networks.
    """
    keras = load_keras()
    model = cnn.network(image_size, n_classes, seed=0)
    if cnn.is_fused:
        model = fused(model)
    cnn.freeze(model)
    optimizer = keras.optimizers.get({"class_name": cnn.optimizer, "config": {"learning_rate": cnn.learning_rate}})
    model.compile(optimizer, cnn.compiled_loss())
    optimizer.build(model.trainable_variables)
    # Copied, because on torch the array shares the memory of the variable.
    return model, [np.array(keras.ops.convert_to_numpy(variable)) for variable in optimizer.variables]


class TrainedNetwork(Scoring):
    """A trained network. All fits of a process share its Keras model, so its weights are kept separately."""

    def __init__(self, model: Any) -> None:
        self.model, self.weights = model, model.get_weights()

    def scores(self, X: Samples) -> Scores:
        """Return the network's outputs, of shape (n_samples, n_classes), float32."""
        self.model.set_weights(self.weights)
        scores = [self.model.predict_on_batch(preprocess(X[rows])) for rows in blocks(len(X), _PREDICT_BATCH)]
        return np.asarray(np.concatenate(scores), dtype=np.float32)
