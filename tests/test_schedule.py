"""A list schedule by hand: which trial starts when, on CPUs and on parts of GPUs."""

from math import inf

import pytest
from hypothesis import given
from hypothesis import strategies as st

from raygrid.costs.schedule import Machines, fits, wall_seconds
from raygrid.errors import UsageError
from raygrid.gridfile.resources import Resources

ONE, TWO = Resources(), Resources(cpus=2)
HALF, WHOLE, THIRD, PAIR = (Resources(gpus=gpus) for gpus in (0.5, 1.0, 0.3, 2.0))

LARGE, TENTH = (Resources(memory_gb=memory_gb) for memory_gb in (3.0, 0.1))

# Trials in the order of the run, CPUs, GPUs, and when the last one ends.
SCHEDULES = {
    "nothing": ([], 1, 0, 0),
    "one after the other": ([(3, ONE), (4, ONE)], 1, 0, 7),
    "side by side": ([(3, ONE), (4, ONE)], 2, 0, 4),
    "not a plain division: the long one comes last": ([(1, ONE), (1, ONE), (4, ONE)], 2, 0, 5),
    "the long one comes first": ([(4, ONE), (1, ONE), (1, ONE)], 2, 0, 4),
    "two CPUs wait for both": ([(1, ONE), (5, ONE), (2, TWO)], 2, 0, 7),
    "a small one overtakes a large one that waits": ([(3, ONE), (2, TWO), (3, ONE)], 2, 0, 5),
    "what ends at one time makes room at one time": ([(3, ONE), (3, ONE), (2, TWO), (9, ONE)], 2, 0, 14),
    "two halves share a GPU": ([(3, HALF), (3, HALF)], 2, 1, 3),
    "a third half waits": ([(3, HALF), (3, HALF), (3, HALF)], 3, 1, 6),
    "three of 0.3 share a GPU": ([(2, THIRD)] * 3, 3, 1, 2),
    "six of 0.3 share two; a seventh lies not across both": ([(2, THIRD)] * 7, 7, 2, 4),
    "two whole GPUs": ([(2, HALF), (2, PAIR)], 2, 2, 4),
    "CPU trials do not wait for those on GPUs": ([(5, WHOLE), (5, WHOLE), (4, ONE)], 2, 1, 10),
    "GPU trials need CPUs as well": ([(5, ONE), (5, WHOLE)], 1, 1, 10),
    "no room, ever": ([(1, ONE), (1, WHOLE)], 2, 0, inf),
    "too few CPUs": ([(1, TWO)], 1, 4, inf),
}


@pytest.mark.parametrize(("trials", "cpus", "gpus", "end"), SCHEDULES.values(), ids=SCHEDULES)
def test_wall_seconds(trials, cpus, gpus, end):
    assert wall_seconds(trials, Machines(cpus, gpus)) == end


trials = st.lists(
    st.tuples(
        st.integers(0, 100).map(float),
        st.builds(
            lambda cpus, gpus: Resources(cpus=cpus, gpus=gpus), st.integers(1, 3), st.sampled_from([0, 0.25, 1.0])
        ),
    ),
    max_size=30,
)


@given(trials, st.integers(3, 8), st.integers(1, 3))
def test_it_lies_between_the_bounds_that_any_schedule_has(trials, cpus, gpus):
    end = wall_seconds(trials, Machines(cpus, gpus))
    longest = max((seconds for seconds, _ in trials), default=0)
    cpu_seconds = sum(seconds * share.cpus for seconds, share in trials)
    gpu_seconds = sum(seconds * share.gpus for seconds, share in trials)
    assert max(longest, cpu_seconds / cpus, gpu_seconds / gpus) <= end + 1e-9
    assert end <= sum(seconds for seconds, _ in trials) + 1e-9


@given(st.lists(st.integers(1, 100).map(float), min_size=1, max_size=30), st.integers(1, 8))
def test_on_equal_cpus_it_keeps_grahams_bound(seconds, cpus):
    end = wall_seconds([(one, ONE) for one in seconds], Machines(cpus))
    assert end <= sum(seconds) / cpus + (1 - 1 / cpus) * max(seconds) + 1e-9


def test_what_fits():
    assert fits(TWO, Machines(2))
    assert not fits(TWO, Machines(1))
    assert fits(PAIR, Machines(1, 2))
    assert not fits(HALF, Machines(8))
    assert fits(LARGE, Machines(1, memory_gb=3))
    assert not fits(LARGE, Machines(1, memory_gb=2.9))


def test_memory_limits_how_many_run_at_a_time():
    trials = [(2, LARGE)] * 10 + [(2, ONE)]
    assert wall_seconds(trials, Machines(64)) == 2
    assert wall_seconds(trials, Machines(64, memory_gb=16)) == 4  # five at a time
    assert wall_seconds(trials, Machines(2, memory_gb=16)) == 12
    assert wall_seconds([(1, TENTH)] * 30, Machines(64, memory_gb=0.3)) == 10


def test_whole_machines_are_paid_for_gpus_where_there_are_any():
    assert Machines(16, 8, price=0.16).cost(3600 * 2) == pytest.approx(2.56)
    assert Machines(16, price=0.05).cost(1800) == pytest.approx(0.4)
    assert Machines(16).cost(1800) is None
    assert Machines(16, price=1).cost(inf) is None


@pytest.mark.parametrize(
    ("given", "line"),
    [
        (dict(cpus=0), "--cpus: got 0; expected at least 1; give another"),
        (dict(cpus=2**63), f"--cpus: got {2**63}; expected at most 100000; give another"),
        (dict(cpus=1, gpus=2**31), "--gpus: got 2147483648; expected at most 100000; give another"),
        (dict(cpus=1, gpus=-1), "--gpus: got -1; expected at least 0; give another"),
        (dict(cpus=1, memory_gb=-1.0), "--memory-gb: got -1; expected a positive number; give another"),
        (dict(cpus=1, price=0.0), "--price: got 0; expected a positive number; give another"),
    ],
)
def test_a_mistake_is_one_line(given, line):
    with pytest.raises(UsageError) as error:
        Machines(**given)
    assert str(error.value) == line
