"""plan: print how many cells are done, infeasible or left to do, and what the cells left to do will cost."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

from rich.box import SIMPLE_HEAD
from rich.table import Column
from rich.table import Table as Columns

from raygrid.axes import IMBALANCE
from raygrid.cells import Plan
from raygrid.commands.forecast import given_cards, model_of
from raygrid.commands.job import Job
from raygrid.commands.printing import Terminal, show
from raygrid.commands.sizes import Folds, Kept, kept_of, warnings_of
from raygrid.commands.status import counts_line
from raygrid.costs.bill import Bill, bill_of, sentences
from raygrid.costs.schedule import Machines
from raygrid.gridfile.resources import Resources
from raygrid.wording import at_most, plural, span

# Reasons that are printed at most, one a line.
_REASONS = 20

_out = Terminal()


def show_plan(job: Job, *, resources: Mapping[str, Resources], machines: Machines, as_json: bool) -> None:
    """Print what is done and left to do by axis and level, then what that will cost by stratum and in all.

    Parameters
    ----------
    resources : mapping
        What a trial is given, by the name of its classifier.
    machines : Machines
        The machines whose wall-clock time is predicted.
    """
    folds = Folds(job, read=True)
    planned, refused = _refused(job.plan(), folds)
    kept = list(kept_of(job, folds))
    bill = bill_of(planned.todo, model_of(job, folds, given_cards(resources)), resources, machines)
    if as_json:
        parts = {"done": len(planned.done), "infeasible": len(planned.infeasible), "todo": len(planned.todo)}
        sizes = {"sizes": [each.to_json() for each in kept], "refused": refused, "choices": _choices(job)}
        print(json.dumps({"name": job.name, "cells": len(job.cells), **parts, **sizes, **bill.to_json()}, indent=1))
        return
    show(_out, _by_axis(job, planned))
    if kept:
        show(_out, _by_size(kept))
    reasons = [f"infeasible: {plural(n, 'cell')}: {why}" for why, n in refused.items()]
    choices = [f"choose: {names}: {what}" for names, what in _choices(job).items()]
    for line in [*choices, *folds.notes(), *warnings_of(kept), *at_most(reasons, _REASONS)]:
        _out.print(line, markup=False, highlight=False, soft_wrap=True)
    if planned.todo and bill.n_unknown < len(planned.todo):
        show(_out, _by_stratum(bill))
    for sentence in sentences(bill):
        _out.print(sentence, markup=False, highlight=False, soft_wrap=True)


def _choices(job: Job) -> dict[str, str]:
    """Return how many candidates the cells of each classifier and resampler have, where there are several."""
    return {
        f"{cell.classifier.text} with {cell.resampler.text}": (
            f"{cell.n_candidates} candidates, by {cell.choose.text}: {cell.n_fits} fits a cell"
        )
        for cell in job.cells
        if cell.n_candidates > 1
    }


def _refused(planned: Plan, folds: Folds) -> tuple[Plan, dict[str, int]]:
    """Return the plan with the cells that the sizes of the classes forbid as infeasible, and how many for which reason.

    A run gives each of them a record that says so.
    """
    reasons = {cell: why for cell in planned.todo if (why := folds.refusal(cell))}
    todo = tuple(cell for cell in planned.todo if cell not in reasons)
    counts = Counter(f"{cell.dataset.name}: {why}" for cell, why in reasons.items())
    return replace(planned, infeasible=(*planned.infeasible, *reasons), todo=todo), dict(counts)


def _by_size(kept: Sequence[Kept]) -> Columns:
    """Return how many images of each data set a level uses, and its smallest and largest class: of the first fold."""
    columns = Columns(_text("dataset"), _text(IMBALANCE), box=SIMPLE_HEAD, padding=0, pad_edge=False)
    columns.title = "Images that are used, and classes from the smallest to the largest"
    for heading in ("images", "of", "train", "a class", "ratio", "test", "a class"):
        columns.add_column(heading, justify="right", overflow="fold")
    for each in kept:
        used = [str(each.n_images - each.n_unused), str(each.n_images)]
        train = [_with_validation(each), span(each.train), f"{max(each.train) / min(each.train):.3g}"]
        columns.add_row(each.dataset, each.imbalance, *used, *train, str(sum(each.test)), span(each.test))
    return columns


def _text(heading: str) -> Column:
    """Return a column of names, which stay whole where the terminal is narrow: the numbers beside them are wrapped."""
    return Column(heading, no_wrap=True, overflow="fold")


def _with_validation(kept: Kept) -> str:
    validation = f" (+{sum(kept.validation)} validation)" if any(kept.validation) else ""
    return f"{sum(kept.train)}{validation}"


def _by_axis(job: Job, planned: Plan) -> Columns:
    columns = Columns("axis", _text("level"), title=f"{job.name}: {counts_line(planned)}")
    for heading in ("cells", "done", "infeasible", "to do"):
        columns.add_column(heading, justify="right", overflow="fold")
    parts = [job.cells, planned.done, planned.infeasible, planned.todo]
    for axis, levels in job.grid.levels().items():
        tallies = [Counter(cell.levels()[axis] for cell in part) for part in parts]
        for i, level in enumerate(levels):
            columns.add_row("" if i else axis, level, *(str(tally[level]) for tally in tallies))
        columns.add_section()
    return columns


def _by_stratum(bill: Bill) -> Columns:
    names = map(_text, ("dataset", IMBALANCE, "arm", "resampler"))
    columns = Columns(*names, box=SIMPLE_HEAD, padding=0, pad_edge=False)
    columns.title = "To do, and what it will take"
    for heading in ("n_train", "cells", "s a cell", "hours"):
        columns.add_column(heading, justify="right", overflow="fold")
    columns.add_column("found by", overflow="fold")
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
