"""What cells are predicted to take, from all that the stores and the cache of a job know."""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from raygrid.cells import Cell
from raygrid.commands.job import Job
from raygrid.costs.model import Balanced, CostModel
from raygrid.inputs import images_key
from raygrid.storage.cache import Cache
from raygrid.storage.folders import LocalFolder


class Forecast:
    """What cells are predicted to take: from the records at the start of a run, and from those it adds."""

    def __init__(self, job: Job) -> None:
        self._model, self._store = model_of(job), job.store

    def learn(self, cell: Cell) -> None:
        """Count in what a cell took that has just ended."""
        if record := self._store.record(cell.key):
            self._model.learn(record)

    def seconds(self, cell: Cell) -> float | None:
        """Return what a cell is predicted to take; None where nothing is known that is like it."""
        estimate = self._model.estimate(cell)
        return estimate.seconds if estimate else None


def model_of(job: Job) -> CostModel:
    """Return the model of all that the stores have; where they have nothing of a data set, its size is the cache's."""
    first_cells = {cell.dataset: cell for cell in reversed(job.cells)}
    cached = {dataset: _balanced(cell, job.cache) for dataset, cell in first_cells.items()}
    return CostModel(job.records().values(), {dataset: known for dataset, known in cached.items() if known})


def _balanced(cell: Cell, cache: Cache) -> Balanced | None:
    """Return the sizes of a cell's data set, if they are on this machine: a URL would have to send all images."""
    key = images_key(cell)
    if not (isinstance(cache.folder, LocalFolder) and (cache.folder.root / key).exists()):
        return None
    try:
        arrays = cache.arrays(key, _nothing)
    except LookupError:  # the entry is incomplete
        return None
    train, test = np.bincount(arrays["y_train"]), np.bincount(arrays["y_test"])
    return Balanced(int(train.min()), int(test.min()), len(train))


def _nothing() -> Mapping[str, NDArray[Any]]:
    raise LookupError
