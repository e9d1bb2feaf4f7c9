"""Inputs: what cells share, computed once and cached.

Images, and the output of fixed representations, belong to a data set and are computed before the trials. The output of
trained representations belongs to a fold, of which there may be hundreds; the trial that first needs it computes it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from raygrid import host
from raygrid.cells import Cell
from raygrid.classifiers import Part
from raygrid.folds import Fold
from raygrid.host import Runtime
from raygrid.images import images_key, load_images, load_labels
from raygrid.keys import hash_of, identity
from raygrid.mixtures.samples import Samples
from raygrid.mixtures.tiles import Gram, Ints, Tiles
from raygrid.resampling import NoResampling, Resampler
from raygrid.storage.cache import Cache

# What of a cell's identity a training on the images of its fold depends on, besides the images and the resampler.
_OF_FOLD = ("split", "validation", "imbalance", "fold", "representation", "seed")


@dataclass(frozen=True)
class Inputs:
    """One pool of samples in some representation: a whole data set, or the samples of one fold.

    Attributes
    ----------
    X : array of shape (n_samples, ...), uint8 images or float32 features
        Read-only, and mapped or shared: only what is indexed is copied.
    y : array of shape (n_samples,), int64
        Labels 0 .. M - 1.
    class_names : tuple of str
    parts : mapping of str to array of int64
        The parts that the data set comes with, as ascending indices.
    cache : Cache
        Where inner products are kept, computed when a cell first asks for them.
    key : str
        The name of these arrays, from which their inner products have theirs.
    threads : int
        How many compute inner products.
    """

    X: NDArray[Any]
    y: Ints
    class_names: tuple[str, ...]
    parts: Mapping[str, Ints]
    cache: Cache
    key: str
    threads: int = 1

    def samples(self, index: Ints) -> Samples:
        """Return the samples of these indices."""
        return Samples(self.X, index, self._places[index], lambda: self._tiles)

    @cached_property
    def _order(self) -> Ints:
        """The samples part by part and class by class: what one kernel reads should lie together."""
        part = np.zeros(len(self.y), dtype=np.int64)
        for number, index in enumerate(self.parts.values()):
            part[index] = number
        return np.lexsort((self.y, part))

    @cached_property
    def _places(self) -> Ints:
        return np.argsort(self._order)

    @cached_property
    def _tiles(self) -> Tiles:
        gram = Gram(self.X.reshape(len(self.X), -1), self._order)
        known = {
            "inputs": self.key,
            "shape": gram.shape,
            "dtype": str(gram.dtype),
            "computed_by": [host.numpy_version(), host.blas()],
        }
        key = f"products-{hash_of(known)}"
        return Tiles(self.cache.parts(key, gram.shape, gram.dtype, lambda: gram.compute(threads=self.threads)))


def inputs_key(cell: Cell, runtime: Runtime) -> str:
    """Return the name of the cell's inputs: all that they depend on, and what computes them, hashed."""
    if cell.representation.scope != "dataset":
        return images_key(cell)
    seed = cell.seed if cell.representation.is_seeded else None
    return "inputs-" + hash_of(
        {
            "images": images_key(cell),
            "representation": cell.identity()["representation"],
            "seed": seed,
            "computed_by": [runtime.version_of(name) for name in cell.representation.libraries],
        }
    )


def samples_key(cell: Cell, runtime: Runtime) -> str:
    """Return the name of the arrays that a cell's samples are read from: its inputs, or what is trained for its fold.

    Threads and processors change how a training rounds, and so, after some epochs, what it comes to.
    """
    if cell.representation.scope != "fold":
        return inputs_key(cell, runtime)
    known = cell.identity()
    return "trained-" + hash_of(
        {
            "images": images_key(cell),
            **{part: known.get(part) for part in _OF_FOLD},
            "resampler": identity(_resampler(cell)),
            "computed_by": runtime.known(),
        }
    )


def makers_first(cells: Sequence[Cell], runtime: Runtime) -> list[Cell]:
    """Return cells in their order, but last those that would wait for what another one trains."""
    first = {samples_key(cell, runtime): cell for cell in reversed(cells)}

    def waits(cell: Cell) -> bool:
        return cell.representation.scope == "fold" and first[samples_key(cell, runtime)] is not cell

    return sorted(cells, key=waits)


def load_inputs(cell: Cell, cache: Cache, runtime: Runtime) -> Inputs:
    """Return the inputs of a cell, from the cache where it has them.

    Raises
    ------
    UsageError
        The data set or the weights are not there, or are broken.
    """

    def represented() -> dict[str, NDArray[Any]]:
        arrays = load_images(cell, cache)
        return {**arrays, "X": cell.representation.transform(arrays["X"], seed=cell.seed)}

    key = inputs_key(cell, runtime)
    arrays = cache.arrays(key, represented) if cell.representation.scope == "dataset" else load_images(cell, cache)
    labels = load_labels(cell, cache)
    return Inputs(arrays["X"], labels.y, labels.class_names, labels.parts, cache, key)


def samples_of(cell: Cell, inputs: Inputs, fold: Fold, runtime: Runtime) -> tuple[Samples, Samples, Samples]:
    """Return the training, the validation and the test samples of a cell, as its classifier sees them.

    Raises
    ------
    InfeasibleError
        The resampler cannot make what the representation is to be trained on.
    """
    pool, indices = replace(inputs, threads=runtime.threads), [fold.train, fold.validation, fold.test]
    if cell.representation.scope == "fold":
        pool = _trained(cell, pool, fold, samples_key(cell, runtime))
        indices = np.split(np.arange(len(pool.y)), np.cumsum([len(index) for index in indices])[:-1])
    elif cell.representation.scope == "images":
        pool = replace(pool, X=cell.representation.transform(pool.X, seed=cell.seed))
    train, validation, test = (pool.samples(index) for index in indices)
    return train, validation, test


def _trained(cell: Cell, images: Inputs, fold: Fold, key: str) -> Inputs:
    """Return the fold in a representation trained on its training images, from the cache where it has that.

    Its samples are those of the fold: the training, the validation and the test samples, in this order.
    """
    index = np.concatenate([fold.train, fold.validation, fold.test])

    def compute() -> dict[str, NDArray[Any]]:
        X, y = images.samples(fold.train), images.y[fold.train]
        X, A, y_trained = _resampler(cell).apply(X, y, seed=cell.seed_of("resample"))
        watched: dict[str, Any] = {}
        if cell.representation.needs_validation:
            watched["validation"] = Part(images.samples(fold.validation), images.y[fold.validation])
        transform = cell.representation.train(X, A, y_trained, seed=cell.seed_of("represent"), **watched)
        return {"X": transform(images.samples(index))}

    X = images.cache.arrays(key, compute)["X"]
    return replace(images, X=X, y=images.y[index], parts={}, key=key)


def _resampler(cell: Cell) -> Resampler:
    """Return what gives the images that a representation is trained on, of those of the fold."""
    return cell.resampler if cell.representation.is_trained_on_mixtures else NoResampling()
