"""status: print how many cells are done, and which failed and why."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import get_args

from rich.console import Console

from raygrid.cells import Cell, Plan
from raygrid.commands.earlier_code import sentence_on_earlier_code
from raygrid.commands.printing import Terminal
from raygrid.commands.study import Study
from raygrid.storage.record import Record, Status
from raygrid.wording import gist

_out = Terminal()


def show_status(study: Study, *, as_json: bool) -> None:
    """Print how many cells have each status, and the failures."""
    if as_json:
        print(json.dumps(_as_json(study), indent=1))
        return
    records = study.records()  # once, because a store at a URL takes a request for each thousand records
    _out.print(f"{study.name}: {counts_line(study.plan(records))}")
    show_failures(study, records, _out)


def _as_json(study: Study) -> dict[str, object]:
    records = study.records()
    statuses = Counter(records[cell.key].status if cell.key in records else "missing" for cell in study.cells)
    failures = [
        {"key": cell.key, **cell.levels(), "status": record.status, "message": record.message}
        for cell in study.cells
        if (record := records.get(cell.key)) and record.status != "done"
    ]
    counts = {status: statuses[status] for status in (*get_args(Status), "missing")}
    return {"name": study.name, "cells": len(study.cells), **counts, "not_done": failures}


def counts_line(planned: Plan) -> str:
    """Return how many cells there are, and how many of them are done, infeasible and left to do."""
    total = len(planned.done) + len(planned.infeasible) + len(planned.todo)
    return f"{total} cells: {len(planned.done)} done, {len(planned.infeasible)} infeasible, {len(planned.todo)} to do"


def show_failures(study: Study, records: Mapping[str, Record], console: Console, *, stopped: str | None = None) -> int:
    """Print which cells are not done and why; return the exit code: 1 if cells are left to do, else 0.

    Parameters
    ----------
    stopped : str or None
        Why the run ended early.
    """
    show_reasons(study, study.cells, records, console)
    if earlier := sentence_on_earlier_code(study.cells, records):
        console.print(earlier, highlight=False, soft_wrap=True)
    sentence = sentence_on_rest(study.plan(records).todo, len(study.cells), records)
    if sentence:
        console.print(f"{stopped}: {sentence}" if stopped else sentence, soft_wrap=True)
    return 1 if sentence else 0


def sentence_on_rest(rest: Sequence[Cell], n_cells: int, records: Mapping[str, Record]) -> str:
    """Return how many cells have no result, and what helps; nothing where all have one.

    An error comes again in every run until its cause is mended; what memory, time or a lost node ended need not.
    """
    n_errors = sum(cell.key in records and records[cell.key].status == "error" for cell in rest)
    if not rest:
        return ""
    sentence = f"{len(rest)} of {n_cells} cells have no result"
    if n_errors < len(rest):
        again = f"{sentence}; run the grid again to try them"
        return f"{again} ({n_errors} had an error, which comes again until its cause is mended)" if n_errors else again
    return f"{sentence}, because of errors, which come again until their cause is mended: `raygrid logs` shows where"


def show_reasons(study: Study, cells: Sequence[Cell], records: Mapping[str, Record], console: Console) -> None:
    """Print why cells are not done, as far as records say so: a line for all that ended alike."""
    alike: dict[tuple[str, str], list[tuple[Cell, Record]]] = {}
    for cell in cells:
        record = records.get(cell.key)
        if record and record.status != "done":
            alike.setdefault((record.status, gist(record.message or "")), []).append((cell, record))
    for those in sorted(alike.values(), key=len, reverse=True):
        console.print(_reason(those, study.cells), highlight=False, soft_wrap=True)


def _reason(alike: Sequence[tuple[Cell, Record]], cells: Sequence[Cell]) -> str:
    """Return a line for cells that ended alike: how many, which levels all of them have, and what the first one says.

    Parameters
    ----------
    alike : sequence of Cell and Record
    cells : sequence of Cell
        All of the study: a level that every one of them has says nothing.
    """
    cell, record = alike[0]
    if len(alike) == 1:
        return f"{record.status}: {cell}: {record.message} ({cell.key})"
    shared = [
        f"{axis}={level}"
        for axis, level in cell.levels().items()
        if all(other.levels()[axis] == level for other, _ in alike)
        and any(other.levels()[axis] != level for other in cells)
    ]
    where = f" ({' '.join(shared)})" if shared else ""
    differ = "; the others likewise" if len({other.message for _, other in alike}) > 1 else ""
    return f"{record.status}: {len(alike)} cells{where}: {record.message}{differ} (the first: {cell.key})"
