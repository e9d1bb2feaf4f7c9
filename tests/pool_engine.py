"""A third engine: a pool of one process of the standard library, which shows all that a new engine must bring."""

from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from multiprocessing import get_context
from uuid import uuid4

from raygrid.cells import Cell
from raygrid.engine import Observer, Terms
from raygrid.engine.execution import Refusal, execute, set_up_process
from raygrid.errors import UsageError
from raygrid.gridfile.resources import Resources
from raygrid.host import Runtime
from raygrid.inputs import load_inputs
from raygrid.storage.cache import Cache
from raygrid.storage.store import Store
from raygrid.trial import record_loss


def run_in_pool(cells: Sequence[Cell], store: Store, cache: Cache, *, terms: Terms, observer: Observer) -> None:
    """Run every cell in another process, one after the other; a process that dies is replaced."""
    attempt, pool = uuid4().hex, _pool()
    try:
        for cell in cells:
            terms.budget.spend(1)
            if terms.budget.exhausted():
                return
            observer.started(cell)
            try:
                result = pool.submit(_run_cell, cell, store, cache, terms.resources_of(cell), attempt).result()
            except BrokenProcessPool:
                pool, result = _pool(), _status_of_dead(cell, store, attempt)
            if isinstance(result, Refusal):
                raise result.error()
            observer.finished(cell, result)
    finally:
        pool.shutdown()


def _pool() -> ProcessPoolExecutor:
    return ProcessPoolExecutor(1, mp_context=get_context("spawn"))


def _run_cell(cell: Cell, store: Store, cache: Cache, resources: Resources, attempt: str) -> str | Refusal:
    set_up_process(runtime := Runtime(resources.cpus))
    try:
        inputs = load_inputs(cell, cache, runtime)
        return execute(cell, inputs, store, runtime=runtime, attempt=attempt, timeout_s=resources.timeout_s).status
    except UsageError as error:
        return Refusal.of(error)


def _status_of_dead(cell: Cell, store: Store, attempt: str) -> str:
    if (record := store.record(cell.key)) and record.measured.attempt == attempt:  # its time was over
        return record.status
    record_loss(cell, store, status="error", message="its process died")
    return "error"
