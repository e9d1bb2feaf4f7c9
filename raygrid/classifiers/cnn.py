"""Convolutional networks, trained from end to end."""

import gc
from abc import abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from typing import Annotated, Any, ClassVar, Literal, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, NonNegativeInt, model_validator
from scipy.sparse import csr_array

from raygrid.classifiers.class_weights import NoClassWeight
from raygrid.classifiers.classifier import Labels, Part, WatchingClassifier
from raygrid.classifiers.losses import LossLevel
from raygrid.classifiers.scores import Scoring, ScoringClassifier
from raygrid.classifiers.training.batches import Batches, BatchesOfKeptImages, Drawing, Mixtures, balanced, shuffled
from raygrid.classifiers.training.confusion import confusion_metric
from raygrid.classifiers.training.loop import Data, trained
from raygrid.classifiers.training.pairs import of_first, paired
from raygrid.classifiers.training.schedules import Constant
from raygrid.classifiers.training.second_stages import AnySecondStage, NoSecondStage
from raygrid.classifiers.training.settings import TrainingLevel
from raygrid.classifiers.training.trained import TrainedNetwork
from raygrid.level import ADDED_LATER
from raygrid.metrics.confusion import Confusion
from raygrid.mixtures.samples import Samples
from raygrid.networks.backbones import BackboneLevel
from raygrid.networks.fused import fused
from raygrid.networks.head import classifier_of, with_normalised_classifier
from raygrid.networks.keras_backend import computing_in, load_keras, room_for_images
from raygrid.networks.steps import Trainer, kept
from raygrid.storage.checkpoint import Checkpoint

# A label is a word that --only can name, and that no other text of a level looks like.
LABEL = r"^[A-Za-z0-9][A-Za-z0-9._-]*$"

# A mean of a whole cluster of images would be many times the batch.
_MIXED_AT_ONCE = 4

Weights = list[NDArray[Any]]


class Network(TrainingLevel, LossLevel, ScoringClassifier, WatchingClassifier):
    """A Keras network from images to class probabilities, all layers trained.

    Attributes
    ----------
    label : str or None
        What tables, --only and messages call it, in place of its name; no key has it.
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
    label: Annotated[str | None, Field(pattern=LABEL)] = None
    trained_layers: Annotated[Literal["all", "last"], ADDED_LATER] = "all"
    second_stage: Annotated[AnySecondStage, ADDED_LATER] = NoSecondStage()

    @model_validator(mode="after")
    def _has_lengths_to_normalise(self) -> Self:
        if self.second_stage.name == "tau_norm" and self.loss.scale_of_head():
            normalised = f"got second_stage tau_norm with loss {self.loss.name}, whose last layer is normalised already"
            raise ValueError(f"{normalised}; leave one out")
        return self

    @model_validator(mode="after")
    def _weighs_some_epochs(self) -> Self:
        if self.class_weight_after >= self.epochs:
            raise ValueError(
                f"got class_weight_after {self.class_weight_after} of {self.epochs} epochs; expected fewer; lower it"
            )
        return self

    @property
    def text(self) -> str:
        """What tables, --only and messages call this level."""
        return super().text.replace(self.name, self.label or self.name, 1)

    def as_dict(self) -> dict[str, Any]:
        """Return the name and every parameter, but not the label, which changes nothing."""
        return {name: value for name, value in super().as_dict().items() if name != "label"}

    @abstractmethod
    def build(self, image_size: int, n_classes: int, *, seed: int) -> Any:
        """Return the network, uncompiled, a Keras model from images in [-1, 1] to class probabilities."""

    def network(self, image_size: int, n_classes: int, *, seed: int) -> Any:
        """Return what `build` returns, with the last layer that the loss needs."""
        with computing_in(self.precision):
            model, scale = self.build(image_size, n_classes, seed=seed), self.loss.scale_of_head()
        return with_normalised_classifier(model, scale) if scale else model

    def stages(self) -> tuple["Network", ...]:
        """Return the networks to train one after the other, each from the weights of the one before.

        All have the same architecture. Those after the first one differ in what the second stage says; what makes up
        for imbalance, ends early or changes the learning rate is the first one's only.
        """
        plain = {"class_weight": NoClassWeight(), "class_weight_after": 0, "logit_adjustment": 0.0}
        plain |= {"schedule": Constant(), "early_stopping": None, "select": None, "second_stage": NoSecondStage()}
        return (self, *(self.model_copy(update=plain | dict(each)) for each in self.second_stage.trainings()))

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
        compiled = _compiled(self, image_size, n_classes)
        model = compiled.model
        drawn = self.network(image_size, n_classes, seed=seed)
        for variable, value in zip(model.variables, drawn.variables, strict=True):
            variable.assign(value)
        del drawn
        gc.collect()  # a Keras model refers to itself, so Python would free it only much later
        if start is not None:
            n_anew = len(model.layers[-1].weights) if self.trained_layers == "last" else 0
            model.set_weights([*start[: len(start) - n_anew], *model.get_weights()[len(start) - n_anew :]])
        for variable, value in zip(model.optimizer.variables, compiled.optimizer_start, strict=True):
            variable.assign(value)
        return model

    def confusion(self, image_size: int, n_classes: int) -> Confusion:
        """Return the confusion matrix of the batches of this epoch, predicted while they were trained on."""
        counts = _compiled(self, image_size, n_classes).metric.counts
        return np.array(load_keras().ops.convert_to_numpy(counts), dtype=np.int64)

    def batches(
        self, X: Samples, A: csr_array, y: Labels, *, seed: int, number: int = 0, epochs_done: int = 0
    ) -> Batches:
        """Return the training batches, in another order every epoch; `number` is the stage's."""
        order = balanced if self.balanced_batches else shuffled
        drawing = Drawing(order, self.batch_size, (seed, number) if number else seed, self.augment)
        kind = BatchesOfKeptImages if self._can_be_kept(X, A) else Batches
        return kind(Mixtures(X, A, y), drawing, lambda epoch: self.targets(y, epoch=epoch), epochs_done=epochs_done)

    def training(
        self, X: Samples, A: csr_array, y: Labels, *, seed: int, number: int = 0, epochs_done: int = 0
    ) -> Callable[[], float]:
        """Return a function that trains the network that `initialised` returns for an epoch, and returns its loss."""
        batches = self.batches(X, A, y, seed=seed, number=number, epochs_done=epochs_done)
        trainer = _compiled(self, X.shape[1], int(y.max()) + 1).trainer
        images = None if batches.images is None else kept(batches.images)
        batches.images = None  # the network has a copy
        return lambda: trainer.epoch(seed=batches.seed_of_network(), batches=iter(batches), images=images)

    def _can_be_kept(self, X: Samples, A: csr_array) -> bool:
        """Whether the network can keep the images and mix them: they have room, and few are mixed at once."""
        if self.augment or X[:0].dtype != np.uint8 or int(np.diff(A.indptr).max(initial=0)) > _MIXED_AT_ONCE:
            return False
        return int(np.prod(X.shape[1:])) * len(np.unique(A.indices)) <= room_for_images()

    def fit(
        self, X: Samples, A: csr_array, y: Labels, *, seed: int, checkpoint: Checkpoint, validation: Part | None = None
    ) -> Scoring:
        """Train on the mixtures A X, mixed batch by batch; continue an interrupted training from its checkpoint.

        After each epoch the network predicts the validation part, if there is one.
        """
        return self.moved(self.train(X, A, y, seed=seed, checkpoint=checkpoint, validation=validation), y)

    def train(
        self, X: Samples, A: csr_array, y: Labels, *, seed: int, checkpoint: Checkpoint, validation: Part | None = None
    ) -> TrainedNetwork:
        """Train like `fit`, but return the network without moved thresholds."""
        return trained(self, Data(X, A, y, seed, validation), checkpoint)


class Cnn(BackboneLevel, Network):
    """Backbone, global average pooling, at most one hidden dense layer, softmax; all layers trained.

    Attributes
    ----------
    dense_units : int
        Width of the hidden layer; 0 leaves it out.
    """

    is_fused: ClassVar[bool] = True
    name: Literal["cnn"] = "cnn"
    dense_units: NonNegativeInt = 1024

    def build(self, image_size: int, n_classes: int, *, seed: int) -> Any:
        """Return the network, uncompiled, a Keras model from images in [-1, 1] to class probabilities."""
        keras = load_keras()
        backbone = self.build_backbone(image_size, seed=seed)
        x = keras.layers.GlobalAveragePooling2D()(backbone.output)
        if self.dense_units:
            x = keras.layers.Dense(self.dense_units, activation="relu")(x)
        # In the precision of scores, whatever that of the network.
        outputs = keras.layers.Dense(n_classes, activation="softmax", dtype="float32")(x)
        return keras.Model(backbone.input, outputs)


@dataclass(frozen=True)
class _Compiled:
    """A compiled network, its optimiser's variables at the start, the metric of an epoch, and what trains it."""

    model: Any
    optimizer_start: list[NDArray[Any]]
    metric: Any
    trainer: Trainer


@cache
def _compiled(cnn: Network, image_size: int, n_classes: int) -> _Compiled:
    """Return the network, compiled.

    Every network is kept in memory, because building and tracing one takes longer than a small cell, and TensorFlow
    does not free the memory of one that is dropped (experiments/benchmarks/worker_memory.py). A grid has few networks.
    """
    model = cnn.network(image_size, n_classes, seed=0)
    if cnn.is_fused:
        model = fused(model)
    cnn.freeze(model)
    cnn.penalise(model)
    optimizer = cnn.new_optimizer()
    metric = confusion_metric(n_classes, of_first(cnn.labels_of) if cnn.mixes else cnn.labels_of)
    model.compile(optimizer, paired(cnn.compiled_loss()) if cnn.mixes else cnn.compiled_loss(), metrics=[metric])
    optimizer.build(model.trainable_variables)
    # Copied, because on torch the array shares the memory of the variable.
    start = [np.array(load_keras().ops.convert_to_numpy(variable)) for variable in optimizer.variables]
    return _Compiled(model, start, metric, Trainer(model, n_classes))
