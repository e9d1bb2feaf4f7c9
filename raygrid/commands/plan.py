"""plan: print how many cells are done, infeasible or left to do, and what the cells left to do will cost."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import groupby
from operator import itemgetter

from rich.box import SIMPLE_HEAD
from rich.table import Column
from rich.table import Table as Columns

from raygrid.axes import IMBALANCE
from raygrid.cells import Plan, labels_on, names_on, plan
from raygrid.commands.earlier_code import sentence_on_earlier_code
from raygrid.commands.forecast import given_cards
from raygrid.commands.job import Job
from raygrid.commands.printing import Terminal, show
from raygrid.commands.sizes import Folds, Kept, kept_of, warnings_of
from raygrid.commands.status import counts_line
from raygrid.costs import shares
from raygrid.costs.bill import Bill, bill_of, sentences
from raygrid.costs.model import CostModel
from raygrid.costs.schedule import Machines
from raygrid.costs.shares import largest, peaks_of, settled
from raygrid.gridfile.levels import spelled
from raygrid.gridfile.resources import Resources
from raygrid.wording import at_most, gist, plural, ranges, span

# How much is printed at most; --json has all.
_REASONS, _LEVELS, _ROWS = 20, 20, 100  # lines of reasons, levels of an axis, rows of the other tables

_LONGEST_LEVEL = 32  # characters of a line, beside which the numbers stay whole

# Cells of a level: in all, done, infeasible, to do.
Counts = tuple[int, ...]

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
    folds, records = Folds(job, read=True), job.records()
    planned, refused = folds.refused(plan(job.cells, {key: record.status for key, record in records.items()}))
    kept = list(kept_of(job, folds))
    left = planned.todo or job.cells
    peaks = largest(peaks_of(records.values()), left)
    given = settled(resources, peaks)
    bill = bill_of(planned.todo, CostModel(records.values(), folds.sizes, given_cards(given)), given, machines)
    if as_json:
        parts = {"done": len(planned.done), "infeasible": len(planned.infeasible), "todo": len(planned.todo)}
        sizes = {"sizes": [each.to_json() for each in kept], "refused": refused, "choices": _choices(job)}
        print(json.dumps({"name": job.name, "cells": len(job.cells), **parts, **sizes, **bill.to_json()}, indent=1))
        return
    show(_out, _by_axis(job, planned))
    if kept:
        show(_out, _by_size(kept))
    choices = [f"choose: {names}: {what}" for names, what in _choices(job).items()]
    earlier = list(filter(None, [sentence_on_earlier_code(job.cells, records)]))
    said = (earlier, choices, list(folds.notes()), list(warnings_of(kept)), list(_reasons(refused)))
    for line in [line for lines in said for line in at_most(lines, _REASONS)]:
        _out.print(line, highlight=False, soft_wrap=True)
    if planned.todo and bill.n_unknown < len(planned.todo):
        show(_out, _by_stratum(bill))
    classifiers = dict.fromkeys(cell.classifier.name for cell in left)
    asked = {name: resources.get(name, Resources()) for name in classifiers}
    for sentence in [*shares.sentences(asked, peaks), *sentences(bill)]:
        _out.print(sentence, highlight=False, soft_wrap=True)


def _choices(job: Job) -> dict[str, str]:
    """Return how many candidates the cells of each classifier and resampler have, where there are several."""
    return {
        f"{cell.classifier.text} with {cell.resampler.text}": (
            f"{cell.n_candidates} candidates, by {cell.choose.text}: {cell.n_fits} fits a cell"
        )
        for cell in {(cell.classifier, cell.resampler): cell for cell in job.cells}.values()
        if cell.n_candidates > 1
    }


def _reasons(refused: Mapping[str, int]) -> Iterator[str]:
    """Yield a line for all cells that are refused alike: how many, and why the first of them is."""
    alike: dict[str, list[str]] = {}
    for why in refused:
        alike.setdefault(gist(why), []).append(why)
    for first, *others in alike.values():
        n_cells = sum(refused[why] for why in (first, *others))
        yield f"infeasible: {plural(n_cells, 'cell')}: {first}{'; the others likewise' if n_cells > 1 else ''}"


def _by_size(kept: Sequence[Kept]) -> Columns:
    """Return how many images of each data set a level uses, and its smallest and largest class: of the first fold."""
    columns = Columns(_text("dataset"), _text(IMBALANCE), box=SIMPLE_HEAD, padding=0, pad_edge=False)
    columns.title = "Images that are used, and classes from the smallest to the largest"
    for heading in ("images", "of", "train", "a class", "ratio", "test", "a class"):
        columns.add_column(heading, justify="right", overflow="fold")
    for each in kept[:_ROWS]:
        used = [str(each.n_images - each.n_unused), str(each.n_images)]
        train = [_with_validation(each), span(each.train), f"{max(each.train) / min(each.train):.3g}"]
        columns.add_row(each.dataset, each.imbalance, *used, *train, str(sum(each.test)), span(each.test))
    columns.caption = _more(kept)
    return columns


def _more(rows: Sequence[object]) -> str | None:
    """Return what stands under a table that does not have all rows."""
    return f"and {len(rows) - _ROWS} more: --json has all" if len(rows) > _ROWS else None


def _text(heading: str) -> Column:
    """Return a column of names, which stay whole where the terminal is narrow: the numbers beside them are wrapped."""
    return Column(heading, no_wrap=True, overflow="fold")


def _with_validation(kept: Kept) -> str:
    validation = f" (+{sum(kept.validation)} validation)" if any(kept.validation) else ""
    return f"{sum(kept.train)}{validation}"


def _by_axis(job: Job, planned: Plan) -> Columns:
    columns = Columns(_text("axis"), Column("level", max_width=_LONGEST_LEVEL, overflow="fold"), padding=0)
    columns.title = f"{job.name}: {counts_line(planned)}"
    for heading in ("cells", "done", "infeasible", "to do"):
        columns.add_column(heading, justify="right", overflow="fold")
    parts = [job.cells, planned.done, planned.infeasible, planned.todo]
    widest = 0
    for axis, texts in job.grid.levels().items():
        names = labels_on(axis, job.cells)
        tallies = [Counter(names_on(axis, part, names)) for part in parts]
        levels = sorted(names, key=lambda level: texts.index(spelled(level)))
        counted = {names[level]: tuple(tally[names[level]] for tally in tallies) for level in levels}
        rows = _folds_in_short(counted) if axis == "fold" else list(counted.items())
        for i, (level, numbers) in enumerate(_first(rows)):
            columns.add_row("" if i else axis, level, *map(str, numbers))
            widest = max(widest, len(level))
        columns.add_section()
    columns.columns[1].min_width = min(widest, _LONGEST_LEVEL)  # stays whole where the terminal is narrow
    return columns


def _folds_in_short(counted: Mapping[str, Counts]) -> list[tuple[str, Counts]]:
    """Return what is counted of folds: in one row, *0-9 each*, those that follow each other and count alike."""
    alike = groupby(counted.items(), key=itemgetter(1))
    rows = [(folds, numbers) for numbers, group in alike for folds in ranges(fold for fold, _ in group)]
    return [(f"{folds} each" if "-" in folds else folds, numbers) for folds, numbers in rows]


def _first(rows: Sequence[tuple[str, Counts]]) -> list[tuple[str, Counts]]:
    """Return the first levels of an axis, and what is counted of all others together."""
    others = [numbers for _, numbers in rows[_LEVELS:]]
    sums = [(f"and {len(others)} more", tuple(map(sum, zip(*others, strict=True))))] if others else []
    return [*rows[:_LEVELS], *sums]


def _by_stratum(bill: Bill) -> Columns:
    names = map(_text, ("dataset", IMBALANCE, "arm", "resampler"))
    columns = Columns(*names, box=SIMPLE_HEAD, padding=0, pad_edge=False)
    columns.title = "To do, and what it will take"
    for heading in ("n_train", "cells", "s a cell", "hours"):
        columns.add_column(heading, justify="right", overflow="fold")
    columns.add_column("found by", overflow="fold")
    columns.caption = _more(bill.lines)
    for line in bill.lines[:_ROWS]:
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
