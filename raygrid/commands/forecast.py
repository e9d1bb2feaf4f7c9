"""The predicted seconds of cells, from the records in a job's stores and the data set sizes in its cache."""

from collections import Counter
from collections.abc import Callable, Mapping
from types import MappingProxyType

from raygrid.cells import Cell, levels_of
from raygrid.commands.job import Job
from raygrid.commands.sizes import Folds
from raygrid.costs.model import CostModel
from raygrid.gridfile.resources import Resources
from raygrid.level import Level

# So many records of a stratum are read while a run goes on: at a URL each is a request, for which the run waits.
_ENOUGH = 10


class Forecast:
    """What cells are predicted to take: from the records at the start of a run, and from those it adds.

    Parameters
    ----------
    resources : mapping
        What trials ask for, by classifier. Whether they get a card shows in their records.
    """

    def __init__(self, job: Job, resources: Mapping[str, Resources] = MappingProxyType({})) -> None:
        self._folds = Folds(job, read=False)
        self._on_card = {name: asked.gpus > 0 for name, asked in resources.items()}
        self._model, self._store = model_of(job, self._folds, self._is_on_card), job.store
        self._n_learnt: Counter[tuple[Level, ...]] = Counter()

    def learn(self, cell: Cell) -> None:
        """Count in what a cell took that has just ended, unless enough is known of cells that differ in the fold."""
        self._folds.look_up(cell)
        levels = levels_of(cell)
        if self._n_learnt[levels] >= _ENOUGH:
            return
        self._n_learnt[levels] += 1
        if record := self._store.record(cell.key):
            self._on_card[cell.classifier.name] = record.measured.gpus > 0
            self._model.learn(record)

    def seconds(self, cell: Cell) -> float | None:
        """Return what a cell is predicted to take; None where nothing is known that is like it."""
        estimate = self._model.estimate(cell)
        return estimate.seconds if estimate else None

    def _is_on_card(self, cell: Cell) -> bool:
        return self._on_card.get(cell.classifier.name, False) and cell.uses_cards


def given_cards(resources: Mapping[str, Resources]) -> Callable[[Cell], bool]:
    """Return what tells whether a cell is computed on a card, if trials get these resources, by classifier."""
    return lambda cell: cell.uses_cards and resources.get(cell.classifier.name, Resources()).gpus > 0


def model_of(job: Job, folds: Folds | None = None, on_card: Callable[[Cell], bool] = lambda cell: False) -> CostModel:
    """Return the model of all that the stores have; where they have nothing of a data set, its size is the cache's.

    Parameters
    ----------
    folds : Folds, optional
        Of the job's cells, if the caller has them.
    on_card : callable
        Tells whether a cell will be computed on a card.
    """
    return CostModel(job.records().values(), (folds or Folds(job, read=False)).sizes, on_card)
