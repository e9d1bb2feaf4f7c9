"""The time left, by hand; and the bar, drawn on a terminal that a test reads."""

import io
import logging
import re
import time

import pytest
from rich.console import Console

from raygrid.commands import progress as module
from raygrid.commands.progress import Progress, TimeLeft
from raygrid.commands.run import warnings_shown_by
from raygrid.host.output import captured


class Clock:
    """Seconds that a test moves on."""

    def __init__(self):
        self.now = 50.0

    def __call__(self):
        return self.now


class Told:
    """A forecast that a test tells what to predict."""

    def __init__(self, seconds):
        self.predicted = dict(seconds)
        self.learnt = []

    def learn(self, cell):
        self.learnt.append(cell)

    def seconds(self, cell):
        return self.predicted.get(cell.key)


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def cells(cells_of):
    return cells_of()[:4]


def told(cells, *seconds):
    return Told({cell.key: one for cell, one in zip(cells, seconds, strict=False) if one is not None})


def test_cells_are_counted_where_nothing_is_predicted(cells, clock):
    left = TimeLeft(cells, clock=clock)
    assert left.seconds() is None
    clock.now += 30  # the cluster starts: this says nothing of the cells
    left.started(cells[0])
    clock.now += 10
    assert left.seconds() is None
    left.finished(cells[0])
    assert left.seconds() == pytest.approx(30)
    left.started(cells[1])
    clock.now += 20
    left.finished(cells[1])
    assert left.seconds() == pytest.approx(30)  # two cells in 30 s; two are left


def test_cells_weigh_what_they_are_predicted_to_take(cells, clock):
    left = TimeLeft(cells, told(cells, 1, 1, 10, 28), clock=clock)
    left.started(cells[0])
    clock.now += 2
    left.finished(cells[0])
    left.started(cells[1])
    clock.now += 2
    left.finished(cells[1])
    assert left.seconds() == pytest.approx(76)  # by count it would be 4


def test_time_is_told_before_the_first_cell_ends(cells, clock):
    left = TimeLeft(cells, told(cells, 10, 10, 10, 10), clock=clock)
    left.started(cells[0])
    left.started(cells[1])
    clock.now += 5
    assert left.seconds() == pytest.approx(15)  # 10 of 40 s of work in 5 s, for two run at a time


def test_an_overdue_cell_has_done_no_more_than_was_predicted(cells, clock):
    left = TimeLeft(cells[:2], told(cells, 10, 10), clock=clock)
    left.started(cells[0])
    clock.now += 40
    assert left.seconds() == pytest.approx(40)


def test_unknown_cells_weigh_as_much_as_the_others_on_average(cells, clock):
    left = TimeLeft(cells, told(cells, 2, None, 4, None), clock=clock)
    left.started(cells[0])
    clock.now += 2
    left.finished(cells[0])
    assert left.seconds() == pytest.approx(3 + 4 + 3)


def test_what_is_learnt_changes_the_forecast(cells, clock):
    forecast = told(cells, 10, 10, 10, 10)
    left = TimeLeft(cells, forecast, clock=clock)
    left.started(cells[0])
    clock.now += 20
    forecast.predicted = {cell.key: 20 for cell in cells[:3]} | {cells[3].key: 60}
    left.finished(cells[0])
    assert forecast.learnt == [cells[0]]
    assert left.seconds() == pytest.approx(100)


def test_a_trial_begun_again_starts_anew(cells, clock):
    left = TimeLeft(cells[:2], told(cells, 10, 10), clock=clock)
    left.started(cells[0])
    clock.now += 8
    left.started(cells[0])  # its machine was lost
    clock.now += 2
    assert left.seconds() == pytest.approx(90)  # 2 of 20 in 10 s


def test_a_cell_that_is_tried_again_is_not_done(cells, clock):
    left = TimeLeft(cells[:2], clock=clock)
    for cell in cells[:2]:
        left.started(cell)
        clock.now += 5
        left.finished(cell)
    left.started(cells[1])
    assert left.seconds() == pytest.approx(10)


def test_at_the_end_nothing_is_left(cells, clock):
    left = TimeLeft(cells, told(cells, 0.1, 0.2, 0.3, 0.7), clock=clock)
    for cell in cells:
        left.started(cell)
        clock.now += 1
        left.finished(cell)
    assert left.seconds() == pytest.approx(0)


@pytest.fixture
def drawn():
    """Return a terminal, and what is on it."""
    console = Console(file=io.StringIO(), force_terminal=True, width=120)
    return console, lambda: re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", console.file.getvalue())


def test_the_bar_counts_cells_running_and_failed(cells, drawn):
    console, text = drawn
    with Progress(cells, console=console) as progress:
        progress.started(cells[0])
        progress.started(cells[1])
        progress.started(cells[1])  # begun again
        progress.finished(cells[0], "done")
        progress.finished(cells[1], "error")
        progress.started(cells[2])
        progress.notice("Ray's memory monitor ended [a worker]")
    assert "2/4 1 running, 1 failed" in text().splitlines()[-1]
    assert "Ray's memory monitor ended [a worker]" in map(str.strip, re.split(r"[\r\n]", text()))


def test_a_cell_that_is_tried_again_counts_once(cells, drawn):
    console, text = drawn
    with Progress(cells[:2], console=console, forecast=told(cells, 3, 3)) as progress:
        progress.started(cells[0])
        progress.finished(cells[0], "oom")
        progress.started(cells[0])
        progress.finished(cells[0], "done")
    assert "1/2 0 running, 0 failed" in text().splitlines()[-1]


def test_a_cell_that_fails_twice_counts_once_and_what_it_did_is_forgotten(cells, drawn):
    console, text = drawn
    with Progress(cells[:2], console=console) as progress:
        for status in ("error", "oom"):
            progress.started(cells[0])
            progress.doing(cells[0], "epoch 1")
            progress.finished(cells[0], status)
        assert not progress._doing
    assert "1/2 0 running, 1 failed" in text().splitlines()[-1]


def test_infeasible_cells_have_not_failed(cells, drawn):
    console, text = drawn
    with Progress(cells[:1], console=console, forecast=told(cells, 3)) as progress:
        progress.started(cells[0])
        progress.finished(cells[0], "infeasible")
    last = text().splitlines()[-1]
    assert "1/1 0 running, 0 failed" in last
    assert last.strip().endswith("left 0:00:00")


def test_what_is_waited_for_stands_below_the_bar(cells, drawn):
    console, text = drawn
    with Progress(cells, console=console) as progress:
        progress.waiting("Ray starts")
        progress._bar.refresh()
        assert text().rstrip().endswith("until Ray starts")
        progress.started(cells[0])
    assert "until" not in text().splitlines()[-1]


def test_what_trials_are_doing_stands_below_the_bar(cells, drawn):
    console, text = drawn
    with Progress(cells, console=console) as progress:
        for number, cell in enumerate(cells[:2], start=1):
            progress.started(cell)
            progress.doing(cell, f"epoch {number}/50")
        progress._bar.refresh()
        assert text().rstrip().endswith("epoch 1/50, epoch 2/50")
        progress.finished(cells[0], "done")
        progress._bar.refresh()
        assert text().rstrip().splitlines()[-1].strip() == "epoch 2/50"


def test_warnings_stand_above_the_bar_while_a_trial_is_captured(cells):
    shown = io.StringIO()
    with Progress(cells, console=Console(file=shown)) as progress, warnings_shown_by(progress), captured() as output:
        logging.getLogger("raygrid.storage").warning("the server is away")
    assert (shown.getvalue().partition("\n")[0], output.text) == ("the server is away", "")


def test_a_file_gets_a_line_now_and_then(cells, monkeypatch):
    monkeypatch.setattr(module, "LINE_EVERY_S", 0.01)
    console = Console(file=io.StringIO(), width=200)
    wanted = ["; waiting until digits is loaded as features", "1 of 4 cells, 1 running, 0 failed; 0:00:0"]
    with Progress(cells, console=console) as progress:
        progress.waiting("digits is loaded as features")
        while wanted[0] not in console.file.getvalue():
            time.sleep(0.01)
        progress.started(cells[0])
        progress.finished(cells[0], "done")
        progress.started(cells[1])
        while wanted[1] not in console.file.getvalue():
            time.sleep(0.01)
