"""What runs in a Ray worker: a task that loads inputs for all trials, and the trial of one or more cells."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from types import MappingProxyType
from typing import Any, NamedTuple

import ray
from ray import tune

from raygrid import host
from raygrid.activity import heard_by
from raygrid.cells import Cell
from raygrid.engine import Terms
from raygrid.engine.execution import Refusal, execute, set_up_process
from raygrid.engine.queue import TRIAL_S
from raygrid.errors import UsageError
from raygrid.host import Runtime
from raygrid.inputs import Inputs, inputs_key, load_inputs
from raygrid.storage.cache import Cache
from raygrid.storage.store import Store

# How often a trial says which cells have ended, and what it does, in seconds. It waits until Tune has heard it, which
# takes as long as a small cell.
_ENDS_TOLD_EVERY_S, _TOLD_EVERY_S = 1.0, 5.0


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


class End(NamedTuple):
    """What became of a cell, as its trial reports it.

    Attributes
    ----------
    status : str
        Of its record; `REFUSED` where it has none.
    numbers : dict
        Its metrics and seconds.
    """

    key: str
    status: str
    numbers: Mapping[str, float] = MappingProxyType({})
    refusal: Refusal | None = None


REFUSED = "refused"


def run_in_worker(config: dict[str, list[str]], *, work: list[Any]) -> None:
    """Run the cells whose keys are in `config`, one after the other, for some seconds; Tune calls this.

    Parameters
    ----------
    work : list of one ObjectRef
        A reference to a `Work`, in a list, because Tune would fetch a bare reference for every trial.
    """
    shared, ended = _fetched(work[0]), list[End]()
    start = reported = time.monotonic()

    def report(**more: Any) -> None:
        nonlocal reported
        tune.report({"ended": list(ended), **more})
        ended.clear()
        reported = time.monotonic()

    for key in config["keys"]:
        if ended and time.monotonic() - reported > _ENDS_TOLD_EVERY_S:
            report()
        with heard_by(lambda what: report(doing=what), every_s=_TOLD_EVERY_S, first_s=_TOLD_EVERY_S):
            ended.append(_run(shared, shared.cells[key]))
        if ended[-1].refusal or time.monotonic() - start > TRIAL_S:
            break
    report(done=True)  # without it Tune would ask once more whether the trial has ended


def _run(shared: Work, cell: Cell) -> End:
    resources = shared.terms.resources_of(cell)
    # A trial that is tried again with twice its resources keeps its number of threads, because results depend on it.
    gpus = tune.get_context().get_trial_resources().required_resources.get("GPU", 0)
    runtime = Runtime(resources.cpus, gpus)
    inputs: Inputs = ray.get(shared.inputs[inputs_key(cell, runtime)])
    try:
        record = execute(
            cell, inputs, shared.store, runtime=runtime, attempt=shared.name, timeout_s=resources.timeout_s
        )
    except UsageError as error:  # every other cell, and another try, would meet it as well
        return End(cell.key, REFUSED, refusal=Refusal.of(error))
    return End(cell.key, record.status, {**record.metrics, "seconds": sum(record.measured.seconds.values())})


def load(cell: Cell, cache: Cache) -> tuple[Refusal | None, Inputs | None]:
    """Return a refusal or None, and the inputs: the driver can wait for the small first value without fetching inputs.

    All cores of the node are used, because trials wait for the inputs.
    """
    runtime = Runtime(host.cpus())
    set_up_process(runtime)
    try:
        return None, load_inputs(cell, cache, runtime)
    except UsageError as error:
        return Refusal.of(error), None
