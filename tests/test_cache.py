"""The cache: computed once, whole or not at all, and read-only."""

import json
import os
import pickle
from concurrent.futures import ThreadPoolExecutor
from threading import Event

import numpy as np
import pytest
from filelock import FileLock

from raygrid.errors import StoreError
from raygrid.storage.cache import Cache


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


def test_the_least_recently_used_parts_make_room(tmp_path, monkeypatch):
    monkeypatch.setattr("raygrid.storage.cache._ROOM", 13 * 10**6)  # three of these arrays
    store = Cache(tmp_path)
    store.arrays("inputs-a", lambda: ARRAYS)
    arrays = {name: store.parts(f"products-{name}", *parts(value)) for value, name in enumerate("abc")}
    for age, name in enumerate("cab"):  # c was used the longest time ago, b the last
        os.utime(tmp_path / f"products-{name}", (age, age))
    store.parts("products-a", *parts(0)[:2], never)
    store.parts("products-d", *parts(3))
    assert sorted(path.name[-1] for path in tmp_path.glob("products-*")) == list("abd")
    store.parts("products-e", *parts(4))
    assert sorted(path.name[-1] for path in tmp_path.glob("products-*")) == list("ade")
    assert [arrays[name][0, 5, 5] for name in "abc"] == [0, 1, 2]  # what is mapped stays
    assert store.arrays("inputs-a", never)  # only arrays of parts go


def test_parts_larger_than_all_room_are_kept_alone(tmp_path, monkeypatch):
    monkeypatch.setattr("raygrid.storage.cache._ROOM", 5 * 10**6)
    store = Cache(tmp_path)
    store.parts("products-a", *parts(0))
    assert store.parts("products-b", *parts(1, 2))[1, 0, 0] == 2
    assert [path.name for path in tmp_path.glob("products-*")] == ["products-b"]


def test_parts_that_somebody_is_about_to_use_stay(tmp_path, monkeypatch):
    monkeypatch.setattr("raygrid.storage.cache._ROOM", 5 * 10**6)
    store = Cache(tmp_path)
    store.parts("products-a", *parts(0))
    with FileLock(tmp_path / ".products-a.lock"):
        store.parts("products-b", *parts(1))
    assert len(list(tmp_path.glob("products-*"))) == 2


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
