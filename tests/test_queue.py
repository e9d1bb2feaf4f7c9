"""Which cells a trial gets: a large one alone, small ones together, as far as it is known what they take."""

import made_up
import numpy as np
import pytest

from raygrid.engine.queue import SMALL_S, TRIAL_S, Pace, Queue


@pytest.fixture
def many(cells_of):
    """Forty cells of one kind."""
    return [cell for cell in cells_of(folds=20) if cell.resampler.name == "none"]


@pytest.fixture
def pace():
    return Pace()


def queue_of(cells, pace, *, resources=lambda cell: "a CPU", alone=lambda cell: False, slots=2):
    return Queue(cells, pace, resources=resources, alone=alone, slots=lambda: slots)


def lengths(queue):
    """Return how many cells each trial gets, if every trial starts at once."""
    found = []
    while cells := queue.take(str(len(found))):
        queue.started(str(len(found)))
        found.append(len(cells))
    return found


def test_a_cell_of_which_nothing_is_known_runs_alone(many, pace):
    assert lengths(queue_of(many, pace)) == [1] * 40


def test_a_large_cell_runs_alone(many, pace):
    pace.learn(many[0], SMALL_S + 0.1)
    assert lengths(queue_of(many, pace)) == [1] * 40


def test_small_cells_run_together_and_fewer_towards_the_end_so_that_all_slots_end_at_the_same_time(many, pace):
    pace.learn(many[0], 0.05)
    assert lengths(queue_of(many, pace)) == [10, 7, 5, 4, 3, 2, 2, 1, 1, 1, 1, 1, 1, 1]


def test_together_they_take_no_longer_than_a_trial_may(many, pace):
    pace.learn(many[0], TRIAL_S / 5)
    assert max(lengths(queue_of(many, pace))) == 5


def test_one_slow_first_cell_that_imports_libraries_does_not_make_the_others_large(many, pace):
    for cell, seconds in zip(many, (20.0, 0.05, 0.05), strict=False):
        pace.learn(cell, seconds)
    assert pace.seconds(many[-1]) == 0.05


def test_a_cell_that_must_be_alone_is(many, pace):
    pace.learn(many[0], 0.05)
    queue = queue_of(many, pace, alone=lambda cell: cell in (many[3], many[4]))
    assert lengths(queue)[:3] == [3, 1, 1]


def test_what_asks_for_other_resources_is_in_another_trial_and_does_not_wait(many, pace):
    pace.learn(many[0], 0.05)
    on_card = set(many[::2])
    queue = queue_of(many, pace, resources=lambda cell: "a card" if cell in on_card else "a CPU")
    first = [queue.take(str(trial)) for trial in range(9)]
    assert all(len({cell in on_card for cell in cells}) == 1 for cells in first if cells)
    assert [bool(cells) for cells in first] == [True] * 8 + [False]  # four of each wait to be started
    assert queue.is_waited_for
    queue.started("0")
    assert queue.take("9")


def test_what_a_trial_has_not_come_to_is_next(many, pace):
    queue = queue_of(many, pace)
    (first,), (second,) = queue.take("0"), queue.take("1")
    queue.give_back([first, second])
    assert [queue.take("2"), queue.take("3")] == [[first], [second]]


def test_records_of_earlier_runs_say_what_is_small(many):
    done = made_up.record(many[0], np.random.default_rng(0))
    done = done.model_copy(update={"measured": made_up.measured({"fit": 0.04, "predict": 0.01})})
    assert Pace(many, [done]).seconds(many[-1]) == pytest.approx(0.05)
    assert Pace(many, [done.model_copy(update={"status": "error"})]).seconds(many[-1]) is None
