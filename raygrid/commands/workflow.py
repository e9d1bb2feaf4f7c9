"""The verbs that plan and run cells, each a few steps."""

import json
import sys
from collections import Counter
from collections.abc import Sequence
from typing import get_args

from rich.console import Console

from raygrid import host
from raygrid.cells import Cell
from raygrid.commands.job import Job
from raygrid.commands.planning import Forecast, pilot_cells, summary
from raygrid.commands.progress import Progress
from raygrid.commands.reporting import write_tables
from raygrid.costs.model import Stratum, stratum_of
from raygrid.engine import Terms, engine_named
from raygrid.engine.output import not_captured
from raygrid.gridfile.schema import Grid
from raygrid.host import Runtime
from raygrid.inputs import images_key, inputs_key, load_inputs
from raygrid.storage.record import Status

_out, _err = Console(), Console(stderr=True)


def run(job: Job, engine: str, terms: Terms) -> int:
    """Run what is left to do, then report; return the exit code."""
    with job.store.locked():
        _prepare_store(job)
        planned = job.plan()
        _err.print(f"{job.grid.name}: {summary(planned)}")
        if planned.todo:
            _run(planned.todo, job, engine, terms)
        write_tables(job.store, job.results(), missing="mark")
    return _show_failures(job, why=terms.budget.exhausted())


def pilot(job: Job, engine: str, terms: Terms) -> None:
    """Run the few cells, if any, from whose records `plan` can predict the others."""
    tried: set[Stratum] = set()
    with job.store.locked():
        _prepare_store(job)
        while cells := pilot_cells(job, tried):
            _err.print(f"pilot: {len(cells)} of {len(job.cells)} cells")
            _run(cells, job, engine, terms)
            _say_why(job, cells, _err)
            tried |= {stratum_of(cell.identity()) for cell in cells}


def _prepare_store(job: Job) -> None:
    """Make the store, and say in it what is run on what."""
    job.store.prepare()
    job.store.write_text("grid.yaml", job.path.read_text(encoding="utf-8"))
    job.store.write_text("environment.json", json.dumps(host.environment(job.path.resolve().parent), indent=1))


def _run(cells: Sequence[Cell], job: Job, engine: str, terms: Terms) -> None:
    """Run cells, with a bar."""
    _fetch(cells)
    terminal = Console(file=not_captured(sys.stderr))  # what an inline trial writes is captured, the bar is not
    with Progress(cells, console=terminal, forecast=Forecast(job)) as progress:
        engine_named(engine)(cells, job.store, job.cache, terms=terms, observer=progress)


def prepare(job: Job) -> None:
    """Fetch and compute everything that trials share."""
    _fetch(job.cells)
    for cell in {inputs_key(cell, Runtime()): cell for cell in job.cells}.values():
        inputs = load_inputs(cell, job.cache, Runtime())
        what = "image" if inputs.key == images_key(cell) else cell.representation.name
        _out.print(f"{cell.dataset.name} {what}: train {inputs.X_train.shape}, test {inputs.X_test.shape}")


def _fetch(cells: Sequence[Cell]) -> None:
    """Download what cells need and is not on this machine, once, before any trial asks for it."""
    for level in {level: None for cell in cells for level in (cell.dataset, cell.representation, cell.classifier)}:
        level.fetch()


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
    _out.print(f"{job.grid.name}: {summary(job.plan())}")
    _show_failures(job, console=_out)


def show_schema() -> None:
    """Print the JSON Schema of a grid file."""
    print(json.dumps(Grid.model_json_schema(), indent=1))


def _show_failures(job: Job, *, why: str | None = None, console: Console = _err) -> int:
    """Print each cell that is not done and why, and why the run ended early; return the exit code that says so."""
    _say_why(job, job.cells, console)
    left = len(job.plan().todo)
    if left:
        left_over = f"{left} of {len(job.cells)} cells have no result; run the same command again to try them"
        console.print(f"{why}: {left_over}" if why else left_over, soft_wrap=True)
    return 1 if left else 0


def _say_why(job: Job, cells: Sequence[Cell], console: Console) -> None:
    """Print each of these cells that has a record but is not done, and why."""
    records = job.records()
    for cell in cells:
        record = records.get(cell.key)
        if record and record.status != "done":
            console.print(f"{record.status}: {cell}: {record.message} ({cell.key})", markup=False, soft_wrap=True)
