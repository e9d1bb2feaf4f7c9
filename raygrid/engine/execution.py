"""What every engine does around a trial: the process set up, its output kept, its time limited. Nothing of Ray.

An engine decides where and when a cell runs, and calls `execute` there. What `execute` raises in another process goes
back to the user's as a `Refusal`.
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
from raygrid.engine.output import Captured, captured
from raygrid.errors import UsageError
from raygrid.host import Runtime
from raygrid.inputs import Inputs
from raygrid.networks.keras_backend import set_up
from raygrid.storage.record import Record
from raygrid.storage.store import Store


def end_process() -> NoReturn:
    """End this process at once: nothing less ends a thread that hangs in C."""
    os._exit(1)


def set_up_process(runtime: Runtime) -> None:
    """Tell the libraries what a trial may use: those that read it when they are imported, and Keras."""
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
        A name for this try, and others of the same run at the same time.
    timeout_s : float or None
        When the trial has taken so long, its record and its log are kept, and `give_up` is called.
    give_up : callable
        Ends the trial, from another thread.
    is_shown : bool
        Whether what the cell writes is left to this process' stdout and stderr; then there is no log.

    Raises
    ------
    UsageError
        Something that the user can mend, and that every other cell would meet as well.
    """
    set_up_process(runtime)

    def keep_log(output: Captured | None) -> None:
        if output and output.text:
            store.write_log(cell.key, output.text)

    def record_timeout(where: str) -> None:
        message = f"got no result in {timeout_s:g} s (timeout_s)"
        trial.record_loss(cell, store, status="timeout", message=message, where=where, attempt=attempt)
        keep_log(output)

    with nullcontext() if is_shown else captured() as output, _time_limit(timeout_s, record_timeout, give_up):
        record = trial.run(cell, inputs, store, runtime=runtime, attempt=attempt)
    keep_log(output)
    return record


@contextmanager
def _time_limit(
    timeout_s: float | None, record: Callable[[str], None], give_up: Callable[[], object]
) -> Iterator[None]:
    """Call `record`, with where this thread is, and `give_up` when the block takes too long."""
    if not timeout_s:
        yield
        return
    me = threading.get_ident()

    def end() -> None:
        try:
            record("".join(traceback.format_stack(sys._current_frames()[me])))
        finally:  # the store may be away as well
            give_up()

    timer = threading.Timer(timeout_s, end)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()
        timer.join()  # where it has begun, its interrupt comes before the block has ended


class Refusal(NamedTuple):
    """A `UsageError` on its way to another process, which need not know the user's own subclasses of it.

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
        """Return what is sent of an error."""
        ours = (kind for kind in type(error).__mro__ if kind.__module__ == errors.__name__)
        return cls(next(ours).__name__, str(error))

    def error(self) -> UsageError:
        """Return the error to be raised where the user sees it."""
        kind: type[UsageError] = getattr(errors, self.kind)
        return kind(self.message)
