"""The decoded and resized images of a data set, and its labels: read once, then taken from the cache."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from raygrid.cells import Cell
from raygrid.keys import hash_of
from raygrid.mixtures.tiles import Ints
from raygrid.storage.cache import Cache

# The parts that a data set may come with.
PARTS = ("train", "validation", "test")


@dataclass(frozen=True)
class Labels:
    """The labels of a data set: what its folds follow from.

    Attributes
    ----------
    y : array of shape (n_samples,), int64
        0 .. M - 1.
    class_names : tuple of str
    parts : mapping of str to array of int64
        The parts that the data set comes with, as ascending indices.
    notes : tuple of str
        What was done to the files that a user must know.
    """

    y: Ints
    class_names: tuple[str, ...]
    parts: Mapping[str, Ints]
    notes: tuple[str, ...] = ()


def images_key(cell: Cell) -> str:
    """Return the name of the cell's decoded and resized images: all that they depend on, hashed."""
    known = cell.identity()
    return "images-" + hash_of({part: known[part] for part in ("protocol", "dataset", "image_size", "interpolation")})


def known_labels(cell: Cell, cache: Cache) -> Labels | None:
    """Return the labels of a cell's data set, if the cache has them."""
    arrays = cache.known(_labels_key(cell))
    return _labels(arrays) if arrays else None


def load_labels(cell: Cell, cache: Cache) -> Labels:
    """Return the labels of a cell's data set, from the cache where it has them; else the images are read as well.

    Raises
    ------
    UsageError
        The data set is not there, or is broken.
    """

    def compute() -> dict[str, NDArray[Any]]:
        return {name: array for name, array in load_images(cell, cache).items() if name != "X"}

    return _labels(cache.arrays(_labels_key(cell), compute))


def _labels_key(cell: Cell) -> str:
    return images_key(cell).replace("images-", "labels-")


def _labels(arrays: Mapping[str, NDArray[Any]]) -> Labels:
    parts = {part: arrays[f"part_{part}"] for part in PARTS if f"part_{part}" in arrays}
    names, notes = (tuple(map(str, arrays[name])) for name in ("class_names", "notes"))
    return Labels(arrays["y"], names, parts, notes)


def load_images(cell: Cell, cache: Cache) -> dict[str, NDArray[Any]]:
    """Return the decoded images of a cell's data set, its labels and its parts, from the cache where it has them."""

    def read() -> dict[str, NDArray[Any]]:
        found = cell.dataset.load(cell.image_size, cell.interpolation)
        parts = {f"part_{part}": index for part, index in found.parts.items()}
        texts = {"class_names": np.array(found.class_names), "notes": np.array(found.notes, dtype=np.str_)}
        return {"X": found.X, "y": found.y, **texts, **parts}

    return cache.arrays(images_key(cell), read)
