"""The store and the cache: files that are whole, final, and only theirs who hold the lock."""

import os
import pickle
import re
import stat
import subprocess
import sys
import time
from io import BytesIO
from pathlib import Path

import made_up
import numpy as np
import pytest
from made_up import statuses

from raygrid.errors import StoreError
from raygrid.storage.cache import Cache
from raygrid.storage.record import Measured, Record
from raygrid.storage.store import Store

MEASURED = Measured(finished_at="2020-02-27T12:00:00+00:00", seconds={"fit": 1.5}, peak_memory_mb=100.0)
PREDICTIONS = {"y_true": np.arange(3), "y_pred": np.array([0, 1, 1]), "test_index": np.array([4, 7, 9])}


def record(key="0123456789abcdef", status="done", **fields):
    fields = made_up.OF_TWO_CLASSES | fields
    return Record(key=key, cell={"fold": 0}, status=status, measured=MEASURED, **fields)


@pytest.fixture
def local_store(tmp_path):
    made = Store(tmp_path / "runs" / "small")
    made.prepare()
    return made


@pytest.fixture(params=["a folder", "a bucket"])
def store(request):
    """What holds for a store on this machine, and for one at a URL."""
    if request.param == "a folder":
        return request.getfixturevalue("local_store")
    made = Store(f"{request.getfixturevalue('bucket')}/runs/small")
    made.prepare()
    return made


def files(folder):
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def content(store):
    """Return every file, by name."""
    return {name: (store.root / name).read_bytes() for name in files(store.root)}


def test_a_record_is_read_as_it_was_written(store):
    written = record(metrics={"AvAcc": 1 / 3})
    store.write(written, PREDICTIONS)
    assert store.record(written.key) == written
    assert store.records() == {written.key: written}
    assert statuses(store) == {written.key: "done"}
    assert store.is_there()
    assert Store(store.root).records() == {written.key: written}


def test_records_are_read_as_they_are_now(store):
    """Also by who has read them before: another process writes."""
    other = Store(store.root)
    for status in ("error", "oom", "done"):
        other.write(record(status=status), {})
        other.write(record("b" * 16, status), {})
        assert statuses(store) == {"0123456789abcdef": status, "b" * 16: status}
    (store.root / "records" / f"{'b' * 16}.json").unlink()
    assert statuses(store) == {"0123456789abcdef": "done"}


def test_a_store_goes_to_another_process_as_its_place_alone(store):
    store.write(record(), PREDICTIONS)
    read = store.records()
    pickled = pickle.dumps(store)
    assert len(pickled) < 1000
    assert pickle.loads(pickled).records() == read


def test_predictions_are_plain_arrays(store):
    store.write(record(), PREDICTIONS)
    with np.load(BytesIO(content(store)["predictions/0123456789abcdef.npz"]), allow_pickle=False) as kept:
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
    assert (store.records(), store.record("a" * 16)) == ({}, None)
    assert (store.read_text("grid.yaml"), store.read_log("a" * 16), store.is_locked()) == ("", "", False)
    assert not store.is_there()
    assert not store.root.exists()


@pytest.mark.parametrize("second", ["done", "infeasible", "error"])
@pytest.mark.parametrize("first", ["done", "infeasible"])
def test_a_final_record_is_never_altered(store, first, second):
    store.write(record(status=first, message="first"), PREDICTIONS)
    before = content(store)
    store.write(record(status=second, message="second"), {"y_pred": np.zeros(9)})
    assert content(store) == before


@pytest.mark.parametrize("status", ["done", "timeout"])
def test_a_final_record_that_comes_while_another_is_written_is_never_altered(store, status):
    class Meanwhile:
        """Predictions that another process writes while they are being written."""

        def __array__(self, *arguments, **options):
            Store(str(store.root)).write(record(message="first"), {})
            return np.zeros(9)

    store.write(record(status=status, message="second"), {"y_pred": Meanwhile()})
    assert [(some.status, some.message) for some in store.records().values()] == [("done", "first")]


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
        store.root / "checkpoints" / ".0123456789abcdef.npz.x4.tmp",
        store.root / "logs" / ".0123456789abcdef.log.x5.tmp",
    ]
    for path in made:
        path.write_bytes(b'{"key":')
    return made


def test_half_written_files_are_not_seen_and_the_next_run_removes_them(local_store):
    local_store.write(record(), PREDICTIONS)
    whole = files(local_store.root)
    made = leftovers(local_store)
    assert list(local_store.records()) == ["0123456789abcdef"]
    assert statuses(local_store) == {"0123456789abcdef": "done"}
    local_store.prepare()
    assert not [path for path in made if path.exists()]
    assert files(local_store.root) == whole


KILLED = """
import os, signal, sys
from pathlib import Path
from raygrid.storage.store import Store
os.fsync = lambda descriptor: os.kill(os.getpid(), signal.SIGKILL)
Store(Path(sys.argv[1])).write_text("records/0123456789abcdef.json", "half")
"""


def test_a_run_that_is_killed_as_it_writes_leaves_no_record(local_store):
    run = subprocess.run([sys.executable, "-c", KILLED, str(local_store.root)])
    assert run.returncode == -9
    assert len(files(local_store.root)) == 1
    assert local_store.records() == {}
    local_store.prepare()
    assert files(local_store.root) == []


def test_a_file_is_synced_and_then_the_folder_that_names_it(local_store, monkeypatch):
    """Else a loss of power could take a record that a run has counted."""
    synced, fsync, path = [], os.fsync, local_store.root / "report" / "a.csv"

    def syncing(descriptor):
        synced.append((stat.S_ISDIR(os.fstat(descriptor).st_mode), path.exists()))
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", syncing)
    local_store.write_text("report/a.csv", "whole")
    assert synced == [(False, False), (True, True)]


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
    for read in (store.records, lambda: store.record("0123456789abcdef")):
        with pytest.raises(StoreError) as refused:
            read()
        assert str(refused.value) == f"{path}: got no record ({reason}); delete the file to run its cell again"


def test_a_log_is_kept_as_text(store):
    assert store.read_log("a" * 16) == ""
    store.write_log("a" * 16, "first\n")
    store.write_log("a" * 16, "ä\udcff\n")  # what a C library wrote need not be text
    assert store.read_log("a" * 16) == "ä?\n"
    assert files(store.root) == [f"logs/{'a' * 16}.log"]


STATE = {
    "version": np.array("of the network"),
    "file": np.arange(3, dtype=np.float16),
    "layer/0/kernel:0": np.array([[np.nan, -0.0]], dtype=np.float32),
    "epoch": np.array(7),
    "none": np.zeros((0, 4), dtype=np.uint8),
}


def test_a_checkpoint_is_loaded_as_it_was_saved(store):
    assert store.checkpoint("a" * 16, "1").load() is None
    store.checkpoint("a" * 16, "1").save({"epoch": np.array(1)})
    store.checkpoint("a" * 16, "1").save(STATE)
    loaded = store.checkpoint("a" * 16, "1").load()
    assert {name: (array.dtype, array.shape, array.tobytes()) for name, array in loaded.items()} == {
        name: (array.dtype, array.shape, array.tobytes()) for name, array in STATE.items()
    }
    assert store.checkpoint("b" * 16, "1").load() is None
    assert files(store.root) == [f"checkpoints/{'a' * 16}.npz"]


def test_a_checkpoint_of_another_version_is_ignored(store):
    store.checkpoint("a" * 16, "1").save(STATE)
    assert store.checkpoint("a" * 16, "2").load() is None


@pytest.mark.parametrize("use", [lambda kept: kept.load(), lambda kept: kept.save(STATE)], ids=["looked for", "saved"])
def test_a_checkpoint_knows_whether_there_may_be_one(store, use):
    kept = store.checkpoint("a" * 16, version="1")
    assert not kept.is_used
    use(kept)
    assert kept.is_used


def test_a_checkpoint_knows_how_long_all_processes_worked_on_it(store, monkeypatch):
    now = 0.0
    monkeypatch.setattr(time, "perf_counter", lambda: now)
    for began, saved, earlier in ((100.0, [103.0, 107.0], 0.0), (10.0, [11.0], 7.0), (50.0, [52.0], 8.0)):
        now = began
        kept = store.checkpoint("a" * 16, "1")
        kept.load()
        assert kept.earlier_s == earlier
        for moment in saved:
            now = moment
            kept.save(STATE)
            kept.load()  # a second training of the cell
        assert kept.earlier_s == earlier
    assert store.checkpoint("a" * 16, "2").load() is None
    assert store.checkpoint("a" * 16, "2").earlier_s == 0


def test_a_checkpoint_of_before_seconds_were_kept_is_loaded(local_store):
    buffer = BytesIO()
    np.savez(buffer, version=np.array("1"), **{"array/X": np.arange(3)})
    (local_store.root / "checkpoints" / f"{'a' * 16}.npz").write_bytes(buffer.getvalue())
    kept = local_store.checkpoint("a" * 16, "1")
    assert (kept.load()["X"].tolist(), kept.earlier_s) == ([0, 1, 2], 0)


def test_a_checkpoint_that_is_deleted_is_gone(store):
    checkpoint = store.checkpoint("a" * 16, "1")
    checkpoint.save(STATE)
    checkpoint.delete()
    checkpoint.delete()
    assert checkpoint.load() is None
    assert files(store.root) == []


def test_the_next_run_deletes_the_checkpoints_of_cells_that_have_ended(store):
    """A trial that is killed between its record and its end leaves one."""
    for key, status in {"a": "done", "b": "infeasible", "c": "timeout", "d": None}.items():
        store.checkpoint(key * 16, "1").save(STATE)
        if status:
            store.write(record(key * 16, status), {})
    store.prepare()
    assert [name for name in files(store.root) if "checkpoints" in name] == [
        f"checkpoints/{'c' * 16}.npz",
        f"checkpoints/{'d' * 16}.npz",
    ]


def broken_checkpoints():
    buffer = BytesIO()
    np.savez(buffer, version=np.array("1"), seconds=np.array(1.0), **{"array/X": np.arange(1000)})
    whole = buffer.getvalue()
    buffer = BytesIO()
    np.savez(buffer, version=np.array("1"), seconds=np.array(1.0), **{"array/X": np.array([{}], dtype=object)})
    changed = bytearray(whole)
    changed[len(whole) // 2] ^= 1
    npy = BytesIO()
    np.save(npy, np.arange(3))
    return {
        "empty": b"",
        "half": whole[: len(whole) // 2],
        "a byte changed": bytes(changed),
        "a pickle": buffer.getvalue(),
        "one array": npy.getvalue(),
        "no npz": b"PK\x03\x04" + b"0" * 99,
        "text": b"hello",
    }


@pytest.mark.parametrize("content", broken_checkpoints().values(), ids=broken_checkpoints())
def test_a_broken_checkpoint_is_ignored(local_store, content):
    (local_store.root / "checkpoints" / f"{'a' * 16}.npz").write_bytes(content)
    assert local_store.checkpoint("a" * 16, "1").load() is None


def test_a_checkpoint_holds_no_pickle(store):
    with pytest.raises(ValueError, match="allow_pickle=False"):
        store.checkpoint("a" * 16, "1").save({"X": np.array([{}], dtype=object)})
    assert files(store.root) == []


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
def test_a_store_that_cannot_be_written(local_store, blocked, act):
    (local_store.root / blocked).rmdir()
    (local_store.root / blocked).write_bytes(b"")
    with pytest.raises(StoreError) as refused:
        act(local_store)
    where = re.escape(f"{local_store.root}/{blocked}")
    assert re.fullmatch(
        rf"{local_store.root}: (Not a directory|File exists) \({where}.*\); name another folder, or make room",
        str(refused.value),
    )
    assert files(local_store.root) == [blocked]


@pytest.fixture
def read_only(tmp_path):
    """A file system that nobody may write to: permissions do not stop root."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if os.system(f"mount -t tmpfs -o size=200k,ro raygrid {folder} 2>/dev/null"):
        pytest.skip("needs the right to mount a file system")
    yield folder
    os.system(f"umount -l {folder}")


def test_a_store_on_a_file_system_that_is_read_only_ends_a_run_at_once_with_one_line(raygrid, grid_file, read_only):
    code, out, err = raygrid("run", grid_file(), "--store", read_only / "runs", "--engine", "inline")
    line = f"{read_only}/runs: Read-only file system ({read_only}/runs); name another folder, or make room\n"
    assert (code, out, err) == (2, "", line)


def test_a_store_that_is_read_only_by_now_ends_a_run_at_once_with_one_line(raygrid, grid_file, read_only):
    os.system(f"mount -o remount,rw {read_only}")
    Store(read_only / "runs").prepare()
    os.system(f"mount -o remount,ro {read_only}")
    code, out, err = raygrid("run", grid_file(), "--store", read_only / "runs", "--engine", "inline")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert err.startswith(f"{read_only}/runs: Read-only file system ({read_only}/runs/")
    assert raygrid("status", grid_file(), "--store", read_only / "runs")[0] == 0


HOLD = """
import sys
from raygrid.storage.store import Store
with Store(sys.argv[1]).locked():
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
            assert store.is_locked()
            assert store.records() == {}  # reading needs no lock
        finally:
            holder.kill()
    enter()
    assert not store.is_locked()


def test_a_run_keeps_a_second_one_of_its_own_process_out(store):
    with store.locked(), pytest.raises(StoreError), Store(store.root).locked():
        pass


def test_a_failure_within_the_lock_is_not_blamed_on_the_store(store):
    with pytest.raises(FileNotFoundError), store.locked():
        Path("/nowhere/at/all").read_bytes()
    with store.locked():
        pass
