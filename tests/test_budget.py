"""A budget: what is counted, when a run must stop, and one line for a mistake."""

import pytest
from made_up import statuses

from raygrid.costs.budget import Budget
from raygrid.errors import UsageError
from raygrid.storage.store import Store

HOUR = 3600.0


class Clock:
    """Seconds that a test moves on."""

    def __init__(self):
        self.now = 1000.0

    def __call__(self):
        return self.now


@pytest.fixture
def clock():
    return Clock()


def test_a_budget_without_limits_is_never_exhausted(clock):
    budget = Budget(clock=clock)
    clock.now += 1e9
    budget.spend(1000)
    assert budget.exhausted() is None


def test_hours_are_those_of_the_clock_whatever_the_machines(clock):
    budget = Budget(max_hours=2, clock=clock)
    clock.now += 2 * HOUR - 1
    budget.spend(100)
    assert budget.exhausted() is None
    clock.now += 1
    assert budget.exhausted() == "stopped after 2.0 hours (--max-hours 2)"


def test_a_short_budget_is_told_in_digits_that_show(clock):
    budget = Budget(max_hours=0.01, clock=clock)
    clock.now += 36
    assert budget.exhausted() == "stopped after 0.01 hours (--max-hours 0.01)"


def test_cost_is_that_of_the_machines_as_they_come_and_go(clock):
    budget = Budget(max_cost=1.5, price=0.25, clock=clock)
    clock.now += 0.5 * HOUR
    budget.spend(4)  # half an hour of four: 2 unit-hours
    clock.now += 1 * HOUR
    budget.spend(1)  # three of them left: 1
    assert budget.unit_hours == pytest.approx(3)
    assert budget.exhausted() is None  # 0.75
    clock.now += 0.375 * HOUR
    budget.spend(8)
    assert budget.exhausted() == "stopped at a cost of 1.5 (--max-cost 1.5)"


def test_what_is_not_yet_counted_costs_nothing(clock):
    budget = Budget(max_cost=1, price=1, clock=clock)
    clock.now += 10 * HOUR
    assert budget.exhausted() is None
    budget.spend(1)
    assert budget.exhausted()


def test_the_first_of_two_limits_counts(clock):
    budget = Budget(max_hours=1, max_cost=100, price=1, clock=clock)
    clock.now += HOUR
    budget.spend(2)
    assert budget.exhausted() == "stopped after 1.0 hours (--max-hours 1)"


MISTAKES = {
    "no hours": (dict(max_hours=0), "--max-hours: got 0; expected a positive number; give another"),
    "less than none": (dict(max_cost=-2.5, price=1), "--max-cost: got -2.5; expected a positive number; give another"),
    "not a number": (dict(price=float("nan")), "--price: got nan; expected a positive number; give another"),
    "no end": (dict(max_hours=float("inf")), "--max-hours: got inf; expected a positive number; give another"),
    "no price": (
        dict(max_cost=4),
        "--max-cost: got no --price; expected the price of a GPU-hour (or CPU-hour); give both",
    ),
}


@pytest.mark.parametrize(("given", "line"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_one_line(given, line):
    with pytest.raises(UsageError) as error:
        Budget(**given)
    assert str(error.value) == line


def test_it_runs_on_a_real_clock_too():
    budget = Budget(max_hours=1e-9)
    budget.spend(2)
    assert budget.unit_hours >= 0
    while not budget.exhausted():
        pass


def test_a_run_stops_when_its_budget_is_exhausted(raygrid, grid_file, tmp_path):
    arguments = ("run", grid_file(), "--store", tmp_path / "store", "--engine", "inline")
    code, _, err = raygrid(*arguments, "--max-hours", "1e-9")
    assert code == 1
    assert "stopped after" in err
    assert "8 of 8 cells have no result; run the grid again" in err
    assert statuses(Store(tmp_path / "store")) == {}


@pytest.mark.slow
def test_a_run_on_ray_stops_too(raygrid, grid_file, cluster, tmp_path):
    arguments = ("run", grid_file(), "--store", tmp_path / "store")
    code, _, err = raygrid(*arguments, "--max-cost", "1e-9", "--price", "1")
    assert code == 1
    assert "stopped at a cost of" in err
    assert len(statuses(Store(tmp_path / "store"))) < 8


@pytest.mark.parametrize("option", ["--max-hours=0", "--max-cost=3"])
def test_a_mistake_on_the_command_line_is_one_line(raygrid, grid_file, tmp_path, option):
    code, out, err = raygrid("run", grid_file(), "--store", tmp_path / "store", option)
    assert (code, out, len(err.splitlines())) == (2, "", 1)
    assert not (tmp_path / "store").exists()
