"""What every engine does around a trial: set up the process, keep its output, limit its time. Ray is not used here.

An engine decides where and when a cell runs, and calls `execute` there. If `execute` raises an error in another
process, the error is sent to the user's process as a `Refusal`.
"""

import os
import sys
import threading
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import NamedTuple, NoReturn, Self

from raygrid import errors, trial
from raygrid.cells import Cell
from raygrid.errors import UsageError
from raygrid.host import Runtime
from raygrid.host.output import Captured, captured
from raygrid.inputs import Inputs
from raygrid.networks.keras_backend import set_up
from raygrid.storage.record import Record
from raygrid.storage.store import Store


def end_process() -> NoReturn:
    """End this process at once, because a thread that hangs in C code cannot be stopped in another way."""
    os._exit(1)


def set_up_process(runtime: Runtime) -> None:
    """Set the number of threads, and Keras' devices, before the libraries that read these settings are imported."""
    os.environ["OMP_NUM_THREADS"] = str(runtime.threads)
    set_up(runtime)


def execute(
    cell: Cell,
    inputs: Inputs,
    store: Store,
    *,
    runtime: Runtime,
    attempt: str,
    timeout_s: float | None,
    give_up: Callable[[], object] = end_process,
    is_shown: bool = False,
) -> Record:
    """Run a cell in this process; keep its record, and what it wrote as its log.

    Parameters
    ----------
    attempt : str
        A name of this try. Trials that the engine starts together share it.
    timeout_s : float or None
        After this time the record and the log are written, and `give_up` is called.
    give_up : callable
        Ends the trial, from another thread.
    is_shown : bool
        Whether the cell's output goes to this process' stdout and stderr; then no log is written.

    Raises
    ------
    UsageError
        A fault that the user can correct, and that every other cell would meet as well.
    """
    set_up_process(runtime)

    def keep_log(output: Captured | None) -> None:
        if output and output.text:
            store.write_log(cell.key, output.text)

    def record_timeout(where: str) -> None:
        message = f"got no result in {timeout_s:g} s (timeout_s)"
        trial.record_loss(cell, store, status="timeout", message=message, where=where, attempt=attempt)
        keep_log(output)

    limit = _time_limit(timeout_s, record_timeout, give_up)
    with nullcontext() if is_shown else captured() as output:
        record = trial.run(cell, inputs, store, runtime=runtime, attempt=attempt, limit=limit)
    keep_log(output)
    return record


@contextmanager
def _time_limit(
    timeout_s: float | None, record: Callable[[str], None], give_up: Callable[[], object]
) -> Iterator[None]:
    """When the block takes too long, call `record` with the stack of this thread, then `give_up`."""
    if not timeout_s:
        yield
        return
    me = threading.get_ident()

    def end() -> None:
        try:
            record("".join(traceback.format_stack(sys._current_frames()[me])))
        finally:  # also if the store cannot be written
            give_up()

    timer = threading.Timer(timeout_s, end)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()  # if it has fired, its interrupt must arrive before the block ends


class Refusal(NamedTuple):
    """A `UsageError` in a form for another process, which may not have the user's own subclass of it.

    Attributes
    ----------
    kind : str
        The name of the nearest class in `raygrid.errors`.
    message : str
    """

    kind: str
    message: str

    @classmethod
    def of(cls, error: UsageError) -> Self:
        """Return the form of this error that is sent."""
        ours = (kind for kind in type(error).__mro__ if kind.__module__ == errors.__name__)
        return cls(next(ours).__name__, str(error))

    def error(self) -> UsageError:
        """Return the error, for the process that shows it to the user."""
        kind: type[UsageError] = getattr(errors, self.kind)
        return kind(self.message)
