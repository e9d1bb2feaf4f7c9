"""The inline engine: one cell after the other in this process, for debugging and for tests."""

import signal
import sys
import threading
from collections.abc import Sequence
from uuid import uuid4

from raygrid import host
from raygrid.activity import heard_by
from raygrid.cells import Cell
from raygrid.engine import Observer, Terms, loading_words
from raygrid.engine.execution import execute, set_up_process
from raygrid.host import Runtime
from raygrid.inputs import load_inputs
from raygrid.networks.keras_backend import card_memory_mb, runtime_in_force
from raygrid.storage.cache import Cache
from raygrid.storage.record import Record
from raygrid.storage.store import Store


def run_inline(cells: Sequence[Cell], store: Store, cache: Cache, *, terms: Terms, observer: Observer) -> None:
    """Run every cell in this process; the traceback of a failure goes to its record and to stderr."""
    attempt, runtime = uuid4().hex, _runtime(cells, terms)
    set_up_process(runtime)  # features are computed here as well
    for cell in cells:
        terms.budget.spend(host.cpus())
        if terms.budget.exhausted():
            return
        record = _run_cell(cell, store, cache, terms, observer, attempt, runtime)
        if record.traceback:
            print(f"{cell}\n{record.traceback}", file=sys.stderr)
        observer.finished(cell, record.status)


def _runtime(cells: Sequence[Cell], terms: Terms) -> Runtime:
    """Return the one runtime of all cells, because a process cannot change it once Keras is loaded."""
    resources = [terms.resources_of(cell) for cell in cells]
    # Ray hides cards from a trial that asks for none; here nothing does, so a card counts whenever there is one.
    gpus = (max((each.gpus for each in resources), default=0) or 1.0) if card_memory_mb(0) else 0.0
    return runtime_in_force() or Runtime(max((each.cpus for each in resources), default=1), gpus)


def _run_cell(
    cell: Cell, store: Store, cache: Cache, terms: Terms, observer: Observer, attempt: str, runtime: Runtime
) -> Record:
    """Run one cell; at its time limit it is interrupted as if by Ctrl-C, because this process must go on."""
    resources = terms.resources_of(cell)
    with heard_by(lambda what: observer.waiting(loading_words(f"{cell.dataset.name}, {what}"))):
        inputs = load_inputs(cell, cache, runtime)  # mapped into memory from the second cell on
    observer.started(cell)
    # Only the main thread can be interrupted.
    timeout_s = resources.timeout_s if threading.current_thread() is threading.main_thread() else None
    try:
        with heard_by(lambda what: observer.doing(cell, what)):
            return execute(
                cell,
                inputs,
                store,
                runtime=runtime,
                attempt=attempt,
                timeout_s=timeout_s,
                give_up=_interrupt,
                is_shown=terms.verbose,
            )
    except KeyboardInterrupt:
        record = store.record(cell.key)
        if record and record.status == "timeout" and record.measured.attempt == attempt:
            return record
        raise


def _interrupt() -> None:
    """Interrupt the main thread, also while it sleeps; a call into a C library finishes first."""
    signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
