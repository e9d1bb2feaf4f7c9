"""What a run survives: real processes that die, hang, starve and vanish, on real Ray clusters."""

import multiprocessing
import os
import signal
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from faulty import Dies, Gorges, Hangs, Looks, Observer, Starves, know_this_module

from raygrid.cells import Cell
from raygrid.classifiers.cnn import Cnn
from raygrid.engine import Terms, engine_named
from raygrid.engine.ray.attempt import Attempt
from raygrid.gridfile.resources import Resources
from raygrid.storage.cache import Cache
from raygrid.storage.store import Store

pytestmark = pytest.mark.slow


@pytest.fixture
def store(tmp_path) -> Store:
    store = Store(tmp_path / "store")
    store.prepare()
    return store


@pytest.fixture
def plain(cells_of) -> list[Cell]:
    """Four quick cells, whose resampler may be replaced."""
    return [cell for cell in cells_of() if cell.resampler.name == "none"]


@pytest.fixture
def run(cluster, cache, store):
    """Run cells on the suite's cluster; return what the observer heard."""
    know_this_module()

    def run_cells(cells: list[Cell], **terms: Any) -> Counter[str]:
        observer = Observer()
        engine_named("ray")(cells, store, cache, terms=Terms(**terms), observer=observer)
        return Counter(observer.heard)

    return run_cells


def statuses(store: Store) -> dict[str, str]:
    return {key: record.status for key, record in store.records().items()}


def lines(log: str) -> list[list[str]]:
    return [line.split() for line in Path(log).read_text().splitlines()]


def test_a_worker_that_dies_costs_no_more_than_its_cell(run, plain, store, tmp_path):
    good, other = plain[:2]
    once = replace(good, resampler=Dies(tries=1, log=str(tmp_path / "once")))
    always = replace(other, resampler=Dies(log=str(tmp_path / "always")))
    heard = run([once, good, always, other])
    assert statuses(store) == {cell.key: "done" for cell in (once, good, other)} | {always.key: "error"}
    assert store.record(always.key).message.startswith("its process died 3 times: ")
    assert (heard["done"], heard["error"]) == (3, 1)
    assert [len(lines(tmp_path / name)) for name in ("once", "always")] == [2, 3]


def test_a_trial_that_hangs_is_given_up_at_its_time_limit(run, plain, store, tmp_path):
    good = plain[0]
    hanging = replace(good, resampler=Hangs(log=str(tmp_path / "log")), classifier=Cnn(weights="none"))
    heard = run([hanging, good], resources={"cnn": Resources(timeout_s=20)})
    record = store.record(hanging.key)
    assert (record.status, record.message) == ("timeout", "got no result in 20 s (timeout_s)")
    assert "time.sleep(3600)" in record.traceback
    assert store.read_log(hanging.key) == "hanging\n"
    assert statuses(store)[good.key] == "done"
    assert (heard["timeout"], heard["done"]) == (1, 1)
    assert len(lines(tmp_path / "log")) == 1  # given up once, and not tried again


def test_a_trial_that_runs_out_of_memory_is_tried_again_at_twice_its_share(run, plain, store, tmp_path):
    good, other = plain[:2]
    once = replace(good, resampler=Starves(tries=1, log=str(tmp_path / "once")))
    always = replace(other, resampler=Starves(log=str(tmp_path / "always")))
    heard = run([once, good, always], resources={"svm": Resources(memory_gb=0.1)})
    assert statuses(store) == {once.key: "done", good.key: "done", always.key: "oom"}
    assert store.record(always.key).message == "MemoryError: got no more"
    assert [len(lines(tmp_path / name)) for name in ("once", "always")] == [2, 3]
    assert {threads for _, _, threads in lines(tmp_path / "always")} == {"1"}  # twice the share, the same result
    assert heard["done"] == 2


def test_what_is_asked_for_and_not_there_is_not_waited_for(run, plain, store):
    heard = run(plain, resources={"svm": Resources(gpus=0.5, cpus=2)})
    assert Counter(statuses(store).values()) == {"done": 4}
    assert heard["resources: svm: gpus: got 0.5; no node here has more than 0; its trials run on CPUs"] == 1


# -- clusters of their own: each in a process of its own, for this one is connected to the suite's.


def in_own_process(function: Callable[..., Any], *arguments: Any, **environment: str) -> Any:
    """Return what a function returns that another process calls."""
    context = multiprocessing.get_context("spawn")
    receiver, sender = context.Pipe(duplex=False)
    os.environ |= environment
    try:
        process = context.Process(target=_call, args=(sender, function, arguments))
        process.start()
    finally:
        for name in environment:
            del os.environ[name]
    sender.close()
    try:
        result = receiver.recv()
    finally:
        process.join(60)
    if isinstance(result, BaseException):
        raise result
    return result


def _call(sender: Any, function: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    try:
        sender.send(function(*arguments))
    except BaseException as error:
        sender.send(RuntimeError(f"{type(error).__name__}: {error}"))
        raise


def on_own_cluster(cells: list[Cell], store: Store, cache: Cache, terms: Terms, **init: Any) -> Counter[str]:
    """Run cells on a cluster that Ray starts with these arguments; in a process of its own."""
    from raygrid.engine.ray.cluster import ray

    if init:
        ray.init("local", include_dashboard=False, log_to_driver=False, logging_level="ERROR", **init)
    know_this_module()
    observer = Observer()
    engine_named("ray")(cells, store, cache, terms=terms, observer=observer)
    return Counter(observer.heard)


def nearly_out_of_memory(*arguments: Any) -> Counter[str]:
    """Run on a cluster whose memory monitor ends workers as soon as 3 GB more than now are in use."""
    from ray._private.utils import get_system_memory, get_used_memory

    threshold = (get_used_memory() + 3e9) / get_system_memory()
    os.environ |= {"RAY_memory_usage_threshold": f"{threshold:.3f}", "RAY_memory_monitor_refresh_ms": "100"}
    return on_own_cluster(*arguments)


def test_a_kill_by_the_memory_monitor_does_not_end_the_sweep(plain, store, cache, tmp_path):
    once = replace(plain[0], resampler=Gorges(tries=1, log=str(tmp_path / "once")))
    always = replace(plain[1], resampler=Gorges(log=str(tmp_path / "always")))
    heard = in_own_process(nearly_out_of_memory, [once, *plain, always], store, cache, Terms())
    assert statuses(store) == {cell.key: "done" for cell in (once, *plain)} | {always.key: "oom"}
    assert "killed due to the node running low on memory" in store.record(always.key).message
    assert heard["done"] == 5


def test_more_inputs_than_the_object_store_holds(cells_of, tiny, store, cache):
    arm = tiny["arms"][0] | {"resamplers": ["none"]}
    other = arm | {"representation": arm["representation"] | {"weights": "none"}}
    cells = cells_of(image_size=160, folds=1, arms=[arm, other])
    in_own_process(on_own_cluster_of_80_mb, cells, store, cache, Terms())
    assert Counter(statuses(store).values()) == {"done": 4}
    kept = [np.load(path, mmap_mode="r") for path in cache.root.glob("inputs-*/X_train.npy")]
    assert sum(X.nbytes for X in kept if X.shape[1] == 6400) > 60e6  # beside 31 MB of test images' features


def on_own_cluster_of_80_mb(*arguments: Any) -> Counter[str]:
    return on_own_cluster(*arguments, object_store_memory=80_000_000)


def on_own_cluster_with_a_gpu(*arguments: Any) -> Counter[str]:
    return on_own_cluster(*arguments, num_cpus=2, num_gpus=1)  # Ray counts it; nothing here computes on it


def test_a_cpu_cell_sees_no_gpu_and_a_gpu_cell_its_share(cells_of, image_arm, plain, store, cache, tmp_path):
    on_cpu = replace(plain[0], resampler=Looks(log=str(tmp_path / "cpu")))
    (image,) = cells_of(folds=1, imbalance_ratios=[10], arms=[image_arm])
    on_gpu = replace(image, resampler=Looks(log=str(tmp_path / "gpu")))
    starving = replace(image, resampler=Starves(tries=1, log=str(tmp_path / "share")))
    terms = Terms({"cnn": Resources(gpus=0.25)})
    in_own_process(on_own_cluster_with_a_gpu, [on_cpu, on_gpu, starving], store, cache, terms)
    assert Counter(statuses(store).values()) == {"done": 3}
    assert [line[1] for line in lines(tmp_path / "cpu")] == ["[]"]
    assert [line[1] for line in lines(tmp_path / "gpu")] == ["[0]"]
    assert [line[1] for line in lines(tmp_path / "share")] == ["0.25", "0.5"]  # twice its share after the first try


def test_ctrl_c_keeps_what_is_done_and_leaves_no_process(launch, grid_file, tmp_path):
    grid, store = grid_file(folds=20), tmp_path / "store"
    process = launch("run", grid, "--store", store, "--cache", tmp_path / "cache")
    process.wait_until(lambda: len(list(store.glob("records/*.json"))) >= 3)
    os.killpg(process.process.pid, signal.SIGINT)  # as a terminal does
    assert process.process.wait(timeout=60) == 130, process.log.read_text()
    assert process.wait_for_descendants(timeout_s=60) == {}
    records = Store(store).records()
    assert 3 <= len(records) < 80
    assert {record.status for record in records.values()} == {"done"}


@pytest.fixture
def small_disk(tmp_path) -> Iterator[Path]:
    """A file system of 200 kB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if os.system(f"mount -t tmpfs -o size=200k raygrid {folder} 2>/dev/null"):
        pytest.skip("needs the right to mount a file system")
    yield folder
    os.system(f"umount -l {folder}")


def test_a_full_disk_ends_the_run_with_one_line_and_room_lets_it_go_on(launch, small_disk, grid_file, cache, tmp_path):
    grid, store = grid_file(folds=20), small_disk / "store"
    arguments = ("run", grid, "--store", store, "--cache", cache.root)
    process = launch(*arguments)
    assert process.process.wait(timeout=120) == 2
    assert f"{store}: No space left on device" in process.log.read_text()
    records = Store(store).records()
    assert 0 < len(records) < 80
    os.system(f"mount -o remount,size=20m {small_disk}")
    assert launch(*arguments).process.wait(timeout=300) == 0
    assert Counter(record.status for record in Store(store).records().values()) == {"done": 80}


def test_a_training_whose_worker_dies_goes_on_from_its_last_epoch(
    launch, grid_file, image_arm, raygrid, monkeypatch, tmp_path
):
    image_arm["classifier"]["epochs"] = 6
    grid = grid_file(arms=[image_arm], folds=1, imbalance_ratios=[10])
    store, cache = tmp_path / "store", tmp_path / "own cache"
    monkeypatch.setenv("RAYGRID_CHECKPOINT_EVERY_S", "0")

    def epochs_kept() -> int:
        for path in (store / "checkpoints").glob("[!.]*.npz"):
            with np.load(path, allow_pickle=False) as kept:
                return int(kept["array/epochs"])
        return 0

    process = launch("run", grid, "--store", store, "--cache", cache)
    process.wait_until(lambda: epochs_kept() >= 2)
    (worker,) = [pid for pid, command in process.descendants().items() if command.startswith("ray::ImplicitFunc")]
    os.kill(worker, signal.SIGKILL)
    before = epochs_kept()
    process.wait_until(lambda: epochs_kept() != before)
    assert epochs_kept() > before
    assert process.process.wait(timeout=300) == 0, process.log.read_text()
    assert "its process died; it is tried again" in process.log.read_text()
    assert not list((store / "checkpoints").iterdir())

    assert raygrid("run", grid, "--store", tmp_path / "undisturbed", "--engine", "inline")[0] == 0
    records = [next(iter(Store(folder).records().values())) for folder in (store, tmp_path / "undisturbed")]
    assert records[0].confusion == records[1].confusion
    predictions = [
        next((folder / "predictions").iterdir()).read_bytes() for folder in (store, tmp_path / "undisturbed")
    ]
    assert predictions[0] == predictions[1]


def test_a_cell_beside_one_that_takes_all_memory_is_not_blamed():
    attempt = Attempt({}, None, None)
    attempt._key_of_actor = {"aa11": "greedy", "bb22": "modest"}
    attempt.running = {"greedy", "modest"}
    failure = RuntimeError("Caught unexpected exception")
    failure.__cause__ = RuntimeError("Considered workers: [\nSelected to kill: (Actor(aa11): job)\n(Actor(bb22): job)]")
    assert attempt.killed(failure) == {"greedy"}
    failure.__cause__ = RuntimeError("of an unknown kind")
    assert attempt.killed(failure) == {"greedy", "modest"}
