"""What runs in a Ray worker: a task that loads inputs for all trials, and the trial of a cell."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import ray
from ray import tune

from raygrid.activity import heard_by
from raygrid.cells import Cell
from raygrid.engine import Terms
from raygrid.engine.execution import Refusal, execute, set_up_process
from raygrid.errors import UsageError
from raygrid.host import Runtime
from raygrid.inputs import Inputs, inputs_key, load_inputs
from raygrid.storage.cache import Cache
from raygrid.storage.store import Store

# How often a trial says what it does, in seconds. It waits until Tune has heard it, which takes some milliseconds.
_TOLD_EVERY_S = 5.0


@dataclass(frozen=True)
class Work:
    """What the trials of one attempt have in common.

    Attributes
    ----------
    cells : mapping
        By key.
    inputs : mapping
        Key of inputs -> a reference to them.
    name : str
        The name of the attempt, kept in every record that it makes.
    """

    cells: Mapping[str, Cell]
    inputs: Mapping[str, Any]
    store: Store
    terms: Terms
    name: str


@lru_cache(maxsize=1)
def _fetched(work: Any) -> Work:
    """Return the object behind a reference; each process fetches it once, because a grid has thousands of cells."""
    fetched: Work = ray.get(work)
    return fetched


def run_in_worker(config: dict[str, str], *, work: list[Any]) -> None:
    """Run the cell whose key is in `config`; Tune calls this.

    Parameters
    ----------
    work : list of one ObjectRef
        A reference to a `Work`, in a list, because Tune would fetch a bare reference for every trial.
    """
    shared = _fetched(work[0])
    cell = shared.cells[config["key"]]
    resources = shared.terms.resources_of(cell)
    # A trial that is tried again with twice its resources keeps its number of threads, because results depend on it.
    gpus = tune.get_context().get_trial_resources().required_resources.get("GPU", 0)
    runtime = Runtime(resources.cpus, gpus)
    inputs: Inputs = ray.get(shared.inputs[inputs_key(cell, runtime)])
    try:
        with heard_by(lambda what: tune.report({"doing": what}), every_s=_TOLD_EVERY_S, first_s=_TOLD_EVERY_S):
            record = execute(
                cell, inputs, shared.store, runtime=runtime, attempt=shared.name, timeout_s=resources.timeout_s
            )
    except UsageError as error:  # every other cell, and another try, would meet it as well
        report: dict[str, Any] = {"status": "refused", "refusal": Refusal.of(error)}
    else:
        seconds = sum(record.measured.seconds.values())
        report = {"status": record.status, "numbers": {**record.metrics, "seconds": seconds}}
    tune.report({**report, "done": True})  # without it Tune would ask once more whether the trial has ended


def load(cell: Cell, cache: Cache) -> tuple[Refusal | None, Inputs | None]:
    """Return a refusal or None, and the inputs: the driver can wait for the small first value without fetching inputs.

    All cores of the node are used, because trials wait for the inputs.
    """
    runtime = Runtime(os.cpu_count() or 1)
    set_up_process(runtime)
    try:
        return None, load_inputs(cell, cache, runtime)
    except UsageError as error:
        return Refusal.of(error), None
