"""Inputs: what cells share, computed once and cached.

What belongs to a data set, its images or what a fixed representation makes of them, is there before the trials. What a
trained representation makes of a fold, of which there may be hundreds, is computed by the trial that first needs it.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from raygrid import host
from raygrid.cells import Cell, hash_of, identity
from raygrid.host import Runtime
from raygrid.imbalance import Split
from raygrid.mixtures.samples import Samples
from raygrid.mixtures.tiles import Plan, Tiles
from raygrid.resampling import NoResampling, Resampler
from raygrid.storage.cache import Cache


@dataclass(frozen=True)
class Inputs:
    """A data set in some representation: the whole of it, or one fold.

    Attributes
    ----------
    X_train, X_test : array of shape (n_train, ...) and (n_test, ...), uint8 images or float32 features
        Read-only, and mapped or shared: only what is indexed is copied.
    y_train, y_test : array of shape (n_train,) and (n_test,), int64
        Labels 0 .. M - 1.
    class_names : tuple of str
    cache : Cache
        Where inner products are kept, computed when a cell first asks for them.
    key : str
        The name of these arrays, from which their inner products have theirs.
    """

    X_train: NDArray[Any]
    y_train: NDArray[np.int64]
    X_test: NDArray[Any]
    y_test: NDArray[np.int64]
    class_names: tuple[str, ...]
    cache: Cache
    key: str

    def train(self, index: NDArray[np.int64]) -> Samples:
        """Return these training samples."""
        places = np.argsort(self._order)[index]
        return Samples(self.X_train, index, places, lambda: self._train_tiles)

    def test(self, index: NDArray[np.int64]) -> Samples:
        """Return these test samples."""
        return Samples(self.X_test, index, index, lambda: self._test_tiles)

    @cached_property
    def _order(self) -> NDArray[np.int64]:
        """The training samples class by class, for what one class against another needs should lie together."""
        return np.argsort(self.y_train, kind="stable")

    @cached_property
    def _train_tiles(self) -> Tiles:
        X = self.X_train.reshape(len(self.X_train), -1)
        return Tiles(self._computed("train", Plan(X, self._order, X, self._order, is_symmetric=True)), wide=0)

    @cached_property
    def _test_tiles(self) -> Tiles:
        X, X_test = (part.reshape(len(part), -1) for part in (self.X_train, self.X_test))
        plan = Plan(X_test, np.arange(len(X_test)), X, self._order, is_symmetric=False)
        return Tiles(self._computed("test", plan), wide=-(-len(X) // plan.shape[1]))

    def _computed(self, part: str, plan: Plan) -> NDArray[Any]:
        known = {
            "inputs": self.key,
            "part": part,
            "shape": plan.shape,
            "dtype": str(plan.dtype),
            "computed_by": [host.numpy_version(), host.blas()],
        }
        return self.cache.parts(f"products-{hash_of(known)}", plan.shape, plan.dtype, plan.compute)


def images_key(cell: Cell) -> str:
    """Return the name of the cell's decoded and resized images: all that they depend on, hashed."""
    known = cell.identity()
    return "images-" + hash_of({part: known[part] for part in ("protocol", "dataset", "image_size", "interpolation")})


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
            "computed_by": [runtime.versions()[name] for name in ("keras_backend", "keras")],
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
            **{part: known[part] for part in ("representation", "ir", "fold", "seed")},
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

    def images() -> dict[str, NDArray[Any]]:
        loaded = cell.dataset.load(cell.image_size, cell.interpolation)
        return {
            "X_train": loaded.X_train,
            "y_train": loaded.y_train,
            "X_test": loaded.X_test,
            "y_test": loaded.y_test,
            "class_names": np.array(loaded.class_names),
        }

    def represented() -> dict[str, NDArray[Any]]:
        arrays = cache.arrays(images_key(cell), images)
        return arrays | {
            part: cell.representation.transform(arrays[part], seed=cell.seed) for part in ("X_train", "X_test")
        }

    arrays = cache.arrays(inputs_key(cell, runtime), represented if cell.representation.scope == "dataset" else images)
    names = tuple(map(str, arrays.pop("class_names")))
    return Inputs(**arrays, class_names=names, cache=cache, key=inputs_key(cell, runtime))


def samples_of(cell: Cell, inputs: Inputs, split: Split, runtime: Runtime) -> tuple[Samples, Samples]:
    """Return the training and the test samples of a cell, as its classifier sees them.

    Raises
    ------
    InfeasibleError
        The resampler cannot make what the representation is to be trained on.
    """
    if cell.representation.scope == "fold":
        fold = _trained(cell, inputs, split, samples_key(cell, runtime))
        return fold.train(np.arange(len(split.train))), fold.test(np.arange(len(split.test)))
    if cell.representation.scope == "images":
        X, X_test = (cell.representation.transform(X, seed=cell.seed) for X in (inputs.X_train, inputs.X_test))
        inputs = replace(inputs, X_train=X, X_test=X_test)
    return inputs.train(split.train), inputs.test(split.test)


def _trained(cell: Cell, inputs: Inputs, split: Split, key: str) -> Inputs:
    """Return the fold in a representation trained on its training images, from the cache where it has that."""
    X, X_test, y = inputs.train(split.train), inputs.test(split.test), inputs.y_train[split.train]

    def compute() -> dict[str, NDArray[Any]]:
        A, y_trained = _resampler(cell).resample(X, y, seed=cell.seed_of("resample"))
        transform = cell.representation.train(X, A, y_trained, seed=cell.seed_of("represent"))
        return {"X_train": transform(X), "X_test": transform(X_test)}

    arrays = inputs.cache.arrays(key, compute)
    return replace(
        inputs,
        X_train=arrays["X_train"],
        y_train=y,
        X_test=arrays["X_test"],
        y_test=inputs.y_test[split.test],
        key=key,
    )


def _resampler(cell: Cell) -> Resampler:
    """Return what gives the images that a representation is trained on, of those of the fold."""
    return cell.resampler if cell.representation.is_trained_on_mixtures else NoResampling()
