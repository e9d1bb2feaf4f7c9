"""The Ray engine: every cell is a Ray Tune trial, on one machine or a cluster.

Ray schedules and isolates; it keeps no truth. A trial writes its own record before it reports, and the next run plans
from the store again, so that Tune's own directory is a temporary one. What Tune does not bring to an end (it gives up a
whole sweep when Ray's memory monitor ends one worker) is attempted again.
"""

import os
import tempfile
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from raygrid.engine.ray.cluster import connected, fitting, request  # isort: skip  # sets what Ray reads when imported

import ray
from ray import tune
from ray.exceptions import RayError, RayTaskError
from ray.tune.error import TuneError

from raygrid.axes import AXES
from raygrid.cells import Cell
from raygrid.engine import Observer, Terms
from raygrid.engine.execution import Refusal
from raygrid.engine.ray.attempt import Attempt, EarlyEnd
from raygrid.engine.ray.worker import Work, load, run_in_worker
from raygrid.engine.verdict import RETRIES, GiveUp, History, Retry, verdict
from raygrid.host import Runtime
from raygrid.inputs import inputs_key, makers_first
from raygrid.level import Level
from raygrid.storage.cache import Cache
from raygrid.storage.store import Store
from raygrid.trial import record_loss
from raygrid.usercode.classes import code_of
from raygrid.wording import first_line

if TYPE_CHECKING:
    from raygrid.engine.ray.trackers import Tracker

# Trials that Tune asks Ray for at a time where they want different things: so many that those which wait for a GPU keep
# no others from the CPUs. Each costs 6 ms before the first is started, so that else Tune's own choice, 200, is better.
_PENDING = 2000


def run_on_ray(cells: Sequence[Cell], store: Store, cache: Cache, *, terms: Terms, observer: Observer) -> None:
    """Run every cell as a trial; data and features are loaded once and shared through Ray's object store."""
    address = terms.address or os.environ.get("RAY_ADDRESS")
    levels: set[Level] = {cell.split for cell in cells}
    levels |= {getattr(cell, axis) for cell in cells for axis in AXES if axis != "fold"}
    with connected(address, code=code_of(levels), verbose=terms.verbose):
        resources = fitting(terms.resources, observer, may_grow=address is not None)
        sweep = _Sweep(store, replace(terms, resources=resources), observer)
        todo = makers_first(cells, Runtime())
        while todo and not terms.budget.exhausted():
            todo = sweep.attempt(todo, _shared_inputs(todo, cache))


class _Sweep:
    """Attempts at the cells of one run, and what each of them has met with."""

    def __init__(self, store: Store, terms: Terms, observer: Observer) -> None:
        self.store, self.terms, self.observer = store, terms, observer
        self.histories: defaultdict[str, History] = defaultdict(History)

    def attempt(self, cells: Sequence[Cell], inputs: dict[str, Any]) -> list[Cell]:
        """Run these cells; return those that are to be tried again."""
        attempt = Attempt(uuid4().hex, {cell.key: cell for cell in cells}, self.store, self.observer)
        failure = self._fit(attempt, inputs)
        if attempt.refusal:
            raise attempt.refusal.error()
        if failure:
            if not isinstance(failure.__cause__, RayError):
                raise failure
            self.observer.notice(f"Ray Tune gave up, what is left is attempted again: {first_line(failure)}")
        elif not (attempt.statuses or attempt.deaths or self.terms.budget.exhausted()):
            raise RuntimeError("Ray Tune ended without having brought a trial to its end")
        return self._carry_out(attempt, failure)

    def _carry_out(self, attempt: Attempt, failure: Exception | None) -> list[Cell]:
        """Do with every cell what its verdict says; return those that are to be tried again."""
        again = []
        for key, cell in attempt.cells.items():
            match verdict(self.histories[key], attempt.outcome(key, failure)):
                case Retry(history):
                    self.histories[key] = history
                    again.append(cell)
                case GiveUp(status, message):
                    record_loss(cell, self.store, status=status, message=message)
                    self.observer.finished(cell, status)
        return again

    def _fit(self, attempt: Attempt, inputs: dict[str, Any]) -> Exception | None:
        """Let Tune run an attempt; return why it gave up, if it did."""
        work = ray.put(Work(attempt.cells, inputs, self.store, self.terms, attempt.name))
        bundles = {key: self._bundle(cell) for key, cell in attempt.cells.items()}
        trackers = _trackers(self.terms, attempt.cells)
        are_alike = len({tuple(bundle.items()) for bundle in bundles.values()}) == 1
        os.environ["TUNE_MAX_PENDING_TRIALS_PG"] = "auto" if are_alike else str(min(len(bundles), _PENDING))
        with tempfile.TemporaryDirectory(prefix="raygrid-") as scratch:
            tuner = tune.Tuner(
                tune.with_resources(
                    tune.with_parameters(run_in_worker, work=[work]),
                    lambda config: tune.PlacementGroupFactory([bundles[config["key"]]]),
                ),
                param_space={"key": tune.grid_search(list(attempt.cells))},
                tune_config=tune.TuneConfig(reuse_actors=True, trial_dirname_creator=lambda trial: trial.trial_id),
                run_config=tune.RunConfig(
                    storage_path=scratch,
                    verbose=0,
                    callbacks=[attempt, *trackers],
                    stop=EarlyEnd(self.terms.budget),
                    failure_config=tune.FailureConfig(max_failures=RETRIES),
                ),
            )
            try:
                tuner.fit()
            except (TuneError, RuntimeError) as error:
                return error
            finally:
                for tracker in trackers:
                    tracker.end()
        return None

    def _bundle(self, cell: Cell) -> dict[str, float]:
        """Return what the cell's trial asks for: twice as much after a mishap, which may be want of memory."""
        return request(self.terms.resources_of(cell), 2 ** self.histories[cell.key].mishaps)


def _trackers(terms: Terms, cells: Mapping[str, Cell]) -> "list[Tracker]":
    """Return the callbacks of trackers, if any is asked for."""
    if not (terms.mlflow or terms.tensorboard):
        return []
    from raygrid.engine.ray.trackers import callbacks  # half a second, where MLflow is installed

    levels = {key: cell.levels() for key, cell in cells.items()}
    return callbacks(terms.mlflow, terms.tensorboard, terms.name, levels)


def _shared_inputs(cells: Sequence[Cell], cache: Cache) -> dict[str, Any]:
    """Return, by key, references to the inputs of all cells, computed by tasks that Ray can repeat.

    One after the other, because two data sets decoded at a time need twice the memory. They claim no CPU: repeated
    after the loss of a node, as often as that happens, they must not wait for the trials that wait for them. They are
    spread, because the object store of the node that this process runs on need not hold them all. Each has a process
    of its own, because Keras could not change its threads for a trial.
    """
    repeatable = ray.remote(max_calls=1)(load).options(
        num_cpus=0, num_returns=2, max_retries=-1, scheduling_strategy="SPREAD"
    )
    references = {}
    for key, cell in {inputs_key(cell, Runtime()): cell for cell in cells}.items():
        refusal, references[key] = repeatable.remote(cell, cache)
        try:
            refused: Refusal | None = ray.get(refusal)
        except RayTaskError as error:
            raise error.cause from None
        if refused:
            raise refused.error()
    return references
