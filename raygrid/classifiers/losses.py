"""Losses for imbalanced classes: class weights, focal loss and logit adjustment, in any combination."""

from collections.abc import Callable
from typing import Annotated, Any

import numpy as np
from numpy.typing import NDArray
from pydantic import NonNegativeFloat

from raygrid.classifiers.class_weights import ClassWeight, class_weights
from raygrid.classifiers.classifier import Labels
from raygrid.level import ADDED_LATER, Level
from raygrid.networks.keras_backend import load_keras

Ints = NDArray[np.intp]


class LossLevel(Level):
    """A level that trains a network with the cross-entropy, changed by these settings.

    Frequencies and priors are those of the training set after resampling.

    Attributes
    ----------
    class_weight : {"none", "balanced"}
        Whether to multiply the loss of a sample by the weight of its class, inversely proportional to its frequency.
    focal_gamma : float
        Gamma of the focal loss -(1 - p)^gamma log p; 0 is the cross-entropy.
    logit_adjustment : float
        tau: in training, probabilities are multiplied by prior^tau, in prediction they are not; 0 means no adjustment.

    References
    ----------
    Lin et al. (2017), Focal loss for dense object detection, ICCV; Menon et al. (2021), Long-tail learning via logit
    adjustment, ICLR.
    """

    class_weight: Annotated[ClassWeight, ADDED_LATER] = "none"
    focal_gamma: Annotated[NonNegativeFloat, ADDED_LATER] = 0.0
    logit_adjustment: Annotated[NonNegativeFloat, ADDED_LATER] = 0.0

    def loss(self) -> Any:
        """Return the loss of a batch of `targets`, as Keras' `compile` takes it."""
        if not self._is_adjusted:
            return "sparse_categorical_crossentropy"
        keras = load_keras()

        def loss(y: Any, p: Any) -> Any:
            # Not normalised here, because Keras divides probabilities by their sum.
            return keras.losses.categorical_focal_crossentropy(y[:, 0], p * y[:, 1], alpha=1.0, gamma=self.focal_gamma)

        return loss

    def targets(self, y: Labels, *, epoch: int = 0) -> Callable[[Ints], tuple[NDArray[Any], ...]]:
        """Return a function from rows of the training labels `y` to the targets of the loss in an epoch, from 0.

        Targets are labels of shape (n_rows,), or, if the loss is adjusted, an array of shape (n_rows, 2, n_classes) of
        one-hot labels and the factors of the probabilities, so that one compiled loss can be used for many training
        sets. If there are class weights, the sample weights, of shape (n_rows,), follow. Their values may depend on the
        epoch, but Keras asks for the same number of arrays, of the same kinds, in every epoch.
        """
        weights, factors = class_weights(self.class_weight, y), (np.bincount(y) / len(y)) ** self.logit_adjustment
        pairs = np.stack(np.broadcast_arrays(np.eye(len(factors)), factors), axis=1)

        def targets(rows: Ints) -> tuple[NDArray[Any], ...]:
            labels = y[rows]
            compared = pairs[labels] if self._is_adjusted else labels
            return (compared,) if weights is None else (compared, weights[labels])

        return targets

    def labels_of(self, targets: Any) -> Any:
        """Return the labels in targets of the loss, both as tensors."""
        return load_keras().ops.argmax(targets[:, 0], axis=-1) if self._is_adjusted else targets

    @property
    def _is_adjusted(self) -> bool:
        return bool(self.focal_gamma or self.logit_adjustment)
