"""The verbs that plan and run cells, each a few steps."""

import json
from collections import Counter
from collections.abc import Sequence
from typing import get_args

from rich.console import Console
from rich.table import Table as Columns

from raygrid import machine
from raygrid.config import Grid
from raygrid.engine import engine_named
from raygrid.grid import Cell, Plan
from raygrid.inputs import inputs_key, load_inputs
from raygrid.job import Job
from raygrid.progress import Progress
from raygrid.record import Status
from raygrid.reporting import write_tables

_out, _err = Console(), Console(stderr=True)


def run(job: Job, engine: str) -> int:
    """Run what is left to do, then report; return the exit code."""
    with job.store.locked():
        job.store.prepare()
        job.store.write_text("grid.yaml", job.path.read_text(encoding="utf-8"))
        job.store.write_text("environment.json", json.dumps(machine.environment(job.path.resolve().parent), indent=1))
        planned = job.plan()
        _err.print(f"{job.grid.name}: {_counts(planned)}")
        if planned.todo:
            _fetch(planned.todo)
            with Progress(total=len(planned.todo), console=_err) as progress:
                run_cells = engine_named(engine)
                run_cells(planned.todo, job.store, job.cache, resources=job.grid.resources, observer=progress)
        write_tables(job.store, job.results(), missing="mark")
    return _show_failures(job)


def prepare(job: Job) -> None:
    """Fetch and compute everything that trials share."""
    _fetch(job.cells)
    for cell in {inputs_key(cell): cell for cell in job.cells}.values():
        inputs = load_inputs(cell, job.cache)
        _out.print(
            f"{cell.dataset.name} {cell.representation.name}: train {inputs.X_train.shape}, test {inputs.X_test.shape}"
        )


def _fetch(cells: Sequence[Cell]) -> None:
    """Download what cells need and is not on this machine, once, before any trial asks for it."""
    for level in {level: None for cell in cells for level in (cell.dataset, cell.representation, cell.classifier)}:
        level.fetch()


def show_plan(job: Job) -> None:
    """Print the cells by axis and level: how many, and how many of them done, infeasible and left to do."""
    planned = job.plan()
    columns = Columns("axis", "level", title=f"{job.grid.name}: {_counts(planned)}")
    for heading in ("cells", "done", "infeasible", "to do"):
        columns.add_column(heading, justify="right")
    parts = [job.cells, planned.done, planned.infeasible, planned.todo]
    for axis, levels in job.grid.levels().items():
        tallies = [Counter(cell.levels()[axis] for cell in part) for part in parts]
        for i, level in enumerate(levels):
            columns.add_row("" if i else axis, level, *(str(tally[level]) for tally in tallies))
        columns.add_section()
    _out.print(columns)


def show_status(job: Job, *, as_json: bool) -> None:
    """Print how many cells have each status, and the failures."""
    records = job.records()
    statuses = Counter(records[cell.key].status if cell.key in records else "missing" for cell in job.cells)
    if as_json:
        failures = [
            {"key": cell.key, **cell.levels(), "status": record.status, "message": record.message}
            for cell in job.cells
            if (record := records.get(cell.key)) and record.status != "done"
        ]
        counts = {status: statuses[status] for status in (*get_args(Status), "missing")}
        print(json.dumps({"name": job.grid.name, "cells": len(job.cells), **counts, "not_done": failures}, indent=1))
        return
    _out.print(f"{job.grid.name}: {_counts(job.plan())}")
    _show_failures(job, console=_out)


def show_schema() -> None:
    """Print the JSON Schema of a grid file."""
    print(json.dumps(Grid.model_json_schema(), indent=1))


def _counts(planned: Plan) -> str:
    total = len(planned.done) + len(planned.infeasible) + len(planned.todo)
    return f"{total} cells: {len(planned.done)} done, {len(planned.infeasible)} infeasible, {len(planned.todo)} to do"


def _show_failures(job: Job, console: Console = _err) -> int:
    """Print each cell that is not done and why; return the exit code that says so."""
    records = job.records()
    for cell in job.cells:
        record = records.get(cell.key)
        if record and record.status != "done":
            console.print(f"{record.status}: {cell}: {record.message} ({cell.key})", markup=False, soft_wrap=True)
    left = len(job.plan().todo)
    if left:
        console.print(f"{left} of {len(job.cells)} cells have no result; run the same command again to try them")
    return 1 if left else 0
