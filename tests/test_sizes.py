"""What a plan says of the images that each level keeps, and of what the sizes of the classes forbid."""

import json
import re
from dataclasses import replace

import numpy as np
import pytest

from raygrid.cells import by_stratum, labels_on, names_on
from raygrid.commands.job import open_job
from raygrid.commands.sizes import Folds
from raygrid.folds import fold_of
from raygrid.images import load_labels
from raygrid.wording import ranges

STEPS = [{"name": "step", "ir": 10}, {"name": "step", "ir": 10, "minority": 0.2}]
SMOTE_OF_MANY = {"name": "smote", "k_neighbors": 11}  # at IR 10 the smallest class of digits has 11 samples


def test_a_plan_tells_levels_of_one_name_apart_and_what_sizes_forbid(raygrid, grid_file, tiny, tmp_path):
    del tiny["imbalance_ratios"]
    tiny["arms"][0]["resamplers"] = ["none", SMOTE_OF_MANY]
    code, out, _ = raygrid("plan", grid_file(imbalance=STEPS), "--store", tmp_path / "store", "--json")
    said = json.loads(out)
    assert code == 0
    assert [(each["imbalance"], sorted(each["train"])[4]) for each in said["sizes"]] == [
        ("step-10(minority=0.5)", 11),
        ("step-10(minority=0.2)", 116),
    ]
    assert {line["imbalance"] for line in said["strata"]} == {each["imbalance"] for each in said["sizes"]}
    assert said["infeasible"] == sum(said["refused"].values()) == 4
    expected = r"digits: smote: got 11 samples of class (\d), '\1'; expected at least 12 \(k_neighbors \+ 1\)"
    assert all(re.fullmatch(expected, why) for why in said["refused"])


def levels_of(out, axis):
    """Return the rows that a plan's first table has of an axis, as lists of words."""
    rows = [[word for word in line.split("│")[1:-1]] for line in out.splitlines() if line.startswith("│")]
    names = [row[0].strip() for row in rows]
    first = names.index(axis)
    n_more = next((i for i, name in enumerate(names[first + 1 :]) if name), len(names) - first - 1)
    return [[word.strip() for word in row[1:]] for row in rows[first : first + 1 + n_more]]


def test_a_plan_tells_folds_that_count_alike_as_one(raygrid, grid_file, tmp_path):
    grid, store = grid_file(folds=5000), tmp_path / "store"
    assert levels_of(raygrid("plan", grid, "--store", store)[1], "fold") == [["0-4999 each", "4", "0", "0", "4"]]
    only = raygrid("plan", grid, "--store", store, "--only", "fold=2,3,7")[1]
    assert levels_of(only, "fold") == [["2-3 each", "4", "0", "0", "4"], ["7", "4", "0", "0", "4"]]


def test_a_plan_shows_the_first_levels_of_an_axis_and_counts_the_others(raygrid, grid_file, tiny, tmp_path):
    del tiny["imbalance_ratios"]
    grid = grid_file(imbalance=[1 + i / 10 for i in range(30)])
    shown = levels_of(raygrid("plan", grid, "--store", tmp_path / "store")[1], "imbalance")
    assert [shown[0][0], shown[19][0]] == ["1", "2.9"]
    assert shown[20:] == [["and 10 more", "40", "0", "0", "40"]]
    assert len(json.loads(raygrid("plan", grid, "--store", tmp_path / "store", "--json")[1])["sizes"]) == 30


def test_whole_numbers_in_a_row_are_a_range():
    assert ranges(["0", "1", "2", "5", "none", "7", "8"]) == ["0-2", "5", "none", "7-8"]


SPLITS = {
    "official": {},
    "holdout": {"split": {"name": "holdout", "test": 0.37}},
    "k-fold": {"split": {"name": "stratified_kfold", "n_splits": 3}, "validation": 0.21},
}
PROFILES = [{"name": "harmonic", "ir": 7}, {"name": "step", "ir": 3, "test": "balanced"}, "natural"]


@pytest.mark.parametrize("changes", SPLITS.values(), ids=SPLITS)
def test_sizes_without_samples_are_those_of_the_folds(grid_file, cache, tiny, tmp_path, changes):
    """Of each class, but for which class has which size: that is another in each fold."""
    del tiny["imbalance_ratios"]
    grid = grid_file(imbalance=PROFILES, folds=6, **changes)
    job = open_job(grid, stores=[tmp_path / "store"], cache=cache.root, only=["resampler=none"])
    folds = Folds(job, read=True)
    for cell in job.cells:
        labels = load_labels(cell, job.cache)
        fold, known = fold_of(cell, labels), folds.of(cell)
        for part in ("train", "validation", "test"):
            drawn = np.bincount(labels.y[getattr(fold, part)], minlength=10)
            assert sorted(getattr(known, part) or [0] * 10) == sorted(drawn.tolist())


def test_levels_are_counted_and_cells_grouped_by_what_they_are(cells_of):
    cells = cells_of()
    copies = [replace(cell, resampler=cell.resampler.model_copy()) for cell in cells]
    assert by_stratum([*cells, *copies]).keys() == by_stratum(cells).keys()
    assert sum(map(len, by_stratum([*cells, *copies]).values())) == 2 * len(cells)
    names = labels_on("resampler", cells)
    assert names_on("resampler", [*cells, *copies], names) == 2 * names_on("resampler", cells, names)
    assert names_on("resampler", copies, names) == [names[cell.resampler] for cell in cells]
