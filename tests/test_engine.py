"""The engines' common contract: Ray's, the inline one, and a third of the standard library; the same from all."""

import json
from collections import Counter
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from conftest import TINY
from faulty import (
    Hangs,
    Interrupted,
    Majority,
    Means,
    Observer,
    OwnError,
    Patient,
    Prints,
    Raises,
    Refuses,
    Sleeps,
    know_this_module,
)
from pool_engine import run_in_pool

from raygrid.cells import Cell, expand
from raygrid.costs.budget import Budget
from raygrid.engine import ENGINES, Engine, Terms, engine_named
from raygrid.engine.execution import Refusal
from raygrid.errors import DataError, StoreError, UsageError
from raygrid.gridfile.schema import Grid, Resources
from raygrid.storage.cache import Cache
from raygrid.storage.store import Store

ALL = [*ENGINES, "pool"]


def engine_of(name: str) -> Engine:
    return run_in_pool if name == "pool" else engine_named(name)


@pytest.fixture(autouse=True, scope="module")
def workers_know_this_module(cluster):
    know_this_module()


@pytest.fixture
def run(cache, tmp_path):
    """Run cells with one of the engines; return the store and what the observer heard."""

    def run_cells(engine: str, cells: list[Any], **terms: Any) -> tuple[Store, list[str]]:
        store, observer = Store(tmp_path / engine), Observer()
        store.prepare()
        engine_of(engine)(cells, store, cache, terms=Terms(**terms), observer=observer)
        return store, observer.heard

    return run_cells


def quick(n_cells: int) -> list[Cell]:
    """Return cells of next to no work."""
    arm = {"representation": "image", "classifier": "cnn", "resamplers": ["none"]}
    grid = TINY | {"image_size": 32, "folds": n_cells, "imbalance_ratios": [10], "arms": [arm]}
    return [replace(cell, classifier=Majority()) for cell in expand(Grid.model_validate(grid))]


def kept(store: Store) -> dict[str, Any]:
    """Return all a store holds but what differs between two runs of a cell."""
    texts = {path.stem: json.loads(path.read_text()) for path in (store.root / "records").iterdir()}
    for text in texts.values():
        del text["measured"]
    predictions = {path.name: path.read_bytes() for path in (store.root / "predictions").iterdir()}
    return {key: json.dumps(text) for key, text in texts.items()} | predictions


def test_all_engines_keep_the_same_records_of_features(run, cells_of):
    cells = cells_of()
    (ray, heard_from_ray), (inline, heard_inline), (pool, heard_from_pool) = (run(engine, cells) for engine in ALL)
    assert kept(ray) == kept(inline) == kept(pool)
    assert set(ray.statuses()) == {cell.key for cell in cells}
    assert Counter(ray.statuses().values()) == {"done": 8}
    assert heard_inline == heard_from_pool == ["started", "done"] * 8
    assert (Counter(heard_from_ray), heard_from_ray[0]) == ({"started": 8, "done": 8}, "started")


@pytest.mark.slow
def test_engines_keep_the_same_records_of_images(run, cells_of, image_arm):
    cells = cells_of(folds=1, imbalance_ratios=[10], arms=[image_arm | {"resamplers": ["smote"]}])
    (ray, _), (inline, _) = (run(engine, cells) for engine in ENGINES)
    assert kept(ray) == kept(inline)
    assert ray.statuses() == {cells[0].key: "done"}


def test_all_engines_train_a_representation_once_for_all_cells_of_a_fold(cells_of, tmp_path):
    found = []
    for engine in ALL:
        log = tmp_path / f"{engine}.log"
        means = Means(log=str(log))
        cells = [replace(cell, representation=means) for cell in cells_of(folds=1)]
        store, cache, observer = Store(tmp_path / engine), Cache(tmp_path / f"{engine}-cache"), Observer()
        store.prepare()
        engine_of(engine)(cells, store, cache, terms=Terms(), observer=observer)
        assert Counter(observer.heard) == {"started": 4, "done": 4}
        assert log.read_text() == "trained\n" * 2  # one an IR
        found.append(sorted(json.dumps(record.confusion) for record in store.records().values()))
    assert found[0] == found[1] == found[2]


# -- one run of cells of every kind, looked at from all sides


@dataclass(frozen=True)
class Mixed:
    """What an engine made of them."""

    engine: str
    store: Store
    heard: list[str]
    good: Cell
    raising: Cell
    printing: Cell
    hanging: Cell
    log: Path


@pytest.fixture(scope="module", params=ALL)
def mixed(request, cluster, cache, tmp_path_factory) -> Mixed:
    folder = tmp_path_factory.mktemp(request.param)
    store, observer, (good, *others) = Store(folder / "store"), Observer(), quick(4)
    store.prepare()
    raising, printing, hanging = (
        replace(cell, resampler=resampler)
        for cell, resampler in zip(others, (Raises(), Prints(), Hangs(log=str(folder / "log"))), strict=True)
    )
    hanging = replace(hanging, classifier=Patient())
    resources = {"patient": Resources(timeout_s=3), "majority": Resources(gpus=0.5)}  # there is no card here
    engine = engine_of(request.param)
    cells = [hanging, raising, printing, good]
    engine(cells, store, cache, terms=Terms(resources), observer=observer)
    return Mixed(request.param, store, observer.heard, good, raising, printing, hanging, folder / "log")


def test_every_cell_has_a_record_and_the_observer_hears_of_it(mixed):
    statuses = mixed.store.statuses()
    assert statuses == {
        mixed.good.key: "done", mixed.printing.key: "done", mixed.raising.key: "error", mixed.hanging.key: "timeout",
    }  # fmt: skip
    heard = Counter(mixed.heard)
    assert (heard["done"], heard["error"], heard["timeout"]) == (2, 1, 1)
    assert heard["started"] - heard["done"] - heard["error"] in (1, 2)  # Ray starts the one that hung once more


def test_a_cell_that_fails_leaves_a_record_with_the_traceback(mixed):
    failed = mixed.store.record(mixed.raising.key)
    assert failed.message == "ValueError: got 3; expected 4"
    assert failed.traceback.startswith("Traceback (most recent call last):\n")


def test_what_a_cell_writes_is_its_log(mixed):
    assert mixed.store.read_log(mixed.printing.key) == "from Python\nfrom C\n"
    assert mixed.store.read_log(mixed.good.key) == ""


def test_a_cell_that_hangs_is_given_up_at_its_time_limit(mixed):
    record = mixed.store.record(mixed.hanging.key)
    assert record.message == "got no result in 3 s (timeout_s)"
    assert "time.sleep(3600)" in record.traceback
    assert mixed.store.read_log(mixed.hanging.key) == "hanging\n"
    assert len(mixed.log.read_text().splitlines()) == 1  # given up once, and not tried again


def test_what_is_asked_for_and_not_there_is_not_waited_for(mixed):
    notice = "resources: majority: gpus: got 0.5; no node here has more than 0; its trials run on CPUs"
    assert mixed.heard.count(notice) == (mixed.engine == "ray")


# -- what ends a run


@pytest.fixture
def broken_npz(tmp_path) -> Path:
    path = tmp_path / "mine.npz"
    path.write_bytes(b"hello")
    return path


@pytest.mark.parametrize("engine", ALL)
def test_a_broken_data_set_is_the_users_mistake_in_one_line(run, cells_of, broken_npz, engine):
    cells = cells_of(datasets=["digits", {"name": "mine", "path": str(broken_npz)}])
    with pytest.raises(DataError) as refused:
        run(engine, [cell for cell in cells if cell.dataset.name == "mine"])
    assert str(refused.value) == (
        f"mine: {broken_npz}: got what numpy cannot read (File is not a zip file); expected an .npz of plain arrays"
    )
    assert type(refused.value) is DataError


@pytest.mark.parametrize("engine", ALL)
def test_a_mistake_that_a_users_own_level_finds_ends_the_run_with_its_message(run, tmp_path, engine):
    cells = [replace(cell, resampler=Refuses()) for cell in quick(8)]
    with pytest.raises(DataError, match=r"^my table: got no column y; expected one; add it$"):
        run(engine, cells)
    assert Store(tmp_path / engine).records() == {}


def test_an_error_comes_to_another_process_as_the_nearest_class_that_it_knows():
    for error, kind in [(OwnError("a", "b"), DataError), (StoreError("c"), StoreError), (UsageError("d"), UsageError)]:
        arrived = Refusal.of(error).error()
        assert (type(arrived), str(arrived)) == (kind, str(error))


def test_a_store_that_cannot_be_written_is_the_users_mistake(cache, tmp_path):
    observer = Observer()
    with pytest.raises(StoreError) as refused:
        engine_of("inline")(quick(3), Store(tmp_path / "nowhere"), cache, terms=Terms(), observer=observer)
    assert observer.heard == ["started"]  # the first is enough to stop at
    assert str(refused.value).startswith(f"{tmp_path}/nowhere: No such file or directory (")
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize("engine", ALL)
def test_a_record_that_is_final_is_not_computed_again(run, cache, tmp_path, engine):
    cells = quick(3)
    store, _ = Store(tmp_path / engine), Observer()
    store.prepare()
    engine_of("inline")(cells[:2], store, cache, terms=Terms(), observer=Observer())
    before = kept(store) | {path.name: path.stat().st_mtime_ns for path in (store.root / "records").iterdir()}
    store, heard = run(engine, cells)
    after = kept(store) | {path.name: path.stat().st_mtime_ns for path in (store.root / "records").iterdir()}
    assert {name: after[name] for name in before} == before
    assert Counter(heard) == {"started": 3, "done": 3}


@pytest.mark.parametrize("engine", ALL)
def test_an_exhausted_budget_ends_the_run_and_keeps_what_is_done(run, tmp_path, engine):
    records = tmp_path / engine / "records"
    an_hour_a_record = Budget(max_hours=3, clock=lambda: 3600 * len(list(records.glob("*.json"))))
    cells = [replace(cell, resampler=Sleeps()) for cell in quick(20)]
    store, heard = run(engine, cells, budget=an_hour_a_record)
    assert 3 <= len(store.records()) < 20
    assert set(heard) == {"started", "done"}


# -- what is one engine's alone


def test_inline_shows_the_traceback_of_a_cell_that_fails(run, capsys):
    cell = replace(quick(1)[0], resampler=Raises())
    store, _ = run("inline", [cell])
    assert capsys.readouterr().err == f"{cell}\n{store.record(cell.key).traceback}\n"


def test_inline_leaves_what_a_cell_writes_on_the_terminal_where_that_is_asked_for(run, capfd):
    cell = replace(quick(1)[0], resampler=Prints())
    store, _ = run("inline", [cell], verbose=True)
    assert capfd.readouterr() == ("from Python\n", "from C\n")
    assert store.read_log(cell.key) == ""


def test_an_interrupt_ends_an_inline_run_although_there_is_a_time_limit(cache, tmp_path):
    store, observer = Store(tmp_path / "store"), Observer()
    store.prepare()
    cell = replace(quick(1)[0], resampler=Interrupted(), classifier=Patient())
    with pytest.raises(KeyboardInterrupt):
        engine_of("inline")([cell], store, cache, terms=Terms({"patient": Resources(timeout_s=600)}), observer=observer)
    assert (store.records(), observer.heard) == ({}, ["started"])


def test_an_unknown_engine_is_refused():
    with pytest.raises(UsageError, match=r"^--engine: got 'rya'; expected one of ray, inline; did you mean 'ray'\?$"):
        engine_named("rya")


def test_a_trial_may_use_what_its_classifier_is_given(cells_of):
    cell = cells_of()[0]
    assert Terms().resources_of(cell) == Resources(cpus=1, gpus=0)
    assert Terms({"svm": Resources(cpus=2)}).resources_of(cell) == Resources(cpus=2)
    assert Terms({"cnn": Resources(cpus=2)}).resources_of(cell) == Resources(cpus=1)
