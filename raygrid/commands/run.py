"""run: run every cell that has no final record yet, then print the tables."""

import json
import logging
import signal
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace

from raygrid import host
from raygrid.activity import heard_by
from raygrid.cells import Cell
from raygrid.commands.forecast import Forecast
from raygrid.commands.job import Job
from raygrid.commands.prepare import fetch
from raygrid.commands.printing import Terminal, activity_shown, show_path
from raygrid.commands.progress import Progress
from raygrid.commands.sizes import Folds
from raygrid.commands.status import counts_line, show_failures
from raygrid.commands.tables import paper_tables, results_of, show_tables
from raygrid.costs.shares import largest, peaks_of, sentences, settled, unmeasured
from raygrid.engine import Terms, engine_named
from raygrid.gridfile.resources import Resources
from raygrid.host.output import not_captured
from raygrid.wording import plural

_out, _err = Terminal(), Terminal(stderr=True)


def run_grid(job: Job, engine: str, terms: Terms) -> int:
    """Run what is left to do, then print and write the tables; return the exit code."""
    with saying_what_is_kept(), job.store.locked():
        run_missing(job, engine, terms)
        job.store.gather()
        exit_code = show_failures(job, job.records(), _err, stopped=terms.budget.exhausted())
        show_tables(job, paper_tables(results_of(job), missing="mark"))
    _out.print(f"figures, statistics and the page: raygrid report {job.named}", highlight=False, soft_wrap=True)
    show_path(_out, job.store.root / job.report_folder / "table1.md")
    return exit_code


def run_missing(job: Job, engine: str, terms: Terms) -> None:
    """Run what is left to do, in a store that is locked."""
    prepare_store(job)
    job.store.gather()
    planned = job.plan()
    foreseen, _ = Folds(job, read=False).refused(planned)
    n_unrecorded = len(foreseen.infeasible) - len(planned.infeasible)  # the bar counts them as well
    noted = f"; {n_unrecorded} of the infeasible have no record yet, and get one" if n_unrecorded else ""
    _err.print(f"{job.name}: {counts_line(foreseen)}{noted}", highlight=False, soft_wrap=True)
    if first := first_measured(planned.todo, job, terms.resources):
        _err.print(f"resources: auto: first {plural(len(first), 'cell')}, to measure what a trial takes")
        run_cells(first, job, engine, terms)
        planned = job.plan()
    tried = {cell.key for cell in first}
    left = [cell for cell in planned.todo if cell.key not in tried]
    asked = {cell.classifier.name: terms.resources_of(cell) for cell in left}
    for line in sentences(asked, largest(peaks_of(job.records().values()), left)):
        _err.print(line, highlight=False, soft_wrap=True)
    if left and not terms.budget.exhausted():
        run_cells(left, job, engine, terms)


def first_measured(cells: Sequence[Cell], job: Job, resources: Mapping[str, Resources]) -> list[Cell]:
    """Return one of the largest cells of each kind whose resources are `auto` and of which none is measured."""
    waiting = unmeasured(cells, resources, peaks_of(job.records().values()))
    if not waiting:
        return []
    with activity_shown():
        fetch([cell for alike in waiting.values() for cell in alike])  # else their sizes would not be known
    folds = Folds(job, read=True)

    def n_train(cell: Cell) -> int:
        sizes = folds.sizes(cell)
        return sizes.n_train if sizes else 0

    return [max(alike, key=n_train) for alike in waiting.values()]


@contextmanager
def saying_what_is_kept() -> Iterator[None]:
    """Tell who interrupts a run, by Ctrl-C or as systems do that take a machine back, that it can go on."""
    is_terminated = False

    def terminate(number: int, frame: object) -> None:
        nonlocal is_terminated
        is_terminated = True
        raise KeyboardInterrupt  # Ray lets no other exception of a handler through

    earlier = signal.signal(signal.SIGTERM, terminate)
    try:
        yield
    except (KeyboardInterrupt, SystemExit) as end:
        if isinstance(end, SystemExit):
            is_terminated = end.code == signal.SIGTERM  # Ray's own handler says it so, while Ray starts
            if not is_terminated:
                raise
        what = "ended by SIGTERM" if is_terminated else "interrupted"
        print(f"{what}; finished cells are kept: run the same command again to go on", file=sys.stderr)
        if is_terminated:
            sys.exit(128 + signal.SIGTERM)  # as a shell says it
        raise
    finally:
        signal.signal(signal.SIGTERM, earlier)


def prepare_store(job: Job) -> None:
    """Make the store, and write into it what is run and on which machine."""
    job.store.prepare()
    job.store.write_text("grid.yaml", job.text)
    job.store.write_text("environment.json", json.dumps(host.environment(job.folder), indent=1))
    job.declare()


def run_cells(cells: Sequence[Cell], job: Job, engine: str, terms: Terms) -> None:
    """Run cells under a progress bar; what is `auto` in their resources is taken from the records as they are now."""
    peaks = largest(peaks_of(job.records().values()), cells)
    terms = replace(terms, resources=settled(terms.resources, peaks))
    stream = not_captured(sys.stderr)  # what an inline trial writes is captured, the bar is not
    terminal = Terminal(file=stream, force_terminal=stream.isatty())  # a notebook has lines
    forecast = Forecast(job, terms.resources)
    with Progress(cells, console=terminal, forecast=forecast) as progress, warnings_shown_by(progress):
        with heard_by(progress.fetching):
            fetch(cells)
        progress.waiting("the engine starts")  # to import Ray takes seconds
        with warnings_shown_by(progress):
            engine_named(engine)(cells, job.store, job.cache, terms=terms, observer=progress)


class _Above(logging.Handler):
    """Shows warnings above the bar."""

    def __init__(self, progress: Progress) -> None:
        super().__init__(logging.WARNING)
        self.progress = progress

    def emit(self, record: logging.LogRecord) -> None:
        """Show one."""
        self.progress.notice(record.getMessage())


@contextmanager
def warnings_shown_by(progress: Progress) -> Iterator[None]:
    """Show what raygrid warns of, such as a server that is away, also while the output of a trial is captured."""
    above, logger = _Above(progress), logging.getLogger("raygrid")
    logger.addHandler(above)
    try:
        yield
    finally:
        logger.removeHandler(above)
