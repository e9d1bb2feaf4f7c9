"""What a notebook uses: `raygrid.run`, `raygrid.load`, and the study that both return."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import raygrid
from raygrid.cells import expand
from raygrid.commands.job import open_job
from raygrid.errors import GridError, StoreError, UsageError

GRID = {
    "name": "small",
    "folds": 2,
    "imbalance": ["natural", 5, {"name": "step", "ir": 10}],
    "image_size": 32,
    "split": {"name": "holdout", "test": 0.5},
    "datasets": ["digits"],
    "arms": [
        {"representation": "raw", "classifier": {"name": "knn", "n_neighbors": 3}, "resamplers": ["none", "rus"]},
        {"representation": "raw", "classifier": {"name": "knn", "n_neighbors": 5}, "resamplers": ["none"]},
    ],
}
N_CELLS = 2 * 3 * 3
RESULTS = Path(__file__).parents[1] / "experiments" / "results"


@pytest.fixture(scope="module")
def study(tmp_path_factory, digits_cache):
    store = tmp_path_factory.mktemp("api") / "small"
    return raygrid.run(GRID, store=store, engine="inline", cache=digits_cache)


@pytest.fixture(scope="module")
def digits_cache(tmp_path_factory):
    return tmp_path_factory.mktemp("cache")


def test_a_grid_as_a_mapping_is_run(study):
    frame = study.to_frame()
    assert list(frame["status"].unique()) == ["done"]
    assert len(frame) == 3 * N_CELLS
    assert frame["value"].between(0, 1).all()
    assert (frame["seconds"] > 0).all()
    assert set(frame["classifier"]) == {"knn(n_neighbors=3)", "knn(n_neighbors=5)"}
    assert set(study.to_frame(["CBA"])["metric"]) == {"CBA"}


def test_what_is_run_again_is_not_computed_again(study, digits_cache):
    again = raygrid.run(GRID, store=study.store.root, engine="inline", cache=digits_cache, only="fold=0")
    assert len(again.cells) == N_CELLS // 2
    assert {key: record for key, record in study.records().items()} == again.records()
    assert len(raygrid.load(study.store.root).cells) == N_CELLS  # what was declared is the whole grid


def test_a_loaded_store_says_what_the_run_said(study, tmp_path):
    elsewhere = shutil.copytree(study.store.root, tmp_path / "elsewhere")
    loaded = raygrid.load(elsewhere)
    pd.testing.assert_frame_equal(loaded.to_frame(), study.to_frame())
    pd.testing.assert_frame_equal(loaded.table(), study.table())
    assert [str(cell) for cell in loaded.cells] == [str(cell) for cell in study.cells]
    ours, theirs = study.report().parent, loaded.report().parent
    names = {path.relative_to(ours) for path in ours.rglob("*") if path.suffix in {".csv", ".md", ".tex", ".svg"}}
    assert len(names) > 10
    assert [name for name in names if (ours / name).read_bytes() != (theirs / name).read_bytes()] == []


def test_a_table_is_means_over_folds(study):
    table, frame = study.table("imbalance", metrics=["AvAcc"]), study.to_frame(["AvAcc"])
    assert table.index.names == ["metric", "imbalance"]
    assert list(table.index.get_level_values("imbalance")) == ["natural", 5.0, "step-10"]
    cells = frame[(frame["imbalance"] == 5.0) & (frame["resampler"] == "rus")]
    assert table.loc[("AvAcc", 5.0), ("raw", "knn(n_neighbors=3)", "rus")] == pytest.approx(cells["value"].mean())


def test_what_a_table_cannot_have_is_named(study):
    with pytest.warns(UserWarning, match=r"^1 number cannot .* row, such as CBA digits rus: 3 a fold: averages"):
        assert study.table(columns="resampler", metrics=["CBA"]).columns.names == ["resampler"]
    with pytest.raises(UsageError, match="metrics: got 'AvAc'; expected one of AvAcc, CBA, MAvG"):
        study.table(metrics=["AvAc"])
    with pytest.raises(UsageError, match=r"^columns: got no axis that is not among the rows; expected at least one of"):
        study.table("resampler", columns="resampler")


def test_records_and_predictions_of_one_cell(study):
    key = study.cells[0].key
    record, predictions = study.record(key), study.predictions(key)
    confusion = np.zeros((10, 10), dtype=int)
    np.add.at(confusion, (predictions["y_true"], predictions["y_pred"]), 1)
    assert confusion.tolist() == record.confusion
    assert study.record(key[:6]) == record
    for ask in (study.record, study.predictions):
        with pytest.raises(UsageError, match=f"got 'nothing'; expected the key of one of the {N_CELLS} cells"):
            ask("nothing")


def test_a_cell_without_a_record_is_named(study, tmp_path):
    loaded = raygrid.load(shutil.copytree(study.store.root, tmp_path / "without"))
    cell = study.cells[0]
    (loaded.store.root / "records" / f"{cell.key}.json").unlink()
    with pytest.raises(UsageError, match=rf"cell: got '{cell.key}'; .*dataset=digits.* has none yet"):
        loaded.record(cell.key)


def test_a_table_that_lacks_cells_says_so():
    loaded = raygrid.load(RESULTS / "long_tail.zip")
    said = r"26 of 36 cells have no result \(26 missing\), in folds 0-2; .*missing='drop'"
    with pytest.warns(UserWarning, match=said):
        assert loaded.table().isna().all(axis=None)
    assert loaded.table(["dataset", "imbalance"], missing="drop").notna().any(axis=None)
    assert "<p>26 of 36 cells have no result" in loaded._repr_html_()


def test_what_cells_chose_is_a_column():
    chosen = raygrid.load(RESULTS / "chosen.zip").to_frame(["AvAcc"]).groupby("classifier")["chosen"]
    assert {name: set(values) for name, values in chosen} == {
        "svm": {""},
        "svm-chosen-C-gamma": {"C=10.0, gamma=scale"},
    }


def test_a_notebook_shows_the_table(study):
    assert repr(study) == f"<Study small: {N_CELLS} cells in small>"
    page = study._repr_html_()
    assert page.startswith(f"<p>small: {N_CELLS} cells: {N_CELLS} done, 0 infeasible, 0 to do</p><table")
    assert f"<td>{study.table().iloc[0, 0]:.4f}</td>" in page


def test_a_selection_of_a_loaded_store(study):
    loaded = raygrid.load(study.store.root, only=["imbalance=step-10", "resampler=none"])
    assert len(loaded.cells) == 4
    with pytest.raises(UsageError, match="expected one of none, rus"):
        raygrid.load(study.store.root, only="resampler=smote")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"datasets": ["digit"]}, r"datasets\[0\]: got 'digit'; expected one of .*; did you mean 'digits'\?"),
        ({"arm": []}, "arm: unknown key: got 'arm'"),
        ({"folds": "two"}, "folds: got 'two'; expected a whole number"),
        ({"folds": np.int64(2)}, r"grid: got int64 .*2.*; expected names, numbers, lists and mappings"),
        ({"datasets": [{"name": "x", "path": "nowhere"}]}, r"datasets\[0\].path: got 'nowhere'; expected"),
    ],
)
def test_a_wrong_mapping_is_answered_in_one_line(change, message, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(GridError, match=f"^{message}") as caught:
        raygrid.run(GRID | change, engine="inline")
    assert "\n" not in str(caught.value)
    assert not list(tmp_path.iterdir())


def test_paths_in_a_mapping_may_be_paths(tmp_path, monkeypatch):
    np.savez(tmp_path / "images.npz", x=np.zeros((4, 8, 8), np.uint8), y=np.array([0, 0, 1, 1]))
    monkeypatch.chdir(tmp_path)
    given = GRID | {"datasets": [{"name": "mine", "path": (tmp_path / "images.npz").relative_to(tmp_path)}]}
    job = open_job(given, stores=[], cache=tmp_path, only=[])
    assert job.cells[0].dataset.path == tmp_path / "images.npz"


def test_a_folder_without_what_was_declared_is_refused(tmp_path):
    with pytest.raises(StoreError, match=r"got no store; expected the store of a run, or its grid file$"):
        raygrid.load(tmp_path)
    (tmp_path / "mine.yaml").write_text("name: mine")
    with pytest.raises(StoreError, match=r"got a file; expected .* which is raygrid.load\(grid='.*mine.yaml'\) in"):
        raygrid.load(tmp_path / "mine.yaml")


@pytest.mark.parametrize(
    "damage",
    [
        lambda declared: declared | {"cells": [["0" * 16, 0, [0, 0, 9, 0, 0]]]},
        lambda declared: declared | {"cells": [["0" * 16, 0, [0, -1, 0, 0, 0]]]},
        lambda declared: declared | {"levels": {}},
        lambda declared: declared | {"cells": 3},
        lambda declared: declared | {"name": "../../elsewhere"},
        lambda declared: declared | {"cells": [["../../x", 0, [0, 0, 0, 0, 0]]]},
        lambda declared: declared | {"cells": []},
        lambda declared: [],
        lambda declared: declared | {"split": {"name": "holdout", "test": 7}},
    ],
)
def test_a_damaged_declaration_is_answered_in_one_line(study, tmp_path, damage):
    store = shutil.copytree(study.store.root, tmp_path / "damaged")
    file = store / "cells.json"
    file.write_text(json.dumps(damage(json.loads(file.read_text()))))
    with pytest.raises(StoreError, match=r"cells\.json: got no declared cells") as caught:
        raygrid.load(store)
    assert "\n" not in str(caught.value)


def test_a_store_with_code_of_its_own_is_read_without_it(tmp_path, digits_cache, monkeypatch):
    folder = tmp_path / "mine"
    folder.mkdir()
    (folder / "mine_levels.py").write_text(
        "from pathlib import Path\n"
        "from raygrid.resampling.resampler import NoResampling\n"
        "Path(__file__).with_name('imported').touch()\n"
        "class Keep(NoResampling):\n    name: str = 'keep'\n"
        "def half(y_true, y_pred):\n    return 0.5\n"
    )
    arm = {"representation": "raw", "classifier": "knn", "resamplers": ["mine_levels:Keep"]}
    monkeypatch.chdir(folder)
    given = GRID | {"arms": [arm], "metrics": ["AvAcc", "mine_levels:half"], "imbalance": ["natural"]}
    run = raygrid.run(given, store="store", engine="inline", cache=digits_cache)
    assert set(run.to_frame()["metric"]) == {"AvAcc", "half"}
    (folder / "imported").unlink()
    shutil.move(folder / "store", tmp_path / "store")
    script = "import raygrid, sys; f = raygrid.load(sys.argv[1]).to_frame(); print(*f['resampler'], *f['metric'])"
    command = [sys.executable, "-c", script, tmp_path / "store"]
    shown = subprocess.run(command, capture_output=True, text=True, check=True, cwd=folder)
    assert shown.stdout.split() == ["keep", "keep", "AvAcc", "AvAcc"]
    assert not (folder / "imported").exists()


def test_nothing_of_this_machine_is_in_what_is_declared(tmp_path, digits_cache):
    np.savez(tmp_path / "images.npz", x=np.zeros((40, 8, 8), np.uint8), y=np.arange(40) % 2)
    given = GRID | {"datasets": [{"name": "mine", "path": tmp_path / "images.npz"}]}
    job = open_job(given, stores=[tmp_path / "store"], cache=digits_cache, only=[])
    job.store.prepare()
    job.declare()
    declared = job.store.read_text("cells.json")
    assert "images.npz" in declared
    assert str(tmp_path) not in declared
    assert [cell.key for cell in raygrid.load(job.store.root).cells] == [cell.key for cell in expand(job.grid)]


def test_what_the_package_offers():
    assert set(raygrid.__all__) <= set(dir(raygrid))
    assert raygrid.Grid.model_validate(GRID).name == "small"
    with pytest.raises(AttributeError, match="no attribute 'nothing'"):
        _ = raygrid.nothing
