"""The protocol is the user's: what plan, runs and reports make of imbalance, splits, validation and lost classes."""

import json
import re
from collections import Counter
from dataclasses import replace
from pathlib import Path
from typing import Any

import made_up
import numpy as np
import pytest
import yaml
from scipy.sparse import eye_array

from raygrid import trial
from raygrid.cells import expand
from raygrid.classifiers.knn import Knn
from raygrid.datasets import DATASETS
from raygrid.gridfile.faults import load_grid
from raygrid.gridfile.schema import Grid
from raygrid.host import Runtime
from raygrid.resampling import Resampler
from raygrid.storage.checkpoint import NO_CHECKPOINT
from raygrid.storage.store import Store

LEVELS = ["natural", 10, {"name": "exponential", "ir": 100}]
SPLITS = ["official", {"name": "holdout", "test": 0.3}, {"name": "stratified_kfold", "n_splits": 2}]


class Removing(Resampler):
    """Takes classes out of the training set, as SMOTE+ENN does at times."""

    name: str = "removing"
    lost: tuple[int, ...]

    def _fit(self, X: Any, y: Any, seed: int) -> Any:
        left = ~np.isin(y, self.lost)
        return eye_array(len(y), format="csr")[left], y[left]


@pytest.fixture
def tiny(tiny):
    """The tiny grid, its levels of imbalance under the name that takes any."""
    return {key: value for key, value in tiny.items() if key != "imbalance_ratios"} | {"imbalance": [2, 10]}


@pytest.fixture
def run(tmp_path):
    """Run a cell; return its record and its predictions."""
    store = Store(tmp_path / "store")
    store.prepare()

    def ran(cell, inputs):
        record = trial.run(cell, inputs, store, runtime=Runtime(1), attempt="")
        predictions = store.root / "predictions" / f"{cell.key}.npz"
        if not predictions.exists():
            return record, {}
        with np.load(predictions, allow_pickle=False) as kept:
            return record, dict(kept)

    return ran


def computed(cell, inputs):
    """Return the fields of a cell's record, and its predictions."""
    return trial.compute(cell, inputs, trial.Clock(), NO_CHECKPOINT, Runtime(1))


def planned(raygrid, path: Path, *arguments: object) -> tuple[str, dict[str, Any]]:
    """Return what plan prints, and its JSON."""
    text, said = raygrid("plan", path, *arguments)[1], raygrid("plan", path, *arguments, "--json")[1]
    return text, json.loads(said)


def test_plan_says_what_each_level_uses_and_names_natural_where_most_is_dropped(raygrid, grid_file, tmp_path):
    text, said = planned(raygrid, grid_file(imbalance=LEVELS[:2], validation=0.25), "--store", tmp_path / "store")
    natural, harmonic = said["sizes"]
    whole = [Counter(DATASETS["digits"]().load(8, "nearest").y[index].tolist()) for index in _official()]
    assert natural["unused"] == 0 and natural["n_images"] == 1797
    assert [a + b for a, b in zip(natural["train"], natural["validation"], strict=True)] == _by_label(whole[0])
    assert natural["test"] == _by_label(whole[1])
    assert sum(harmonic["train"]) + sum(harmonic["validation"]) == sum(116 // i for i in range(1, 11))
    assert sum(harmonic["test"]) == sum(58 // i for i in range(1, 11))
    assert harmonic["unused"] == 1797 - sum(sum(harmonic[part]) for part in ("train", "validation", "test"))
    used = 1797 - harmonic["unused"]
    (warning,) = (line for line in text.splitlines() if "uses only some" in line)
    assert warning == (
        f"imbalance 10 uses only some of the images: {used} of 1797 (digits); natural uses all: `imbalance: [natural]`"
    )


def _official():
    parts = DATASETS["digits"]().load(8, "nearest").parts
    return parts["train"], parts["test"]


def _by_label(counts: Counter[int]) -> list[int]:
    return [counts[label] for label in range(10)]


def test_what_the_counts_forbid_is_infeasible_in_plan_and_a_run_says_the_same(raygrid, grid_file, tiny, tmp_path):
    arms = [tiny["arms"][0] | {"resamplers": ["none", {"name": "smote", "k_neighbors": 11}]}]
    path = grid_file(arms=arms, imbalance=LEVELS[1:], folds=1)
    store = Store(tmp_path / "store")
    _, said = planned(raygrid, path, "--store", store.root)
    assert (said["todo"], said["infeasible"]) == (1, 3)
    assert len(said["refused"]) == 2 and sum(said["refused"].values()) == 3
    assert not store.root.exists()
    assert raygrid("run", path, "--store", store.root, "--engine", "inline")[0] == 0
    records = store.records().values()
    recorded = Counter(f"digits: {record.message}" for record in records if record.status == "infeasible")
    # plan knows the name of a class as well.
    assert {re.sub(r"(class \d), '\d'", r"\1", why): n for why, n in said["refused"].items()} == recorded
    _, said = planned(raygrid, path, "--store", store.root)
    assert (said["todo"], said["infeasible"], said["done"]) == (0, 3, 1)


def test_levels_of_imbalance_can_be_chosen_and_left_out(raygrid, grid_file, tmp_path):
    exclude = [{"imbalance": "natural", "resampler": "smote"}, {"ir": 10, "fold": 1}]
    path = grid_file(imbalance=LEVELS, exclude=exclude)
    for only, n_cells in (("ir=10", 2), ("imbalance=natural", 2), ("imbalance=exponential-100", 4)):
        code, out, err = raygrid("status", path, "--store", tmp_path / "store", "--only", only)
        assert (code, err, out.split(" cells")[0]) == (0, "", f"tiny: {n_cells}"), only
    code, _, err = raygrid("status", path, "--store", tmp_path / "store", "--only", "imbalance=naturl")
    assert (code, err.count("\n")) == (2, 1)
    assert err.endswith("expected one of natural, 10, exponential-100; did you mean 'natural'?\n")


@pytest.mark.parametrize(
    ("key", "changes", "said"),
    [
        (
            "split",
            {"split": {"name": "stratified_kfold", "n_splits": 3}},
            "split: got 3 folds in turn, of 2; expected folds to be a multiple of 3, so that every sample is tested "
            "equally often; change one of them",
        ),
        (
            "validation",
            {"split": {"name": "holdout", "test": 0.3}, "validation": "official"},
            "validation: got official with split holdout, which pools all parts; write a share, e.g. 0.2",
        ),
    ],
)
def test_parts_that_do_not_fit_are_one_line_at_their_place(raygrid, grid_file, key, changes, said):
    path = grid_file(**changes)
    lines = path.read_text().splitlines()
    line = 1 + next(i for i, text in enumerate(lines) if text.startswith(f"{key}:"))
    line += isinstance(changes[key], dict)  # a mapping begins below its key
    code, out, err = raygrid("plan", path)
    assert (code, out) == (2, "")
    assert re.fullmatch(rf"{re.escape(str(path))}:{line}:\d+: {re.escape(said)}\n", err), err


def test_a_lost_class_is_scored_0_with_a_note(cells_of, inputs, run):
    cell = replace(cells_of()[0], resampler=Removing(lost=(3, 7)), classifier=Knn())
    record, predictions = run(cell, inputs)
    assert record.status == "done"
    assert record.notes == ["no training samples are left of '3', '7': recall 0"]
    recalls = [row[label] / sum(row) for label, row in enumerate(record.confusion)]
    assert (recalls[3], recalls[7], min(recalls[:3]) > 0.5) == (0, 0, True)
    assert record.metrics["AvAcc"] == pytest.approx(np.mean(recalls))
    assert predictions["scores"].shape == (len(predictions["y_true"]), 10)
    assert not predictions["scores"][:, [3, 7]].any()
    assert set(predictions["y_pred"].tolist()) == set(range(10)) - {3, 7}


def test_where_one_class_is_left_nothing_can_be_told_apart(cells_of, inputs, run):
    record, predictions = run(replace(cells_of()[0], resampler=Removing(lost=tuple(range(1, 10)))), inputs)
    assert (record.status, predictions) == ("infeasible", {})
    assert record.message == "got training samples of 1 class after resampling; expected at least 2"


def test_a_validation_part_is_measured_and_is_neither_trained_on_nor_tested(cells_of, inputs, run):
    cells = {cell.key: cell for cell in cells_of(validation=0.25) if cell.resampler.name == "none"}
    cell = next(iter(cells.values()))
    record, predictions = run(cell, inputs)
    assert list(record.validation) == list(record.metrics)
    assert 0.5 < record.validation["AvAcc"] < 1
    counts, fold = record.class_counts, trial.fold_of(cell, inputs)
    assert counts["train"] == counts["resampled"] == np.bincount(inputs.y[fold.train]).tolist()
    assert counts["validation"] == np.bincount(inputs.y[fold.validation]).tolist()
    assert predictions["test_index"].tolist() == fold.test.tolist()
    together = np.concatenate([fold.train, fold.validation, fold.test])
    assert len(set(together.tolist())) == len(together)
    without, _ = run(replace(cell, validation=None), inputs)
    assert (without.validation, "validation" in without.class_counts) == ({}, False)
    assert without.class_counts["train"] == np.add(counts["train"], counts["validation"]).tolist()


@pytest.mark.parametrize("split", SPLITS, ids=str)
def test_nothing_of_the_test_part_is_read_in_training(cells_of, inputs, split):
    """Test samples in another order are predicted as before, each by itself, and so are the validation samples."""
    cell = next(cell for cell in cells_of(split=split, validation=0.2) if cell.resampler.name == "smote")
    fold = trial.fold_of(cell, inputs)
    other, X = np.random.default_rng(0).permutation(fold.test), inputs.X.copy()
    X[fold.test] = X[other]
    permuted = replace(inputs, X=X, key=f"permuted-{cell.key}")
    (fields, first), (others, second) = (computed(cell, one) for one in (inputs, permuted))
    place = {index: i for i, index in enumerate(fold.test.tolist())}
    moved = [place[index] for index in other.tolist()]
    assert second["y_pred"].tolist() == first["y_pred"][moved].tolist()
    assert others["validation"] == fields["validation"]


def test_the_labels_of_the_test_part_change_no_prediction(cells_of, inputs):
    imbalance = [{"name": "harmonic", "ir": 10, "test": "natural"}]
    cell = next(cell for cell in cells_of(imbalance=imbalance) if cell.resampler.name == "smote")
    y, test = inputs.y.copy(), inputs.parts["test"]
    y[test] = np.random.default_rng(0).permutation(y[test])
    (fields, first), (permuted, second) = (
        computed(cell, one) for one in (inputs, replace(inputs, y=y, key="permuted"))
    )
    assert first["y_pred"].tolist() == second["y_pred"].tolist()
    assert permuted["metrics"]["AvAcc"] < 0.3 < fields["metrics"]["AvAcc"]


def test_a_report_of_levels_of_every_kind(raygrid, tmp_path):
    arms = [{"representation": "features", "classifier": "svm", "resamplers": ["none", "smote", "iht"]}]
    declared = {"name": "kinds", "folds": 3, "datasets": ["mnist", "stl10"], "imbalance": [*LEVELS, 2], "arms": arms}
    path, store, rng = tmp_path / "kinds.yaml", Store(tmp_path / "store"), np.random.default_rng(0)
    path.write_text(yaml.safe_dump(declared))
    store.prepare()
    for cell in expand(Grid.model_validate(declared)):
        store.write(made_up.record(cell, rng), {})
    code, out, err = raygrid("report", path, "--store", store.root)
    assert (code, err) == (0, "")
    assert "averaged over imbalance natural, 2, 10, exponential-100" in " ".join(out.split())
    table = (store.root / "report" / "table2.csv").read_text()
    levels = list(dict.fromkeys(line.split(",")[1] for line in table.splitlines()[1:]))
    assert levels == ["natural", "2", "10", "exponential-100"]
    page = (store.root / "report" / "index.html").read_text()
    assert all(level in page for level in ("natural", "exponential-100"))
    assert len([*(store.root / "report" / "figures").glob("*.svg")]) > 4


OWN = """
from raygrid.imbalance import Profile
from raygrid.splits import Split
import numpy as np

class Halves(Profile):
    share: float = 0.5

    def kept(self, available):
        return [int(n * self.share ** rank) for rank, n in enumerate(available)]

class Negative(Profile):
    def kept(self, available):
        return [n - 100 for n in available]

class EveryOther(Split):
    def parts(self, data, *, fold, seed):
        places = np.empty(len(data.y), dtype=np.int64)
        for label in range(len(data.class_names)):
            members = np.flatnonzero(data.y == label)
            places[members] = np.arange(len(members))
        return {"train": np.flatnonzero(places % 2 == fold % 2), "test": np.flatnonzero(places % 2 != fold % 2)}

class Overlapping(EveryOther):
    def parts(self, data, *, fold, seed):
        return super().parts(data, fold=fold, seed=seed) | {"test": np.arange(len(data.y))}
"""


@pytest.fixture
def own(tmp_path, monkeypatch):
    """A module of the user's own, beside the grid file."""
    (tmp_path / "own_protocol.py").write_text(OWN)
    monkeypatch.chdir(tmp_path)


def test_own_profiles_and_splits_run_and_their_source_is_in_the_key(own, raygrid, grid_file, tmp_path):
    profile = {"name": "own_protocol:Halves", "share": 0.8}
    path = grid_file(imbalance=[profile], split={"name": "own_protocol:EveryOther"}, folds=1)
    assert raygrid("run", path, "--engine", "inline", "--store", tmp_path / "store", "--only", "resampler=none")[0] == 0
    (record,) = Store(tmp_path / "store").records().values()
    in_order = [record.class_counts["train"][label] for label in record.class_order]
    assert in_order == [int(in_order[0] * 0.8**rank) for rank in range(10)]
    assert record.cell["imbalance"]["name"] == "Halves" and record.cell["split"]["name"] == "EveryOther"
    assert record.key in {cell.key for cell in expand(load_grid(path))}
    assert all("source" in record.cell[part] for part in ("imbalance", "split"))


@pytest.mark.parametrize(
    ("level", "wrong"),
    [
        ("Halves", []),
        ("EveryOther", []),
        ("Negative", ["got -55 for rank 2; expected 0 to 45"]),
        ("Overlapping", ["got an index that is in two parts"]),
    ],
)
def test_raygrid_test_knows_profiles_and_splits(own, raygrid, level, wrong):
    code, out, err = raygrid("test", f"own_protocol:{level}")
    assert (code, err) == (1 if wrong else 0, "")
    assert [line.rpartition(": ")[2] for line in out.splitlines() if line.startswith("WRONG")] == wrong


def test_negative_sizes_are_a_class_of_0(own, raygrid, grid_file):
    path = grid_file(imbalance=["own_protocol:Negative"], folds=1)
    assert planned(raygrid, path)[1]["infeasible"] == 2
