"""Metrics beyond those of the records: of finished cells, without running one again."""

import csv
import shutil
import sys
from inspect import signature
from pathlib import Path

import made_up
import numpy as np
import pytest
import yaml
from imblearn.metrics import geometric_mean_score
from pydantic import ValidationError
from sklearn import metrics as sklearn

from raygrid.cells import expand
from raygrid.errors import StoreError, UsageError
from raygrid.gridfile.faults import load_grid
from raygrid.gridfile.schema import Grid
from raygrid.metrics.confusion import METRICS
from raygrid.metrics.further import FURTHER, takes_scores
from raygrid.report.further import with_further
from raygrid.storage.store import Store

OWN = '''\
"""Metrics of a user's own."""


def hits(y_true, y_pred):
    return (y_true == y_pred).sum()


def surely_right(y_true, y_pred, *, scores):
    return scores[range(len(y_true)), y_true].mean()


def never(y_true, y_pred):
    return float("nan")


def fails(y_true, y_pred):
    return {"a": 1}["b"]


def merges_classes_in_place(y_true, y_pred):
    y_pred[y_pred == 9] = 0
    return (y_true == y_pred).mean()


def f1_macro(y_true, y_pred):
    return 0.0


constant = 1.0
'''


@pytest.fixture
def own(tmp_path, monkeypatch):
    """Put a module on Python's path, and return its name."""
    name = f"own_{tmp_path.name}"  # Python imports a name once
    folder = tmp_path / "python"
    folder.mkdir()
    (folder / f"{name}.py").write_text(OWN)
    monkeypatch.syspath_prepend(folder)
    return name


@pytest.fixture(scope="module")
def finished_once(tmp_path_factory):
    return tmp_path_factory.mktemp("finished") / "store"


@pytest.fixture
def finished(finished_once, raygrid, grid_file, tmp_path):
    """A copy of the store of the tiny grid, run to its end with the metrics of the paper alone."""
    if not finished_once.exists():
        assert raygrid("run", grid_file(), "--store", finished_once, "--engine", "inline")[0] == 0
    return Path(shutil.copytree(finished_once, tmp_path / "store"))


def lines(path: Path) -> list[dict[str, str]]:
    with path.open() as file:
        return list(csv.DictReader(file))


def values(store: Path, raygrid, grid: Path) -> dict[tuple[str, ...], float]:
    """Return every metric of every cell, by metric, IR, fold and resampler, as a report has them."""
    code, _, err = raygrid("report", grid, "--store", store, "--rows", "ir,fold", "--columns", "resampler")
    assert (code, err) == (0, "")
    found = lines(store / "report" / "pivot.csv")
    return {
        (line["metric"], line["imbalance_ratio"], line["fold"], line["resampler"]): float(line["value"] or "nan")
        for line in found
    }


def place(cell) -> tuple[str, ...]:
    levels = cell.levels()
    return levels["imbalance"], levels["fold"], levels["resampler"]


def with_scores(store: Path, target: Path, cells) -> dict[str, np.ndarray]:
    """Copy these cells to another store, their predictions with scores; return the scores, by key."""
    rng, given = np.random.default_rng(0), {}
    source, copy = Store(store), Store(target)
    copy.prepare()
    for cell in cells:
        kept = source.predictions(cell.key)
        scores = rng.random((len(kept["y_true"]), 10)) + np.eye(10)[kept["y_pred"]]
        given[cell.key] = (scores / scores.sum(axis=1, keepdims=True)).astype(np.float32)
        copy.write(source.record(cell.key), kept | {"scores": given[cell.key]})
    return given


# By their own names, called as anyone would call them.
EXPECTED = {
    "accuracy": sklearn.accuracy_score,
    "balanced_accuracy": sklearn.balanced_accuracy_score,
    "f1_macro": lambda t, p: sklearn.f1_score(t, p, average="macro", zero_division=0),
    "f1_weighted": lambda t, p: sklearn.f1_score(t, p, average="weighted", zero_division=0),
    "precision_macro": lambda t, p: sklearn.precision_score(t, p, average="macro", zero_division=0),
    "recall_macro": lambda t, p: sklearn.recall_score(t, p, average="macro", zero_division=0),
    "jaccard_macro": lambda t, p: sklearn.jaccard_score(t, p, average="macro", zero_division=0),
    "cohen_kappa_score": sklearn.cohen_kappa_score,
    "matthews_corrcoef": sklearn.matthews_corrcoef,
    "geometric_mean_score": geometric_mean_score,
}
OF_SCORES = {
    "roc_auc_ovr": lambda t, s: sklearn.roc_auc_score(t, s, multi_class="ovr", average="macro"),
    "average_precision": lambda t, s: sklearn.average_precision_score(t, s, average="macro"),
}


def test_every_metric_has_its_test():
    assert [name for name in FURTHER if not takes_scores(FURTHER[name])] == list(EXPECTED)
    assert [name for name in FURTHER if takes_scores(FURTHER[name])] == list(OF_SCORES)
    assert all(list(signature(metric).parameters)[:2] == ["y_true", "y_pred"] for metric in FURTHER.values())


def test_metrics_are_those_of_the_kept_predictions(raygrid, grid_file, finished):
    grid = grid_file(metrics=["AvAcc", *EXPECTED])
    found = values(finished, raygrid, grid)
    cells = expand(load_grid(grid))
    assert len(found) == len(cells) * (1 + len(EXPECTED))
    for cell in cells:
        kept = Store(finished).predictions(cell.key)
        for name, metric in EXPECTED.items():
            assert found[name, *place(cell)] == pytest.approx(metric(kept["y_true"], kept["y_pred"])), name
        assert found["AvAcc", *place(cell)] == found["balanced_accuracy", *place(cell)]


def test_a_report_shows_a_metric_everywhere_and_runs_nothing(raygrid, grid_file, finished, own):
    kept = {path: path.read_bytes() for folder in ("records", "predictions") for path in (finished / folder).iterdir()}
    grid = grid_file(metrics=["AvAcc", "f1_macro", f"{own}:hits"], folds=1)
    code, out, err = raygrid("report", grid, "--store", finished)
    assert (code, err) == (0, "")
    assert kept == {path: path.read_bytes() for path in kept}
    report = finished / "report"
    for name in ("table1.csv", "table2.tex", "statistics.csv", "index.html"):
        text = (report / name).read_text()
        assert "f1" in text and "hits" in text and "MAvG" not in text, name
    assert {path.name for path in (report / "figures").glob("ir-*.svg")} == {
        "ir-AvAcc.svg",
        "ir-f1_macro.svg",
        "ir-hits.svg",
    }
    assert "f1_macro" in out


def test_a_pivot_knows_the_metrics_of_the_grid_by_their_headings(raygrid, grid_file, finished, own):
    grid = grid_file(metrics=["AvAcc", f"{own}:fails", f"{own}:hits"])  # what is not asked for is not computed
    asked = ("report", grid, "--store", finished, "--rows", "ir")
    assert raygrid(*asked, "--metric", "hits")[0] == 0
    [*found] = lines(finished / "report" / "pivot.csv")
    assert {line["metric"] for line in found} == {"hits"}
    code, _, err = raygrid(*asked, "--metric", "hit")
    assert (code, err) == (2, "--metric: got 'hit'; expected one of AvAcc, fails, hits; did you mean 'hits'?\n")


def test_metrics_of_scores(raygrid, grid_file, finished, own, tmp_path):
    grid = grid_file(metrics=[*OF_SCORES, f"{own}:surely_right", f"{own}:hits"])
    cells, store = expand(load_grid(grid)), tmp_path / "with scores"
    scores = with_scores(finished, store, cells)
    found = values(store, raygrid, grid)
    for cell in cells:
        kept = Store(finished).predictions(cell.key)
        for name, metric in OF_SCORES.items():
            assert found[name, *place(cell)] == pytest.approx(metric(kept["y_true"], scores[cell.key])), name
        assert found["hits", *place(cell)] == (kept["y_true"] == kept["y_pred"]).sum()
        surely = np.mean([row[label] for row, label in zip(scores[cell.key], kept["y_true"], strict=True)])
        assert found["surely_right", *place(cell)] == pytest.approx(surely)


def test_scores_need_be_no_probabilities_and_two_classes_are_as_many():
    y_true, scores = np.array([0, 0, 1, 1]), np.array([[0.1, -2.0], [-0.4, 3.0], [-1.0, 1.0], [-5.0, 7.0]])
    # By the first column all pairs of a sample of its class and one of the other are in order, by the second 3 of 4.
    assert FURTHER["roc_auc_ovr"](y_true, y_true, scores=scores) == 7 / 8
    assert np.isnan(FURTHER["roc_auc_ovr"](y_true, y_true, scores=np.full((4, 2), np.nan)))


def test_cells_without_scores_are_a_dash_with_a_footnote(raygrid, grid_file, finished, tmp_path):
    grid = grid_file(metrics=["roc_auc_ovr", "AvAcc"])
    cells, store = expand(load_grid(grid)), tmp_path / "with scores"
    with_scores(finished, store, [cell for cell in cells if cell.resampler.name == "none"])
    code, out, err = raygrid("report", grid, "--store", store, "--store", finished)
    assert (code, err) == (0, "")
    assert "of 4 cells: 4 without scores" in out
    found = {(line["metric"], line["resampler"]): line for line in lines(store / "report" / "table1.csv")}
    assert {at: (bool(line["value"]), line["note"]) for at, line in found.items()} == {
        ("roc_auc_ovr", "none"): (True, ""),
        ("roc_auc_ovr", "smote"): (False, "of 4 cells: 4 without scores"),
        ("AvAcc", "none"): (True, ""),
        ("AvAcc", "smote"): (True, ""),
    }
    page = (store / "report" / "index.html").read_text()
    assert "All 8 cells of the grid are done." in page and "without scores" in page


def test_a_metric_that_is_not_defined_is_a_dash(raygrid, grid_file, finished, own):
    grid = grid_file(metrics=["AvAcc", f"{own}:never"])
    assert raygrid("report", grid, "--store", finished, "--rows", "ir")[0] == 0
    found = {(line["metric"], line["note"]) for line in lines(finished / "report" / "pivot.csv")}
    assert found == {("AvAcc", ""), ("never", "of 2 cells: 2 undefined")}


@pytest.mark.parametrize(
    ("metric", "reason", "code"),
    [
        ("fails", "KeyError: 'b'", '    return {"a": 1}["b"]'),
        ("merges_classes_in_place", "ValueError: assignment destination is read-only", "    y_pred[y_pred == 9] = 0"),
    ],
)
def test_a_metric_that_fails_is_one_line_with_the_cell(
    raygrid, grid_file, finished, own, tmp_path, metric, reason, code
):
    grid = grid_file(metrics=[f"{own}:{metric}"])
    exit_code, out, err = raygrid("report", grid, "--store", finished)
    cell = expand(load_grid(grid))[0]
    assert (exit_code, out) == (2, "")
    where = f"{tmp_path}/python/{own}.py, line {OWN.splitlines().index(code) + 1}"
    assert err == f"metrics: {own}:{metric}: cell {cell.key} ({cell}): {reason} ({where}); mend the metric\n"


@pytest.mark.parametrize("given", [None, "0.5", np.ones(999), float("inf")])
def test_a_metric_gives_a_number(monkeypatch, given):
    monkeypatch.setitem(FURTHER, "odd", lambda y_true, y_pred: given)
    study = made_up.study(datasets=["mnist"], folds=1)
    with pytest.raises(
        UsageError, match=r"metrics: odd: cell .*\): TypeError: got .{3,40}; expected a number; mend the metric$"
    ):
        with_further(study.cells, study.records, ["odd"], lambda key: {})


def test_only_the_metrics_of_the_grid_change_a_record():
    study = made_up.unfinished(datasets=["mnist"], folds=1)
    assert with_further(study.cells, study.records, list(METRICS), lambda key: {}) is study.records
    more = with_further(study.cells, study.records, ["AvAcc", "accuracy", "roc_auc_ovr"], lambda key: {})
    for key, record in study.records.items():
        added = {"accuracy": more[key].metrics["accuracy"]} if record.status == "done" else {}
        assert more[key] == record.model_copy(update={"metrics": record.metrics | added})


@pytest.mark.parametrize(
    ("metric", "fault"),
    [
        ("OWN:hit", "OWN:hit: got 'hit'; expected one of "),
        ("OWN:constant", "got 'OWN:constant', which is no function; expected metric(y_true, y_pred)"),
        ("builtins:max", "got 'builtins:max', which is no function; expected metric(y_true, y_pred)"),
        ("OWN:f1_macro", "got 'OWN:f1_macro', but f1_macro is another metric; give the function a name of its own"),
        ("no_such_package.here:hits", "got 'no_such_package.here:hits'; no module can be imported from "),
        ("OWN.hits", "got 'OWN.hits'; expected one of AvAcc, CBA, MAvG, accuracy, "),
        ("f1", "; did you mean 'f1_macro' or 'f1_weighted'?"),
        ("Precision", "; did you mean 'precision_macro'?"),
        ("f1-macro", "average_precision, module:function; did you mean 'f1_macro'?"),
    ],
)
def test_a_metric_that_is_not_there_is_one_line(raygrid, grid_file, own, tmp_path, metric, fault):
    grid = grid_file(metrics=["AvAcc", metric.replace("OWN", own)])
    code, out, err = raygrid("plan", grid, "--store", tmp_path / "store")
    assert (code, out, err.count("\n")) == (2, "", 1)
    assert ": metrics[1]: " in err and fault.replace("OWN", own) in err


def test_two_metrics_may_not_be_called_alike(raygrid, grid_file, own, tmp_path):
    (tmp_path / "python" / f"{own}_again.py").write_text(OWN)
    grid = grid_file(metrics=[f"{own}:hits", f"{own}_again:hits"])
    code, _, err = raygrid("plan", grid, "--store", tmp_path / "store")
    assert code == 2
    assert err.endswith(": metrics: got two metrics that are called hits; rename one of the functions\n")


def test_a_module_beside_the_grid_file_is_found_after_those_where_python_looks(raygrid, grid_file, tmp_path):
    path = list(sys.path)
    (tmp_path / "beside_the_grid.py").write_text("def hits(y_true, y_pred):\n    return 1.0\n")
    (tmp_path / "statistics.py").write_text("raise RuntimeError")
    for module in ("beside_the_grid:hits", "statistics:mean"):
        assert raygrid("plan", grid_file(metrics=[module]), "--store", tmp_path / "store")[0] == 0
    assert sys.path == [*path, str(tmp_path)]
    sys.path[:] = path


def test_what_is_no_grid_file_of_a_command_imports_nothing(tiny):
    with pytest.raises(ValidationError, match="modules are imported only for the grid file of a command"):
        Grid.model_validate(tiny | {"metrics": ["no_such_module:metric"]})


def test_a_copy_of_a_grid_file_imports_nothing(raygrid, grid_file, finished, tmp_path):
    grid = grid_file(metrics=["AvAcc"])
    (finished / "grid.yaml").write_text(yaml.safe_dump({"metrics": ["no_such_package:metric"]}))
    assert raygrid("report", grid, "--store", finished, "--rows", "ir")[0] == 0
    assert raygrid("merge", tmp_path / "merged", finished)[0] == 0


def test_published_results_may_have_them_too_but_the_paper_claims_nothing_of_them(raygrid, grid_file, finished):
    grid = grid_file(metrics=["AvAcc", "f1_macro"])
    raygrid("report", grid, "--store", finished)
    table = finished / "report" / "table1.csv"
    code, _, err = raygrid("compare", grid, "--store", finished, "--published", table)
    assert (code, err) == (0, "")
    compared = lines(finished / "report" / "comparison_dataset.csv")
    assert {(line["metric"], line["difference"]) for line in compared} == {("AvAcc", "0.0"), ("f1_macro", "0.0")}
    claims = finished / "report" / "claims.csv"
    assert not claims.exists()  # they are the paper's
    assert raygrid("compare", grid, "--store", finished)[0] == 0
    assert "f1_macro" not in claims.read_text()


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 cut", b"no archive"])
def test_damaged_predictions_are_said(finished, content):
    store = Store(finished)
    [key, *_] = store.records()
    (finished / "predictions" / f"{key}.npz").write_bytes(content)
    with pytest.raises(
        StoreError, match=rf"predictions/{key}.npz: got no predictions \(.*\); delete it and the cell's record"
    ):
        store.predictions(key)
    assert store.predictions("0" * 16) == {}
