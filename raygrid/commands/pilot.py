"""The pilot of `plan`: run a few cells, and predict the cost of all others from their seconds."""

import os
from collections.abc import Callable, Collection, Sequence

from raygrid.cells import Cell
from raygrid.commands.doctor import speed
from raygrid.commands.forecast import given_cards, model_of
from raygrid.commands.job import Job
from raygrid.commands.prepare import fetch
from raygrid.commands.printing import Terminal
from raygrid.commands.run import prepare_store, run_cells, saying_what_is_kept
from raygrid.commands.sizes import Folds
from raygrid.commands.status import show_reasons
from raygrid.costs.model import CostModel, Stratum, stratum_of
from raygrid.engine import Terms
from raygrid.level import Level
from raygrid.networks.keras_backend import card_memory_mb

# A pilot also runs a cell of the largest training size where that is predicted to take no longer than this.
PILOT_S = 60.0

_err = Terminal(stderr=True)


def run_pilot(job: Job, engine: str, terms: Terms) -> None:
    """Run the few cells, if any, from whose records `plan` can predict the others."""
    tried: set[Stratum] = set()
    # On a cluster that is joined, trials wait for the card that they ask for; here they do without.
    has_cards = bool(terms.address or os.environ.get("RAY_ADDRESS") or card_memory_mb(0))
    on_card = given_cards(terms.resources if has_cards else {})
    with saying_what_is_kept(), job.store.locked():
        prepare_store(job)
        fetch(job.cells)  # their sizes say which cells are small
        while cells := pilot_cells(job, tried, on_card):
            _err.print(f"pilot: {len(cells)} of {len(job.cells)} cells")
            run_cells(cells, job, engine, terms)
            show_reasons(job, cells, job.records(), _err)
            tried |= {stratum_of(cell.identity()) for cell in cells}
    if not (terms.address or os.environ.get("RAY_ADDRESS")):
        for finding in speed.backends(job):
            _err.print(f"pilot: {finding.what}" + (f"; {finding.do}" if finding.do else ""))


def pilot_cells(
    job: Job, tried: Collection[Stratum], on_card: Callable[[Cell], bool] = lambda cell: False
) -> list[Cell]:
    """Return the cells to run next: at most one of each data set, representation, classifier and resampler.

    The first is the one with the smallest training size. After it comes the one with the largest, which shows how time
    grows, if it is predicted to take a minute at most. Where a cell leaves no duration (it is infeasible, say), the
    next size is tried. What is recorded already is not run again. The list is empty when nothing is left to try.

    Parameters
    ----------
    tried : collection of Stratum
        What the pilot has run cells of so far.
    on_card : callable
        Tells whether a cell is computed on a card here.
    """
    folds = Folds(job, read=True)
    model = model_of(job, folds, on_card)
    kinds: dict[tuple[Level, ...], list[Cell]] = {}
    for cell in job.plan().todo:
        if not folds.refusal(cell):
            kinds.setdefault((cell.dataset, cell.representation, cell.classifier, cell.resampler), []).append(cell)
    chosen = (_pilot_cell(cells, model, tried) for cells in kinds.values())
    return [cell for cell in chosen if cell]


def _pilot_cell(cells: Sequence[Cell], model: CostModel, tried: Collection[Stratum]) -> Cell | None:
    """Return the next cell of one kind to try."""

    def n_train(cell: Cell) -> int:
        sizes = model.sizes(cell)
        return sizes.n_train if sizes else 0

    recorded = model.recorded_sizes(cells[0])
    untried = sorted((cell for cell in cells if stratum_of(cell.identity()) not in tried), key=n_train)
    if not recorded or not untried:
        return untried[0] if untried else None
    largest = next(cell for cell in untried if n_train(cell) == n_train(untried[-1]))
    if len(recorded) > 1 or max(recorded) >= n_train(largest):
        return None
    estimate = model.estimate(largest)
    return largest if estimate and estimate.seconds <= PILOT_S else None
