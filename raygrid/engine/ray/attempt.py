"""One attempt at what is left of a grid: what its trials come to, as Tune tells it, and when it must end early."""

import re
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ray import tune

from raygrid.cells import Cell
from raygrid.costs.budget import Budget
from raygrid.engine import Observer
from raygrid.engine.ray.cluster import size
from raygrid.storage.store import Store
from raygrid.trial import lose

# How Ray's memory monitor names what it has ended, among all that it considered.
_SELECTED = re.compile(r"Selected to kill: \(Actor\((\w+)\)")

# How often the machines in use are counted, for the budget.
_COUNTED_EVERY_S = 5.0


class Attempt(tune.Callback):  # type: ignore[misc]
    """Hears how trials end, and passes it on.

    Attributes
    ----------
    statuses : dict
        Of the cells whose trial has ended with a record, by key.
    running : set of str
        Keys of the cells whose trial has begun and not ended.
    faults : dict
        What became, by key, of the cells whose process died as often as Tune would start it again, in Ray's words.
    refused : dict or None
        What only the user can mend: the name of the error, and its message.
    """

    def __init__(self, cells: Mapping[str, Cell], store: Store, observer: Observer) -> None:
        self.cells, self.store, self.observer = cells, store, observer
        self.statuses: dict[str, str] = {}
        self.running: set[str] = set()
        self.faults: dict[str, str] = {}
        self.refused: dict[str, str] | None = None
        self._key_of_actor: dict[str, str] = {}

    def __getstate__(self) -> dict[str, Any]:
        """Tune pickles its callbacks; an observer need not stand that."""
        return {}

    def on_trial_start(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
        """Hear that a trial has begun, perhaps once more."""
        self.running.add(_key(trial))
        self._key_of_actor[trial.temporary_state.ray_actor._actor_id.hex()] = _key(trial)
        self.observer.started(self.cells[_key(trial)])

    def on_trial_result(
        self, iteration: int, trials: list[Any], trial: Any, result: dict[str, Any], **info: Any
    ) -> None:
        """Hear what a trial reports, which may end the attempt before the trial is complete."""
        self.refused = self.refused or result.get("refused")

    def on_trial_complete(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
        """Hear that a trial has reported what became of its cell."""
        key = _key(trial)
        self.running.discard(key)
        self.statuses[key] = trial.last_result["status"]
        self.observer.finished(self.cells[key], self.statuses[key])
        # Statistics of what a trial has reported, which nobody reads: most of what Tune keeps of it.
        trial.run_metadata.metric_analysis.clear()
        trial.run_metadata.metric_n_steps.clear()

    def on_trial_recover(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
        """Hear that a trial's process died, and that it will be started again."""
        fate = "node was lost" if self._note_preemption(trial) else "process died"
        self.observer.notice(f"{self.cells[_key(trial)]}: its {fate}; it is tried again")

    def on_trial_error(self, iteration: int, trials: list[Any], trial: Any, **info: Any) -> None:
        """Hear that a trial's process died, and that it will not be started again."""
        self._note_preemption(trial)
        self.running.discard(_key(trial))
        self.faults[_key(trial)] = _fault(trial)

    def killed(self, failure: Exception) -> set[str]:
        """Return the keys of the cells whose worker Ray's memory monitor ended, as far as it says; else all that ran.

        Ray may end several; who merely ran beside them has done nothing wrong.
        """
        actors = _SELECTED.findall(str(failure.__cause__))
        return {
            self._key_of_actor[actor] for actor in actors if actor in self._key_of_actor
        } & self.running or self.running

    def _note_preemption(self, trial: Any) -> bool:
        """Keep a record that says so where a trial's node was lost; whether it was."""
        was_preempted = is_preemption(_fault(trial))
        if was_preempted:
            lose(self.cells[_key(trial)], self.store, status="preempted", message="its node was lost")
        return was_preempted


def is_preemption(fault: str) -> bool:
    """Whether a trial ended because its node did: taken away, or broken.

    Of a process that died on a living node Ray knows so at once. Where a whole node goes, the connection breaks first:
    its processes are said to be unavailable for the quarter of a minute in which Ray has not yet missed the node.
    """
    return "node has died" in fault or "is temporarily unavailable" in fault


def _key(trial: Any) -> str:
    return str(trial.config["cell"]["key"])


def _fault(trial: Any) -> str:
    """Return why a trial's process died last, in Ray's words."""
    last = Path(trial.error_file).read_text(encoding="utf-8").rpartition("Failure # ")[2]
    return " ".join(last.partition("\n")[2].split())


class EarlyEnd(tune.Stopper):  # type: ignore[misc]
    """Ends an attempt when the budget is exhausted, or when a trial has met what only the user can mend."""

    def __init__(self, budget: Budget) -> None:
        self.budget, self.refused, self.counted_at = budget, False, 0.0

    def __call__(self, trial_id: str, result: dict[str, Any]) -> bool:
        """Never end one trial; look at what it reports."""
        self.refused = self.refused or "refused" in result
        return False

    def stop_all(self) -> bool:
        """Count the machines in use; Tune asks after everything that happens."""
        if time.monotonic() - self.counted_at > _COUNTED_EVERY_S:
            self.counted_at = time.monotonic()
            self.budget.spend(size())
        return self.refused or self.budget.exhausted() is not None
