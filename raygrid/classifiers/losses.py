"""A level that trains a network with a loss: which one, and how much each class counts in it."""

from collections.abc import Callable
from typing import Annotated, Any, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import NonNegativeFloat, NonNegativeInt, model_validator

from raygrid.classifiers.class_weights import AnyClassWeight, NoClassWeight
from raygrid.classifiers.classifier import Labels
from raygrid.classifiers.training.losses import AnyLoss, CrossEntropy, Focal, Loss
from raygrid.level import ADDED_LATER, Level
from raygrid.networks.keras_backend import load_keras

Ints = NDArray[np.intp]


class LossLevel(Level):
    """A level that trains a network with a loss, changed by these settings.

    Frequencies and priors are those of the training set after resampling.

    Attributes
    ----------
    loss : Loss
        What a wrong probability costs.
    class_weight : ClassWeight
        By what the loss of a sample is multiplied, depending on its class.
    class_weight_after : int
        How many epochs are trained before class weights count: deferred re-weighting (DRW), if it is not 0.
    focal_gamma : float
        Another name of ``loss: {name: focal, gamma: ...}``, if it is not 0.
    logit_adjustment : float
        tau: in training, probabilities are multiplied by prior^tau, in prediction they are not; 0 means no adjustment,
        1 is the balanced softmax.

    References
    ----------
    Cao et al. (2019), Learning imbalanced datasets with label-distribution-aware margin loss, NeurIPS (DRW); Menon et
    al. (2021), Long-tail learning via logit adjustment, ICLR; Ren et al. (2020), Balanced meta-softmax for long-tailed
    visual recognition, NeurIPS (tau 1).
    """

    loss: Annotated[AnyLoss, ADDED_LATER] = CrossEntropy()
    class_weight: Annotated[AnyClassWeight, ADDED_LATER] = NoClassWeight()
    class_weight_after: Annotated[NonNegativeInt, ADDED_LATER] = 0
    focal_gamma: Annotated[NonNegativeFloat, ADDED_LATER] = 0.0
    logit_adjustment: Annotated[NonNegativeFloat, ADDED_LATER] = 0.0

    @model_validator(mode="after")
    def _has_one_loss(self) -> Self:
        if self.focal_gamma and self.loss != CrossEntropy():
            raise ValueError(f"got focal_gamma with loss {self.loss.name}; expected one of them; remove focal_gamma")
        if self.class_weight_after and self.class_weight == NoClassWeight():
            raise ValueError(
                "got class_weight_after without weights; expected also class_weight, e.g. effective_number"
            )
        return self

    def compiled_loss(self) -> Any:
        """Return the loss of a batch of `targets`, as Keras' `compile` takes it."""
        if self._compares_labels:
            return "sparse_categorical_crossentropy"
        loss, ops = self._loss, load_keras().ops

        def costs(y: Any, p: Any) -> Any:
            own, factors, margins = y[:, 0], y[:, 1], y[:, 2]
            p = p * factors / ops.sum(p * factors, axis=-1, keepdims=True)
            of_own, of_others, margin = (ops.sum(each, axis=-1) for each in (own * p, (1.0 - own) * p, own * margins))
            return loss.costs(of_own, of_others, margin)

        return costs

    def targets(self, y: Labels, *, epoch: int = 0) -> Callable[[Ints], tuple[NDArray[Any], ...]]:
        """Return a function from rows of the training labels `y` to the targets of the loss in an epoch, from 0.

        Targets are labels of shape (n_rows,), or, if the loss needs more, an array of shape (n_rows, 3, n_classes) of
        one-hot labels, factors of the probabilities and margins, so that one compiled loss can be used for many
        training sets. If there are class weights, the sample weights, of shape (n_rows,), follow; they are 1 in epochs
        in which they do not count yet, because Keras asks for the same number of arrays in every epoch.
        """
        sizes = np.bincount(y)
        weights = self._weights(sizes, epoch)
        by_class: list[NDArray[Any]]
        if self._compares_labels:
            by_class = [np.arange(len(sizes))]
        else:
            factors, margins = (sizes / len(y)) ** self.logit_adjustment, self._loss.margins(sizes)
            by_class = [np.stack(np.broadcast_arrays(np.eye(len(sizes)), factors, margins), axis=1)]
        if weights is not None:
            by_class.append(weights)
        return lambda rows: tuple(each[y[rows]] for each in by_class)

    def _weights(self, sizes: NDArray[np.int64], epoch: int) -> NDArray[np.float64] | None:
        """Return the weights of the classes in an epoch; None if they are 1 in every epoch."""
        weights = self.class_weight.weights(sizes)
        return weights if weights is None or epoch >= self.class_weight_after else np.ones(len(sizes))

    def labels_of(self, targets: Any) -> Any:
        """Return the labels in targets of the loss, both as tensors."""
        return targets if self._compares_labels else load_keras().ops.argmax(targets[:, 0], axis=-1)

    @property
    def _loss(self) -> Loss:
        return Focal(gamma=self.focal_gamma) if self.focal_gamma else self.loss

    @property
    def _compares_labels(self) -> bool:
        """Whether Keras' own cross-entropy is enough, which is the fastest."""
        return self._loss == CrossEntropy() and not self.logit_adjustment
