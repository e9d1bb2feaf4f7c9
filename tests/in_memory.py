"""Samples whose inner products are computed here and now: what `raygrid.inputs` gives, without a cache."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from raygrid.mixtures.samples import Samples
from raygrid.mixtures.tiles import Gram, Tiles


def computed(gram: Gram) -> NDArray[Any]:
    """All tiles."""
    tiles = np.empty(gram.shape, gram.dtype)
    for number, tile in enumerate(gram.compute(threads=2)):
        tiles[number] = tile
    return tiles


def train_samples(X: NDArray[Any], places: NDArray[Any] | None = None) -> Samples:
    """All of X, at these places."""
    places = np.arange(len(X)) if places is None else places
    tiles = Tiles(computed(Gram(X.reshape(len(X), -1), np.argsort(places))))
    return Samples(X, np.arange(len(X)), places, lambda: tiles)


def test_samples(X_test: NDArray[Any], X: NDArray[Any]) -> Samples:
    """All of X_test, of one pool with the training samples `train_samples(X)`, which come first."""
    every = train_samples(np.concatenate([X, X_test]))
    index = np.arange(len(X), len(every))
    return Samples(every.X, index, index, every.tiles)


test_samples.__test__ = False  # type: ignore[attr-defined]
