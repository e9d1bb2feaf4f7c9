"""What a user sees of choices: in plan, in logs, on the page, and in what is predicted to be paid for them."""

import json

import made_up
import numpy as np
import pytest

from raygrid.costs.model import CostModel
from raygrid.costs.recorded import sizes_of
from raygrid.report.choices import choices_sheet
from raygrid.storage.record import Candidate, Choice
from raygrid.storage.store import Store

SVM = {"name": "svm", "C": {"choose": [0.1, 1, 10]}}


@pytest.fixture
def arms(tiny):
    return [
        tiny["arms"][0]
        | {"classifier": SVM, "resamplers": ["none", {"name": "smote", "k_neighbors": {"choose": [3, 9]}}]}
    ]


def chosen(cell, scores, best):
    """A done record whose candidates have these means; None: it failed."""
    tried = [
        Candidate(
            parameters=cell.chosen_values(one),
            scores=[None if score is None else score - 0.1, None if score is None else score + 0.1],
            message="ValueError: got 3" if score is None else None,
        )
        for one, score in zip(cell.candidates, scores, strict=True)
    ]
    record = made_up.record(cell, np.random.default_rng(0))
    return record.model_copy(update={"choice": Choice(how="AvAcc on 2 inner folds", chosen=best, candidates=tried)})


def test_plan_counts_candidates(raygrid, grid_file, arms, tmp_path):
    code, out, _ = raygrid("plan", grid_file(arms=arms), "--store", tmp_path / "store")
    assert code == 0
    assert "choose: svm-chosen-C with none: 3 candidates, by AvAcc on 3 inner folds: 10 fits a cell\n" in out
    smote = "svm-chosen-C with smote-chosen-k_neighbors"
    assert f"choose: {smote}: 6 candidates, by AvAcc on 3 inner folds: 19 fits a cell\n" in out
    code, out, _ = raygrid("plan", grid_file(arms=arms), "--store", tmp_path / "store", "--json")
    assert list(json.loads(out)["choices"]) == ["svm-chosen-C with none", smote]


def test_logs_show_every_candidate(raygrid, grid_file, cells_of, arms, tmp_path):
    cell = cells_of(arms=arms)[0]
    store = Store(tmp_path / "store")
    store.prepare()
    store.write(chosen(cell, [0.5, 0.75, None], 1), {})
    code, out, _ = raygrid("logs", grid_file(arms=arms), cell.key[:6], "--store", store.root)
    assert code == 0
    assert (
        "chosen: C=1.0, of 3 candidates, by AvAcc on 2 inner folds\n"
        "  C=0.1: 0.5000 (0.4000, 0.6000)\n"
        "  C=1.0: 0.7500 (0.6500, 0.8500)\n"
        "  C=10.0: no score (-, -): ValueError: got 3\n"
    ) in out


def test_the_sheet_counts_how_often_each_was_chosen(cells_of, arms):
    cells = [cell for cell in cells_of(arms=arms) if cell.resampler.name == "none"]
    scores = ([0.5, 0.75, None], 1), ([0.9, 0.7, 0.6], 0), ([0.5, 0.8, 0.6], 1), ([0.4, 0.85, 0.45], 1)
    records = [chosen(cell, *given) for cell, given in zip(cells, scores, strict=True)]
    sheet = choices_sheet(made_up.results(cells, records))
    assert [row[1:] for row in sheet.rows] == [
        ("C=1.0", "3", "75%", "0.8000", "0.2833"),
        ("C=0.1", "1", "25%", "0.9000", "0.2000"),
    ]
    assert sheet.notes[1].endswith(": among 3 candidates by AvAcc on 2 inner folds; 1 candidate never.")


def test_a_study_without_choices_has_no_sheet():
    assert choices_sheet(made_up.study(folds=1)) is None


def test_a_cell_that_chooses_is_predicted_from_cells_that_do_not(cells_of, arms):
    cell = cells_of(arms=arms)[0]
    model = CostModel([], lambda _: sizes_of([10, 20], [5, 5]))
    assert model.estimate(cell) is None
    plain = made_up.record(cell.candidates[1], np.random.default_rng(0))
    model.learn(plain.model_copy(update={"measured": made_up.measured({"fit": 2.0, "predict": 1.0})}))
    estimate = model.estimate(cell)
    assert (estimate.basis, estimate.seconds) == ("per fit", pytest.approx(3.0 * 10))
    own = chosen(cell, [0.5, 0.6, 0.7], 2)
    model.learn(own.model_copy(update={"measured": made_up.measured({"choose": 6.0, "fit": 2.0})}))
    estimate = model.estimate(cell)
    assert (estimate.basis, estimate.seconds) == ("recorded", pytest.approx(8.0))
