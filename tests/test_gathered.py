"""The file of all records of a store at a URL, and what `status` asks a server for."""

import pytest
from test_url_store import record

from raygrid.storage import gathered
from raygrid.storage.folders import RemoteFolder
from raygrid.storage.store import Store

KEYS = [digit * 16 for digit in "abcd"]
CONTENTS = {f"records/{key}.json": (("etag", key), f"content of {key}") for key in KEYS}
STAMPS = {name: stamp for name, (stamp, _) in CONTENTS.items()}


def test_what_is_packed_is_unpacked():
    expected = {name: content.encode() for name, (_, content) in CONTENTS.items()}
    assert gathered.unpacked(gathered.packed(CONTENTS), STAMPS) == expected


def test_a_copy_of_a_record_that_has_changed_or_is_deleted_does_not_count():
    first, second, *others = STAMPS
    now = STAMPS | {first: ("another", "stamp")}
    del now[second]
    assert set(gathered.unpacked(gathered.packed(CONTENTS), now)) == set(others)


@pytest.mark.parametrize(
    "content",
    [None, b"", b"no gzip", gathered.packed(CONTENTS)[:-40], gathered.gzip.compress(b'{"records/a.json": 1}')],
    ids=["none", "empty", "no gzip", "cut", "another form"],
)
def test_a_file_that_is_damaged_has_no_copies(content):
    assert gathered.unpacked(content, STAMPS) == {}


def test_a_file_that_would_fill_the_memory_has_no_copies(monkeypatch):
    packed = gathered.packed(CONTENTS)
    monkeypatch.setattr(gathered, "_MOST_BYTES_EACH", 1)
    assert gathered.unpacked(packed, STAMPS) == {}


def test_a_file_that_is_packed_too_tight_has_no_copies():
    name = next(iter(STAMPS))
    assert gathered.unpacked(gathered.packed({name: (STAMPS[name], " " * 200_000)}), STAMPS) == {}


@pytest.fixture
def asked(monkeypatch):
    """Return the names of files that are read from servers, and of folders that are listed there."""
    monkeypatch.setattr(gathered, "FEW", 1)
    names = []
    read, read_all, stamps = RemoteFolder.read, RemoteFolder.read_all, RemoteFolder.stamps
    monkeypatch.setattr(RemoteFolder, "read", lambda self, name: (names.append(name), read(self, name))[1])
    monkeypatch.setattr(RemoteFolder, "read_all", lambda self, some: (names.extend(some), read_all(self, some))[1])
    monkeypatch.setattr(
        RemoteFolder, "stamps", lambda self, name, end: (names.append(f"list of {name}"), stamps(self, name, end))[1]
    )
    return names


def test_a_reader_of_gathered_records_opens_only_those_that_differ(bucket, asked):
    store = Store(f"{bucket}/run")
    for key in KEYS:
        store.write(record(key, status="timeout"), {})
    store.gather()
    store.write(record(KEYS[0]), {})
    asked.clear()
    found = Store(f"{bucket}/run").records()
    assert asked == ["list of records", gathered.FILE, f"records/{KEYS[0]}.json"]
    assert found == {key: record(key, status="done" if key == KEYS[0] else "timeout") for key in KEYS}


def test_a_store_in_a_folder_gathers_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(gathered, "FEW", 1)
    store = Store(tmp_path)
    store.prepare()
    for key in KEYS:
        store.write(record(key), {})
    store.gather()
    assert not (tmp_path / gathered.FILE).exists()


def test_status_after_a_run_lists_the_records_once_and_reads_none_by_itself(raygrid, grid_file, bucket, asked):
    url = f"{bucket}/run"
    assert raygrid("run", grid_file(), "--store", url, "--engine", "inline")[0] == 0
    asked.clear()
    assert raygrid("status", grid_file(), "--store", url)[0] == 0
    assert asked == ["list of records", gathered.FILE]


def test_one_record_is_read_with_one_request(bucket, s3):
    store = Store(f"{bucket}/run")
    store.write(record(), {})
    methods = []
    store.folder._fs.s3.meta.events.register("before-send.s3", lambda request, **_: methods.append(request.method))
    assert store.record("a" * 16) == record()
    assert methods == ["GET"]
