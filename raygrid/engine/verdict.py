"""Decide after a trial whether its cell is done, tried again or given up: pure, without Ray, store or observer."""

from dataclasses import dataclass, replace

from raygrid.storage.record import Status

# Tries after the first one, if memory ran out or Ray ended the worker: each asks for twice as much as the one before.
RETRIES = 2

# How many trials of a cell may be ended by lost nodes in one run; more may mean that the cell itself breaks nodes.
NODE_LOSSES = 5


@dataclass(frozen=True)
class History:
    """What has happened to the trials of a cell in this run.

    Attributes
    ----------
    mishaps : int
        Trials that were ended because memory ran out.
    node_losses : int
        Attempts that lost nodes have ended.
    deaths : int
        Processes that died while the cell was running, before another cell of the same trial ended the attempt.
    """

    mishaps: int = 0
    node_losses: int = 0
    deaths: int = 0

    @property
    def is_clean(self) -> bool:
        """Whether nothing has happened; a cell to which something has happened shares no trial with others."""
        return self == History()


@dataclass(frozen=True)
class Recorded:
    """A trial left a record of this status."""

    status: str


@dataclass(frozen=True)
class Died:
    """The process of a cell died in each of its last `tries` tries, without a record; perhaps its node was lost."""

    reason: str
    tries: int
    node_was_lost: bool


@dataclass(frozen=True)
class Ended:
    """Ray ended the worker during the trial, usually because memory ran out on its node."""

    reason: str
    is_out_of_memory: bool


@dataclass(frozen=True)
class NotRun:
    """The trial had not begun, or was stopped because another trial ended the attempt; the cell is not at fault."""


Outcome = Recorded | Died | Ended | NotRun


@dataclass(frozen=True)
class Done:
    """The record is kept, whatever its status."""


@dataclass(frozen=True)
class Retry:
    """The cell is tried again, with this history."""

    history: History


@dataclass(frozen=True)
class GiveUp:
    """The cell gets this record and is not tried again in this run."""

    status: Status
    message: str


Verdict = Done | Retry | GiveUp


def verdict(history: History, outcome: Outcome) -> Verdict:
    """Return what to do with a cell that has this history, after a trial of it had this outcome."""
    match outcome:
        case Recorded(status):
            once_more = _after_mishap(history)
            return once_more if status == "oom" and once_more else Done()
        case Ended(reason, is_out_of_memory):
            return _after_mishap(history) or GiveUp("oom" if is_out_of_memory else "error", reason)
        case Died(reason, tries, node_was_lost=False):
            deaths = history.deaths + tries
            if deaths <= RETRIES:  # other cells of its trial used up the tries
                return Retry(replace(history, deaths=deaths))
            return GiveUp("error", f"its process died {deaths} times: {reason}")
        case Died(_, tries):
            return _after_node_loss(history, tries)
        case NotRun():
            return Retry(history)


def _after_mishap(history: History) -> Retry | None:
    """Return another try, or None if no more are allowed."""
    return Retry(replace(history, mishaps=history.mishaps + 1)) if history.mishaps < RETRIES else None


def _after_node_loss(history: History, tries: int) -> Retry | GiveUp:
    losses = history.node_losses + 1
    if losses < NODE_LOSSES:
        return Retry(replace(history, node_losses=losses))
    message = f"its node was lost {losses * tries} times; run the same command again to go on"
    return GiveUp("preempted", message)
