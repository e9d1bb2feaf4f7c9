"""What happens in a Ray worker: inputs are loaded once for all, and a cell is run."""

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import ray
from ray import tune

from raygrid.cells import Cell
from raygrid.engine import Terms
from raygrid.engine.execution import Refusal, execute, set_up_process
from raygrid.errors import UsageError
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
    """Return what a reference stands for: once a process, because a grid has thousands of cells."""
    fetched: Work = ray.get(work)
    return fetched


def run_in_worker(config: dict[str, str], *, work: list[Any]) -> None:
    """Run the cell whose key `config` has; what Tune calls.

    Parameters
    ----------
    work : list of one ObjectRef
        To a `Work`; Tune would fetch a bare reference for every trial.
    """
    shared = _fetched(work[0])
    cell = shared.cells[config["key"]]
    resources = shared.terms.resources_of(cell)
    # A trial tried again with twice its resources keeps its threads, which a result depends on.
    gpus = tune.get_context().get_trial_resources().required_resources.get("GPU", 0)
    runtime = Runtime(resources.cpus, gpus)
    inputs: Inputs = ray.get(shared.inputs[inputs_key(cell, runtime)])
    try:
        record = execute(
            cell, inputs, shared.store, runtime=runtime, attempt=shared.name, timeout_s=resources.timeout_s
        )
    except UsageError as error:  # every other cell would meet it as well, and so would another try
        report: dict[str, Any] = {"status": "refused", "refusal": Refusal.of(error)}
    else:
        seconds = sum(record.measured.seconds.values())
        report = {"status": record.status, "numbers": {**record.metrics, "seconds": seconds}}
    tune.report({**report, "done": True})  # or Tune would ask once more, to hear that the trial has ended


def load(cell: Cell, cache: Cache) -> tuple[Refusal | None, Inputs | None]:
    """Return the inputs, after a small value on which the driver can wait without fetching them.

    Computed with all cores of the node that this process is on: no trial waits for less.
    """
    runtime = Runtime(os.cpu_count() or 1)
    set_up_process(runtime)
    try:
        return None, load_inputs(cell, cache, runtime)
    except UsageError as error:
        return Refusal.of(error), None
