"""What happens in a Ray worker: inputs are loaded once for all, and a cell is run within its time."""

import os
import sys
import threading
import traceback
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import ray
from ray import tune

from raygrid import trial
from raygrid.cells import Cell
from raygrid.engine import Terms
from raygrid.engine.output import Captured, captured
from raygrid.errors import UsageError
from raygrid.gridfile.resources import Resources
from raygrid.host import Runtime
from raygrid.inputs import Inputs, inputs_key, load_inputs
from raygrid.storage.cache import Cache
from raygrid.storage.store import Store


@dataclass(frozen=True)
class Work:
    """What the trials of one attempt have in common.

    Attributes
    ----------
    cells : mapping
        By key.
    inputs : mapping
        From the key of inputs to a reference to them.
    name : str
        The attempt's, kept in every record that it makes.
    """

    cells: Mapping[str, Cell]
    inputs: Mapping[str, Any]
    store: Store
    terms: Terms
    name: str


@lru_cache(maxsize=1)
def _fetched(work: Any) -> Work:
    """Return what a reference stands for: once a process, for a grid has thousands of cells."""
    fetched: Work = ray.get(work)
    return fetched


def run_trial(config: dict[str, dict[str, str]], *, work: list[Any]) -> None:
    """Run the cell that `config` names; what Tune calls.

    Parameters
    ----------
    work : list of one ObjectRef
        To a `Work`; Tune would fetch a bare reference for every trial.
    """
    shared = _fetched(work[0])
    cell = shared.cells[config["cell"]["key"]]
    share = shared.terms.share(cell)
    # Keras' backends read these when they are imported. A trial tried again at twice its share keeps its threads.
    gpus = tune.get_context().get_trial_resources().required_resources.get("GPU", 0)
    os.environ |= {"OMP_NUM_THREADS": str(share.cpus), "RAYGRID_GPU_SHARE": str(gpus)}
    runtime = Runtime(share.cpus, gpus)
    inputs: Inputs = ray.get(shared.inputs[inputs_key(cell, runtime)])
    try:
        with captured() as output, _time_limit(cell, share, shared, output):
            record = trial.run(cell, inputs, shared.store, runtime=runtime, attempt=shared.name)
        if output.text:
            shared.store.write_log(cell.key, output.text)
    except UsageError as error:  # every other cell would meet it as well, and so would another try
        told: dict[str, Any] = {"status": "refused", "refused": {"error": type(error).__name__, "message": str(error)}}
    else:
        told = {"status": record.status, **record.metrics, "seconds": sum(record.measured.seconds.values())}
    tune.report({**told, "done": True})  # or Tune would ask once more, to hear that the trial has ended


@contextmanager
def _time_limit(cell: Cell, share: Resources, work: Work, output: Captured) -> Iterator[None]:
    """End this process, with a record, when the block takes too long.

    Nothing less ends a thread that hangs in C. Tune starts the trial again, which finds its record.
    """
    if not share.timeout_s:
        yield
        return
    me = threading.get_ident()

    def give_up() -> None:
        where = "".join(traceback.format_stack(sys._current_frames()[me]))
        message = f"got no result in {share.timeout_s:g} s (timeout_s)"
        try:
            trial.lose(cell, work.store, status="timeout", message=message, where=where, attempt=work.name)
            work.store.write_log(cell.key, output.text)
        finally:  # the store may be away as well
            os._exit(1)

    timer = threading.Timer(share.timeout_s, give_up)
    timer.daemon = True
    timer.start()
    try:
        yield
    finally:
        timer.cancel()


def load(cell: Cell, cache: Cache) -> tuple[None, Inputs]:
    """Return the inputs, after a small value on which the driver can wait without fetching them.

    Computed with all cores of the node that this process is on: no trial waits for less.
    """
    os.environ["OMP_NUM_THREADS"] = str(os.cpu_count())
    return None, load_inputs(cell, cache, Runtime(os.cpu_count() or 1))
