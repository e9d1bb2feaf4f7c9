"""The verbs of the command line, each a few steps."""

import json
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.table import Table as Columns

from raygrid import machine
from raygrid.cache import Cache
from raygrid.config import Grid
from raygrid.engine import engine_named
from raygrid.faults import load_grid
from raygrid.grid import Cell, Plan, expand, plan, select
from raygrid.inputs import inputs_key, load_inputs
from raygrid.progress import Progress
from raygrid.report import Missing, table, to_csv, to_latex, to_markdown, to_terminal
from raygrid.report.frame import frame_of
from raygrid.store import Store

_out, _err = Console(), Console(stderr=True)

# File name -> the axis whose levels are the rows.
TABLES = {"table1": "dataset", "table2": "ir"}


@dataclass(frozen=True)
class Job:
    """A grid file, opened: its cells, and where their records and inputs are kept."""

    path: Path
    grid: Grid
    cells: Sequence[Cell]
    store: Store
    cache: Cache

    def plan(self) -> Plan:
        """Return the cells against what the store has."""
        return plan(self.cells, self.store.statuses())


def open_job(path: Path, *, store: Path | None, cache: Path, only: Sequence[str]) -> Job:
    """Load a grid file and expand it.

    Raises
    ------
    UsageError
        Something in the file, or in `only`, is wrong.
    """
    grid = load_grid(path)
    cells = select(expand(grid), only, grid)
    return Job(path, grid, cells, Store(store or Path("runs", grid.name)), Cache(cache))


def run(job: Job, engine: str) -> int:
    """Run what is left to do, then report; return the exit code."""
    with job.store.locked():
        job.store.prepare()
        job.store.write_text("grid.yaml", job.path.read_text(encoding="utf-8"))
        job.store.write_text("environment.json", json.dumps(machine.environment(job.path.resolve().parent), indent=1))
        planned = job.plan()
        _err.print(f"{job.grid.name}: {_counts(planned)}")
        if planned.todo:
            with Progress(total=len(planned.todo), console=_err) as progress:
                run_cells = engine_named(engine)
                run_cells(planned.todo, job.store, job.cache, resources=job.grid.resources, observer=progress)
        report(job, missing="mark")
    return _show_failures(job)


def prepare(job: Job) -> None:
    """Fetch and compute everything that trials share."""
    for level in {level: None for cell in job.cells for level in (cell.dataset, cell.representation, cell.classifier)}:
        _err.print(f"fetching what {level.name} needs")
        level.fetch()
    for cell in {inputs_key(cell): cell for cell in job.cells}.values():
        inputs = load_inputs(cell, job.cache)
        _out.print(
            f"{cell.dataset.name} {cell.representation.name}: train {inputs.X_train.shape}, test {inputs.X_test.shape}"
        )


def report(job: Job, *, missing: Missing, spread: bool = False) -> None:
    """Print Table 1 and Table 2, and write them as CSV, Markdown and LaTeX."""
    frame = frame_of(job.cells, job.store.records(), job.grid.metrics)
    for name, rows in TABLES.items():
        made = table(frame, rows=rows, missing=missing)
        forms = {"csv": to_csv(made), "md": to_markdown(made, spread), "tex": to_latex(made, spread)}
        paths = [job.store.write_text(f"report/{name}.{suffix}", text) for suffix, text in forms.items()]
        _out.print(to_terminal(made, spread))
    _out.print(f"report: {paths[0].parent}", soft_wrap=True)


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
    records = job.store.records()
    statuses = Counter(records[cell.key].status if cell.key in records else "missing" for cell in job.cells)
    if as_json:
        failures = [
            {"key": cell.key, **cell.levels(), "status": record.status, "message": record.message}
            for cell in job.cells
            if (record := records.get(cell.key)) and record.status != "done"
        ]
        print(json.dumps({"name": job.grid.name, "cells": len(job.cells), **statuses, "not_done": failures}, indent=1))
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
    records = job.store.records()
    for cell in job.cells:
        record = records.get(cell.key)
        if record and record.status != "done":
            console.print(f"{record.status}: {cell}: {record.message} ({cell.key})", markup=False, soft_wrap=True)
    left = len(job.plan().todo)
    if left:
        console.print(f"{left} of {len(job.cells)} cells have no result; run the same command again to try them")
    return 1 if left else 0
