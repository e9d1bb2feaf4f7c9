"""Where a grid's store is, what verbs say of it, and the stores below the working directory."""

import json
import shutil

import numpy as np
import pytest
from made_up import record

from raygrid.commands.job import open_job
from raygrid.storage.packing import pack


@pytest.fixture
def run_in(grid_file, cells_of, tmp_path):
    """Write a store of the tiny grid with one record, as a run leaves it."""

    def write(place, **changes):
        job = open_job(grid_file(**changes), stores=[place], cache=tmp_path, only=[])
        job.store.prepare()
        job.declare()
        job.store.write(record(job.cells[0], np.random.default_rng(0)), {})
        return job.store

    return write


@pytest.fixture
def said(raygrid, capsys, monkeypatch):
    """Run a verb; return the lines of stderr that name stores."""

    def run(*arguments):
        lines = []
        monkeypatch.setattr("raygrid.commands.stores._err.print", lambda line, **_: lines.append(line))
        assert raygrid(*arguments)[0] == 0
        return lines

    return run


def test_a_store_is_beside_the_grid_file_whatever_the_working_directory(said, grid_file, tmp_path, monkeypatch):
    (tmp_path / "elsewhere").mkdir()
    for folder, shown in ((tmp_path, "runs/tiny"), (tmp_path / "elsewhere", str(tmp_path / "runs" / "tiny"))):
        monkeypatch.chdir(folder)
        assert said("status", grid_file()) == [f"store: {shown} (no run has written there)"]


def test_status_without_a_grid_lists_the_stores_below(raygrid, run_in, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, out, _ = raygrid("status")
    assert (code, "got no store in" in out) == (0, True)
    store = run_in(tmp_path / "a" / "runs" / "tiny")
    pack(store, tmp_path / "b.zip", with_predictions=False)
    shutil.copytree(store.root, tmp_path / "c")
    (tmp_path / "c" / "cells.json").write_text("{}")
    code, out, err = raygrid("status")
    assert (code, err.startswith(f"{tmp_path}/c/cells.json: got no declared cells")) == (0, True)
    assert [line.split()[:6] + line.split()[-1:] for line in out.splitlines() if "tiny" in line] == [
        ["tiny", "8", "1", "0", "0", "7", "a/runs/tiny"],
        ["tiny", "8", "1", "0", "0", "7", "b.zip"],
    ]
    found = json.loads(raygrid("status", "--json")[1])
    assert [(each["store"], each["done"], each["missing"]) for each in found[:2]] == [
        ("a/runs/tiny", 1, 7),
        ("b.zip", 1, 7),
    ]


def test_a_verb_without_a_grid_takes_the_one_store_below_or_names_them(raygrid, said, run_in, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, _, err = raygrid("report")
    assert (code, err.startswith("GRID|STORE: got no store in")) == (2, True)
    run_in(tmp_path / "runs" / "one")
    assert said("report", "--rows", "dataset", "--missing", "mark") == ["store: runs/one"]
    run_in(tmp_path / "runs" / "two")
    code, _, err = raygrid("open")
    assert (code, err.splitlines()[1:]) == (2, ["  runs/one", "  runs/two"])
