"""The Ray engine: every cell is a Ray Tune trial, on one machine or a cluster. The only module that imports Ray.

Ray schedules and isolates; it keeps no truth. A trial writes its own record before it reports, and the next run plans
from the store again, so that Tune's own directory is a temporary one.
"""

import os
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

# Ray reads these when it is imported.
os.environ |= {
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "1",  # a trial without a GPU must not see one
    "RAY_AIR_NEW_OUTPUT": "0",
    "RAY_USAGE_STATS_ENABLED": "0",
    "TUNE_DISABLE_AUTO_CALLBACK_LOGGERS": "1",
    "TUNE_DISABLE_SIGINT_HANDLER": "1",  # Tune's own would let fit() return as if all were done
}

import ray
from ray import tune
from ray.exceptions import RayTaskError

from raygrid import errors, trial
from raygrid.cache import Cache
from raygrid.config import Resources
from raygrid.engine import Observer, resources_of
from raygrid.errors import UsageError
from raygrid.grid import Cell
from raygrid.inputs import Inputs, inputs_key, load_inputs
from raygrid.store import Store

# Tries after a fault of the system (a worker killed, a node lost); what a cell itself raises is its record.
_RETRIES = 2


def run_on_ray(
    cells: Sequence[Cell], store: Store, cache: Cache, *, resources: Mapping[str, Resources], observer: Observer
) -> None:
    """Run every cell as a trial; data and features are loaded once and shared through Ray's object store."""
    cell_of = {cell.key: cell for cell in cells}
    with _cluster(), tempfile.TemporaryDirectory(prefix="raygrid-") as scratch:
        trainable = tune.with_parameters(
            _trial, cell_of=cell_of, inputs=_shared_inputs(cells, cache), store=store, resources=resources
        )
        tuner = tune.Tuner(
            tune.with_resources(trainable, lambda config: _share(cell_of[config["key"]], resources)),
            param_space={"key": tune.grid_search(list(cell_of))},
            tune_config=tune.TuneConfig(reuse_actors=True, trial_dirname_creator=lambda trial: trial.trial_id),
            run_config=tune.RunConfig(
                storage_path=scratch,
                verbose=0,
                callbacks=[_Callback(observer)],
                stop=_StopAtRefusal(),
                failure_config=tune.FailureConfig(max_failures=_RETRIES),
            ),
        )
        for result in tuner.fit():
            if refused := (result.metrics or {}).get("refused"):
                raise getattr(errors, refused["error"])(refused["message"])
            if result.error:
                trial.lose(
                    cell_of[result.config["key"]], store, f"its process died {_RETRIES + 1} times: {result.error}"
                )


def _trial(
    config: dict[str, str],
    *,
    cell_of: Mapping[str, Cell],
    inputs: Mapping[str, Any],
    store: Store,
    resources: Mapping[str, Resources],
) -> None:
    """Run one cell, in a worker."""
    cell = cell_of[config["key"]]
    shared: Inputs = ray.get(inputs[inputs_key(cell)])
    try:
        record = trial.run(cell, shared, store, threads=resources_of(cell, resources).cpus)
    except UsageError as error:  # every other cell would meet it as well, and so would another try
        tune.report({"status": "refused", "refused": {"error": type(error).__name__, "message": str(error)}})
    else:
        tune.report({"status": record.status})


def _share(cell: Cell, resources: Mapping[str, Resources]) -> Any:
    share = resources_of(cell, resources)
    return tune.PlacementGroupFactory([{"CPU": share.cpus, "GPU": share.gpus} if share.gpus else {"CPU": share.cpus}])


def _shared_inputs(cells: Sequence[Cell], cache: Cache) -> dict[str, Any]:
    """Return, by key, references to the inputs of all cells, computed by tasks that Ray can repeat.

    One after the other, for two data sets decoded at a time need twice the memory. They claim no CPU: repeated after
    the loss of a node, they must not wait for the trials that wait for them.
    """
    load = ray.remote(_load).options(
        num_cpus=0, num_returns=2, max_retries=3, runtime_env={"env_vars": {"OMP_NUM_THREADS": str(os.cpu_count())}}
    )
    references = {}
    for key, cell in {inputs_key(cell): cell for cell in cells}.items():
        loaded, references[key] = load.remote(cell, cache)
        try:
            ray.get(loaded)
        except RayTaskError as error:
            raise error.cause from None
    return references


def _load(cell: Cell, cache: Cache) -> tuple[None, Inputs]:
    """Return the inputs, after a small value on which the driver can wait without fetching them."""
    return None, load_inputs(cell, cache)


@contextmanager
def _cluster() -> Iterator[None]:
    """Use the Ray cluster this process is connected to, else one of our own for as long as this lasts."""
    if ray.is_initialized():
        yield
        return
    ray.init(include_dashboard=False, log_to_driver=False, logging_level="ERROR")
    try:
        yield
    finally:
        ray.shutdown()


class _StopAtRefusal(tune.Stopper):  # type: ignore[misc]
    """Ends the run when a trial meets what only the user can mend (a full disk, say)."""

    refused = False

    def __call__(self, trial_id: str, result: dict[str, Any]) -> bool:
        self.refused = self.refused or "refused" in result
        return False

    def stop_all(self) -> bool:
        return self.refused


class _Callback(tune.Callback):  # type: ignore[misc]
    """Passes on what Tune says; Tune pickles its callbacks, an observer need not stand that."""

    def __init__(self, observer: Observer) -> None:
        self.observer = observer

    def __getstate__(self) -> dict[str, Any]:
        return {}

    def on_trial_start(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
        if not trial.num_failures:  # a retry is the same trial
            self.observer.started()

    def on_trial_complete(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
        self.observer.finished(trial.last_result["status"])

    def on_trial_error(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
        self.observer.finished("lost")
