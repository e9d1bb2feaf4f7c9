"""What becomes of a cell, as a table: every outcome of a trial, after every history that makes a difference."""

from dataclasses import replace

import pytest

from raygrid.engine.verdict import Died, Done, Ended, GiveUp, History, NotRun, Recorded, Retry, verdict

KILLED = Died("The actor died. SIGKILL", tries=3, node_was_lost=False)
NODE_LOST = Died("its node has died", tries=3, node_was_lost=True)
TOO_BIG = Ended("killed due to the node running low on memory", is_out_of_memory=True)
BROKEN_OFF = Ended("an error of the system", is_out_of_memory=False)
DEAD = "its process died 3 times: The actor died. SIGKILL"
GONE = "its node was lost 15 times; run the same command again to go on"


@pytest.mark.parametrize(
    ("history", "outcome", "expected"),
    [
        *[(History(), Recorded(status), Done()) for status in ("done", "infeasible", "error", "timeout", "preempted")],
        (History(mishaps=2), Recorded("done"), Done()),
        # Memory that ran out: three trials, then the record of the last one stands.
        (History(), Recorded("oom"), Retry(History(mishaps=1))),
        (History(mishaps=1, node_losses=3), Recorded("oom"), Retry(History(mishaps=2, node_losses=3))),
        (History(mishaps=2), Recorded("oom"), Done()),
        # A worker that was ended: three trials, then a record that says why.
        (History(), TOO_BIG, Retry(History(mishaps=1))),
        (History(mishaps=1), BROKEN_OFF, Retry(History(mishaps=2))),
        (History(mishaps=2), TOO_BIG, GiveUp("oom", TOO_BIG.reason)),
        (History(mishaps=2), BROKEN_OFF, GiveUp("error", BROKEN_OFF.reason)),
        # A process that died again and again: Ray has tried often enough.
        (History(), KILLED, GiveUp("error", DEAD)),
        (History(node_losses=4), KILLED, GiveUp("error", DEAD)),
        # Other cells of its trial have used up the tries.
        (History(), replace(KILLED, tries=1), Retry(History(deaths=1))),
        (History(deaths=1), replace(KILLED, tries=1), Retry(History(deaths=2))),
        (
            History(deaths=2),
            replace(KILLED, tries=1),
            GiveUp("error", DEAD),
        ),
        # A node that was lost: five times three trials.
        (History(), NODE_LOST, Retry(History(node_losses=1))),
        (History(mishaps=2, node_losses=3), NODE_LOST, Retry(History(mishaps=2, node_losses=4))),
        (History(node_losses=4), NODE_LOST, GiveUp("preempted", GONE)),
        # What did not run costs nothing.
        (History(mishaps=2, node_losses=4), NotRun(), Retry(History(mishaps=2, node_losses=4))),
    ],
)
def test_a_verdict_follows_from_history_and_outcome(history, outcome, expected):
    assert verdict(history, outcome) == expected


@pytest.mark.parametrize(
    ("outcome", "trials"), [(Recorded("oom"), 3), (TOO_BIG, 3), (BROKEN_OFF, 3), (KILLED, 1), (NODE_LOST, 5)]
)
def test_no_outcome_is_tried_for_ever(outcome, trials):
    history, n_trials = History(), 1
    while isinstance(found := verdict(history, outcome), Retry):
        history, n_trials = found.history, n_trials + 1
    assert n_trials == trials
