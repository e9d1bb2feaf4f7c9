"""The cache: computed once, whole or not at all, and read-only."""

import json
import os
import pickle
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from threading import Event
from types import SimpleNamespace

import numpy as np
import pytest
from filelock import FileLock

from raygrid.errors import StoreError
from raygrid.storage.cache import Cache
from raygrid.storage.stopwatch import shared_s


def kept(folder):
    """Return what is there but for the locks, which may outlive their use, and what tells of computations."""
    found = (path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
    return sorted(name for name in found if not name.endswith(".lock") and not name.startswith("computed/"))


ARRAYS = {
    "X": np.arange(24, dtype=np.uint8).reshape(2, 3, 4),
    "y": np.arange(2),
    "class_names": np.array(["猫", "dog"]),
}


def never():
    raise AssertionError("computed a second time")


def test_the_cache_computes_once(tmp_path):
    cache = Cache(tmp_path / "cache")
    for compute in (lambda: ARRAYS, never):
        arrays = cache.arrays("key", compute)
        assert {name: array.tolist() for name, array in arrays.items()} == {
            name: array.tolist() for name, array in ARRAYS.items()
        }
        assert {name: array.dtype for name, array in arrays.items()} == {
            name: array.dtype for name, array in ARRAYS.items()
        }
    assert Cache(tmp_path / "cache").arrays("key", never)
    assert kept(tmp_path / "cache") == ["key/X.npy", "key/class_names.npy", "key/contents.json", "key/y.npy"]


def test_cached_arrays_are_mapped_and_read_only(tmp_path):
    arrays = Cache(tmp_path).arrays("key", lambda: ARRAYS)
    assert all(isinstance(array.base, np.memmap) for array in arrays.values())
    with pytest.raises(ValueError, match="read-only"):
        arrays["X"][0] = 0


def test_cached_arrays_are_shared_not_copied_when_pickled(tmp_path):
    arrays = Cache(tmp_path).arrays("key", lambda: {"X": np.zeros(10**6)})
    buffers = []
    assert len(pickle.dumps(arrays["X"], protocol=5, buffer_callback=buffers.append)) < 1000
    assert [buffer.raw().nbytes for buffer in buffers] == [8 * 10**6]


def test_every_key_has_arrays_of_its_own(tmp_path):
    cache = Cache(tmp_path)
    cache.arrays("one", lambda: {"X": np.zeros(1)})
    assert cache.arrays("two", lambda: {"X": np.ones(1)})["X"].tolist() == [1]
    assert cache.arrays("one", never)["X"].tolist() == [0]


@pytest.mark.parametrize(
    "failure",
    [ValueError("no"), FileNotFoundError(2, "No such file"), KeyboardInterrupt()],
    ids=lambda e: type(e).__name__,
)
def test_a_computation_that_fails_leaves_nothing_and_keeps_its_error(tmp_path, failure):
    def fail():
        raise failure

    with pytest.raises(type(failure)) as raised:
        Cache(tmp_path).arrays("key", fail)
    assert raised.value is failure
    assert not kept(tmp_path)
    assert Cache(tmp_path).arrays("key", lambda: ARRAYS)["y"].tolist() == [0, 1]


def test_arrays_that_cannot_be_kept_leave_nothing(tmp_path):
    with pytest.raises(ValueError, match="allow_pickle=False"):
        Cache(tmp_path).arrays("key", lambda: ARRAYS | {"Z": np.array([object()])})
    assert not kept(tmp_path)


def test_who_comes_while_it_is_computed_waits_and_finds_it(tmp_path):
    computing, second_is_there = Event(), Event()

    def slow():
        computing.set()
        second_is_there.wait(10)
        return {"X": np.zeros(1)}

    def second():
        computing.wait(10)
        second_is_there.set()
        return Cache(tmp_path).arrays("key", never)["X"].tolist()

    with ThreadPoolExecutor(2) as pool:
        first, other = pool.submit(Cache(tmp_path).arrays, "key", slow), pool.submit(second)
        assert other.result() == first.result()["X"].tolist() == [0]
    assert kept(tmp_path) == ["key/X.npy", "key/contents.json"]


def test_what_a_killed_process_left_is_overwritten(tmp_path):
    (tmp_path / ".key.tmp").mkdir()
    (tmp_path / ".key.tmp" / "X.npy").write_bytes(b"half")
    (tmp_path / ".key.tmp" / "other.npy").write_bytes(b"half")
    assert Cache(tmp_path).arrays("key", lambda: ARRAYS)["y"].tolist() == [0, 1]
    assert kept(tmp_path) == ["key/X.npy", "key/class_names.npy", "key/contents.json", "key/y.npy"]


def parts(*values):
    """Return shape, dtype and what computes an array of a million such numbers each."""
    return (len(values), 1000, 1000), np.float32, lambda: (np.full((1000, 1000), value, np.float32) for value in values)


def test_an_array_of_parts_is_computed_once_and_mapped(tmp_path):
    made = Cache(tmp_path).parts("products-a", *parts(1, 2))
    again = Cache(tmp_path).parts("products-a", *parts(1, 2)[:2], never)
    for array in (made, again):
        assert (array.shape, array.dtype, array[:, 0, 0].tolist()) == ((2, 1000, 1000), np.float32, [1, 2])
        assert isinstance(array.base, np.memmap) and not array.flags.writeable
    assert kept(tmp_path) == ["products-a/contents.json", "products-a/parts.npy"]


def test_parts_that_fail_leave_nothing(tmp_path):
    def fail():
        yield np.zeros((1000, 1000), np.float32)
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        Cache(tmp_path).parts("products-a", *parts(1, 2)[:2], fail)
    assert not kept(tmp_path)


@pytest.fixture
def room(monkeypatch):
    """Bound what arrays of parts may take, in MB: each takes 4."""
    return lambda megabytes: monkeypatch.setenv("RAYGRID_CACHE_GB", str(megabytes / 1000))


def disk_with(monkeypatch, megabytes):
    monkeypatch.delenv("RAYGRID_CACHE_GB", raising=False)
    monkeypatch.setattr("shutil.disk_usage", lambda path: SimpleNamespace(free=megabytes * 10**6))


def make(store, names, *, ages=None):
    """Make arrays of parts, the first of them used the longest time ago."""
    arrays = {name: store.parts(f"products-{name}", *parts(ord(name))) for name in names}
    for age, name in enumerate(ages or ""):
        os.utime(store.root / f"products-{name}", (age, age))
    return arrays


def names(store):
    return "".join(sorted(path.name[-1] for path in store.root.glob("products-*")))


def test_the_least_recently_used_parts_of_earlier_runs_make_room(tmp_path, room):
    room(13)
    store = Cache(tmp_path)
    store.arrays("inputs-a", lambda: ARRAYS)
    arrays = make(store, "abc", ages="cab")
    store.parts("products-a", *parts(0)[:2], never)
    make(store, "d")
    assert names(store) == "abd"
    make(store, "e")
    assert names(store) == "ade"
    assert [array[0, 5, 5] for array in arrays.values()] == [97, 98, 99]  # what is mapped stays
    assert store.arrays("inputs-a", never)  # only arrays of parts go


def test_what_a_run_goes_through_again_and_again_is_computed_once(tmp_path, room):
    room(9)
    computed = []

    def compute(name):
        computed.append(name)
        return parts(0)[2]()

    for name in "abcabcabc":
        Cache(tmp_path).parts(f"products-{name}", *parts(0)[:2], lambda name=name: compute(name))
    assert computed == ["a", "b", "c"]


USE = """
import sys
import numpy as np
from raygrid.storage.cache import Cache
compute = lambda: [np.zeros((1000, 1000), np.float32)]
Cache(sys.argv[1]).parts(f"products-{sys.argv[2]}", (1, 1000, 1000), np.float32, compute)
print("used", flush=True)
sys.stdin.read()
"""


def test_what_another_process_uses_stays_until_it_ends(tmp_path, room):
    room(5)

    def use(name):
        command = [sys.executable, "-c", USE, str(tmp_path), name]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        assert process.stdout.readline() == "used\n"
        return process

    with use("a") as first, use("b") as second:
        assert names(Cache(tmp_path)) == "ab"
        first.communicate(), second.communicate()
    with use("c") as third:
        assert names(Cache(tmp_path)) == "c"
        third.communicate()


def test_half_of_the_disk_is_for_parts_where_nothing_else_is_said(tmp_path, monkeypatch):
    store = Cache(tmp_path)
    disk_with(monkeypatch, 10**6)
    make(store, "ab", ages="ab")
    disk_with(monkeypatch, 12)  # and 8 taken: 10 are theirs
    make(store, "c")
    assert names(store) == "bc"


def test_what_is_used_goes_where_the_disk_would_be_full(tmp_path, monkeypatch):
    store = Cache(tmp_path)
    disk_with(monkeypatch, 10**6)
    make(store, "abc")
    disk_with(monkeypatch, 3)
    make(store, "d")
    assert len(names(store)) == 3 and "d" in names(store)


def test_parts_larger_than_all_room_are_kept_alone(tmp_path, room):
    room(5)
    store = Cache(tmp_path)
    make(store, "a", ages="a")
    assert store.parts("products-b", *parts(1, 2))[1, 0, 0] == 2
    assert names(store) == "b"


def test_parts_that_somebody_is_about_to_use_stay(tmp_path, room):
    room(5)
    store = Cache(tmp_path)
    make(store, "a", ages="a")
    with FileLock(tmp_path / ".products-a.lock"):
        make(store, "b")
    assert names(store) == "ab"


def test_seconds_of_computing_what_is_shared_are_told_once(tmp_path):
    def slow():
        time.sleep(0.05)
        return ARRAYS

    before, start = shared_s(), time.perf_counter()
    Cache(tmp_path).arrays("outer", lambda: Cache(tmp_path).arrays("inner", slow))
    spent, elapsed = shared_s() - before, time.perf_counter() - start
    assert 0.05 <= spent <= elapsed
    Cache(tmp_path).arrays("outer", never)
    assert shared_s() - before == spent


def test_a_file_in_the_place_of_the_cache(tmp_path):
    (tmp_path / "cache").write_bytes(b"")
    with pytest.raises(StoreError) as refused:
        Cache(tmp_path / "cache").arrays("key", never)
    assert str(refused.value) == (
        f"{tmp_path}/cache: File exists ({tmp_path}/cache); name another folder, or make room"
    )


def computations(folder):
    return sorted(
        (json.loads(path.read_text()) for path in (folder / "computed").glob("*.json")), key=lambda told: told["key"]
    )


def test_every_computation_is_told_of(tmp_path):
    for key in ("one", "two", "one"):
        Cache(tmp_path).arrays(key, lambda: ARRAYS)
    one, two = computations(tmp_path)
    assert (one["key"], two["key"]) == ("one", "two")
    assert one.keys() == {"key", "host", "seconds", "finished_at"}
    with pytest.raises(ValueError, match="no"):
        Cache(tmp_path).arrays("three", lambda: ARRAYS | {"y": int("no")})
    assert len(computations(tmp_path)) == 2


BREAK = {
    "a file is gone": lambda entry: (entry / "y.npy").unlink(),
    "a file is cut": lambda entry: (entry / "X.npy").write_bytes((entry / "X.npy").read_bytes()[:-1]),
    "the contents are gone": lambda entry: (entry / "contents.json").unlink(),
    "the contents are cut": lambda entry: (entry / "contents.json").write_text("{"),
}


@pytest.mark.parametrize("damage", BREAK.values(), ids=BREAK)
def test_an_entry_that_is_not_whole_is_computed_again(tmp_path, damage):
    Cache(tmp_path).arrays("key", lambda: {"X": np.zeros(1), "y": np.zeros(1)})
    damage(tmp_path / "key")
    arrays = Cache(tmp_path).arrays("key", lambda: ARRAYS)
    assert {name: array.tolist() for name, array in arrays.items()} == {
        name: array.tolist() for name, array in ARRAYS.items()
    }
    assert len(computations(tmp_path)) == 2
    assert Cache(tmp_path).arrays("key", never)
