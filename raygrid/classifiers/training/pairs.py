"""Losses and targets of images that count for two classes, each with a share."""

from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from raygrid.classifiers.training.augmentation import Batch
from raygrid.networks.keras_backend import load_keras


def paired(loss: Any) -> Any:
    """Return the loss of targets of shape (n, 2, ...): that of each of the two, of shape (n, 2).

    Keras multiplies it by the sample weights of `paired_targets`, and takes the mean of the 2 n values.

    Parameters
    ----------
    loss : str or callable
        As `compile` takes it; a callable returns the losses of the samples, of shape (n,).
    """
    keras = load_keras()
    of_one = keras.losses.get(loss)

    def of_both(y: Any, p: Any) -> Any:
        return keras.ops.stack([of_one(y[:, 0], p), of_one(y[:, 1], p)], axis=1)

    return of_both


def of_first(labels_of: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Return a function that gives the labels with the larger shares."""
    return lambda targets: labels_of(targets[:, 0])


def paired_targets(
    own: tuple[NDArray[Any], ...], other: tuple[NDArray[Any], ...], batch: Batch
) -> tuple[NDArray[Any], NDArray[np.float64]]:
    """Return the targets of a batch, of shape (n, 2, ...), the larger share first, and weights of shape (n, 2).

    The mean of weight times loss over all 2 n is the mean over the n images of
    share * weight * loss of the own label + (1 - share) * weight * loss of the other one.

    Parameters
    ----------
    own, other : tuple of arrays
        What the loss compares, and the sample weights if there are any, of the images and of their partners.
    """
    compared, *weights = (np.stack(both, axis=1) for both in zip(own, other, strict=True))
    shares = np.stack([batch.share, 1 - batch.share], axis=1)
    weighted = 2 * shares * (weights[0] if weights else 1)
    is_other = batch.share < 0.5
    compared[is_other], weighted[is_other] = compared[is_other, ::-1], weighted[is_other, ::-1]
    return compared, weighted
