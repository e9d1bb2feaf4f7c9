"""plan: how many cells are done, infeasible or left to do, and what those left will cost."""

import json
from collections import Counter
from collections.abc import Mapping

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table as Columns

from raygrid.axes import IMBALANCE
from raygrid.cells import Plan
from raygrid.commands.forecast import model_of
from raygrid.commands.job import Job
from raygrid.commands.status import counts_line
from raygrid.costs.bill import Bill, bill_of, sentences
from raygrid.costs.schedule import Machines
from raygrid.gridfile.resources import Resources

_out = Console()


def show_plan(job: Job, *, resources: Mapping[str, Resources], machines: Machines, as_json: bool) -> None:
    """Print what is done and left to do by axis and level, then what that will cost by stratum and in all.

    Parameters
    ----------
    resources : mapping
        What a trial is given, by the name of its classifier.
    machines : Machines
        The machines whose wall-clock time is predicted.
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
    columns = Columns("axis", "level", title=f"{job.grid.name}: {counts_line(planned)}")
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
    columns = Columns("dataset", IMBALANCE, "arm", "resampler", box=SIMPLE_HEAD, padding=0, pad_edge=False)
    columns.title = "To do, and what it will take"
    for heading in ("n_train", "cells", "s a cell", "hours"):
        columns.add_column(heading, justify="right")
    columns.add_column("found by")
    for line in bill.lines:
        dataset, imbalance, representation, classifier, resampler = line.levels.values()
        numbers = [str(line.n_train or "?"), str(line.n_cells)]
        if line.estimate:
            numbers += [_short(line.estimate.seconds), f"{line.hours:.2f}", line.estimate.basis]
        else:
            numbers += ["?", "?", "unknown"]
        columns.add_row(dataset, imbalance, f"{representation} {classifier}", resampler, *numbers)
    return columns


def _short(seconds: float) -> str:
    """Return seconds with as many decimals as a reader needs."""
    return f"{seconds:.0f}" if seconds >= 100 else f"{seconds:.3g}"
