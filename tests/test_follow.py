"""A run watched from elsewhere: what is shown, when it ends, with which exit code."""

import os
import pty
import re
import signal
import subprocess
import sys
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path

import made_up
import numpy as np
import pytest
from conftest import HANGS_S

from raygrid.commands import watched
from raygrid.commands.follow import rate_per_s
from raygrid.storage.store import Store

NOON = datetime(2026, 11, 23, 12, tzinfo=UTC)


@pytest.fixture
def store(tmp_path):
    store = Store(tmp_path / "store")
    store.prepare()
    return store


@pytest.fixture
def cells(cells_of):
    return cells_of()


@pytest.fixture
def records(cells):
    """A record of each of the tiny grid's 8 cells: one of them failed, one is infeasible."""
    rng = np.random.default_rng(0)
    made = [made_up.record(cell, rng) for cell in cells]
    made[2] = made_up.failed(cells[2], "oom", "MemoryError: no [bold] memory")
    made[5] = made_up.failed(cells[5], "infeasible", "smote: got 1 sample")
    return made


@pytest.fixture(autouse=True)
def soon(monkeypatch):
    """Be sure sooner that a run has ended."""
    monkeypatch.setattr(watched, "SURE_S", 0.5)


class Follower:
    """Counts how often the follower has looked at the store, so that a run can wait for it."""

    def __init__(self) -> None:
        self.n_looks, self.looked = 0, threading.Condition()

    def count(self) -> None:
        with self.looked:
            self.n_looks += 1
            self.looked.notify_all()

    def looks_again(self) -> None:
        """Wait for a look that has begun after this call, and has ended."""
        with self.looked:
            until = self.n_looks + 2
            assert self.looked.wait_for(lambda: self.n_looks >= until, HANGS_S)


@pytest.fixture
def follower(monkeypatch):
    follower, update = Follower(), watched.Watched.update

    def counting(self):
        changed = update(self)
        follower.count()
        return changed

    monkeypatch.setattr(watched.Watched, "update", counting)
    return follower


@pytest.fixture
def follow(raygrid, grid_file, store):
    return lambda *arguments: raygrid("status", grid_file(), "--store", store.root, "--follow", *arguments)


def write_all(store, records, then=lambda: None):
    for record in records:
        store.write(record, {})
        then()


def test_a_finished_grid_ends_it_at_once(follow, store, records, cells):
    write_all(store, records)
    code, out, err = follow()
    assert (code, err) == (1, "")
    assert out.splitlines()[-2:] == [
        "tiny: 8 cells: 6 done, 1 infeasible, 1 failed, 0 to come; no run is at work",
        "1 of 8 cells have no result; run the grid again to try them",
    ]
    assert sorted(out.splitlines()[:-2]) == [
        f"infeasible: {cells[5]}: smote: got 1 sample ({cells[5].key})",
        f"oom: {cells[2]}: MemoryError: no [bold] memory ({cells[2].key})",
    ]


def test_with_every_cell_done_or_infeasible_the_exit_code_is_0(follow, store, records):
    write_all(store, [*records[:2], *records[3:]])
    code, out, _ = follow("--only", "fold=1")
    assert (code, out.splitlines()[-1]) == (
        0,
        "tiny: 4 cells: 3 done, 1 infeasible, 0 failed, 0 to come; no run is at work",
    )


def test_what_a_run_leaves_is_told_as_it_comes_until_the_run_has_ended(follow, follower, store, records):
    """The run ends early, with two cells to come; the follower began before it."""

    def run():
        follower.looks_again()
        with store.locked():
            write_all(store, records[:6], then=follower.looks_again)

    running = threading.Thread(target=run)
    running.start()
    code, out, _ = follow("--every", "0.1")
    running.join()
    lines = out.splitlines()
    assert code == 1
    assert lines[0] == "tiny: 8 cells: 0 done, 0 infeasible, 0 failed, 8 to come; no run is at work; waiting for one"
    assert re.fullmatch(r"tiny: 8 cells: 4 done, 1 infeasible, 1 failed, 2 to come; no run is at work", lines[-2])
    assert lines[-1] == "3 of 8 cells have no result; run the grid again to try them"
    told = [line for line in lines if line.startswith(("done: ", "oom: ", "infeasible: "))]
    assert len(told) == len(set(told)) == 6
    assert sum(line.startswith("done: dataset=digits") for line in told) == 4
    assert len(lines) == len(set(lines))  # nothing is said twice


def test_a_failure_that_is_tried_again_is_no_end_while_the_run_lasts(follow, follower, store, records, cells):
    write_all(store, records)
    again = made_up.record(cells[2], np.random.default_rng(0))

    def run():
        follower.looks_again()
        store.write(again, {})
        lock.__exit__(None, None, None)

    lock = store.locked()
    lock.__enter__()
    running = threading.Thread(target=run)
    running.start()
    code, out, _ = follow("--every", "0.1")
    running.join()
    assert code == 0
    assert "1 failed" in out.splitlines()[2] and "0 failed" in out.splitlines()[-1]


def test_a_run_that_had_ended_before_is_waited_for_no_longer_than_any(follow, store, records, monkeypatch):
    monkeypatch.setattr(watched, "WAIT_S", 0.5)
    write_all(store, records[:6])
    code, out, _ = follow("--every", "0.1")
    counted = "tiny: 8 cells: 4 done, 1 infeasible, 1 failed, 2 to come; no run is at work"
    assert (code, out.splitlines()[-3:]) == (
        1,
        [
            f"{counted}; waiting for one",
            counted,
            "3 of 8 cells have no result; run the grid again to try them",
        ],
    )


class Looks:
    """A store of which each look tells the next of these, the last one ever after, a second later."""

    def __init__(self, monkeypatch, *looks):
        self.looks, self.now = list(looks), 0.0
        monkeypatch.setattr(watched.time, "monotonic", lambda: self.now)

    def is_locked(self):
        self.now += 1
        return self.looks.pop(0) if len(self.looks) > 1 else self.looks[0]


@pytest.mark.parametrize(
    ("looks", "n_missing", "until"),
    [
        ([True, False, True, False], 1, 9),  # one look after an absence of the server is no end
        ([True, False], 1, 7),
        ([True, False], 0, 7),  # its failures may be tried again
        ([False], 1, 61),
        ([False], 0, 1),
        ([False, True, False], 1, 8),
    ],
)
def test_when_it_is_the_end(monkeypatch, looks, n_missing, until):
    monkeypatch.setattr(watched, "SURE_S", 5)

    class Missing:
        missing = n_missing

    presence = watched.Presence(Looks(monkeypatch, *looks))
    presence.update()
    while presence.left_s(Missing) > 0:
        presence.update()
    assert presence.store.now == until


def test_the_rate_is_that_of_what_ended_lately():
    minutes = [NOON - timedelta(minutes=minutes) for minutes in (600, 599, 598, 20, 15, 10, 5, 0)]
    assert rate_per_s(minutes, NOON) == pytest.approx(4 / (20 * 60))
    assert rate_per_s(minutes[:3], NOON) is None
    assert rate_per_s([NOON], NOON) is None
    assert rate_per_s(minutes, NOON - timedelta(seconds=90)) == pytest.approx(4 / (20 * 60))  # a slow clock here


def test_the_time_left_is_that_of_as_many_cells(follow, follower, store, records):
    now = datetime.now(UTC)
    for i, record in enumerate(records[:5]):
        ended = (now - timedelta(seconds=60 * (4 - i))).isoformat(timespec="seconds")
        store.write(
            record.model_copy(update={"measured": record.measured.model_copy(update={"finished_at": ended})}), {}
        )
    with store.locked():
        threading.Thread(target=lambda: (follower.looks_again(), os.kill(os.getpid(), signal.SIGINT))).start()
        code, out, _ = follow("--every", "0.1")
    assert code == 130
    rate, minutes, seconds = re.search(r"3 to come; (.*) a minute, 0:0(\d):(\d\d) left", out).groups()
    assert 0.5 < float(rate) <= 1  # a little less than one a minute: some seconds have passed since the last
    assert 60 * int(minutes) + int(seconds) == pytest.approx(3 * 60 / float(rate), rel=0.01)


def test_follow_and_json_exclude_each_other(follow):
    assert follow("--json") == (2, "", "--json: got --follow as well; expected one of them\n")


@pytest.mark.slow
def test_on_a_terminal_one_display_is_kept_up_to_date_and_ctrl_c_ends_it(store, records, grid_file):
    master, slave = pty.openpty()
    command = [Path(sys.executable).with_name("raygrid"), "status", grid_file(), "--store", store.root, "--follow"]
    environment = os.environ | {"TERM": "xterm", "COLUMNS": "160"}
    with store.locked():
        process = subprocess.Popen(
            [*command, "--every", "0.2"],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
            env=environment,
        )
        os.close(slave)
        shown = read_until(master, b"8 to come")
        write_all(store, records[:4])
        shown += read_until(master, b"4 to come")
        os.killpg(process.pid, signal.SIGINT)
        assert process.wait(timeout=HANGS_S) == 130
        shown += read_until(master, None)
    assert b"\x1b[1A" in shown  # the cursor goes up, to draw in place
    assert b"oom: dataset=digits" in shown and b"  done: dataset=digits" in shown
    assert b"Traceback" not in shown and b"interrupted" not in shown


def read_until(master: int, wanted: bytes | None) -> bytes:
    """Return what the terminal shows, up to `wanted`, or to the end."""
    shown = b""
    while wanted is None or wanted not in shown:
        try:
            shown += os.read(master, 4096)
        except OSError:  # the other end is closed
            assert wanted is None, shown
            break
    return shown


def test_a_store_at_a_url_is_followed_from_anywhere(raygrid, follower, grid_file, records, s3, bucket):
    """Two processes in truth; here two stores, which share nothing but the server."""
    store = Store(f"{bucket}/run")

    def run():
        with store.locked():
            follower.looks_again()
            write_all(store, records[:4])

    running = threading.Thread(target=run)
    running.start()
    code, out, _ = raygrid("status", grid_file(), "--store", f"{bucket}/run", "--follow", "--every", "0.2")
    running.join()
    assert (code, out.splitlines()[-1]) == (1, "5 of 8 cells have no result; run the grid again to try them")
    assert sum(line.startswith("done: ") for line in out.splitlines()) == 3
