"""One attempt: one call of Ray Tune on all cells that are left. Here its callbacks, and when it must end early."""

import time
from collections.abc import Mapping
from typing import Any

from ray import tune
from ray.exceptions import OutOfMemoryError

from raygrid.cells import Cell
from raygrid.costs.budget import Budget
from raygrid.engine import Observer
from raygrid.engine.execution import Refusal
from raygrid.engine.ray import private
from raygrid.engine.ray.cluster import size
from raygrid.engine.verdict import RETRIES, Died, Ended, NotRun, Outcome, Recorded
from raygrid.storage.store import Store
from raygrid.trial import record_loss
from raygrid.wording import first_line

# How often the machines in use are counted, for the budget.
_COUNTED_EVERY_S = 5.0


class Attempt(tune.Callback):  # type: ignore[misc]
    """Tune calls it when trials start and end; it remembers their outcomes and calls the observer.

    Attributes
    ----------
    name : str
        A name of the attempt, kept in every record that it makes.
    statuses : dict
        By key, the status of every cell whose trial has ended with a record.
    running : set of str
        Keys of the cells whose trial has begun and not ended.
    deaths : dict
        By key, the cells whose process died so often that Tune does not start it again.
    refusal : Refusal or None
        A fault that only the user can correct.
    """

    def __init__(self, name: str, cells: Mapping[str, Cell], store: Store, observer: Observer) -> None:
        self.name, self.cells, self.store, self.observer = name, cells, store, observer
        self.statuses: dict[str, str] = {}
        self.running: set[str] = set()
        self.deaths: dict[str, Died | Ended] = {}
        self.refusal: Refusal | None = None
        self._key_of_actor: dict[str, str] = {}

    def __getstate__(self) -> dict[str, Any]:
        """Leave out everything: Tune pickles its callbacks, and an observer may not allow that."""
        return {}

    def on_trial_start(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
        """Note that a trial has begun, perhaps as a further try."""
        key = _key(trial)
        self.running.add(key)
        self._key_of_actor[private.actor_id(trial)] = key
        self.observer.started(self.cells[key])

    def on_trial_result(
        self, iteration: int, trials: list[Any], trial: Any, result: dict[str, Any], **info: Any
    ) -> None:
        """Note that a trial has reported; a refusal ends the attempt before the trial is complete."""
        self.refusal = self.refusal or result.get("refusal")
        if "doing" in result:
            self.observer.doing(self.cells[_key(trial)], result["doing"])

    def on_trial_complete(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
        """Note that a trial has ended and has reported the status of its cell."""
        self._finish(_key(trial), trial.last_result["status"])
        private.forget_statistics(trial)

    def on_trial_recover(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
        """Note that the process of a trial died, and Tune will start it again."""
        cell, death = self.cells[_key(trial)], _death(trial)
        node_was_lost = isinstance(death, Died) and death.node_was_lost
        if node_was_lost:
            self._record_preemption(cell)
        fate = "node was lost" if node_was_lost else "process died"
        self.observer.notice(f"{cell}: its {fate}; it is tried again")

    def on_trial_error(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
        """Note that the process of a trial died, and Tune will not start it again."""
        key, death = _key(trial), _death(trial)
        record = self.store.record(key)
        if record and record.measured.attempt == self.name:  # it died after it wrote its record
            self._finish(key, record.status)
            return
        if isinstance(death, Died) and death.node_was_lost:
            self._record_preemption(self.cells[key])
        self.running.discard(key)
        self.deaths[key] = death

    def outcome(self, key: str, failure: Exception | None) -> Outcome:
        """Return the outcome of a cell's trial, after the attempt has ended, or has failed with `failure`."""
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
        actors = private.ended_by_memory_monitor(failure) & set(self._key_of_actor)
        return {self._key_of_actor[actor] for actor in actors} & self.running or self.running

    def _finish(self, key: str, status: str) -> None:
        self.running.discard(key)
        self.statuses[key] = status
        self.observer.finished(self.cells[key], status)

    def _record_preemption(self, cell: Cell) -> None:
        record_loss(cell, self.store, status="preempted", message="its node was lost")


def _key(trial: Any) -> str:
    return str(trial.config["key"])


def _death(trial: Any) -> Died | Ended:
    reason = private.reason_of_death(trial)
    if private.memory_ran_out(reason):
        return Ended(reason, is_out_of_memory=True)
    return Died(reason, tries=RETRIES + 1, node_was_lost=private.node_was_lost(reason))


class EarlyEnd(tune.Stopper):  # type: ignore[misc]
    """Ends an attempt when the budget is exhausted, or when a trial was refused."""

    def __init__(self, budget: Budget) -> None:
        self.budget, self.refused, self.counted_at = budget, False, 0.0

    def __call__(self, trial_id: str, result: dict[str, Any]) -> bool:
        """Never end a single trial; note whether it reports a refusal."""
        self.refused = self.refused or "refusal" in result
        return False

    def stop_all(self) -> bool:
        """Return whether the attempt must end, and count the machines in use; Tune calls this after every event."""
        if time.monotonic() - self.counted_at > _COUNTED_EVERY_S:
            self.counted_at = time.monotonic()
            self.budget.spend(size())
        return self.refused or self.budget.exhausted() is not None
