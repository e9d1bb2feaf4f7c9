"""Batches of a training set, mixed when they are needed."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from raygrid.classifiers.classifier import Labels
from raygrid.classifiers.training.augmentation import Augmentation, Batch
from raygrid.classifiers.training.pairs import paired_targets
from raygrid.mixtures.mixing import mix
from raygrid.mixtures.samples import Samples
from raygrid.networks.backbones import preprocess
from raygrid.networks.keras_backend import load_keras

Ints = NDArray[np.intp]
Order = Callable[[Labels, np.random.Generator], Ints]
# From rows of the training labels to what the loss compares, and weights of samples if there are any.
Targets = Callable[[Ints], tuple[NDArray[Any], ...]]


@dataclass(frozen=True)
class Mixtures:
    """The mixtures A X and their labels."""

    X: Samples
    A: csr_array
    y: Labels


def batches_of(
    data: Mixtures,
    *,
    targets: Callable[[int], Targets],
    order: Order,
    batch_size: int,
    seed: int | tuple[int, ...],
    augment: Sequence[Augmentation] = (),
    epochs_done: int = 0,
) -> Any:
    """Return the batches of an epoch as a Keras data set: (images in [-1, 1], targets), in another order every epoch.

    Parameters
    ----------
    targets : callable
        Returns the targets of an epoch, which is counted from 0.
    order : callable
        Draws the rows of an epoch.
    augment : sequence of Augmentation
        What becomes of each batch. What is drawn depends on the seed, the epoch and the batch alone.
    """
    y, class_sizes = data.y, np.bincount(data.y)
    mixes = any(augmentation.mixes for augmentation in augment)

    class Batches(load_keras().utils.PyDataset):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.rng, self.epoch = np.random.default_rng(seed), -1
            for _ in range(epochs_done + 1):
                self.on_epoch_end()

        def __len__(self) -> int:
            return -(-len(y) // batch_size)

        def __getitem__(self, i: int) -> tuple[NDArray[Any], ...]:
            rows = self.order[i * batch_size : (i + 1) * batch_size]
            batch = Batch.of(mix(data.A[rows], data.X), y[rows], class_sizes)
            drawn = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(self.epoch, i)))
            for augmentation in augment:
                batch = augmentation.applied(batch, drawn)
            own = self.targets(rows)
            found = paired_targets(own, self.targets(rows[batch.partner]), batch) if mixes else own
            return preprocess(batch.images), *found

        def on_epoch_end(self) -> None:
            self.epoch += 1
            self.order, self.targets = order(y, self.rng), targets(self.epoch)

    return Batches()


def shuffled(y: Labels, rng: np.random.Generator) -> Ints:
    """Return every sample once."""
    return rng.permutation(len(y))


def balanced(y: Labels, rng: np.random.Generator) -> Ints:
    """Return an epoch of len(y) samples: one of each class in turn, the classes in a new order every turn.

    Samples of small classes come several times, those of large classes once or not at all.
    """
    members = [np.flatnonzero(y == label) for label in np.unique(y)]
    n_turns = -(-len(y) // len(members))
    turns = [
        np.concatenate([rng.permutation(rows) for _ in range(-(-n_turns // len(rows)))])[:n_turns] for rows in members
    ]
    return rng.permuted(np.stack(turns, axis=1), axis=1).ravel()[: len(y)]
