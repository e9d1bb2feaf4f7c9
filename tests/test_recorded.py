"""A store opened alone: its records say what the cells were, where neither grid file nor data nor code are here."""

import made_up
import numpy as np
import pytest

from raygrid.cells import expand, hash_of
from raygrid.gridfile.faults import load_grid
from raygrid.gridfile.schema import Grid
from raygrid.storage.store import Store


def kept(root, grid, text="name: mine\n"):
    """A store of this grid, all of it done."""
    store, rng = Store(root), np.random.default_rng(0)
    store.prepare()
    for cell in expand(grid):
        store.write(made_up.record(cell, rng), {})
    store.write_text("grid.yaml", text)
    return store


@pytest.fixture(autouse=True)
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)


def test_tables_are_those_of_the_grid_file(raygrid, tmp_path):
    grid = tmp_path / "paper.yaml"
    grid.write_text(
        "name: mine\nseed: 2020\nfolds: 2\nimbalance: [2, {name: step, ir: 10}]\ndatasets: [digits]\narms:\n"
    )
    with grid.open("a") as file:
        file.write("- {representation: raw, classifier: svm, resamplers: [none, smote]}\n")
        file.write("- {representation: raw, classifier: {name: svm, class_weight: balanced}, resamplers: [none]}\n")
    store = kept(tmp_path / "runs" / "mine", load_grid(grid))
    for verb in ("status", "report", "compare"):
        assert raygrid(verb, store.root) == raygrid(verb, grid), verb
    code, out, _ = raygrid("report", store.root, "--only", "imbalance=step-10", "--rows", "classifier")
    assert code == 0 and "svm(class_weight=balanced)" in out


def test_files_that_are_not_here_are_not_missed(raygrid, tmp_path, tiny):
    weights = tmp_path / "my.weights.h5"
    weights.write_bytes(b"\x89HDF\r\n\x1a\n")
    np.savez(tmp_path / "mine.npz", X=np.zeros((20, 32, 32), dtype=np.uint8), y=np.arange(20) % 10)
    changes = {"datasets": [{"name": "digits", "path": str(tmp_path / "mine.npz")}]}
    changes |= {"split": {"name": "stratified_kfold", "n_splits": 2}}
    changes["arms"] = [tiny["arms"][0] | {"representation": {"name": "features", "weights": str(weights)}}]
    store = kept(tmp_path / "store", Grid.model_validate(tiny | changes))
    weights.unlink()
    (tmp_path / "mine.npz").unlink()
    assert raygrid("status", store.root) == (0, "mine: 8 cells: 8 done, 0 infeasible, 0 to do\n", "")


def test_code_of_others_is_not_imported(raygrid, tmp_path, tiny):
    store = kept(tmp_path / "store", Grid.model_validate(tiny))
    for path in (store.root / "records").iterdir():
        record = Store(store.root).record(path.stem)
        cell = record.cell | {"resampler": {"name": "Theirs", "class": "not_here:Theirs", "source": "sha256:0"}}
        path.unlink()
        if record.cell["resampler"]["name"] == "none":
            store.write(record.model_copy(update={"key": hash_of(cell), "cell": cell}), {})
    code, out, _ = raygrid("report", store.root, "--rows", "resampler")
    assert code == 0 and "Theirs" in out


def test_records_of_two_grids_are_refused(raygrid, tmp_path, tiny):
    kept(tmp_path / "store", Grid.model_validate(tiny))
    kept(tmp_path / "store", Grid.model_validate(tiny | {"seed": 7}))
    code, _, line = raygrid("report", tmp_path / "store")
    assert (code, line) == (
        2,
        f"{tmp_path / 'store'}: got records with 2 values of seed (1, 7); "
        "expected those of one grid; name its grid file, and this as --store\n",
    )


def test_records_of_another_protocol_are_left_aside(raygrid, tmp_path, tiny, monkeypatch):
    monkeypatch.setattr("raygrid.cells.PROTOCOL", 3)
    kept(tmp_path / "store", Grid.model_validate(tiny))
    monkeypatch.undo()
    monkeypatch.chdir(tmp_path)
    code, _, line = raygrid("status", tmp_path / "store")
    assert code == 2 and "got no records of this version of raygrid" in line


def test_a_run_needs_a_grid_file(raygrid, tmp_path, tiny):
    store = kept(tmp_path / "store", Grid.model_validate(tiny))
    for verb in ("run", "plan", "prepare", "doctor"):
        code, _, line = raygrid(verb, store.root)
        assert (code, line.partition(", because")[0]) == (2, f"{store.root}: got a store; expected a grid file (YAML)")
