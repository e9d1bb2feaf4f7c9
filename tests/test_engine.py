"""The engines: the same records from both, and what becomes of cells and inputs that fail."""

import json
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from faulty import Observer, Raises, Sleeps, know_this_module
from made_up import statuses

from raygrid.costs.budget import Budget
from raygrid.engine import ENGINES, Terms, engine_named
from raygrid.errors import DataError, StoreError, UsageError
from raygrid.gridfile.resources import Resources
from raygrid.storage.cache import Cache
from raygrid.storage.store import Store


@pytest.fixture(autouse=True, scope="module")
def workers_know_this_module(cluster):
    know_this_module()


@pytest.fixture
def run(cluster, cache, tmp_path):
    """Run cells with one of the engines; return the store and what the observer heard."""

    def run_cells(engine: str, cells: list[Any], **terms: Any) -> tuple[Store, list[str]]:
        store, observer = Store(tmp_path / engine), Observer()
        store.prepare()
        engine_named(engine)(cells, store, cache, terms=Terms(**terms), observer=observer)
        return store, observer.heard

    return run_cells


def kept(store: Store) -> dict[str, Any]:
    """Return all a store holds but what differs between two runs of a cell."""
    texts = {path.stem: json.loads(path.read_text()) for path in (store.root / "records").iterdir()}
    for text in texts.values():
        del text["measured"]
    predictions = {path.name: path.read_bytes() for path in (store.root / "predictions").iterdir()}
    return {key: json.dumps(text) for key, text in texts.items()} | predictions


@pytest.fixture
def broken_npz(tmp_path) -> Path:
    path = tmp_path / "mine.npz"
    path.write_bytes(b"hello")
    return path


def test_both_engines_keep_the_same_records_of_features(run, cells_of):
    cells = cells_of()
    (ray, heard_from_ray), (inline, heard_inline) = (run(engine, cells) for engine in ENGINES)
    assert kept(ray) == kept(inline)
    assert set(statuses(ray)) == {cell.key for cell in cells}
    assert Counter(statuses(ray).values()) == {"done": 8}
    assert heard_inline == ["started", "done"] * 8
    assert (Counter(heard_from_ray), heard_from_ray[0]) == ({"started": 8, "done": 8}, "started")


@pytest.mark.slow
def test_both_engines_keep_the_same_records_of_images(run, cells_of, image_arm):
    cells = cells_of(folds=1, imbalance_ratios=[10], arms=[image_arm | {"resamplers": ["smote"]}])
    (ray, _), (inline, _) = (run(engine, cells) for engine in ENGINES)
    assert kept(ray) == kept(inline)
    assert statuses(ray) == {cells[0].key: "done"}


@pytest.mark.slow
def test_both_engines_train_once_for_all_cells_of_a_fold(cluster, cells_of, tmp_path):
    autoencoder = {"name": "autoencoder", "code_size": 8, "epochs": 1}
    arm = {"representation": autoencoder, "classifier": "svm", "resamplers": ["none", "smote"]}
    cells, found = cells_of(folds=1, arms=[arm]), []
    for engine in ENGINES:
        store, cache, observer = Store(tmp_path / engine), Cache(tmp_path / f"{engine}-cache"), Observer()
        store.prepare()
        engine_named(engine)(cells, store, cache, terms=Terms(), observer=observer)
        assert Counter(observer.heard) == {"started": 4, "done": 4}
        assert len(list(cache.root.glob("computed/trained-*"))) == 2  # one an IR
        found.append(kept(store))
    assert found[0] == found[1]


@pytest.mark.parametrize("engine", ENGINES)
def test_a_broken_data_set_is_the_users_mistake_in_one_line(run, cells_of, broken_npz, engine):
    cells = cells_of(datasets=["digits", {"name": "mine", "path": str(broken_npz)}])
    with pytest.raises(DataError) as refused:
        run(engine, cells)
    assert str(refused.value) == f"mine: {broken_npz}: got no complete .npz file; get it anew"
    assert type(refused.value) is DataError


@pytest.mark.parametrize("engine", ENGINES)
def test_a_cell_that_fails_leaves_a_record_and_the_others_are_done(run, cells_of, capsys, engine):
    good, other = [cell for cell in cells_of(folds=1) if cell.resampler.name == "none"]
    bad = replace(good, resampler=Raises())
    store, heard = run(engine, [bad, good, other])
    assert statuses(store) == {bad.key: "error", good.key: "done", other.key: "done"}
    assert Counter(heard) == {"started": 3, "done": 2, "error": 1}
    failed = store.record(bad.key)
    assert failed.message == "ValueError: got 3; expected 4"
    assert failed.traceback.startswith("Traceback (most recent call last):\n")
    # Only the inline engine, meant for debugging, shows it as well.
    assert capsys.readouterr().err == (f"{bad}\n{failed.traceback}\n" if engine == "inline" else "")


@pytest.mark.parametrize("engine", [pytest.param("ray", marks=pytest.mark.slow), "inline"])
def test_a_store_that_cannot_be_written_is_the_users_mistake(cluster, cells_of, cache, tmp_path, engine):
    cells, observer = cells_of(), Observer()
    with pytest.raises(StoreError) as refused:
        engine_named(engine)(cells, Store(tmp_path / "nowhere"), cache, terms=Terms(), observer=observer)
    assert observer.heard.count("started") < len(cells)  # the first is enough to stop at, and is not tried again
    assert str(refused.value).startswith(f"{tmp_path}/nowhere: No such file or directory (")
    assert "\n" not in str(refused.value)


def test_an_unknown_engine_is_refused():
    with pytest.raises(UsageError, match=r"^--engine: got 'rya'; expected one of ray, inline; did you mean 'ray'\?$"):
        engine_named("rya")


def test_a_trial_may_use_what_its_classifier_is_given(cells_of):
    cell = cells_of()[0]
    assert Terms().share(cell) == Resources(cpus=1, gpus=0)
    assert Terms({"svm": Resources(cpus=2)}).share(cell) == Resources(cpus=2)
    assert Terms({"cnn": Resources(cpus=2)}).share(cell) == Resources(cpus=1)


@pytest.mark.parametrize("engine", ENGINES)
def test_a_record_that_is_final_is_not_computed_again(run, cells_of, engine):
    cells = cells_of(folds=1)
    store, _ = run(engine, cells[:2])
    before = kept(store) | {path.name: path.stat().st_mtime_ns for path in (store.root / "records").iterdir()}
    store, heard = run(engine, cells)
    after = kept(store) | {path.name: path.stat().st_mtime_ns for path in (store.root / "records").iterdir()}
    assert {name: after[name] for name in before} == before
    assert Counter(heard) == {"started": 4, "done": 4}


@pytest.mark.parametrize("engine", ENGINES)
def test_an_exhausted_budget_ends_the_run_and_keeps_what_is_done(run, cells_of, tmp_path, engine):
    records = tmp_path / engine / "records"
    an_hour_a_record = Budget(max_hours=3, clock=lambda: 3600 * len(list(records.glob("*.json"))))
    cells = [replace(cell, resampler=Sleeps()) for cell in cells_of(folds=20) if cell.resampler.name == "none"]
    store, heard = run(engine, cells, budget=an_hour_a_record)
    assert 3 <= len(store.records()) < 40
    assert set(heard) == {"started", "done"}
