"""The Ray engine: every cell is a Ray Tune trial, on one machine or a cluster.

Ray schedules and isolates; it keeps no truth. A trial writes its own record before it reports, and the next run plans
from the store again, so that Tune's own directory is a temporary one. What Tune does not bring to an end (it gives up a
whole sweep when Ray's memory monitor ends one worker) is attempted again.
"""

import os
import tempfile
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import Any, Self
from uuid import uuid4

from raygrid.engine.ray.cluster import connected, fitting, request  # isort: skip  # sets what Ray reads when imported

import ray
from ray import tune
from ray.exceptions import OutOfMemoryError, RayError, RayTaskError
from ray.tune.error import TuneError

from raygrid import errors
from raygrid.cells import Cell
from raygrid.engine import Observer, Terms
from raygrid.engine.ray.attempt import Attempt, EarlyEnd, is_preemption
from raygrid.engine.ray.worker import Work, load, run_trial
from raygrid.host import Runtime
from raygrid.inputs import inputs_key, makers_first
from raygrid.storage.cache import Cache
from raygrid.storage.record import Status
from raygrid.storage.store import Store
from raygrid.trial import lose
from raygrid.usercode.classes import code_of

# Tries after a fault of the system (a worker killed, memory that ran out); what a cell itself raises is its record.
_RETRIES = 2

# Attempts in each of which a cell may lose its node `_RETRIES` + 1 times: it might be the cell that breaks nodes.
_PREEMPTED_ATTEMPTS = 5

# Trials that Tune asks Ray for at a time where they want different things: so many that those which wait for a GPU keep
# no others from the CPUs. Each costs 6 ms before the first is started, so that else Tune's own choice, 200, is better.
_PENDING = 2000


def run_on_ray(cells: Sequence[Cell], store: Store, cache: Cache, *, terms: Terms, observer: Observer) -> None:
    """Run every cell as a trial; data and features are loaded once and shared through Ray's object store."""
    address = terms.address or os.environ.get("RAY_ADDRESS")
    levels = {level for cell in cells for level in (cell.dataset, cell.representation, cell.resampler, cell.classifier)}
    with connected(address, code=code_of(levels), verbose=terms.verbose):
        resources = fitting(terms.resources, observer, may_grow=address is not None)
        sweep = _Sweep(store, replace(terms, resources=resources), observer)
        todo = makers_first(cells, Runtime())
        while todo and not terms.budget.exhausted():
            todo = sweep.attempt(todo, _shared_inputs(todo, cache))


class _Shared(list[dict[str, str]]):
    """The configurations of all trials, which Tune would copy whole for each of them."""

    def __deepcopy__(self, memo: object) -> Self:
        return self


class _Sweep:
    """Attempts at the cells of one run, and how often each of them has met with a mishap."""

    def __init__(self, store: Store, terms: Terms, observer: Observer) -> None:
        self.store, self.terms, self.observer = store, terms, observer
        self.mishaps: Counter[str] = Counter()
        self.preemptions: Counter[str] = Counter()

    def attempt(self, cells: Sequence[Cell], inputs: dict[str, Any]) -> list[Cell]:
        """Run these cells; return those that are to be tried again."""
        attempt = Attempt({cell.key: cell for cell in cells}, self.store, self.observer)
        name = uuid4().hex
        failure = self._fit(attempt, inputs, name)
        if attempt.refused:
            raise getattr(errors, attempt.refused["error"])(attempt.refused["message"])
        if failure:
            if not isinstance(failure.__cause__, RayError):
                raise failure
            self.observer.notice(f"Ray Tune gave up, what is left is attempted again: {_first_line(failure)}")
        elif not (attempt.statuses or attempt.faults or self.terms.budget.exhausted()):
            raise RuntimeError("Ray Tune ended without having brought a trial to its end")
        return [cell for cell in cells if self._is_left(cell, attempt, failure, name)]

    def _fit(self, attempt: Attempt, inputs: dict[str, Any], name: str) -> Exception | None:
        """Let Tune run an attempt; return why it gave up, if it did."""
        work = ray.put(Work(attempt.cells, inputs, self.store, self.terms, name))
        configs = [{"key": key, **cell.levels()} for key, cell in attempt.cells.items()]
        bundles = {key: self._bundle(cell) for key, cell in attempt.cells.items()}
        trackers = _trackers(self.terms)
        are_alike = len({tuple(bundle.items()) for bundle in bundles.values()}) == 1
        os.environ["TUNE_MAX_PENDING_TRIALS_PG"] = "auto" if are_alike else str(min(len(configs), _PENDING))
        with tempfile.TemporaryDirectory(prefix="raygrid-") as scratch:
            tuner = tune.Tuner(
                tune.with_resources(
                    tune.with_parameters(run_trial, work=[work]),
                    lambda config: tune.PlacementGroupFactory([bundles[config["cell"]["key"]]]),
                ),
                param_space={"cell": tune.grid_search(_Shared(configs))},
                tune_config=tune.TuneConfig(reuse_actors=True, trial_dirname_creator=lambda trial: trial.trial_id),
                run_config=tune.RunConfig(
                    storage_path=scratch,
                    verbose=0,
                    callbacks=[attempt, *trackers],
                    stop=EarlyEnd(self.terms.budget),
                    failure_config=tune.FailureConfig(max_failures=_RETRIES),
                ),
            )
            try:
                tuner.fit()
            except (TuneError, RuntimeError) as error:
                return error
            finally:
                for tracker in trackers:
                    tracker.on_experiment_end(trials=[])  # Tune says so only where all went well
        return None

    def _bundle(self, cell: Cell) -> dict[str, float]:
        """Return what the cell's trial asks for: twice its share after a mishap, which may be want of memory."""
        return request(self.terms.share(cell), 2 ** self.mishaps[cell.key])

    def _is_left(self, cell: Cell, attempt: Attempt, failure: Exception | None, name: str) -> bool:
        """Whether a cell is to be tried again; where it is given up, keep a record that says why."""
        key = cell.key
        if key in attempt.statuses:
            return attempt.statuses[key] == "oom" and self._has_another_try(cell)
        if key in attempt.faults:
            return self._is_left_after(attempt.faults[key], cell, name)
        if failure and key in attempt.killed(failure) and not self._has_another_try(cell):
            is_oom = isinstance(failure.__cause__, OutOfMemoryError)
            self._give_up(cell, "oom" if is_oom else "error", _first_line(failure))
            return False
        return True

    def _is_left_after(self, fault: str, cell: Cell, name: str) -> bool:
        """Whether to try a cell again that Tune has given up, for its process died again and again."""
        record = self.store.record(cell.key)
        if record and record.measured.attempt == name:  # it had just left its record
            self.observer.finished(cell, record.status)
            return False
        if not is_preemption(fault):
            self._give_up(cell, "error", f"its process died {_RETRIES + 1} times: {fault}")
            return False
        self.preemptions[cell.key] += 1
        if self.preemptions[cell.key] < _PREEMPTED_ATTEMPTS:
            return True
        n_lost = _PREEMPTED_ATTEMPTS * (_RETRIES + 1)
        self._give_up(cell, "preempted", f"its node was lost {n_lost} times; run the same command again to go on")
        return False

    def _has_another_try(self, cell: Cell) -> bool:
        """Count a mishap; whether the cell may be tried once more."""
        self.mishaps[cell.key] += 1
        return self.mishaps[cell.key] <= _RETRIES

    def _give_up(self, cell: Cell, status: Status, message: str) -> None:
        lose(cell, self.store, status=status, message=message)
        self.observer.finished(cell, status)


def _trackers(terms: Terms) -> list[tune.Callback]:
    """Return the callbacks of trackers, if any is asked for."""
    if not (terms.mlflow or terms.tensorboard):
        return []
    from raygrid.engine.ray.trackers import callbacks  # half a second, where MLflow is installed

    return callbacks(terms.mlflow, terms.tensorboard, terms.name)


def _first_line(failure: object) -> str:
    return str(failure).partition("\n")[0]


def _shared_inputs(cells: Sequence[Cell], cache: Cache) -> dict[str, Any]:
    """Return, by key, references to the inputs of all cells, computed by tasks that Ray can repeat.

    One after the other, for two data sets decoded at a time need twice the memory. They claim no CPU: repeated after
    the loss of a node, as often as that happens, they must not wait for the trials that wait for them. They are spread,
    for the object store of the node that this process runs on need not hold them all.
    """
    repeatable = ray.remote(load).options(num_cpus=0, num_returns=2, max_retries=-1, scheduling_strategy="SPREAD")
    references = {}
    for key, cell in {inputs_key(cell, Runtime()): cell for cell in cells}.items():
        loaded, references[key] = repeatable.remote(cell, cache)
        try:
            ray.get(loaded)
        except RayTaskError as error:
            raise error.cause from None
    return references
