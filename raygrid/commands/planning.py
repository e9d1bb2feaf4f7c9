"""What a grid will cost: `plan`, the pilot's choice of cells, and what a run's time left is told from."""

import json
from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table as Columns

from raygrid.cells import Cell, Plan
from raygrid.commands.job import Job
from raygrid.costs.bill import Bill, bill_of, sentences
from raygrid.costs.model import Balanced, CostModel, Stratum, stratum_of
from raygrid.costs.schedule import Machines
from raygrid.gridfile.resources import Resources
from raygrid.inputs import images_key
from raygrid.level import Level
from raygrid.storage.cache import Cache
from raygrid.storage.folders import LocalFolder

# A pilot runs a cell of the largest training size as well where that is predicted to take no longer.
PILOT_S = 60.0

_out = Console()


class Forecast:
    """What cells are predicted to take: from what the stores have, and from what is learnt while they run."""

    def __init__(self, job: Job) -> None:
        self._model, self._store = model_of(job), job.store

    def learn(self, cell: Cell) -> None:
        """Count in what a cell took that has just ended."""
        if record := self._store.record(cell.key):
            self._model.learn(record)

    def seconds(self, cell: Cell) -> float | None:
        """Return what a cell is predicted to take, where it can be."""
        estimate = self._model.estimate(cell)
        return estimate.seconds if estimate else None


def model_of(job: Job) -> CostModel:
    """Return the model of all that the stores have; sizes of data sets are had from the cache, too."""
    first_cells = {cell.dataset: cell for cell in reversed(job.cells)}
    cached = {dataset: _balanced(cell, job.cache) for dataset, cell in first_cells.items()}
    return CostModel(job.records().values(), {dataset: known for dataset, known in cached.items() if known})


def _balanced(cell: Cell, cache: Cache) -> Balanced | None:
    """Return the sizes of a cell's data set, if this machine has it; from a URL, all images would have to come here."""
    key = images_key(cell)
    if not (isinstance(cache.folder, LocalFolder) and (cache.folder.root / key).exists()):
        return None
    try:
        arrays = cache.arrays(key, _nothing)
    except LookupError:  # it is not whole
        return None
    train, test = np.bincount(arrays["y_train"]), np.bincount(arrays["y_test"])
    return Balanced(int(train.min()), int(test.min()), len(train))


def _nothing() -> Mapping[str, NDArray[Any]]:
    raise LookupError


def pilot_cells(job: Job, tried: Collection[Stratum]) -> list[Cell]:
    """Return the cells that a pilot runs next, of each data set, representation, classifier and resampler one at most.

    That is the first with the smallest training size, and after it, for the exponent, the first with the largest if
    that is predicted to take a minute at most; where a cell leaves no duration (it is infeasible, say), the next size.
    What is recorded already is not run. None when nothing is left to try.

    Parameters
    ----------
    tried : collection of Stratum
        What the pilot has run cells of so far.
    """
    kinds: dict[tuple[Level, ...], list[Cell]] = {}
    for cell in sorted(job.plan().todo, key=lambda cell: -cell.ir):
        kinds.setdefault((cell.dataset, cell.representation, cell.classifier, cell.resampler), []).append(cell)
    model = model_of(job)
    chosen = (_pilot_cell(cells, model, min(job.grid.imbalance_ratios), tried) for cells in kinds.values())
    return [cell for cell in chosen if cell]


def _pilot_cell(cells: Sequence[Cell], model: CostModel, least_ir: float, tried: Collection[Stratum]) -> Cell | None:
    """Return the next cell to try of one kind; `cells` come by falling IR, so by growing training size."""
    recorded = model.recorded_irs(cells[0])
    untried = [cell for cell in cells if stratum_of(cell.identity()) not in tried]
    if not recorded:
        return untried[0] if untried else None
    largest = next((cell for cell in untried if cell.ir == least_ir), None)
    if len(recorded) > 1 or least_ir in recorded or not largest:
        return None
    estimate = model.estimate(largest)
    return largest if estimate and estimate.seconds <= PILOT_S else None


def summary(planned: Plan) -> str:
    """Say how many cells there are, and how many of them done, infeasible and left to do."""
    total = len(planned.done) + len(planned.infeasible) + len(planned.todo)
    return f"{total} cells: {len(planned.done)} done, {len(planned.infeasible)} infeasible, {len(planned.todo)} to do"


def show_plan(job: Job, *, resources: Mapping[str, Resources], machines: Machines, as_json: bool) -> None:
    """Print what is done and left to do by axis and level, then what that will cost by stratum and in all.

    Parameters
    ----------
    resources : mapping
        What a trial is given, by the name of its classifier.
    machines : Machines
        For which the wall-clock time is told.
    """
    planned = job.plan()
    bill = bill_of(planned.todo, model_of(job), resources, machines)
    if as_json:
        parts = {"done": len(planned.done), "infeasible": len(planned.infeasible), "todo": len(planned.todo)}
        print(json.dumps({"name": job.grid.name, "cells": len(job.cells), **parts, **bill.to_json()}, indent=1))
        return
    _out.print(_by_axis(job, planned))
    if planned.todo and bill.n_unknown < len(planned.todo):
        _out.print(_by_stratum(bill))
    for sentence in sentences(bill):
        _out.print(sentence, markup=False, highlight=False, soft_wrap=True)


def _by_axis(job: Job, planned: Plan) -> Columns:
    columns = Columns("axis", "level", title=f"{job.grid.name}: {summary(planned)}")
    for heading in ("cells", "done", "infeasible", "to do"):
        columns.add_column(heading, justify="right")
    parts = [job.cells, planned.done, planned.infeasible, planned.todo]
    for axis, levels in job.grid.levels().items():
        tallies = [Counter(cell.levels()[axis] for cell in part) for part in parts]
        for i, level in enumerate(levels):
            columns.add_row("" if i else axis, level, *(str(tally[level]) for tally in tallies))
        columns.add_section()
    return columns


def _by_stratum(bill: Bill) -> Columns:
    columns = Columns("dataset", "ir", "arm", "resampler", box=SIMPLE_HEAD, padding=0, pad_edge=False)
    columns.title = "To do, and what it will take"
    for heading in ("n_train", "cells", "s a cell", "hours"):
        columns.add_column(heading, justify="right")
    columns.add_column("found by")
    for line in bill.lines:
        dataset, ir, representation, classifier, resampler = line.levels.values()
        numbers = [str(line.n_train or "?"), str(line.n_cells)]
        if line.estimate:
            numbers += [_short(line.estimate.seconds), f"{line.hours:.2f}", line.estimate.basis]
        else:
            numbers += ["?", "?", "unknown"]
        columns.add_row(dataset, ir, f"{representation} {classifier}", resampler, *numbers)
    return columns


def _short(seconds: float) -> str:
    """Return seconds with as many decimals as say something."""
    return f"{seconds:.0f}" if seconds >= 100 else f"{seconds:.3g}"
