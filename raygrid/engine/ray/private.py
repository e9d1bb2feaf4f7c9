"""All use of what Ray may change without notice: its private attributes, and the words of its messages.

tests/test_ray_private.py and tests/test_many_nodes.py fail if Ray changes one of them; pyproject.toml names the
versions that were tested.
"""

import atexit
import os
import re
import signal
import sys
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ray._private.services import find_gcs_addresses

USAGE = 2  # the exit code of an error that the user can mend

# How Ray's memory monitor names the actor it has ended, in a list of all that it considered.
_SELECTED = re.compile(r"Selected to kill: \(Actor\((\w+)\)")

# Ray's words for a process whose node is gone. When a node goes, its connections break first: for about 15 seconds,
# until Ray notices that the node is missing, it calls the processes unavailable. If only the process died, Ray knows
# that at once.
_NODE_LOST = ("node has died", "is temporarily unavailable")

# Ray's words for a cluster of this machine that was not up within its 30 s, which no setting changes.
STARTED_TOO_LATE = "timed out during startup"


def actor_id(trial: Any) -> str:
    """Return the id of the actor that runs a trial.

    Needed because Tune does not say which trial ran in the actor that the memory monitor ended.
    """
    return str(trial.temporary_state.ray_actor._actor_id.hex())


def has_process_that_starts(tune_controller: Any, trial: Any) -> bool:
    """Whether a trial waits for a process of its own that has got its resources, and is starting.

    Needed because Tune tells its schedulers that the trial waits, and not for what.
    """
    controller = tune_controller._tune_controller  # it is wrapped
    actor = controller._trial_to_actor.get(trial)
    return actor is not None and bool(controller._actor_manager.is_actor_started(actor))


def ended_by_memory_monitor(failure: BaseException) -> set[str]:
    """Return the ids of the actors that the memory monitor has ended; none if the message does not name them.

    `ray.exceptions.OutOfMemoryError` names them only in its message.
    """
    return set(_SELECTED.findall(str(failure.__cause__)))


def reason_of_death(trial: Any) -> str:
    """Return why a trial's process died last, in Ray's words, on one line.

    Tune calls back without the error, but has just appended it to the trial's error file.
    """
    last = Path(trial.error_file).read_text(encoding="utf-8").rpartition("Failure # ")[2]
    return " ".join(last.partition("\n")[2].split())


def node_was_lost(reason: str) -> bool:
    """Whether a process died because its node was taken away or broke.

    Only the message of Ray's exception tells this, unless an autoscaler took the node away.
    """
    return any(words in reason for words in _NODE_LOST)


def memory_ran_out(reason: str) -> bool:
    """Whether a process died because Ray's memory monitor ended it.

    Tune mostly gives up the whole attempt then; where it counts the trial as failed instead, only the message tells.
    """
    return "OutOfMemoryError" in reason or "running low on memory" in reason


def forget_statistics(trial: Any) -> None:
    """Delete the running means of what a trial has reported: they need most of the memory, and nobody reads them."""
    trial.run_metadata.metric_analysis.clear()
    trial.run_metadata.metric_n_steps.clear()


def runs_in_mlflow(callback: Any) -> Mapping[Any, str]:
    """Return the id of MLflow's run for every trial that Ray's callback has heard of.

    Needed because the callback leaves open the runs of trials that are cut short, and has no public list of them.
    """
    runs: Mapping[Any, str] = getattr(callback, "_trial_runs", {})  # Tune makes it when it sets up the callback
    return runs


@contextmanager
def sigterm_kept() -> Iterator[None]:
    """Put the handler of SIGTERM back after a block that starts Ray.

    Ray's C++ part would answer the signal with a stack and abort this process.
    """
    handler = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        if handler is not None and threading.current_thread() is threading.main_thread():
            signal.signal(signal.SIGTERM, handler)


def leave_without_shutdown() -> None:
    """Let this process end without Ray's shutdown, which waits for a head that is dead until Ray aborts the process."""

    def leave() -> None:
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        os._exit(USAGE)

    atexit.register(leave)  # called before what Ray has registered


def head_ports() -> set[int]:
    """Return the ports at which heads of Ray clusters listen on this machine; Ray has no public function for this."""
    return {int(address.rpartition(":")[2]) for address in find_gcs_addresses()}
