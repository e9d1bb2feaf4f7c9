"""Batches of a training set, mixed when they are needed."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array

from raygrid.classifiers.classifier import Labels
from raygrid.classifiers.training.augmentation import Augmentation, Batch
from raygrid.classifiers.training.pairs import paired_targets
from raygrid.mixtures.mixing import mix, terms
from raygrid.mixtures.samples import Samples
from raygrid.networks.backbones import preprocess
from raygrid.networks.steps import Steps

Ints = NDArray[np.intp]
Order = Callable[[Labels, np.random.Generator], Ints]
# From rows of the training labels to what the loss compares, and weights of samples if there are any.
Targets = Callable[[Ints], tuple[NDArray[Any], ...]]

# Steps in one call of the backend, where images need not be sent with them.
_AT_ONCE = 32


@dataclass(frozen=True)
class Mixtures:
    """The mixtures A X and their labels."""

    X: Samples
    A: csr_array
    y: Labels


@dataclass(frozen=True)
class Drawing:
    """How the batches of an epoch are drawn.

    Attributes
    ----------
    order : callable
        Draws the rows of an epoch.
    batch_size : int
    seed : int or tuple of int
        What is drawn depends on the seed, the epoch and the batch alone.
    augment : sequence of Augmentation
        What becomes of each batch.
    """

    order: Order
    batch_size: int
    seed: int | tuple[int, ...]
    augment: Sequence[Augmentation] = ()


class Batches:
    """The batches of a training: every time they are read, those of the next epoch, in another order.

    Parameters
    ----------
    targets : callable
        Returns the targets of an epoch, which is counted from 0.
    epochs_done : int
        How many epochs were trained before.

    Attributes
    ----------
    images : array of shape (n, size, size, 3), uint8, or None
        Images that the network keeps, so that steps are of rows and shares of them.
    """

    images: NDArray[np.uint8] | None = None

    def __init__(
        self, data: Mixtures, drawing: Drawing, targets: Callable[[int], Targets], *, epochs_done: int = 0
    ) -> None:
        self.data, self.drawing, self.targets = data, drawing, targets
        self.rng, self.epoch = np.random.default_rng(drawing.seed), epochs_done
        for _ in range(epochs_done):
            drawing.order(data.y, self.rng)

    def __iter__(self) -> Iterator[Steps]:
        epoch, order = self.epoch, self.drawing.order(self.data.y, self.rng)
        self.epoch += 1
        return self.steps(epoch, order, self.targets(epoch))

    def seed_of_network(self) -> int:
        """Return a seed of what the network itself draws in the next epoch."""
        return int(np.random.SeedSequence(self.drawing.seed, spawn_key=(self.epoch,)).generate_state(1)[0])

    def steps(self, epoch: int, order: Ints, targets: Targets) -> Iterator[Steps]:
        """Yield the steps of an epoch, one at a time, with their images."""
        drawing, class_sizes = self.drawing, np.bincount(self.data.y)
        mixes = any(augmentation.mixes for augmentation in drawing.augment)
        for i, rows in enumerate(np.split(order, range(drawing.batch_size, len(order), drawing.batch_size))):
            batch = Batch.of(mix(self.data.A[rows], self.data.X), self.data.y[rows], class_sizes)
            drawn = np.random.default_rng(np.random.SeedSequence(drawing.seed, spawn_key=(epoch, i)))
            for augmentation in drawing.augment:
                batch = augmentation.applied(batch, drawn)
            own = targets(rows)
            found = paired_targets(own, targets(rows[batch.partner]), batch) if mixes else own
            yield Steps((preprocess(batch.images)[None],), tuple(each[None] for each in found))


class BatchesOfKeptImages(Batches):
    """The same batches without augmentation, of images that the network keeps, and mixes itself."""

    def __init__(
        self, data: Mixtures, drawing: Drawing, targets: Callable[[int], Targets], *, epochs_done: int = 0
    ) -> None:
        super().__init__(data, drawing, targets, epochs_done=epochs_done)
        used, columns = np.unique(data.A.indices, return_inverse=True)
        self.images = data.X[used]
        self.rows, self.shares = terms(csr_array((data.A.data, columns, data.A.indptr), shape=data.A.shape))

    def steps(self, epoch: int, order: Ints, targets: Targets) -> Iterator[Steps]:
        """Yield the steps of an epoch, many at a time."""
        for rows in _cut(order, self.drawing.batch_size):
            compared = tuple(each.reshape(*rows.shape, *each.shape[1:]) for each in targets(rows.ravel()))
            halves = np.full(len(rows), 127.5, dtype=np.float32)
            yield Steps((self.rows[rows], self.shares[rows], halves), compared)


def _cut(order: Ints, batch_size: int) -> Iterator[NDArray[np.intp]]:
    """Yield the rows of steps that can be taken at once, of shape (n_steps, n_rows).

    Of few different shapes, because JAX compiles anew for each: as many as possible of many batches, single batches,
    and what is left over.
    """
    whole, at_once = len(order) - len(order) % batch_size, _AT_ONCE * batch_size
    many = whole - whole % at_once
    yield from order[:many].reshape(-1, _AT_ONCE, batch_size)
    yield from order[many:whole].reshape(-1, 1, batch_size)
    if whole < len(order):
        yield order[None, whole:]


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
