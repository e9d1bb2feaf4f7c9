"""The store and the cache: files that are whole, final, and only theirs who hold the lock."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from raygrid.cache import Cache
from raygrid.errors import StoreError
from raygrid.record import Measured, Record
from raygrid.store import Store

MEASURED = Measured(finished_at="2020-02-27T12:00:00+00:00", seconds={"fit": 1.5}, peak_memory_mb=100.0)
PREDICTIONS = {"y_true": np.arange(3), "y_pred": np.array([0, 1, 1]), "test_index": np.array([4, 7, 9])}


def record(key="0123456789abcdef", status="done", **fields):
    return Record(key=key, cell={"fold": 0}, status=status, measured=MEASURED, **fields)


@pytest.fixture
def store(tmp_path):
    made = Store(tmp_path / "runs" / "small")
    made.prepare()
    return made


def files(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def test_a_record_is_read_as_it_was_written(store):
    written = record(metrics={"AvAcc": 1 / 3}, class_names=["猫"])
    store.write(written, PREDICTIONS)
    assert store.record(written.key) == written
    assert store.records() == {written.key: written}
    assert store.statuses() == {written.key: "done"}
    assert Store(store.root).records() == {written.key: written}


def test_predictions_are_plain_arrays(store):
    store.write(record(), PREDICTIONS)
    with np.load(store.root / "predictions" / "0123456789abcdef.npz", allow_pickle=False) as kept:
        assert {name: kept[name].tolist() for name in kept} == {
            "y_true": [0, 1, 2],
            "y_pred": [0, 1, 1],
            "test_index": [4, 7, 9],
        }


def test_one_file_a_cell_and_nothing_else(store):
    store.write(record("a" * 16), PREDICTIONS)
    store.write(record("b" * 16, "error", message="no"), {})
    assert files(store.root) == [f"predictions/{'a' * 16}.npz", f"records/{'a' * 16}.json", f"records/{'b' * 16}.json"]


def test_a_store_that_is_not_there_has_no_records(tmp_path):
    store = Store(tmp_path / "none")
    assert (store.records(), store.statuses(), store.record("a" * 16)) == ({}, {}, None)
    assert not store.root.exists()


@pytest.mark.parametrize("second", ["done", "infeasible", "error"])
@pytest.mark.parametrize("first", ["done", "infeasible"])
def test_a_final_record_is_never_altered(store, first, second):
    store.write(record(status=first, message="first"), PREDICTIONS)
    before = {name: (store.root / name).read_bytes() for name in files(store.root)}
    store.write(record(status=second, message="second"), {"y_pred": np.zeros(9)})
    assert {name: (store.root / name).read_bytes() for name in files(store.root)} == before


@pytest.mark.parametrize("second", ["done", "infeasible", "error"])
@pytest.mark.parametrize("first", ["error", "oom", "timeout", "preempted"])
def test_any_other_record_is_replaced(store, first, second):
    store.write(record(status=first, message="first"), {})
    store.write(record(status=second, message="second"), {})
    assert [(some.status, some.message) for some in store.records().values()] == [(second, "second")]


def leftovers(store):
    """What a run that was killed while it wrote leaves behind."""
    made = [
        store.root / "records" / ".0123456789abcdef.json.x1.tmp",
        store.root / "predictions" / ".0123456789abcdef.npz.x2.tmp",
        store.root / "report" / ".table1.csv.x3.tmp",
    ]
    for path in made:
        path.write_bytes(b'{"key":')
    return made


def test_half_written_files_are_not_seen_and_the_next_run_removes_them(store):
    store.write(record(), PREDICTIONS)
    whole = files(store.root)
    made = leftovers(store)
    assert list(store.records()) == ["0123456789abcdef"]
    assert store.statuses() == {"0123456789abcdef": "done"}
    store.prepare()
    assert not [path for path in made if path.exists()]
    assert files(store.root) == whole


KILLED = """
import os, signal, sys
from pathlib import Path
from raygrid.store import Store
os.fsync = lambda descriptor: os.kill(os.getpid(), signal.SIGKILL)
Store(Path(sys.argv[1])).write_text("records/0123456789abcdef.json", "half")
"""


def test_a_run_that_is_killed_as_it_writes_leaves_no_record(store):
    run = subprocess.run([sys.executable, "-c", KILLED, str(store.root)])
    assert run.returncode == -9
    assert len(files(store.root)) == 1
    assert store.records() == {}
    store.prepare()
    assert files(store.root) == []


def test_a_write_that_fails_leaves_nothing(store):
    unwritable = np.array([lambda: 0], dtype=object)  # no pickle of it can be made
    with pytest.raises(Exception, match="pickle"):
        store.write(record(), {"y_pred": unwritable})
    assert files(store.root) == []


NO_RECORDS = {
    "a missing field": (b'{"key": "a"}', "cell: Field required"),
    "an unknown status": (
        b'{"key": "a", "cell": {}, "status": "lost", "measured": {"finished_at": "", "seconds": {}, '
        b'"peak_memory_mb": 1}}',
        "status: Input should be 'done', 'infeasible', 'error', 'oom', 'timeout' or 'preempted'",
    ),
    "an unknown cost": (
        b'{"key": "a", "cell": {}, "status": "done", "measured": {"finished_at": "", "seconds": {}, '
        b'"peak_memory_mb": 1, "hours": 1}}',
        "measured.hours: Extra inputs are not permitted",
    ),
    "an empty file": (b"", "Invalid JSON: EOF while parsing a value at line 1 column 0"),
    "half a file": (b'{"key": ', "Invalid JSON: EOF while parsing a value at line 1 column 8"),
}


@pytest.mark.parametrize(("content", "reason"), NO_RECORDS.values(), ids=NO_RECORDS)
def test_a_file_that_is_no_record_is_named(store, content, reason):
    path = store.root / "records" / "0123456789abcdef.json"
    path.write_bytes(content)
    for read in (store.records, store.statuses, lambda: store.record("0123456789abcdef")):
        with pytest.raises(StoreError) as refused:
            read()
        assert str(refused.value) == f"{path}: got no record ({reason}); delete the file to run its cell again"


def test_text_is_written_whole_and_replaced(store):
    path = store.write_text("report/table1.csv", "ä\n")
    assert path == store.root / "report" / "table1.csv"
    store.write_text("report/table1.csv", "b\n")
    assert path.read_text(encoding="utf-8") == "b\n"
    assert files(store.root) == ["report/table1.csv"]


def test_a_relative_store_stays_where_it_was_named(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    store, cache = Store(Path("runs")), Cache(Path("cache"))
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    store.prepare()
    cache.arrays("key", lambda: {"X": np.zeros(1)})
    assert (tmp_path / "runs" / "records").is_dir()
    assert (tmp_path / "cache" / "key").is_dir()
    assert not list((tmp_path / "elsewhere").iterdir())


# Permissions do not stop root, and a file in the way stops everyone.
@pytest.mark.parametrize("act", ["prepare", "locked"])
def test_a_file_in_the_place_of_the_store(tmp_path, act):
    (tmp_path / "runs").write_bytes(b"")
    store = Store(tmp_path / "runs")
    with pytest.raises(StoreError) as refused:
        if act == "prepare":
            store.prepare()
        else:
            with store.locked():
                pass
    failure = {
        "prepare": f"Not a directory ({tmp_path}/runs/records)",
        "locked": f"File exists ({tmp_path}/runs)",
    }[act]
    assert str(refused.value) == f"{tmp_path}/runs: {failure}; name another folder, or make room"


@pytest.mark.parametrize(
    ("blocked", "act"),
    [
        ("records", lambda store: store.write(record(), {})),
        ("predictions", lambda store: store.write(record(), PREDICTIONS)),
        ("report", lambda store: store.write_text("report/table1.csv", "")),
    ],
    ids=["records", "predictions", "report"],
)
def test_a_store_that_cannot_be_written(store, blocked, act):
    (store.root / blocked).rmdir()
    (store.root / blocked).write_bytes(b"")
    with pytest.raises(StoreError) as refused:
        act(store)
    where = re.escape(f"{store.root}/{blocked}")
    assert re.fullmatch(
        rf"{store.root}: (Not a directory|File exists) \({where}.*\); name another folder, or make room",
        str(refused.value),
    )
    assert files(store.root) == [blocked]


HOLD = """
import sys
from pathlib import Path
from raygrid.store import Store
with Store(Path(sys.argv[1])).locked():
    print("locked", flush=True)
    sys.stdin.read()
"""


def test_the_lock_keeps_other_processes_out_until_its_holder_ends_however_it_ends(store):
    def enter():
        with store.locked():
            pass

    enter()
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(store.root)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as holder:
        try:
            assert holder.stdout.readline() == "locked\n"
            with pytest.raises(StoreError) as refused:
                enter()
            assert str(refused.value) == (
                f"{store.root}: another run is writing here; wait for it, or use another --store"
            )
            assert store.records() == {}  # reading needs no lock
        finally:
            holder.kill()
    enter()


def test_a_run_keeps_a_second_one_of_its_own_process_out(store):
    with store.locked(), pytest.raises(StoreError), Store(store.root).locked():
        pass


def test_a_failure_within_the_lock_is_not_blamed_on_the_store(store):
    with pytest.raises(FileNotFoundError), store.locked():
        Path("/nowhere/at/all").read_bytes()
    with store.locked():
        pass
