"""The engines' common contract: Ray's, the inline one, and a third of the standard library; the same from all."""

import functools
import json
import shutil
import threading
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from conftest import HANGS_S, TINY
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
    know_this_module,
)
from made_up import statuses
from pool_engine import run_in_pool

from raygrid.cells import Cell, expand
from raygrid.costs.budget import Budget
from raygrid.engine import ENGINES, Engine, Terms, engine_named
from raygrid.engine.execution import Refusal, _time_limit
from raygrid.errors import DataError, StoreError, UsageError
from raygrid.gridfile.resources import Resources
from raygrid.gridfile.schema import Grid
from raygrid.host import Runtime
from raygrid.inputs import load_inputs
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
    grid = TINY | {"folds": n_cells, "imbalance_ratios": [10], "arms": [arm]}
    return [replace(cell, classifier=Majority()) for cell in expand(Grid.model_validate(grid))]


def kept(store: Store, cells: list[Cell]) -> dict[str, Any]:
    """Return all a store holds of cells that are done, but what differs between two runs of a cell."""
    records = {cell.key: json.loads((store.root / f"records/{cell.key}.json").read_text()) for cell in cells}
    for record in records.values():
        del record["measured"]
    predictions = {cell: (store.root / f"predictions/{cell.key}.npz").read_bytes() for cell in cells}
    return {key: json.dumps(record) for key, record in records.items()} | predictions


# -- one run of cells of every kind, looked at from all sides; on Ray a second one would cost as much again


@dataclass(frozen=True)
class Mixed:
    """What an engine made of cells of every kind."""

    store: Store
    heard: list[str]
    svm: list[Cell]
    on_means: list[Cell]
    final: Cell
    raising: Cell
    printing: Cell
    hanging: Cell
    before: Any
    n_trainings: int
    limits_s: list[str]


@pytest.fixture(scope="module")
def fresh_cache(tmp_path_factory) -> Callable[[], Cache]:
    """Return a cache in which nothing but the inputs is computed."""
    inputs = Cache(tmp_path_factory.mktemp("inputs"))
    for cell in (expand(Grid.model_validate(TINY))[0], *quick(1)):
        load_inputs(cell, inputs, Runtime())

    def copy() -> Cache:
        return Cache(shutil.copytree(inputs.root, tmp_path_factory.mktemp("cache"), dirs_exist_ok=True))

    return copy


@pytest.fixture(scope="module")
def mixed(cluster, fresh_cache, tmp_path_factory) -> Callable[[str], Mixed]:
    """Return what an engine made of them; each runs once."""
    means_log = tmp_path_factory.mktemp("means") / "log"
    hangs_log = tmp_path_factory.mktemp("hangs") / "log"

    @functools.cache
    def run(engine: str) -> Mixed:
        store, observer = Store(tmp_path_factory.mktemp(engine)), Observer()
        store.prepare()
        svm = expand(Grid.model_validate(TINY))
        on_means = [replace(cell, representation=Means(log=str(means_log))) for cell in svm if cell.fold == 0]
        final, raising, printing, hanging = quick(4)
        raising = replace(raising, resampler=Raises())
        printing = replace(printing, resampler=Prints())
        hanging = replace(hanging, resampler=Hangs(log=str(hangs_log)), classifier=Patient())
        engine_of("inline")([final], store, fresh_cache(), terms=Terms(), observer=Observer())
        before = (kept(store, [final]), (store.root / f"records/{final.key}.json").stat().st_mtime_ns)
        for log in (means_log, hangs_log):
            log.write_text("")

        resources = {"patient": Resources(timeout_s=600), "majority": Resources(gpus=0.5)}  # there is no card here
        cells = [hanging, final, raising, printing, *svm, *on_means]
        engine_of(engine)(cells, store, fresh_cache(), terms=Terms(resources), observer=observer)
        n_trainings = len(means_log.read_text().splitlines())
        limits_s = [line.split()[1] for line in hangs_log.read_text().splitlines()]
        return Mixed(
            store, observer.heard, svm, on_means, final, raising, printing, hanging, before, n_trainings, limits_s
        )

    return run


def test_all_engines_keep_the_same_records(mixed):
    found = [mixed(engine) for engine in ALL]
    ray, inline, pool = (kept(one.store, [*one.svm, *one.on_means, one.printing]) for one in found)
    assert ray == inline == pool


@pytest.mark.parametrize("engine", ALL)
def test_every_cell_has_a_record_and_the_observer_hears_of_it(mixed, engine):
    one = mixed(engine)
    done = [*one.svm, *one.on_means, one.final, one.printing]
    assert statuses(one.store) == {cell.key: "done" for cell in done} | {
        one.raising.key: "error",
        one.hanging.key: "timeout",
    }
    heard = Counter(one.heard)
    assert (heard["done"], heard["error"], heard["timeout"]) == (14, 1, 1)
    assert heard["started"] == 16
    assert one.heard[0] in ("started", ASKED_FOR)


@pytest.mark.parametrize("engine", ALL)
def test_a_representation_is_trained_once_for_all_cells_of_a_fold(mixed, engine):
    assert len(mixed(engine).on_means) == 4
    assert mixed(engine).n_trainings == 2  # one an IR


@pytest.mark.parametrize("engine", ALL)
def test_a_cell_that_fails_leaves_a_record_with_the_traceback(mixed, engine):
    failed = mixed(engine).store.record(mixed(engine).raising.key)
    assert failed.message == "ValueError: got 3; expected 4"
    assert failed.traceback.startswith("Traceback (most recent call last):\n")


@pytest.mark.parametrize("engine", ALL)
def test_what_a_cell_writes_is_its_log(mixed, engine):
    one = mixed(engine)
    assert one.store.read_log(one.printing.key) == "from Python\nfrom C\n"
    assert one.store.read_log(one.on_means[0].key) == ""


@pytest.mark.parametrize("engine", ALL)
def test_a_cell_that_hangs_is_given_up_at_its_time_limit(mixed, engine):
    one = mixed(engine)
    record = one.store.record(one.hanging.key)
    assert record.message == "got no result in 600 s (timeout_s)"
    assert ", in fail\n" in record.traceback  # where it was at that time
    assert one.store.read_log(one.hanging.key) == "hanging\n"
    assert one.limits_s == ["600"]  # given up once, and not tried again


@pytest.mark.parametrize("engine", ALL)
def test_a_record_that_is_final_is_not_computed_again(mixed, engine):
    one = mixed(engine)
    after = (kept(one.store, [one.final]), (one.store.root / f"records/{one.final.key}.json").stat().st_mtime_ns)
    assert after == one.before


ASKED_FOR = "resources: majority: gpus: got 0.5; no node here has more than 0; its trials run on CPUs"


@pytest.mark.parametrize("engine", ALL)
def test_what_is_asked_for_and_not_there_is_not_waited_for(mixed, engine):
    assert mixed(engine).heard.count(ASKED_FOR) == (engine == "ray")


@pytest.mark.slow
def test_engines_keep_the_same_records_of_images(run, cells_of, image_arm):
    cells = cells_of(folds=1, imbalance_ratios=[10], arms=[image_arm | {"resamplers": ["smote"]}])
    (ray, _), (inline, _) = (run(engine, cells) for engine in ENGINES)
    assert kept(ray, cells) == kept(inline, cells)
    assert statuses(ray) == {cells[0].key: "done"}


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
    assert str(refused.value) == (f"mine: {broken_npz}: got no complete .npz file; get it anew")
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


@pytest.mark.parametrize("engine", ["inline", "pool"])  # on Ray: test_budget.py
def test_an_exhausted_budget_ends_the_run_and_keeps_what_is_done(run, tmp_path, engine):
    records = tmp_path / engine / "records"
    an_hour_a_record = Budget(max_hours=3, clock=lambda: 3600 * len(list(records.glob("*.json"))))
    store, heard = run(engine, quick(20), budget=an_hour_a_record)
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


def test_what_takes_longer_than_its_time_limit_is_recorded_and_then_given_up():
    told, given_up = [], threading.Event()
    with _time_limit(0.01, told.append, given_up.set):
        assert given_up.wait(HANGS_S)
    assert "given_up.wait" in told[0]
    told.clear()
    with _time_limit(600, told.append, given_up.set):
        pass
    assert told == []


def test_an_unknown_engine_is_refused():
    with pytest.raises(UsageError, match=r"^--engine: got 'rya'; expected one of ray, inline; did you mean 'ray'\?$"):
        engine_named("rya")


def test_a_trial_may_use_what_its_classifier_is_given(cells_of):
    cell = cells_of()[0]
    assert Terms().resources_of(cell) == Resources(cpus=1, gpus=0)
    assert Terms({"svm": Resources(cpus=2)}).resources_of(cell) == Resources(cpus=2)
    assert Terms({"cnn": Resources(cpus=2)}).resources_of(cell) == Resources(cpus=1)
