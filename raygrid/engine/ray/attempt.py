"""One attempt: one call of Ray Tune on all cells that are left. Here its callbacks, and when it must end early."""

import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

from ray import tune
from ray.exceptions import OutOfMemoryError

from raygrid.cells import Cell
from raygrid.costs.budget import Budget
from raygrid.engine import Observer
from raygrid.engine.execution import Refusal
from raygrid.engine.queue import Pace, Queue
from raygrid.engine.ray import private
from raygrid.engine.ray.cluster import size
from raygrid.engine.ray.worker import REFUSED
from raygrid.engine.verdict import Died, Ended, NotRun, Outcome, Recorded
from raygrid.storage.store import Store
from raygrid.trial import record_loss
from raygrid.wording import first_line

# How often the machines in use are counted, for the budget.
_COUNTED_EVERY_S = 5.0


class Attempt(tune.Callback):  # type: ignore[misc]
    """Tune calls it when trials start and end; it remembers the outcomes of cells and calls the observer.

    A trial runs its cells in order, so the first one without a record of this attempt is the one that is running.

    Attributes
    ----------
    name : str
        A name of the attempt, kept in every record that it makes.
    statuses : dict
        By key, the status of every cell that has ended with a record.
    running : dict
        Keys of the cells of each trial that has begun and not ended, by the trial's id.
    deaths : dict
        By key, the cells whose process died last in a trial that Tune does not start again.
    refusal : Refusal or None
        A fault that only the user can correct.
    """

    def __init__(
        self, name: str, cells: Mapping[str, Cell], store: Store, observer: Observer, *, queue: Queue, pace: Pace
    ) -> None:
        self.name, self.cells, self.store, self.observer = name, cells, store, observer
        self.queue, self.pace = queue, pace
        self.statuses: dict[str, str] = {}
        self.running: dict[str, list[str]] = {}
        self.deaths: dict[str, Died | Ended] = {}
        self.refusal: Refusal | None = None
        self._n_deaths: Counter[str] = Counter()
        self._trial_of_actor: dict[str, str] = {}

    def __getstate__(self) -> dict[str, Any]:
        """Leave out everything: Tune pickles its callbacks, and an observer may not allow that."""
        return {}

    def on_trial_start(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
        """Note that a trial has begun, perhaps as a further try."""
        self.queue.started(trial.trial_id)
        self.running[trial.trial_id] = trial.config["keys"]
        self._trial_of_actor[private.actor_id(trial)] = trial.trial_id
        self._tell_of_next(trial, self.observer.started)

    def on_trial_result(
        self, iteration: int, trials: list[Any], trial: Any, result: dict[str, Any], **info: Any
    ) -> None:
        """Note which cells of a trial have ended, and what it is doing; a refusal ends the attempt before the trial."""
        for end in result["ended"]:
            self.refusal = self.refusal or end.refusal
            if end.status != REFUSED:
                self._finish(end.key, end.status)
            if end.status == "done":
                self.pace.learn(self.cells[end.key], end.numbers["seconds"])
        if result["ended"] and not result.get("done"):
            self._tell_of_next(trial, self.observer.started)
        if "doing" in result:
            self._tell_of_next(trial, lambda cell: self.observer.doing(cell, result["doing"]))

    def on_trial_complete(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
        """Note that a trial has ended; what it has not come to is given to another one."""
        self._end(trial)
        private.forget_statistics(trial)

    def on_trial_recover(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
        """Note that the process of a trial died, and Tune will start it again."""
        if key := self._died(trial.config["keys"]):
            death, cell = self._death(trial, key), self.cells[key]
            node_was_lost = isinstance(death, Died) and death.node_was_lost
            if node_was_lost:
                self._record_preemption(cell)
            fate = "node was lost" if node_was_lost else "process died"
            self.observer.notice(f"{cell}: its {fate}; it is tried again")

    def on_trial_error(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
        """Note that the process of a trial died, and Tune will not start it again."""
        if key := self._died(trial.config["keys"]):
            death = self.deaths[key] = self._death(trial, key)
            if isinstance(death, Died) and death.node_was_lost:
                self._record_preemption(self.cells[key])
        self._end(trial)

    @property
    def has_trials(self) -> bool:
        """Whether trials run, or wait to be started."""
        return bool(self.running) or self.queue.is_waited_for

    def outcome(self, key: str, failure: Exception | None) -> Outcome:
        """Return the outcome of a cell, after the attempt has ended, or has failed with `failure`."""
        if key in self.statuses:
            return Recorded(self.statuses[key])
        if key in self.deaths:
            return self.deaths[key]
        if failure and key in self._ended_by(failure):
            return Ended(first_line(failure), is_out_of_memory=isinstance(failure.__cause__, OutOfMemoryError))
        return NotRun()

    def _ended_by(self, failure: Exception) -> set[str]:
        """Return the keys of the cells whose worker Ray's memory monitor ended; if it does not say, of all that ran.

        Ray may end several workers; cells that only ran at the same time are not at fault.
        """
        actors = private.ended_by_memory_monitor(failure) & set(self._trial_of_actor)
        ended = {self._trial_of_actor[actor] for actor in actors} & set(self.running) or set(self.running)
        return {key for trial in ended if (key := self._current(self.running[trial]))}

    def _tell_of_next(self, trial: Any, tell: Callable[[Cell], None]) -> None:
        """Tell of the first cell of a trial of which no end is reported: it runs now, as far as is known."""
        if key := next((key for key in trial.config["keys"] if key not in self.statuses), None):
            tell(self.cells[key])

    def _current(self, keys: Sequence[str]) -> str | None:
        """Return the cell of a trial that was running last: the first without a record of this attempt."""
        for key in keys:
            if key not in self.statuses:
                record = self.store.record(key)
                if not record or record.measured.attempt != self.name:
                    return key
                self._finish(key, record.status)
        return None

    def _died(self, keys: Sequence[str]) -> str | None:
        """Return the cell that was running when the process of its trial died, if one was.

        None was where a time limit ended the process, which records that before.
        """
        known = set(self.statuses)
        key = self._current(keys)
        last = next((each for each in reversed(keys) if each in self.statuses.keys() - known), None)
        if last and self.statuses[last] == "timeout":
            return None
        self._n_deaths.update([key] if key else [])
        return key

    def _death(self, trial: Any, key: str) -> Died | Ended:
        reason = private.reason_of_death(trial)
        if private.memory_ran_out(reason):
            return Ended(reason, is_out_of_memory=True)
        return Died(reason, tries=self._n_deaths[key], node_was_lost=private.node_was_lost(reason))

    def _end(self, trial: Any) -> None:
        """Give back to the queue what a trial has not come to."""
        self.queue.started(trial.trial_id)  # its process may have died before
        self.running.pop(trial.trial_id, None)
        left = [key for key in trial.config["keys"] if key not in self.statuses and key not in self.deaths]
        if not self.refusal:
            self.queue.give_back([self.cells[key] for key in left])

    def _finish(self, key: str, status: str) -> None:
        if key not in self.statuses:  # not yet found in the store
            self.statuses[key] = status
            self.observer.finished(self.cells[key], status)

    def _record_preemption(self, cell: Cell) -> None:
        record_loss(cell, self.store, status="preempted", message="its node was lost")


class Suggestions(tune.search.Searcher):  # type: ignore[misc]
    """Gives Tune the queue's cells, trial by trial, when there is room: so trials depend on what others have taken."""

    def __init__(self, attempt: Attempt) -> None:
        super().__init__()
        self._attempt = attempt

    def __getstate__(self) -> dict[str, Any]:
        """Leave out everything, because nobody restores a search."""
        return {}

    def suggest(self, trial_id: str) -> dict[str, Any] | str | None:
        """Return the keys of the next trial's cells; None while there is nothing to do now."""
        if cells := self._attempt.queue.take(trial_id):
            return {"keys": [cell.key for cell in cells]}
        return None if self._attempt.has_trials else self.FINISHED  # a trial may give cells back

    def on_trial_complete(self, trial_id: str, result: Any = None, error: bool = False) -> None:
        """Learn nothing: the attempt does."""

    def set_search_properties(self, metric: Any, mode: Any, config: Any, **spec: Any) -> bool:
        """Take no search space."""
        return True

    def save(self, checkpoint_path: str) -> None:
        """Keep nothing."""

    def restore(self, checkpoint_path: str) -> None:
        """Restore nothing."""


class Order(tune.schedulers.FIFOScheduler):  # type: ignore[misc]
    """Gives a process that is free to the first trial that waits, but not to one whose own process is starting.

    Tune would end that process. Where a cell takes less time than a process needs to start, no second one ever would.
    """

    def choose_trial_to_run(self, tune_controller: Any) -> Any:
        """Return the trial; None while there is none."""
        waiting = (trial for trial in tune_controller.get_trials() if trial.status == "PENDING")
        starts = partial(private.has_process_that_starts, tune_controller)
        return next((trial for trial in waiting if not starts(trial)), None)


class EarlyEnd(tune.Stopper):  # type: ignore[misc]
    """Ends an attempt when the budget is exhausted, or when a trial was refused."""

    def __init__(self, budget: Budget) -> None:
        self.budget, self.refused, self.counted_at = budget, False, 0.0

    def __call__(self, trial_id: str, result: dict[str, Any]) -> bool:
        """Never end a single trial; note whether it reports a refusal."""
        self.refused = self.refused or any(end.refusal for end in result.get("ended", ()))
        return False

    def stop_all(self) -> bool:
        """Return whether the attempt must end, and count the machines in use; Tune calls this after every event."""
        if time.monotonic() - self.counted_at > _COUNTED_EVERY_S:
            self.counted_at = time.monotonic()
            self.budget.spend(size())
        return self.refused or self.budget.exhausted() is not None
