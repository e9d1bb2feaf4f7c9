"""Samples whose inner products are computed here and now: what `raygrid.inputs` gives, without a cache."""

from typing import Any

import numpy as np
from numpy.typing import NDArray

from raygrid.mixtures.samples import Samples
from raygrid.mixtures.tiles import Plan, Tiles


def computed(plan: Plan) -> NDArray[Any]:
    """All tiles."""
    tiles = np.empty(plan.shape, plan.dtype)
    for number, tile in enumerate(plan.compute()):
        tiles[number] = tile
    return tiles


def train_samples(X: NDArray[Any], places: NDArray[Any] | None = None) -> Samples:
    """All of X, as training samples, at these places."""
    places = np.arange(len(X)) if places is None else places
    vectors, order = X.reshape(len(X), -1), np.argsort(places)
    tiles = Tiles(computed(Plan(vectors, order, vectors, order, is_symmetric=True)), wide=0)
    return Samples(X, np.arange(len(X)), places, lambda: tiles)


def test_samples(X_test: NDArray[Any], X: NDArray[Any]) -> Samples:
    """All of X_test, as test samples of what `train_samples(X)` is to be trained on."""
    every = np.arange(len(X_test))
    plan = Plan(X_test.reshape(len(X_test), -1), every, X.reshape(len(X), -1), np.arange(len(X)), is_symmetric=False)
    tiles = Tiles(computed(plan), wide=-(-len(X) // plan.shape[1]))
    return Samples(X_test, every, every, lambda: tiles)


test_samples.__test__ = False  # type: ignore[attr-defined]
