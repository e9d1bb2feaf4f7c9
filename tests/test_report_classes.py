"""Recall and precision by class and group, and calibration, from records and predictions that are there."""

import csv
from io import StringIO
from math import isnan

import numpy as np
import pandas as pd
import pytest
from made_up import failed, grid, record, results, study
from sklearn.metrics import precision_score, recall_score

from raygrid.cells import expand
from raygrid.errors import UsageError
from raygrid.report.calibration import calibration_sheet, calibrations_of, calibrations_to_csv
from raygrid.report.class_content import class_content
from raygrid.report.classes import class_sheets, classes_of, classes_to_csv, group_sheet, recall_and_precision
from raygrid.report.figures.reliability import reliability
from raygrid.report.further import with_further
from raygrid.report.groups import Grouping, grouping_named

CONFUSION = np.array([[3, 1, 0], [2, 8, 0], [0, 0, 0]])
ONE_ARM = [{"representation": "features", "classifier": "linear_probe", "resamplers": ["none", "smote"]}]
SMALL = {"folds": 2, "datasets": ["mnist"], "imbalance_ratios": [2, 10], "arms": ONE_ARM}


def test_recall_and_precision_by_hand():
    recall, precision = recall_and_precision(CONFUSION)
    assert recall == pytest.approx([3 / 4, 8 / 10, np.nan], nan_ok=True)
    assert precision == pytest.approx([3 / 5, 8 / 9, 0])


def test_recall_and_precision_as_in_scikit_learn():
    rng = np.random.default_rng(0)
    confusion = rng.integers(0, 9, (6, 6))
    confusion[:, 4] = 0
    y_true, y_pred = np.divmod(np.repeat(np.arange(36), confusion.ravel()), 6)
    recall, precision = recall_and_precision(confusion)
    assert recall == pytest.approx(recall_score(y_true, y_pred, average=None, labels=range(6)))
    assert precision == pytest.approx(precision_score(y_true, y_pred, average=None, labels=range(6), zero_division=0))


@pytest.mark.parametrize(
    ("n_classes", "in_each"), [(2, (1, 0, 1)), (3, (1, 1, 1)), (5, (2, 1, 2)), (10, (3, 4, 3)), (100, (33, 34, 33))]
)
def test_thirds(n_classes, in_each):
    order = np.random.default_rng(0).permutation(n_classes)
    sizes = np.empty(n_classes, int)
    sizes[order] = np.arange(n_classes, 0, -1)
    groups = Grouping().of(sizes.tolist(), order.tolist())
    assert tuple(groups.count(group) for group in ("head", "medium", "tail")) == in_each
    assert (groups[order[0]], groups[order[-1]]) == ("head", "tail")


def test_thresholds_and_equal_classes():
    assert grouping_named("100,20").of([101, 100, 20, 19], [0, 1, 2, 3]) == ["head", "medium", "medium", "tail"]
    assert grouping_named("thirds").of([7, 7, 7], [2, 0, 1]) == [None, None, None]
    for text in ("", "100", "20,100", "a,b", "1,0"):
        with pytest.raises(UsageError, match="expected thirds, or two numbers of training samples"):
            grouping_named(text)


def three(counts, confusion, **changes):
    [cell, *_] = expand(grid(**SMALL))
    fields = {"class_names": ["a", "b", "c"], "class_order": [1, 0, 2], "confusion": confusion.tolist()}
    sizes = {"train": counts, "test": confusion.sum(axis=1).tolist()}
    return cell, record(cell, np.random.default_rng(0)).model_copy(update=fields | {"class_counts": sizes} | changes)


def test_every_class_of_a_cell():
    cell, one = three([20, 50, 5], CONFUSION + np.eye(3, dtype=int))
    found = classes_of(results([cell], [one]), Grouping())
    assert found["class"].tolist() == ["a", "b", "c"]
    assert found["rank"].tolist() == [2, 1, 3]
    assert found["group"].tolist() == ["medium", "head", "tail"]
    assert found["n_train"].tolist() == [20, 50, 5]
    assert found["recall"].tolist() == pytest.approx([4 / 5, 9 / 11, 1])
    [line, *_] = csv.DictReader(StringIO(classes_to_csv(found)))
    assert (line["imbalance_ratio"], line["class"], line["group"], float(line["recall"])) == ("2", "a", "medium", 0.8)


def test_sheets_average_over_folds_and_skip_what_is_not_done():
    cells, rng = expand(grid(**SMALL)), np.random.default_rng(0)
    records = [record(cell, rng) for cell in cells[:-1]] + [failed(cells[-1], "error", "broke")]
    classes = classes_of(results(cells, records), Grouping())
    recall, precision = class_sheets(classes)
    assert recall.head == (
        "Dataset",
        "IR",
        "Class",
        "Train",
        *(f"features · linear_probe · {n}" for n in ("Base", "SMOTE")),
    )
    assert len(recall.rows) == len(precision.rows) == 2 * 10
    assert recall.section == "classes"
    base = classes[(classes["imbalance"] == 2) & (classes["class"] == "0") & (classes["resampler"] == "none")]
    assert recall.rows[0][:3] == ("mnist", "2", "0")
    assert recall.rows[0][4] == f"{base['recall'].mean():.3f}"
    groups = group_sheet(classes, Grouping())
    tail = classes[(classes["imbalance"] == 2) & (classes["group"] == "tail") & (classes["resampler"] == "none")]
    assert groups.rows[0][5] == f"{tail.groupby('fold')['recall'].mean().mean():.3f}"
    assert [row[-1] for row in groups.rows] == ["2", "2", "2", "1"]


def probabilities(key):
    rng = np.random.default_rng(int(key[:4], 16))
    return {"y_true": rng.integers(10, size=200), "scores": rng.dirichlet(np.ones(10), 200).astype(np.float32)}


@pytest.mark.parametrize(
    "scores",
    [np.full((200, 2), 0.5), np.full((200, 12), 1 / 12), np.full(200, 0.9), np.full((200, 10), np.nan), np.eye(10)],
    ids=lambda scores: f"{scores.shape}",
)
def test_what_a_store_has_as_scores_but_is_none_is_left_out(scores):
    found = study(**SMALL)
    first = found.cells[0].key
    calibrations = calibrations_of(found, lambda key: probabilities(key) | ({"scores": scores} if key == first else {}))
    assert calibrations.loc[calibrations["ece"].isna(), "key"].tolist() == [first]
    sheet = calibration_sheet(calibrations)
    assert sorted(row[-1] for row in sheet.rows) == ["1", "2", "2", "2"]
    assert sheet.notes[-1] == "No probabilities are kept of features · linear_probe (1 of 8 cells)."
    metric = with_further(
        found.cells,
        found.records,
        ["roc_auc_ovr"],
        lambda key: (
            {"y_pred": np.arange(200), "scores": scores, **probabilities(key)}
            | ({"scores": scores} if key == first else {})
        ),
    )
    known = [metric[cell.key].metrics.get("roc_auc_ovr") for cell in found.cells]
    assert known[0] is None or isnan(known[0])
    assert all(0 < value < 1 for value in known[1:])


def test_cells_without_probabilities_are_named():
    arms = [*ONE_ARM, {"representation": "features", "classifier": "svm", "resamplers": ["none"]}]
    found = study(**SMALL | {"arms": arms})
    is_svm = {cell.key: cell.classifier.name == "svm" for cell in found.cells}
    calibrations = calibrations_of(found, lambda key: {"y_true": np.arange(3)} if is_svm[key] else probabilities(key))
    sheet = calibration_sheet(calibrations)
    assert [row[2] for row in sheet.rows] == [f"features · linear_probe · {name}" for name in ("Base", "SMOTE")] * 2
    assert [row[1] for row in sheet.rows] == ["2", "2", "10", "10"]
    assert sheet.notes[-1] == (
        "No probabilities are kept of features · svm (an svm gives them with probability: sigmoid)."
    )
    first = calibrations[(calibrations["resampler"] == "none") & (calibrations["imbalance"] == 2)]["ece"]
    assert sheet.rows[0][3] == f"{first.dropna().mean():.4f}"
    lines = list(csv.DictReader(StringIO(calibrations_to_csv(calibrations))))
    assert {line["classifier"] for line in lines if not line["ece"]} == {"svm"}
    figure = reliability(calibrations)
    assert figure.section == "classes"
    assert "Drawn from 4 cells that kept probabilities." in figure.caption
    assert len(figure.canvas.axes) == 1  # the svm has no panel


def test_a_study_without_any():
    found = study(**SMALL)
    content, files = class_content(found, lambda key: {}, Grouping())
    assert [one.title for one in content] == [
        "Recall and precision of head, medium and tail",
        "Recall of each class",
        "Precision of each class",
        "Calibration",
    ]
    assert content[-1].rows == ()
    assert set(files) == {"classes.csv", "calibration.csv"}
    assert class_content(results(found.cells, []), lambda key: {}, Grouping())[0] == []


def test_reliability_pools_folds():
    found = calibrations_of(study(**SMALL), probabilities)
    axes, *_ = reliability(found).canvas.axes
    lines = found[(found["imbalance"] == 10) & (found["resampler"] == "none")]["value"]
    counts = sum(one.counts for one in lines)
    drawn = counts >= 10
    hits, sure = sum(one.hits for one in lines), sum(one.confidences for one in lines)
    _, first, *_ = axes.lines
    assert first.get_xdata() == pytest.approx(sure[drawn] / counts[drawn])
    assert first.get_ydata() == pytest.approx(hits[drawn] / counts[drawn])


def test_no_number_is_made_of_nothing():
    assert isnan(calibrations_of(study(**SMALL), lambda key: {})["ece"].iloc[0])
    assert isinstance(classes_of(results([], []), Grouping()), pd.DataFrame)
