"""The predicted seconds of cells, from the records in a job's stores and the data set sizes in its cache."""

from raygrid.cells import Cell
from raygrid.commands.job import Job
from raygrid.commands.sizes import Folds
from raygrid.costs.model import CostModel


class Forecast:
    """What cells are predicted to take: from the records at the start of a run, and from those it adds."""

    def __init__(self, job: Job) -> None:
        self._folds = Folds(job, read=False)
        self._model, self._store = model_of(job, self._folds), job.store

    def learn(self, cell: Cell) -> None:
        """Count in what a cell took that has just ended."""
        self._folds.look_up(cell)
        if record := self._store.record(cell.key):
            self._model.learn(record)

    def seconds(self, cell: Cell) -> float | None:
        """Return what a cell is predicted to take; None where nothing is known that is like it."""
        estimate = self._model.estimate(cell)
        return estimate.seconds if estimate else None


def model_of(job: Job, folds: Folds | None = None) -> CostModel:
    """Return the model of all that the stores have; where they have nothing of a data set, its size is the cache's.

    Parameters
    ----------
    folds : Folds, optional
        Of the job's cells, if the caller has them.
    """
    return CostModel(job.records().values(), (folds or Folds(job, read=False)).sizes)
