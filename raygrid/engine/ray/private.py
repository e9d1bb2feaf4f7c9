"""Every reach into what Ray does not promise to keep: its private attributes, and the words of its messages.

tests/test_ray_private.py and tests/test_many_nodes.py fail when Ray changes one of them; pyproject.toml says which
versions were tried.
"""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from ray._private.services import find_gcs_addresses

# How Ray's memory monitor names what it has ended, among all that it considered.
_SELECTED = re.compile(r"Selected to kill: \(Actor\((\w+)\)")

# What Ray says of a process whose node is gone. Of one that died on a living node Ray knows so at once. Where a whole
# node goes, the connection breaks first: its processes are said to be unavailable for the quarter of a minute in which
# Ray has not yet missed the node.
_NODE_LOST = ("node has died", "is temporarily unavailable")


def actor_id(trial: Any) -> str:
    """Return the id of the actor that runs a trial.

    Tune does not say which trial was in the actor that the memory monitor has ended.
    """
    return str(trial.temporary_state.ray_actor._actor_id.hex())


def ended_by_memory_monitor(failure: BaseException) -> set[str]:
    """Return the ids of the actors that the memory monitor has ended; none where it does not say.

    `ray.exceptions.OutOfMemoryError` carries them in its message alone.
    """
    return set(_SELECTED.findall(str(failure.__cause__)))


def reason_of_death(trial: Any) -> str:
    """Return why a trial's process died last, in Ray's words, on one line.

    Tune calls back without the error, which it has just added to this file.
    """
    last = Path(trial.error_file).read_text(encoding="utf-8").rpartition("Failure # ")[2]
    return " ".join(last.partition("\n")[2].split())


def node_was_lost(reason: str) -> bool:
    """Whether a process died because its node did: taken away, or broken.

    Ray's exceptions do not tell the two apart but in their message, unless an autoscaler took the node away.
    """
    return any(words in reason for words in _NODE_LOST)


def memory_ran_out(reason: str) -> bool:
    """Whether a process died because Ray's memory monitor ended it.

    Tune mostly gives up the whole attempt then; where it counts the trial as failed instead, only the message tells.
    """
    return "OutOfMemoryError" in reason or "running low on memory" in reason


def forget_statistics(trial: Any) -> None:
    """Drop the running means of what a trial has reported: most of what Tune keeps of it, and nobody reads them."""
    trial.run_metadata.metric_analysis.clear()
    trial.run_metadata.metric_n_steps.clear()


def runs_in_mlflow(callback: Any) -> Mapping[Any, str]:
    """Return the id of MLflow's run for every trial that Ray's callback has heard of.

    The callback ends none of those that are cut short, and does not show them.
    """
    runs: Mapping[Any, str] = getattr(callback, "_trial_runs", {})  # not there before Tune has set it up
    return runs


def head_ports() -> set[int]:
    """Return the ports at which heads of Ray clusters listen on this machine.

    Ray has no public way to look for them.
    """
    return {int(address.rpartition(":")[2]) for address in find_gcs_addresses()}
