"""What a run survives on Ray: real processes that die and starve. What is decided then, test_verdict.py shows."""

import multiprocessing
import os
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from faulty import Dies, DiesAt, Gorges, Looks, Majority, Mortal, Observer, Patient, Starves, know_this_module

from raygrid.cells import Cell
from raygrid.engine import Terms, engine_named
from raygrid.gridfile.resources import Resources
from raygrid.host import Runtime
from raygrid.inputs import load_inputs
from raygrid.storage.cache import Cache
from raygrid.storage.store import Store

pytestmark = pytest.mark.slow


@pytest.fixture
def store(tmp_path) -> Store:
    return made(tmp_path / "store")


def made(folder: Path) -> Store:
    store = Store(folder)
    store.prepare()
    return store


@pytest.fixture
def quick(cells_of, image_arm) -> Callable[..., list[Cell]]:
    """Cells of next to no work, whose resampler and classifier may be replaced."""

    def cells(n_cells: int, **changes: Any) -> list[Cell]:
        found = cells_of(**{"folds": n_cells, "imbalance_ratios": [10], "arms": [image_arm], **changes})
        return [replace(cell, classifier=Majority()) for cell in found]

    return cells


def statuses(store: Store) -> dict[str, str]:
    return {key: record.status for key, record in store.records().items()}


def lines(log: Path) -> list[list[str]]:
    return [line.split() for line in log.read_text().splitlines()]


def on_ray(cells: list[Cell], store: Store, cache: Cache, terms: Terms | None = None) -> Counter[str]:
    """Run cells on the cluster that this process is connected to; return what the observer heard."""
    know_this_module()
    observer = Observer()
    engine_named("ray")(cells, store, cache, terms=terms or Terms(), observer=observer)
    return Counter(observer.heard)


def test_a_worker_that_dies_costs_no_more_than_its_cell_and_a_training_goes_on_from_its_last_epoch(
    cluster, quick, cells_of, image_arm, store, cache, tmp_path
):
    good, once, always = quick(3)
    once = replace(once, resampler=Dies(tries=1, log=str(tmp_path / "once")))
    always = replace(always, resampler=Dies(log=str(tmp_path / "always")))
    image_arm["classifier"] |= {"epochs": 4, "select": "best"}
    (trained,) = cells_of(arms=[image_arm], folds=1, imbalance_ratios=[10], validation=0.2)
    trained = replace(trained, classifier=Mortal(**image_arm["classifier"], log=str(tmp_path / "training")))

    heard = on_ray([trained, once, good, always], store, cache)
    assert statuses(store) == {cell.key: "done" for cell in (trained, once, good)} | {always.key: "error"}
    assert store.record(always.key).message.startswith("its process died 3 times: ")
    assert (heard["done"], heard["error"]) == (3, 1)
    for cell, n_times in {once: 1, trained: 1, always: 2}.items():
        assert heard[f"{cell}: its process died; it is tried again"] == n_times
    assert [len(lines(tmp_path / name)) for name in ("once", "always")] == [2, 3]
    assert lines(tmp_path / "training") == [["0"], ["2"]]  # it was killed when it had saved its second epoch
    assert not list((store.root / "checkpoints").iterdir())

    undisturbed = made(tmp_path / "undisturbed")
    engine_named("inline")([trained], undisturbed, cache, terms=Terms(), observer=Observer())
    assert lines(tmp_path / "training")[2:] == [["0"]]
    assert store.record(trained.key).confusion == undisturbed.record(trained.key).confusion
    assert store.record(trained.key).curves == undisturbed.record(trained.key).curves
    predictions = [(one.root / f"predictions/{trained.key}.npz").read_bytes() for one in (store, undisturbed)]
    assert predictions[0] == predictions[1]


def test_of_small_cells_in_one_trial_only_the_one_that_runs_is_blamed_for_a_death(
    cluster, quick, store, cache, tmp_path
):
    cells = quick(30)
    once, always = (cells[i].seed_of("resample") for i in (3, 4))
    frail = DiesAt(log=str(tmp_path / "log"), deaths=((once, 1), (always, 10)))
    known, *todo = (replace(cell, resampler=frail) for cell in cells)
    engine_named("inline")([known], store, cache, terms=Terms(), observer=Observer())  # says that they are small

    heard = on_ray(todo, store, cache)
    failed = todo[3]
    assert statuses(store) == {cell.key: "done" for cell in (known, *todo)} | {failed.key: "error"}
    # Twice in the trial that the other one's death had also counted for, three times alone.
    assert store.record(failed.key).message.startswith("its process died 5 times: ")
    assert (heard["done"], heard["error"]) == (28, 1)
    n_tries = Counter(Counter(seed for (seed,) in lines(tmp_path / "log")).values())
    assert n_tries == {1: 28, 2: 1, 5: 1}


@pytest.fixture
def small_disk(tmp_path) -> Iterator[Path]:
    """A file system of 200 kB."""
    folder = tmp_path / "disk"
    folder.mkdir()
    if os.system(f"mount -t tmpfs -o size=200k raygrid {folder} 2>/dev/null"):
        pytest.skip("needs the right to mount a file system")
    yield folder
    os.system(f"umount -l {folder}")


def test_a_full_disk_ends_the_run_with_one_line_and_room_lets_it_go_on(cluster, raygrid, small_disk, grid_file):
    store = small_disk / "store"
    arguments = ("run", grid_file(folds=20), "--store", store)
    code, _, err = raygrid(*arguments)
    assert code == 2
    assert err.endswith(f"\n{store}: No space left on device; name another folder, or make room\n")
    assert 0 < len(Store(store).records()) < 80
    os.system(f"mount -o remount,size=20m {small_disk}")
    assert raygrid(*arguments, "--engine", "inline")[0] == 0
    assert Counter(statuses(Store(store)).values()) == {"done": 80}


# -- a cluster that is short of everything, in a process of its own, because this one is connected to the suite's


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


def on_scarce_cluster(*arguments: Any) -> Counter[str]:
    """Run cells where a card is counted, the object store has 80 MB, and 3 GB more than now are too much memory.

    Nothing computes on the card. The memory monitor ends a worker as soon as there are 3 GB more in use.
    """
    from ray._private.utils import get_system_memory, get_used_memory

    from raygrid.engine.ray.cluster import ray, ray_folder

    threshold = (get_used_memory() + 3e9) / get_system_memory()
    os.environ |= {"RAY_memory_usage_threshold": f"{threshold:.3f}", "RAY_memory_monitor_refresh_ms": "100"}
    quiet = {"include_dashboard": False, "log_to_driver": False, "logging_level": "ERROR"}
    ray.init("local", num_cpus=2, num_gpus=1, object_store_memory=80_000_000, _temp_dir=ray_folder(), **quiet)
    return on_ray(*arguments)


def test_cells_that_want_more_than_there_is_are_tried_again_with_more_and_harm_no_others(quick, store, cache, tmp_path):
    def logging(kind: type[Any], name: str, **settings: Any) -> Any:
        return kind(log=str(tmp_path / name), **settings)

    cells = quick(7)
    on_cpu = replace(cells[0], resampler=logging(Looks, "cpu"))
    on_card = replace(cells[1], resampler=logging(Looks, "card"), classifier=Patient())
    starving = replace(cells[2], resampler=logging(Starves, "starving", tries=1), classifier=Patient())
    gorging = replace(cells[3], resampler=logging(Gorges, "always"))
    large = [*quick(1, image_size=96), *quick(1, image_size=112)]  # the images of each size are inputs of their own
    done = [on_cpu, on_card, starving, *cells[4:], *large]
    terms = Terms({"patient": Resources(gpus=0.25)})
    heard = in_own_process(on_scarce_cluster, [*done, gorging], store, cache, terms)

    assert statuses(store) == {cell.key: "done" for cell in done} | {gorging.key: "oom"}
    assert heard["done"] == len(done)
    assert "killed due to the node running low on memory" in store.record(gorging.key).message
    assert [line[1] for line in lines(tmp_path / "cpu")] == ["[]"]
    assert [line[1] for line in lines(tmp_path / "card")] == ["[0]"]
    # Twice its card after the first try, and no more threads, which a result depends on.
    assert [line[1:] for line in lines(tmp_path / "starving")] == [["0.25", "1"], ["0.5", "1"]]
    inputs = [load_inputs(cell, cache, Runtime()) for cell in large]
    assert max(one.X.nbytes for one in inputs) < 80e6
    assert sum(one.X.nbytes for one in inputs) > 80e6
