"""Stores and caches at a URL, on a server that speaks S3; what holds for local stores as well is in their tests."""

import json
import logging
import os
import pickle
import re
import socket
import ssl
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.request import Request, urlopen

import made_up
import numpy as np
import pytest
from conftest import HANGS_S
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from raygrid.errors import StoreError
from raygrid.storage import folders
from raygrid.storage.cache import Cache
from raygrid.storage.folders import RemoteFolder, folder_at, lease, located, patience
from raygrid.storage.merging import merge
from raygrid.storage.record import Measured, Record
from raygrid.storage.store import Store

ARRAYS = {"X": np.arange(24, dtype=np.uint8).reshape(2, 3, 4), "class_names": np.array(["猫", "dog"])}


def record(key="a" * 16, status="done", **fields):
    measured = Measured(finished_at="2020-02-27T12:00:00+00:00", seconds={"fit": 1.5}, peak_memory_mb=100.0)
    fields = made_up.OF_TWO_CLASSES | fields
    return Record(key=key, cell={"fold": 0}, status=status, measured=measured, **fields)


def never():
    raise AssertionError("computed a second time")


# Where it is.


@pytest.mark.parametrize(
    ("where", "line"),
    [
        ("nothing://a/b", "nothing://a/b: got 'nothing'; expected a folder, or a URL such as s3://bucket/run"),
        ("s3:/bucket/run", "s3:/bucket/run: got one slash; expected a folder, or a URL such as s3://bucket/run"),
        ("s3://", "s3://: got no bucket; expected a URL such as s3://bucket/run"),
        ("dropbox://a", "dropbox://a: DropboxFileSystem requires"),
    ],
)
def test_a_url_that_nobody_understands_is_refused_in_one_line(raygrid, grid_file, where, line):
    for option in ("--store", "--cache"):
        code, out, err = raygrid("status", grid_file(), option, where)
        assert (code, out, err.count("\n")) == (2, "", 1)
        assert err.startswith(line)


def test_a_package_that_is_missing_is_named_with_what_installs_it(monkeypatch):
    monkeypatch.setitem(sys.modules, "gcsfs", None)
    with pytest.raises(StoreError, match=r"^gs://bucket/run: .*gcsfs.*; do: pip install 'raygrid\[gcs\]'$"):
        Store("gs://bucket/run")


def test_a_file_url_is_a_path(tmp_path, monkeypatch):
    assert located(f"file://{tmp_path}/runs") == tmp_path / "runs"
    monkeypatch.setenv("HOME", str(tmp_path))
    assert located("~/runs") == tmp_path / "runs"


@pytest.mark.parametrize("verb", ["status", "plan", "report", "compare", "run"])
def test_a_bucket_that_is_missing_is_refused_at_once(s3, raygrid, grid_file, verb):
    options = {"run": ["--engine", "inline"], "plan": []}.get(verb, [])
    code, _, err = raygrid(verb, grid_file(), "--store", "s3://nowhere/run", *options)
    assert code == 2
    assert err.splitlines()[-1] == "s3://nowhere/run: got no such bucket; make it, or name another"


def test_a_cache_in_a_missing_bucket(s3, tmp_path, monkeypatch):
    monkeypatch.setenv("RAYGRID_LOCAL_CACHE", str(tmp_path))
    with pytest.raises(StoreError, match=r"^s3://nowhere/cache: got no such bucket; make it, or name another$"):
        Cache("s3://nowhere/cache").arrays("key", lambda: ARRAYS)


def test_refused_access_is_not_waited_for(s3, bucket):
    def require_rights(after):
        address = f"{s3.environment['AWS_ENDPOINT_URL']}/moto-api/reset-auth"
        urlopen(Request(address, after.encode(), {"Content-Type": "text/plain"})).read()

    store = Store(f"{bucket}/run")
    require_rights("0")
    try:
        for act in (store.records, lambda: store.write(record(), {}), lambda: store.locked().__enter__()):
            with pytest.raises(StoreError, match=rf"^{bucket}/run: PermissionError: .*; see docs/how-to/s3.md$"):
                act()
    finally:
        require_rights("inf")


def test_missing_credentials_are_not_waited_for(s3, bucket, grid_file, tmp_path):
    environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
    environment |= {
        "AWS_ENDPOINT_URL": s3.environment["AWS_ENDPOINT_URL"],
        "AWS_EC2_METADATA_DISABLED": "true",
        "HOME": str(tmp_path),
    }
    script = "from raygrid.cli import main; main()"
    run = subprocess.run(
        [sys.executable, "-c", script, "status", grid_file(), "--store", f"{bucket}/run"],
        env=environment,
        capture_output=True,
        text=True,
    )
    line = f"{bucket}/run: NoCredentialsError: Unable to locate credentials; see docs/how-to/s3.md\n"
    assert (run.returncode, run.stdout, run.stderr) == (2, "", line)


@pytest.fixture
def untrusted(tmp_path):
    """Return the URL of a server with a certificate of its own making."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    made = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), ago(60), ago(-600))
    pem = tmp_path / "server.pem"
    pem.write_bytes(
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        + made.sign(key, SHA256()).public_bytes(Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(pem)
    with HTTPServer(("127.0.0.1", 0), BaseHTTPRequestHandler) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"https://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_a_certificate_that_nobody_trusts_is_not_waited_for(s3, untrusted):
    script = "from raygrid.storage.store import Store; Store('s3://bucket/run').records()"
    environment = os.environ | {"AWS_ENDPOINT_URL": untrusted}
    run = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True)
    assert re.search(r"StoreError: s3://bucket/run: SSLError: .*CERTIFICATE_VERIFY_FAILED", run.stderr), run.stderr
    assert "trying again" not in run.stderr


def test_options_come_from_the_configuration_of_fsspec_as_well(s3, bucket, grid_file):
    Store(f"{bucket}/run").write(record(), {})
    environment = os.environ | {"FSSPEC_S3_ENDPOINT_URL": os.environ["AWS_ENDPOINT_URL"]}
    del environment["AWS_ENDPOINT_URL"]
    script = "import sys; from raygrid.storage.store import Store; print({*Store(sys.argv[1]).records()})"
    run = subprocess.run(
        [sys.executable, "-c", script, f"{bucket}/run"], env=environment, capture_output=True, text=True
    )
    assert (run.returncode, run.stdout) == (0, f"{ {'a' * 16} }\n"), run.stderr


# The server is away.


def mend_when_told(s3, caplog):
    """Mend the wire as soon as somebody says that he tries again."""

    def wait():
        while not caplog.records:
            time.sleep(0.01)
        s3.wire.mend()

    threading.Thread(target=wait, daemon=True).start()


ACTS = {
    "write": lambda store: store.write(record("b" * 16), {"y_pred": np.arange(3)}),
    "read": lambda store: store.record("a" * 16),
    "read all": lambda store: store.records(),
    "delete": lambda store: store.checkpoint("a" * 16, "1").delete(),
    "lock": lambda store: store.locked().__enter__(),
}


@pytest.mark.parametrize("act", ACTS.values(), ids=ACTS)
def test_a_server_that_comes_back_is_waited_for(s3, bucket, caplog, act):
    store = Store(f"{bucket}/run")
    store.write(record(), {})
    with caplog.at_level(logging.WARNING, "raygrid"):
        s3.wire.cut()
        mend_when_told(s3, caplog)
        act(store)
    assert caplog.messages
    assert all(message.startswith(f"{bucket}/run: ") and "; trying again in " in message for message in caplog.messages)
    kept = store.records()
    assert kept.pop("a" * 16) == record()
    assert kept in ({}, {"b" * 16: record("b" * 16)})


@pytest.mark.parametrize("act", ACTS.values(), ids=ACTS)
def test_a_server_that_stays_away_is_given_up(s3, bucket, monkeypatch, act):
    store = Store(f"{bucket}/run")
    store.write(record(), {})
    monkeypatch.setattr(patience, "PATIENCE_S", 0.5)
    s3.wire.cut()
    line = rf"^{bucket}/run: \w+: .*127.0.0.1.*; run the same command again when the server answers$"
    with pytest.raises(StoreError, match=line):
        act(store)


def test_a_server_that_takes_requests_and_does_not_answer_is_left_and_tried_again(s3, bucket, monkeypatch):
    monkeypatch.setitem(folders._S3_CONFIG, "read_timeout", 0.05)
    monkeypatch.setattr(patience, "PATIENCE_S", 0)
    accepted = []
    with socket.create_server(("127.0.0.1", 0)) as listener:
        monkeypatch.setenv("AWS_ENDPOINT_URL", "http://{}:{}".format(*listener.getsockname()))
        threading.Thread(target=lambda: [accepted.append(listener.accept()) for _ in range(2)], daemon=True).start()
        with pytest.raises(StoreError, match=r": .*Timeout.*; run the same command again when the server answers$"):
            Store(f"{bucket}/a run of its own").records()
    assert len(accepted) == 2


def test_a_full_disk_here_is_not_waited_for(s3, bucket, monkeypatch):
    folder = folder_at(f"{bucket}/run")
    folder.write("file", lambda file: file.write(b"0" * 100))
    with pytest.raises(StoreError, match=rf"^{bucket}/run: OSError: .*No space left on device"):
        folder.download("file", "/dev/full")


# Reading many records.


def test_many_records_are_read_side_by_side(s3, bucket):
    store = Store(f"{bucket}/run")
    keys = [f"{i:016x}" for i in range(60)]
    with ThreadPoolExecutor(16) as pool:
        list(pool.map(lambda key: store.write(record(key), {}), keys))
    s3.wire.most_ends = 0
    assert list(Store(f"{bucket}/run").records()) == keys
    assert s3.wire.most_ends > 20  # of two ends each


def test_records_that_go_while_they_are_read_are_left_out(s3, bucket):
    store = Store(f"{bucket}/run")
    store.write(record(), {})
    assert store.folder.read_all([f"records/{'a' * 16}.json", f"records/{'b' * 16}.json"]).keys() == {
        f"records/{'a' * 16}.json"
    }


# The lock.


def held_by(folder, **changes):
    """Put a lock as another holder would."""
    fields = {"id": "other", "machine": "another", "host": "another", "pid": 1, "renewed_at": datetime.now(UTC)}
    content = lease.Lease(**fields | changes).model_dump_json().encode()
    folder.write(".lock", lambda file: file.write(content))


def holder(folder):
    return lease.Lease.model_validate_json(folder.read(".lock"))


def ended():
    """Return the id of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def ago(seconds):
    return datetime.now(UTC) - timedelta(seconds=seconds)


def test_a_lock_names_its_holder_and_goes_with_it(bucket):
    store = Store(f"{bucket}/run")
    with store.locked():
        named = holder(store.folder)
        assert named.pid == os.getpid()
        assert abs((datetime.now(UTC) - named.renewed_at).total_seconds()) < 60
    assert store.folder.read(".lock") is None


@contextmanager
def alive(folder, skew_s):
    """Let a run on another machine, whose clock is wrong by so much, hold the lock and renew it."""
    ended = threading.Event()

    def renew():
        while not ended.wait(0.05):
            held_by(folder, renewed_at=ago(skew_s))

    held_by(folder, renewed_at=ago(skew_s))
    renewing = threading.Thread(target=renew)
    renewing.start()
    try:
        yield
    finally:
        ended.set()
        renewing.join()


@pytest.fixture
def looks_often(monkeypatch):
    monkeypatch.setattr(lease, "_LOOK_AGAIN_S", 0.1)


@pytest.mark.parametrize("skew_s", [-300, -90, 0, 90, 300, 1020])
def test_a_lock_on_another_machine_is_respected_while_it_is_renewed_whatever_the_clocks(
    bucket, looks_often, caplog, skew_s
):
    store = Store(f"{bucket}/run")
    line = f"^{bucket}/run: another run is writing here; wait for it, or use another --store$"
    with alive(store.folder, skew_s):
        with pytest.raises(StoreError, match=line), store.locked():
            pass
        assert caplog.messages == [
            f"{bucket}/run: a run on another, process 1, may be writing here; waiting up to 90 s for a sign of it"
        ]
        store.is_locked()  # by the other's clock
        renewed_at = holder(store.folder).renewed_at
        while holder(store.folder).renewed_at == renewed_at:
            time.sleep(0.01)
        assert store.is_locked()
    assert holder(store.folder).id == "other"


@pytest.mark.parametrize("skew_s", [-300, -90, 0, 90, 300])
def test_a_lock_that_nobody_renews_is_taken_over_whatever_the_clocks(bucket, looks_often, monkeypatch, skew_s):
    monkeypatch.setattr(lease, "STALE_S", 0.5)
    store = Store(f"{bucket}/run")
    held_by(store.folder, machine=lease._machine(), pid=os.getpid(), renewed_at=ago(100))  # alive, and silent
    with store.locked():
        assert holder(store.folder).id != "other"
    held_by(store.folder, renewed_at=ago(skew_s))
    store.is_locked()
    with store.locked():
        assert holder(store.folder).pid == os.getpid()
    held_by(store.folder, renewed_at=ago(skew_s))
    store.is_locked()
    time.sleep(0.6)
    assert not store.is_locked()


def test_the_lock_of_a_process_that_has_ended_here_is_taken_over_at_once(bucket, caplog):
    store = Store(f"{bucket}/run")
    held_by(store.folder, machine=lease._machine(), pid=ended())
    assert not store.is_locked()
    with store.locked():
        assert holder(store.folder).pid == os.getpid()
    assert not caplog.messages


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"pid": "x"}'])
def test_a_broken_lock_is_taken_over(bucket, content):
    store = Store(f"{bucket}/run")
    store.folder.write(".lock", lambda file: file.write(content))
    with store.locked():
        assert holder(store.folder).pid == os.getpid()


def test_a_lock_is_renewed(bucket, monkeypatch):
    monkeypatch.setattr(lease, "RENEW_S", 0.05)
    store = Store(f"{bucket}/run")
    with store.locked():
        first = holder(store.folder)
        while (now := holder(store.folder)).renewed_at == first.renewed_at:
            time.sleep(0.01)
        assert now == first.model_copy(update={"renewed_at": now.renewed_at})


def test_a_lock_outlives_an_absence_of_the_server(s3, bucket, monkeypatch):
    monkeypatch.setattr(lease, "RENEW_S", 0.05)
    monkeypatch.setattr(lease, "_LOOK_AGAIN_S", 0.05)
    failed, read = threading.Event(), RemoteFolder.read

    def reading(folder, name):
        try:
            return read(folder, name)
        except StoreError:
            failed.set()
            raise

    store = Store(f"{bucket}/run")
    with store.locked():
        monkeypatch.setattr(RemoteFolder, "read", reading)
        s3.wire.cut()
        assert failed.wait(60)
        s3.wire.mend()
        first = holder(store.folder)
        while holder(store.folder).renewed_at == first.renewed_at:
            time.sleep(0.01)


def test_a_lock_that_another_took_over_stays_the_others(bucket, monkeypatch):
    store = Store(f"{bucket}/run")
    with store.locked():
        held_by(store.folder)
        monkeypatch.setattr(lease, "RENEW_S", 0)
        ended = threading.Event()
        renewing = threading.Thread(target=lease._renew, args=(store.folder, ".lock", "mine", ended))
        renewing.start()
        renewing.join(60)
        assert not renewing.is_alive()  # it has given up by itself
    assert holder(store.folder).id == "other"


@pytest.mark.parametrize("take_over", [held_by, lambda folder: folder.delete(".lock")], ids=["at work", "ended"])
def test_who_lost_the_lock_writes_no_more(s3, bucket, take_over):
    """Neither do the processes of its trials, which have the store from it."""
    store = Store(f"{bucket}/run")
    with store.locked():
        take_over(store.folder)
        there = s3.content(f"{bucket}/run")
        for one in (store, pickle.loads(pickle.dumps(store))):
            for write in (lambda one=one: one.write(record(), {}), lambda one=one: one.write_text("report/a.csv", "")):
                with pytest.raises(StoreError, match=f"^{bucket}/run: another run has taken over, .*; this one ends$"):
                    write()
        assert s3.content(f"{bucket}/run") == there


def test_who_has_the_lock_writes_as_do_the_processes_of_its_trials(bucket):
    store = Store(f"{bucket}/run")
    with store.locked():
        store.write(record(), {})
        pickle.loads(pickle.dumps(store)).write(record("b" * 16), {})
    store.write(record("c" * 16), {})  # as `merge` and `report` do
    assert len(store.records()) == 3


@pytest.mark.parametrize("there", [True, False], ids=["a stale lock", "no lock, and a server that cannot tell"])
def test_of_several_who_want_the_lock_at_once_one_gets_it(bucket, monkeypatch, there):
    if there:
        held_by(folder_at(f"{bucket}/run"), machine=lease._machine(), pid=ended())
    together, refused, got, write = threading.Barrier(4), threading.Semaphore(0), [], RemoteFolder.write

    def writing(folder, name, fill):
        together.wait(60)  # all have found that it is nobody's
        write(folder, name, fill)
        together.wait(60)  # none looks who got it before all have written

    def enter(number):
        try:
            with Store(f"{bucket}/run").locked():
                got.append(number)
                for _ in range(3):
                    assert refused.acquire(timeout=60)
        except StoreError:
            refused.release()

    monkeypatch.setattr(RemoteFolder, "write", writing)
    monkeypatch.setattr(  # as such a server does
        RemoteFolder, "create", lambda folder, name, fill: folder.write(name, fill)
    )
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(enter, range(4)))
    assert len(got) == 1


# The cache.


@pytest.fixture
def machine(tmp_path, monkeypatch):
    """Go to a machine of this name: a folder for copies of its own."""
    return lambda name: monkeypatch.setenv("RAYGRID_LOCAL_CACHE", str(tmp_path / name))


def as_lists(arrays):
    return {name: (array.dtype, array.tolist()) for name, array in arrays.items()}


def test_arrays_are_computed_once_for_all_machines(s3, bucket, machine):
    for name, compute in (("one", lambda: ARRAYS), ("one", never), ("two", never)):
        machine(name)
        pickled = pickle.dumps(Cache(f"{bucket}/cache"))
        assert len(pickled) < 1000
        arrays = pickle.loads(pickled).arrays("key", compute)
        assert as_lists(arrays) == as_lists(ARRAYS)
        assert all(isinstance(array.base, np.memmap) and not array.flags.writeable for array in arrays.values())
    content = s3.content(f"{bucket}/cache")
    told = [json.loads(content.pop(name)) for name in list(content) if name.startswith("computed/key-")]
    assert [one["key"] for one in told] == ["key"]
    assert sorted(content) == ["key/X.npy", "key/class_names.npy", "key/contents.json"]


COMPUTE = """
import sys, time
from pathlib import Path
import numpy as np
from raygrid.storage.cache import Cache

url, me, n, there = sys.argv[1], sys.argv[2], int(sys.argv[3]), Path(sys.argv[4])

def compute():
    while len([*there.iterdir()]) < n:
        time.sleep(0.01)
    return {"X": np.arange(3)}

cache = Cache(url)
(there / me).touch()
print(cache.arrays("key", compute)["X"].tolist())
"""


@pytest.mark.slow
def test_machines_that_want_the_same_at_once_wait_for_the_first(s3, bucket, tmp_path):
    url, there = f"{bucket}/cache", tmp_path / "there"
    there.mkdir()
    processes = [
        subprocess.Popen(
            [sys.executable, "-c", COMPUTE, url, str(number), "2", there],
            env=os.environ | {"RAYGRID_LOCAL_CACHE": str(tmp_path / str(number))},
            stdout=subprocess.PIPE,
            text=True,
        )
        for number in range(2)
    ]
    assert [process.communicate(timeout=HANGS_S)[0] for process in processes] == ["[0, 1, 2]\n"] * 2
    assert sum(name.startswith("computed/") for name in s3.content(url)) == 1


def test_an_entry_without_its_contents_is_not_whole(s3, bucket, machine):
    """The contents are put last: a machine may be lost before that."""
    machine("one")
    cache = Cache(f"{bucket}/cache")
    cache.arrays("key", lambda: {"X": np.zeros(1)})
    for gone in ("contents.json", "X.npy"):
        (cache.root / "key" / gone).unlink()
        machine(f"after {gone}")
        assert as_lists(cache.arrays("key", lambda: ARRAYS)) == as_lists(ARRAYS)
    assert sum(name.startswith("computed/") for name in s3.content(f"{bucket}/cache")) == 3


def test_a_copy_that_is_not_whole_is_fetched_again(bucket, machine, tmp_path):
    machine("one")
    Cache(f"{bucket}/cache").arrays("key", lambda: ARRAYS)
    (copy,) = (tmp_path / "one").glob("*/key/X.npy")
    copy.unlink()
    assert as_lists(Cache(f"{bucket}/cache").arrays("key", never)) == as_lists(ARRAYS)


def test_an_upload_that_fails_leaves_no_copy_that_nobody_else_has(s3, bucket, machine, tmp_path, monkeypatch):
    machine("one")
    monkeypatch.setattr(patience, "PATIENCE_S", 0.5)

    def compute():
        s3.wire.cut()
        return ARRAYS

    with pytest.raises(StoreError, match="run the same command again when the server answers"):
        Cache(f"{bucket}/cache").arrays("key", compute)
    assert not list(tmp_path.glob("one/*/key"))


def test_a_computation_that_fails_keeps_its_error_and_gives_the_lock_back(s3, bucket, machine):
    machine("one")

    def fail():
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        Cache(f"{bucket}/cache").arrays("key", fail)
    assert s3.content(f"{bucket}/cache") == {}


# Between stores here and there.


def test_stores_are_merged_there_and_back(s3, bucket, tmp_path):
    here, there, back = Store(tmp_path / "here"), Store(f"{bucket}/there"), Store(tmp_path / "back")
    here.prepare()
    here.write(record(metrics={"AvAcc": 1 / 3}), {"y_pred": np.arange(3)})
    here.write(record("b" * 16, "error", message="no"), {})
    here.write_log("b" * 16, "said")
    assert merge(there, [here]) == 2
    assert s3.content(f"{bucket}/there") == {
        path.relative_to(here.root).as_posix(): path.read_bytes() for path in here.root.rglob("*") if path.is_file()
    }
    assert [merge(there, [here]), merge(back, [there])] == [0, 2]
    assert (back.records(), back.read_log("b" * 16)) == (here.records(), "said")


def test_a_source_that_is_no_store_is_refused(bucket, tmp_path):
    with pytest.raises(StoreError, match=rf"^{bucket}/typo: got no store \(it has no records\)"):
        merge(Store(tmp_path / "target"), [Store(f"{bucket}/typo")])


# Whole runs.


@pytest.mark.slow
def test_every_verb_takes_urls(s3, bucket, raygrid, grid_file, machine, tmp_path):
    machine("one")
    grid, there = grid_file(), ["--store", f"{bucket}/run", "--cache", f"{bucket}/cache"]
    code, out, _ = raygrid("run", grid, *there, "--engine", "inline")
    assert code == 0
    assert out.endswith(f"{bucket}/run/report/table1.md\n")
    assert raygrid("prepare", grid, *there[2:])[0] == 0
    assert "8 done, 0 infeasible, 0 to do" in raygrid("plan", grid, *there)[1]
    assert json.loads(raygrid("status", grid, *there, "--json")[1])["done"] == 8
    assert raygrid("merge", tmp_path / "here", f"{bucket}/run")[1] == f"8 records copied into {tmp_path}/here\n"
    code, out, _ = raygrid("report", grid, *there, "--store", tmp_path / "here", "--published", "paper")
    assert code == 0
    assert out.endswith(f"{bucket}/run/report/index.html\n")
    assert raygrid("compare", grid, *there)[0] == 0
    names = {name.partition("/")[2] for name in s3.content(f"{bucket}/run") if name.startswith("report/")}
    assert {"index.html", "table1.csv", "statistics.md", "comparison.md", "figures/gain.png"} <= names
    assert ".lock" not in s3.content(f"{bucket}/run")


@pytest.mark.slow
def test_a_run_on_ray_outlives_its_server_and_leaves_what_a_local_run_leaves(
    s3, bucket, launch, raygrid, grid_file, machine, tmp_path
):
    machine("one")
    grid, url = grid_file(), f"{bucket}/run"
    run = launch("run", grid, "--store", url, "--cache", f"{bucket}/cache")

    def n_records():
        return sum(name.startswith("records/") for name in s3.content(url))

    run.wait_until(lambda: n_records() >= 2)
    s3.wire.cut(counts=True)
    assert n_records() < 8
    run.wait_until(lambda: s3.wire.n_refused >= 30)  # several tries of every request that was at work
    s3.wire.mend()
    assert run.wait() == 0, run.log.read_text()
    assert raygrid("run", grid, "--store", tmp_path / "here", "--engine", "inline")[0] == 0
    there, here = Store(url), Store(tmp_path / "here")
    assert [
        {key: record.model_dump(exclude={"measured"}) for key, record in store.records().items()}
        for store in (there, here)
    ] == [{key: record.model_dump(exclude={"measured"}) for key, record in here.records().items()}] * 2
    for key in here.records():
        kept = [np.load((store.root / f"predictions/{key}.npz").open("rb")) for store in (there, here)]
        assert [kept[0][name].tolist() for name in kept[0]] == [kept[1][name].tolist() for name in kept[1]]
    told = [name for name in s3.content(f"{bucket}/cache") if name.startswith("computed/")]
    assert len(told) == len({name.rpartition("-")[0] for name in told}) == 3  # images, labels and features
