"""The Ray engine: cells run in Ray Tune's trials, on one machine or a cluster, a large cell alone, small ones in turn.

Ray only schedules trials and gives each a process; results are kept in the store. A trial writes records before it
reports, and the next run reads the store again, so Tune's own directory is temporary. When Ray's memory monitor ends
one worker, Tune gives up on all trials; the cells that are left then go into another attempt.
"""

import os
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from raygrid.engine.ray.cluster import connected, cpus, fitting, request  # isort: skip  # sets what Ray reads when imported

import ray
from ray import tune
from ray.exceptions import RayError, RayTaskError
from ray.tune.error import TuneError

from raygrid import host
from raygrid.axes import AXES
from raygrid.cells import Cell
from raygrid.engine import Observer, Terms, loading_words
from raygrid.engine.execution import Refusal
from raygrid.engine.loading import Loading
from raygrid.engine.queue import Pace, Queue
from raygrid.engine.ray.attempt import Attempt, EarlyEnd, Order, Suggestions
from raygrid.engine.ray.worker import Work, load, run_in_worker
from raygrid.engine.verdict import RETRIES, GiveUp, History, Retry, verdict
from raygrid.host import Runtime
from raygrid.inputs import inputs_key, load_inputs, makers_first
from raygrid.level import Level
from raygrid.storage.cache import Cache
from raygrid.storage.store import Store
from raygrid.trial import record_loss
from raygrid.usercode.classes import code_of
from raygrid.wording import first_line

if TYPE_CHECKING:
    from raygrid.engine.ray.trackers import Tracker

# Tune asks for further trials while fewer than these wait; how many may wait is the queue's to say.
os.environ["TUNE_MAX_PENDING_TRIALS_PG"] = str(10**6)


def run_on_ray(cells: Sequence[Cell], store: Store, cache: Cache, *, terms: Terms, observer: Observer) -> None:
    """Run every cell as a trial; data and features are loaded once and shared through Ray's object store."""
    address = terms.address or os.environ.get("RAY_ADDRESS")
    levels: set[Level] = {cell.split for cell in cells}
    levels |= {getattr(cell, axis) for cell in cells for axis in AXES if axis != "fold"}
    is_ours = address is None and not ray.is_initialized()
    observer.waiting("Ray starts" if address is None else f"the Ray cluster at {address} answers")
    with ExitStack() as stack:
        waits = stack.enter_context(_loading(cells, cache)) if is_ours else None
        stack.enter_context(connected(address, code=code_of(levels), verbose=terms.verbose))
        resources = fitting(terms.resources, observer, may_grow=address is not None)
        pace = Pace(cells, store.records().values())
        sweep = _Sweep(store, replace(terms, resources=resources), observer, pace)
        todo = makers_first(cells, Runtime())
        while todo and not terms.budget.exhausted():
            inputs = (
                _inputs_put_here(todo, cache, waits, observer) if waits else _inputs_of_tasks(todo, cache, observer)
            )
            todo = sweep.attempt(todo, inputs)


class _Sweep:
    """The attempts of one run, and the history of each cell."""

    def __init__(self, store: Store, terms: Terms, observer: Observer, pace: Pace) -> None:
        self.store, self.terms, self.observer, self.pace = store, terms, observer, pace
        self.histories: defaultdict[str, History] = defaultdict(History)

    def attempt(self, cells: Sequence[Cell], inputs: dict[str, Any]) -> list[Cell]:
        """Run these cells; return those that are to be tried again."""
        queue = Queue(cells, self.pace, resources=self._asked, alone=self._is_alone, slots=cpus)
        known = {cell.key: cell for cell in cells}
        attempt = Attempt(uuid4().hex, known, self.store, self.observer, queue=queue, pace=self.pace)
        failure = self._fit(attempt, inputs)
        if attempt.refusal:
            raise attempt.refusal.error()
        if failure:
            if not isinstance(failure.__cause__, RayError):
                raise failure
            self.observer.notice(f"Ray Tune gave up, the cells that are left are tried again: {first_line(failure)}")
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
        trackers = _trackers(self.terms, attempt.cells)
        asked = {key: dict(self._asked(cell)) for key, cell in attempt.cells.items()}
        with tempfile.TemporaryDirectory(prefix="raygrid-") as scratch:
            tuner = tune.Tuner(
                tune.with_resources(
                    tune.with_parameters(run_in_worker, work=[work]),
                    lambda config: tune.PlacementGroupFactory([asked[config["keys"][0]]]),
                ),
                tune_config=tune.TuneConfig(
                    num_samples=-1,
                    search_alg=Suggestions(attempt),
                    scheduler=Order(),
                    reuse_actors=True,
                    trial_dirname_creator=lambda trial: trial.trial_id,
                ),
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

    def _asked(self, cell: Cell) -> tuple[tuple[str, float], ...]:
        """Return what the cell's trial asks for: twice as much after each mishap, because memory may have run out."""
        return tuple(request(self.terms.resources_of(cell), 2 ** self.histories[cell.key].mishaps).items())

    def _is_alone(self, cell: Cell) -> bool:
        """Tell whether the cell shares no trial: it has failed before, or trackers know a trial as a cell."""
        return self.terms.are_tracked or not self.histories[cell.key].is_clean


def _trackers(terms: Terms, cells: Mapping[str, Cell]) -> "list[Tracker]":
    """Return the callbacks of the trackers that the user asked for."""
    if not terms.are_tracked:
        return []
    from raygrid.engine.ray.trackers import callbacks  # takes half a second if MLflow is installed

    levels = {key: cell.levels() for key, cell in cells.items()}
    return callbacks(terms.mlflow, terms.tensorboard, terms.name, levels)


def _of_inputs(cells: Sequence[Cell]) -> dict[str, Cell]:
    """Return a cell for each of the inputs, by its key."""
    return {inputs_key(cell, Runtime()): cell for cell in cells}


@contextmanager
def _loading(cells: Sequence[Cell], cache: Cache) -> Iterator[Callable[[Observer], None]]:
    """Load the inputs that this machine lacks while Ray starts; the value of the block waits until they are there."""
    lacking = [cell for key, cell in _of_inputs(cells).items() if not cache.has(key)]  # it may download what is known
    if not lacking:
        yield lambda observer: None
        return
    with Loading(lacking, cache) as process:
        yield lambda observer: process.wait(lambda what: observer.waiting(loading_words(what)))


def _inputs_put_here(
    cells: Sequence[Cell], cache: Cache, wait: Callable[[Observer], None], observer: Observer
) -> dict[str, Any]:
    """Return references to the inputs of all cells, for a cluster that is only this machine, from its cache."""
    wait(observer)
    observer.waiting("the first trials begin")
    runtime = Runtime(host.cpus())
    return {key: ray.put(load_inputs(cell, cache, runtime)) for key, cell in _of_inputs(cells).items()}


def _inputs_of_tasks(cells: Sequence[Cell], cache: Cache, observer: Observer) -> dict[str, Any]:
    """Return references to the inputs of all cells, by the key of the inputs; Ray tasks compute them.

    The tasks run one after the other, because two data sets decoded at the same time need twice the memory. They ask
    for no CPU, because Ray repeats them after the loss of a node, and they must not wait for trials that wait for
    their result. They are spread over the nodes, because one node's object store may not hold all inputs. Each runs in
    a process of its own, because Keras cannot change its threads for a trial later.
    """
    repeatable = ray.remote(max_calls=1)(load).options(
        num_cpus=0, num_returns=2, max_retries=-1, scheduling_strategy="SPREAD"
    )
    references = {}
    for key, cell in _of_inputs(cells).items():
        observer.waiting(loading_words(f"{cell.dataset.name}, as {cell.representation.name}"))
        refusal, references[key] = repeatable.remote(cell, cache)
        try:
            refused: Refusal | None = ray.get(refusal)
        except RayTaskError as error:
            raise error.cause from None
        if refused:
            raise refused.error()
    observer.waiting("the first trials begin")
    return references
