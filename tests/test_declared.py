"""A store opened alone: it says what was declared, where neither grid file nor data nor code are here."""

import folders
import made_up
import numpy as np
import pytest

from raygrid.commands.job import open_job


@pytest.fixture
def kept(tmp_path, monkeypatch):
    """Return a store of a grid file, all of it done."""
    monkeypatch.chdir(tmp_path)

    def made(grid):
        job, rng = open_job(grid, stores=[], cache=tmp_path, only=[]), np.random.default_rng(0)
        job.store.prepare()
        job.declare()
        for cell in job.cells:
            job.store.write(made_up.record(cell, rng), {})
        return job.store

    return made


def test_tables_are_those_of_the_grid_file(raygrid, tmp_path, kept):
    grid = tmp_path / "paper.yaml"
    grid.write_text(
        "name: mine\nseed: 2020\nfolds: 2\nimbalance: [2, {name: step, ir: 10}]\ndatasets: [digits]\narms:\n"
        "- {representation: features, classifier: {name: svm, C: {choose: [1, 10]}}, resamplers: [none]}\n"
        "- {representation: {name: features, alpha: 0.5}, classifier: {name: svm, C: {choose: [1, 5]}}, "
        "resamplers: [none]}\n"
        "- {representation: raw, classifier: svm, resamplers: [none, smote]}\n"
        "- {representation: raw, classifier: {name: svm, class_weight: balanced}, resamplers: [none]}\n"
    )
    store = kept(grid)
    for verb in ("status", "report", "compare"):
        assert raygrid(verb, store.root) == raygrid(verb, grid), verb
    code, out, _ = raygrid("report", store.root, "--only", "imbalance=step-10", "--rows", "classifier")
    assert code == 0 and "svm(class_weight=balanced)" in out


def test_files_that_are_not_here_are_not_missed(raygrid, tmp_path, tiny, kept):
    weights = tmp_path / "my.weights.h5"
    weights.write_bytes(b"\x89HDF\r\n\x1a\n")
    np.savez(tmp_path / "mine.npz", X=np.zeros((20, 32, 32), dtype=np.uint8), y=np.arange(20) % 10)
    changes = {"datasets": [{"name": "digits", "path": str(tmp_path / "mine.npz")}]}
    changes |= {"split": {"name": "stratified_kfold", "n_splits": 2}}
    trained = {"name": "finetuned", "network": {"name": "cnn", "weights": str(weights)}}
    changes["arms"] = [
        tiny["arms"][0] | {"representation": of, "resamplers": ["none"]}
        for of in ({"name": "features", "weights": str(weights)}, trained)
    ]
    store = kept(tiny | changes)
    assert str(tmp_path) not in store.read_text("cells.json")
    weights.unlink()
    (tmp_path / "mine.npz").unlink()
    assert raygrid("status", store.root) == (0, "tiny: 8 cells: 8 done, 0 infeasible, 0 to do\n", "")


@pytest.mark.parametrize("verb", ["run", "plan", "report", "status"])
def test_a_folder_of_images_is_no_store(raygrid, tmp_path, verb):
    folders.in_folder(tmp_path / "mine", folders.SOUND)
    code, _, line = raygrid(verb, tmp_path / "mine")
    assert code == 2
    assert "got a folder of images" in line
    assert line.endswith(f"write one: raygrid init {tmp_path / 'mine'}\n")


def test_a_run_needs_a_grid_file(raygrid, tiny, kept):
    store = kept(tiny)
    for verb in ("run", "plan", "prepare", "doctor"):
        code, _, line = raygrid(verb, store.root)
        assert (code, line.partition(", because")[0]) == (2, f"{store.root}: got a store; expected a grid file (YAML)")
