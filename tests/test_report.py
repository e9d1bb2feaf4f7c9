"""The report: numbers by hand, what happens to cells that are not done, and the four text forms."""

import re
import shutil
import subprocess
import sys
from io import StringIO
from math import isnan, nan
from typing import Any

import made_up
import pandas as pd
import pytest
from rich.console import Console

from raygrid.classifiers.cnn import Cnn
from raygrid.errors import UsageError
from raygrid.level import labels
from raygrid.report.compare import values_of
from raygrid.report.frame import frame_of, places_of
from raygrid.report.latex import to_latex
from raygrid.report.numbers import Number
from raygrid.report.render import to_csv, to_markdown
from raygrid.report.tables import Row, Table, table
from raygrid.report.terminal import to_terminal

PLACE = {
    "metric": "AvAcc",
    "dataset": "mnist",
    "imbalance": 2.0,
    "fold": 0,
    "representation": "image",
    "classifier": "cnn",
    "resampler": "none",
    "lost": False,
}
SVM = {"representation": "features", "classifier": "svm"}
ARMS = [
    *(("image", "cnn", name) for name in ("none", "ros", "rus", "smote", "smote_enn", "iht")),
    *(("features", "svm", name) for name in ("none", "smote", "smote_enn", "iht")),
]


def cell(result: float | str, **place: Any) -> dict[str, Any]:
    """A line of the frame: a value if the cell is done, else its status."""
    done = not isinstance(result, str)
    return PLACE | place | {"status": "done" if done else result, "value": result if done else nan}


def frame(*cells: dict[str, Any]) -> pd.DataFrame:
    return pd.DataFrame(list(cells))


def by_fold(**columns: list[float | str]) -> pd.DataFrame:
    """One result a fold of each resampler."""
    return frame(*(cell(x, fold=i, resampler=name) for name, xs in columns.items() for i, x in enumerate(xs)))


def test_a_number_says_how_many_of_its_cells_lost_a_class_and_may_still_be_the_best() -> None:
    lost = [cell(0.9, resampler="iht", fold=fold, lost=fold > 0) for fold in range(3)]
    found = table(frame(cell(0.5), *lost), rows="dataset")
    none, iht = found.rows[0].numbers
    assert (none.note, none.best, iht.note, iht.best) == ("", False, "2 of 3 cells lost a class, scored 0", True)
    assert "2 of 3 cells lost a class, scored 0" in to_markdown(found)


NUMBERS = [
    ("one cell has no spread", [cell(0.5)], (0.5, nan, 1, 1)),
    ("mean over folds", [cell(0.5), cell(0.7, fold=1)], (0.6, 0.2 / 2**0.5, 2, 2)),
    (
        "the averaged axis comes first: the spread is of 0.6 and 0.8, not of four cells",
        [cell(0.5), cell(0.7, imbalance=5.0), cell(0.9, fold=1), cell(0.7, imbalance=5.0, fold=1)],
        (0.7, 0.2 / 2**0.5, 2, 4),
    ),
    (
        "a fold weighs one however many cells it has: (0.5 + 0.8) / 2",
        [cell(0.5), cell(0.7, fold=1), cell(0.9, imbalance=5.0, fold=1)],
        (0.65, 0.3 / 2**0.5, 2, 3),
    ),
]


@pytest.mark.parametrize(("cells", "expected"), [c[1:] for c in NUMBERS], ids=[c[0] for c in NUMBERS])
def test_number(cells: list[dict[str, Any]], expected: tuple[float, float, int, int]) -> None:
    [row] = table(frame(*cells), rows="dataset").rows
    [number] = row.numbers
    value, spread, *counts = expected
    assert number.value == pytest.approx(value, abs=1e-15)
    assert number.spread == pytest.approx(spread, abs=1e-15, nan_ok=True)
    assert [number.n_folds, number.n_cells] == counts


def test_a_number_over_several_data_sets_has_a_standard_error_but_no_spread() -> None:
    cells = [cell(x, fold=i) for i, x in enumerate([0.5, 0.7])]
    cells += [cell(x, fold=i, dataset="stl10") for i, x in enumerate([0.1, 0.4])]
    [number] = table(frame(*cells), rows="imbalance").rows[0].numbers
    assert number.value == pytest.approx(0.425)
    assert isnan(number.spread)
    assert number.standard_error == pytest.approx((0.1**2 + 0.15**2) ** 0.5 / 2)
    assert number.in_standard_errors(0.425 - number.standard_error) == pytest.approx(1)
    assert "±" not in to_markdown(table(frame(*cells), rows="imbalance"), spread=True).split("After")[0]


def test_a_number_of_one_fold_has_no_standard_error() -> None:
    [number] = table(frame(cell(0.5)), rows="dataset").rows[0].numbers
    assert isnan(number.in_standard_errors(0.4))


def test_folds_with_different_cells_get_a_footnote() -> None:
    uneven = table(frame(cell(0.5), cell(0.7, fold=1), cell(0.9, imbalance=5.0, fold=1)), rows="dataset")
    assert uneven.rows[0].numbers[0].note == "its folds have 1 to 2 cells"


WITHOUT_ONE = "of 3 cells: 1 infeasible; without fold 1"

# Results of three folds of two resamplers -> value (None: dash), folds and note of each, note of the row.
# The columns' done values are (0.2, 0.4, 0.9) and (0.1, 0.3, 0.5).
RULES = [
    # an infeasible cell, which nothing can mend, is left out of its number
    ("refuse", [0.2, 0.4, 0.9], [0.1, "infeasible", 0.5], (0.5, 3, ""), (0.3, 2, WITHOUT_ONE), ""),
    ("mark", [0.2, 0.4, 0.9], [0.1, "infeasible", 0.5], (0.5, 3, ""), (0.3, 2, WITHOUT_ONE), ""),
    ("mark", [0.2, 0.4, 0.9], ["infeasible"] * 3, (0.5, 3, ""), (None, 0, "of 3 cells: 3 infeasible"), ""),
    ("drop", [0.2, 0.4, 0.9], ["infeasible"] * 3, (0.5, 3, ""), (None, 0, "of 3 cells: 3 infeasible"), ""),
    # or, to keep it paired, of the row
    ("drop", [0.2, 0.4, 0.9], [0.1, "infeasible", 0.5], (0.55, 2, ""), (0.3, 2, ""), "2 of 3 folds: 0, 2"),
    # marking touches one number
    ("mark", [0.2, 0.4, 0.9], [0.1, "missing", 0.5], (0.5, 3, ""), (None, 0, "of 3 cells: 1 missing"), ""),
    ("mark", [0.2, 0.4, 0.9], [0.1, 0.3, "error"], (0.5, 3, ""), (None, 0, "of 3 cells: 1 error"), ""),
    ("mark", [0.2, 0.4, 0.9], ["oom", 0.3, "oom"], (0.5, 3, ""), (None, 0, "of 3 cells: 2 oom"), ""),
    ("mark", [0.2, "timeout", 0.9], [0.1, 0.3, 0.5], (None, 0, "of 3 cells: 1 timeout"), (0.3, 3, ""), ""),
    ("mark", [0.2, "preempted", 0.9], [0.1, 0.3, 0.5], (None, 0, "of 3 cells: 1 preempted"), (0.3, 3, ""), ""),
    (
        "mark",
        [0.2, 0.4, 0.9],
        ["missing", "infeasible", "missing"],
        (0.5, 3, ""),
        (None, 0, "of 3 cells: 2 missing, 1 infeasible"),
        "",
    ),
    # dropping touches the row
    ("drop", [0.2, 0.4, 0.9], [0.1, "missing", 0.5], (0.55, 2, ""), (0.3, 2, ""), "2 of 3 folds: 0, 2"),
    ("drop", ["error", 0.4, 0.9], [0.1, "oom", 0.5], (0.9, 1, ""), (0.5, 1, ""), "1 of 3 folds: 2"),
    ("drop", [0.2, 0.4], [0.1, 0.3, 0.5], (0.3, 2, ""), (0.2, 2, ""), "2 of 3 folds: 0, 1"),
    (
        "drop",
        [0.2, 0.4, 0.9],
        ["missing", "timeout", "preempted"],
        (None, 0, ""),
        (None, 0, "of 3 cells: 1 missing, 1 preempted, 1 timeout"),
        "0 of 3 folds",
    ),
    (
        "drop",
        ["infeasible"],
        ["infeasible"],
        (None, 0, "of 1 cell: 1 infeasible"),
        (None, 0, "of 1 cell: 1 infeasible"),
        "0 of 1 fold",
    ),
    ("drop", [0.2, 0.4, 0.9], [0.1, 0.3, 0.5], (0.5, 3, ""), (0.3, 3, ""), ""),
]


@pytest.mark.parametrize(("missing", "none", "ros", "first", "second", "note"), RULES)
def test_what_is_not_done(missing: Any, none: list[Any], ros: list[Any], first: Any, second: Any, note: str) -> None:
    [row] = table(by_fold(none=none, ros=ros), rows="dataset", missing=missing).rows
    for number, (value, n_folds, expected) in zip(row.numbers, (first, second), strict=True):
        assert number.value == pytest.approx(nan if value is None else value, nan_ok=True)
        assert (number.n_folds, number.n_cells, number.note) == (n_folds, n_folds, expected)
    assert row.note == note


def test_a_dropped_fold_leaves_other_rows_alone() -> None:
    cells = [
        cell(x, fold=i, dataset=name)
        for name, xs in {"a": [0.1, 0.3], "b": ["error", 0.5]}.items()
        for i, x in enumerate(xs)
    ]
    a, b = table(frame(*cells), rows="dataset", missing="drop").rows
    assert (a.numbers[0].n_folds, a.note) == (2, "")
    assert (b.numbers[0].n_folds, b.note) == (1, "1 of 2 folds: 1")


def test_refusal_counts_cells_not_lines() -> None:
    results = [*["missing"] * 10, "error", "error", "infeasible", 0.5]
    cells = [cell(x, fold=i, metric=metric) for metric in ("AvAcc", "CBA") for i, x in enumerate(results)]
    with pytest.raises(UsageError) as refused:
        table(frame(*cells), rows="dataset")
    assert str(refused.value) == (
        "12 of 14 cells have no result (10 missing, 2 error); run the grid again, "
        "or pass --missing mark (dash them) or --missing drop (leave their folds out)"
    )


@pytest.mark.parametrize("status", ["infeasible", "without scores", "undefined"])
def test_what_no_other_run_would_mend_is_never_refused(status: str) -> None:
    cells = frame(cell(0.5), cell(status, fold=1))
    [number] = table(cells, rows="dataset").rows[0].numbers
    assert (number.value, number.n_folds) == (0.5, 1)
    assert number.note == f"of 2 cells: 1 {status}; without fold 1"
    [number] = table(cells, rows="dataset", missing="drop").rows[0].numbers
    assert (number.value, number.n_folds) == (0.5, 1)


def test_a_done_cell_without_a_value_is_not_skipped() -> None:
    study = made_up.study(datasets=["mnist"], imbalance_ratios=[2], folds=1)
    one, other, *_ = study.cells
    odd = study.records[one.key].model_copy(update={"metrics": {"AvAcc": nan}})
    records = {one.key: odd, other.key: study.records[other.key]}
    lines = frame_of(places_of([one, other], records), records, ["AvAcc", "f1_macro"])
    assert lines[["metric", "key", "status"]].to_numpy().tolist() == [
        ["AvAcc", one.key, "undefined"],
        ["f1_macro", one.key, "without scores"],
        ["AvAcc", other.key, "done"],
        ["f1_macro", other.key, "without scores"],
    ]
    assert lines["value"].isna().tolist() == [True, True, False, True]


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ({"rows": "data"}, "rows: got 'data'; expected one of dataset, imbalance, fold,"),
        ({"rows": "imbalance", "missing": "skip"}, "missing: got 'skip'; expected one of refuse, mark, drop"),
    ],
)
def test_unknown_argument(arguments: dict[str, Any], line: str) -> None:
    with pytest.raises(UsageError, match=re.escape(line)):
        table(frame(cell(0.5)), **arguments)


def test_nothing_to_tabulate() -> None:
    with pytest.raises(UsageError, match="got no cells"):
        table(frame(cell(0.5)).iloc[:0], rows="imbalance")


BEST = [
    ([0.5, 0.7, 0.6], [False, True, False]),
    ([0.70001, 0.70004, 0.69], [True, True, False]),  # both print as 0.7000
    ([0.70004, 0.70006, 0.69], [False, True, False]),  # 0.7000 and 0.7001
    ([0.0, 0.0, 0.0], [True, True, True]),
    ([0.5, "infeasible", 0.4], [True, False, False]),
    (["infeasible", "infeasible", "infeasible"], [False, False, False]),
]


@pytest.mark.parametrize(("results", "best"), BEST)
def test_best(results: list[float | str], best: list[bool]) -> None:
    [row] = table(by_fold(none=results[:1], ros=results[1:2], iht=results[2:]), rows="dataset").rows
    assert [number.best for number in row.numbers] == best


def test_orders_are_those_of_the_grid_but_metric_outermost_and_ir_ascending() -> None:
    columns = [{"resampler": "smote"}, SVM | {"resampler": "smote"}, {"resampler": "none"}, SVM | {"resampler": "iht"}]
    cells = [
        cell(0.5, dataset=dataset, imbalance=ir, metric=metric, **column)
        for dataset in ("stl10", "cifar10")
        for ir in (10.0, 2.0, 5.0)
        for column in columns
        for metric in ("MAvG", "AvAcc")
    ]
    by_dataset, by_ir = (table(frame(*cells), rows=rows) for rows in ("dataset", "imbalance"))
    assert [(row.metric, *row.levels) for row in by_dataset.rows] == [
        ("MAvG", "stl10"),
        ("MAvG", "cifar10"),
        ("AvAcc", "stl10"),
        ("AvAcc", "cifar10"),
    ]
    assert [row.levels[0] for row in by_ir.rows] == [2.0, 5.0, 10.0] * 2
    assert by_ir.columns == (
        ("image", "cnn", "smote"),
        ("image", "cnn", "none"),
        ("features", "svm", "smote"),
        ("features", "svm", "iht"),
    )
    assert by_ir.groups == [(("image", "cnn"), [0, 1]), (("features", "svm"), [2, 3])]


def test_any_axis_may_be_the_rows() -> None:
    cells = frame(cell(0.5), cell(0.6, resampler="ros"), cell(0.4, **SVM))
    by_resampler = table(cells, rows="resampler")
    assert by_resampler.columns == (("image", "cnn"), ("features", "svm"))
    assert [row.levels[0] for row in by_resampler.rows] == ["none", "ros"]
    assert [n.note for row in by_resampler.rows for n in row.numbers] == ["", "", "", "not in the grid"]
    by_one_fold = table(by_fold(none=[0.25, 0.75]), rows="fold").rows
    assert [(*row.levels, row.numbers[0].value) for row in by_one_fold] == [(0, 0.25), (1, 0.75)]


def test_a_number_may_head_a_group_of_columns() -> None:
    made = table(made_up.study(folds=2).frame, rows="dataset", columns=("imbalance", "resampler"))
    console = Console(file=StringIO(), width=200)
    console.print(to_terminal(made))
    assert [name for (name,), _ in made.groups] == ["IR 2", "IR 5", "IR 10"]
    assert "IR 10" in console.file.getvalue() and r"{c}{IR 10}" in to_latex(made)
    assert "| IR 10<br>Base |" in to_markdown(made)


def test_any_axes_may_be_the_rows_and_the_columns() -> None:
    cells = [
        cell(value, dataset=dataset, imbalance=ir, resampler=resampler)
        for value, dataset, ir, resampler in [
            (0.1, "mnist", 10.0, "none"),
            (0.2, "mnist", 2.0, "none"),
            (0.4, "mnist", 2.0, "ros"),
            (0.8, "stl10", 2.0, "none"),
        ]
    ]
    pivot = table(frame(*cells), rows=["dataset", "imbalance"], columns=["resampler"])
    assert pivot.title == "Results by dataset and IR, for representation image and classifier cnn"
    assert pivot.columns == (("none",), ("ros",))
    assert [(row.levels, [n.value for n in row.numbers if n.n_folds]) for row in pivot.rows] == [
        (("mnist", 2.0), [0.2, 0.4]),
        (("mnist", 10.0), [0.1]),
        (("stl10", 2.0), [0.8]),
    ]
    assert "| AvAcc | mnist · 2 | 0.2000 | **0.4000** |" in to_markdown(pivot)
    assert to_csv(pivot).splitlines()[:2] == [
        "metric,dataset,imbalance_ratio,resampler,value,sd_over_folds,standard_error,n_folds,n_cells,note",
        "AvAcc,mnist,2,none,0.2,,,1,1,",
    ]
    with pytest.raises(UsageError, match=re.escape("columns: got 'sampler'; expected one of dataset, imbalance")):
        table(frame(*cells), rows="dataset", columns=["sampler"])


def test_a_number_that_averages_fewer_cells_than_its_neighbours_is_marked_and_never_best() -> None:
    cells = [cell(0.4, imbalance=2.0), cell(0.6, imbalance=10.0), cell(0.9, imbalance=2.0, resampler="ros")]
    [row] = table(frame(*cells), rows="dataset").rows
    assert [(n.value, n.best, n.note) for n in row.numbers] == [
        (0.5, True, ""),
        (0.9, False, "1 a fold: averages fewer cells than others of its row, which have 2 a fold"),
    ]


INFEASIBLE = "infeasible"


def averaged(**of_each: list[float | str]) -> Table:
    """A table by data set: results of each resampler at IR 2 and 10, the same in two folds."""
    return table(
        frame(
            *(
                cell(result, imbalance=ir, fold=fold, resampler=resampler)
                for resampler, results in of_each.items()
                for ir, result in zip((2.0, 10.0), results, strict=True)
                for fold in range(2)
            )
        ),
        rows="dataset",
    )


def test_an_infeasible_level_is_left_out_of_the_number_that_lacks_it() -> None:
    [row] = averaged(none=[0.8, 0.4], smote=[0.9, INFEASIBLE], ros=[0.8, 0.3]).rows
    assert [(n.value, n.n_cells, n.best, n.is_comparable) for n in row.numbers] == [
        (pytest.approx(0.6), 4, True, True),
        (0.9, 2, False, False),  # the harder level is not in it
        (pytest.approx(0.55), 4, False, True),
    ]
    assert row.numbers[1].note == "of 4 cells: 2 infeasible; without IR 10"
    _, without = values_of(averaged(none=[0.8, 0.4], smote=[0.9, INFEASIBLE])).values()
    assert isnan(without)


def test_a_level_that_is_infeasible_for_all_leaves_a_row_whose_numbers_can_be_compared() -> None:
    [row] = averaged(none=[0.8, INFEASIBLE], smote=[0.9, INFEASIBLE]).rows
    assert [(n.value, n.n_folds, n.best) for n in row.numbers] == [(0.8, 2, False), (0.9, 2, True)]
    assert {n.note for n in row.numbers} == {"of 4 cells: 2 infeasible; without IR 10"}


def test_numbers_on_as_many_but_other_cells_are_not_compared() -> None:
    [row] = averaged(none=[0.8, INFEASIBLE], smote=[INFEASIBLE, 0.9]).rows
    assert [(n.best, n.is_comparable) for n in row.numbers] == [(True, True), (False, False)]


def test_a_failure_beside_an_infeasible_cell_is_still_a_dash() -> None:
    cells = frame(cell(0.5), cell(INFEASIBLE, fold=1), cell("error", fold=2))
    [number] = table(cells, rows="dataset", missing="mark").rows[0].numbers
    assert (number.n_folds, number.note) == (0, "of 3 cells: 1 error, 1 infeasible")


def test_a_metric_unknown_when_the_cells_ran_is_computed_from_their_confusion() -> None:
    results = made_up.study(datasets=["mnist"], folds=1)
    older = {key: r.model_copy(update={"metrics": {}}) for key, r in results.records.items()}
    assert frame_of(results.places, older, results.metrics).equals(results.frame)


def test_title_and_basis_say_what_is_averaged() -> None:
    cells = [cell(0.5, imbalance=ir, fold=fold) for ir in (10.0, 2.5) for fold in range(3)]
    assert table(frame(*cells), rows="dataset").title == "Results by dataset, averaged over IR 2.5, 10"
    assert table(frame(*cells), rows="dataset").basis == "Means over 3 folds, 6 cells a number."
    assert table(frame(*cells), rows="imbalance").title == "Results by IR, for dataset mnist"
    assert table(frame(*cells[:1]), rows="imbalance").basis == "Means over 1 fold, 1 cell a number."


def test_unequal_folds_are_said() -> None:
    unequal = table(by_fold(none=[0.1, 0.2, 0.3], ros=[0.1, 0.2]), rows="dataset")
    assert unequal.basis == "Means over 2 to 3 folds, 2 to 3 cells a number; the CSV form has the counts of each."
    none_left = table(by_fold(none=["error"]), rows="dataset", missing="mark")
    assert none_left.basis == "No number has a fold behind it."


def small() -> Table:
    """Two groups, a tie, an infeasible number, a footnote on a row, a label to escape; spreads known and not."""
    cells = [
        *(cell(x, fold=i) for i, x in enumerate([0.5, 0.75, 0.9])),
        *(cell(x, fold=i, resampler="smote_enn") for i, x in enumerate([0.5, 0.75, "missing"])),
        *(cell("infeasible", fold=i, resampler="mine_50%", **SVM) for i in range(3)),
        *(cell(0.25, dataset="stl|10", **column) for column in ({}, {"resampler": "smote_enn"})),
        cell(0.5, dataset="stl|10", resampler="mine_50%", **SVM),
    ]
    return table(frame(*cells), rows="dataset", missing="drop")


def test_values_are_plain() -> None:
    row = Row(
        "AvAcc", ("stl|10",), (Number(0.25, nan, 1, 1), Number(0.25, nan, 1, 1), Number(0.5, nan, 1, 1, best=True))
    )
    assert repr(small().rows[1]) == repr(row)  # the spreads of one fold are nan, which equals nothing


def test_csv() -> None:
    assert to_csv(small()).encode() == (
        b"metric,dataset,representation,classifier,resampler,value,sd_over_folds,standard_error,n_folds,n_cells,note\n"
        b'AvAcc,mnist,image,cnn,none,0.625,0.1767766952966369,0.125,2,2,"2 of 3 folds: 0, 1"\n'
        b'AvAcc,mnist,image,cnn,smote_enn,0.625,0.1767766952966369,0.125,2,2,"2 of 3 folds: 0, 1"\n'
        b'AvAcc,mnist,features,svm,mine_50%,,,,0,0,"2 of 3 folds: 0, 1; of 3 cells: 3 infeasible"\n'
        b"AvAcc,stl|10,image,cnn,none,0.25,,,1,1,\n"
        b"AvAcc,stl|10,image,cnn,smote_enn,0.25,,,1,1,\n"
        b"AvAcc,stl|10,features,svm,mine_50%,0.5,,,1,1,\n"
    )


def test_csv_is_not_rounded_and_prints_ir_short() -> None:
    third = table(frame(cell(1 / 3, imbalance=10.0)), rows="imbalance")
    assert to_csv(third).splitlines()[1] == "AvAcc,10,image,cnn,none,0.3333333333333333,,,1,1,"


def test_markdown() -> None:
    assert to_markdown(small()) == (
        "**Results by dataset, for IR 2**\n"
        "\n"
        "| Metric | Dataset | image · cnn<br>Base | image · cnn<br>S+ENN | features · svm<br>mine\\_50% |\n"
        "| --- | --- | ---: | ---: | ---: |\n"
        "| AvAcc | mnist<sup>a</sup> | **0.6250** | **0.6250** | —<sup>b</sup> |\n"
        "|  | stl\\|10 | 0.2500 | 0.2500 | **0.5000** |\n"
        "\n"
        "Means over 1 to 2 folds, 1 to 2 cells a number; the CSV form has the counts of each.\n"
        "\n"
        "<sup>a</sup> 2 of 3 folds: 0, 1\n"
        "\n"
        "<sup>b</sup> of 3 cells: 3 infeasible\n"
    )


def test_markdown_spread() -> None:
    text = to_markdown(small(), spread=True)
    assert "| AvAcc | mnist<sup>a</sup> | **0.6250 ±0.1768** | **0.6250 ±0.1768** | —<sup>b</sup> |" in text
    assert "|  | stl\\|10 | 0.2500 | 0.2500 | **0.5000** |" in text
    assert "After ± the sample standard deviation over the folds of one data set; numbers over several" in text


LATEX = r"""\begin{table*}
\centering
\caption{Results by dataset, for IR 2.}
\footnotesize
\setlength{\tabcolsep}{3pt}
\begin{tabular}{llrrr}
\toprule
 &  & \multicolumn{2}{c}{image $\cdot$ cnn} & \multicolumn{1}{c}{features $\cdot$ svm} \\
\cmidrule(lr){3-4} \cmidrule(lr){5-5}
Metric & Dataset & Base & S+ENN & mine\_50\% \\
\midrule
AvAcc & mnist\textsuperscript{a} & \textbf{0.6250} & \textbf{0.6250} & ---\textsuperscript{b} \\
 & stl\textbar{}10 & 0.2500 & 0.2500 & \textbf{0.5000} \\
\bottomrule
\end{tabular}

\smallskip
\begin{minipage}{\textwidth}
\footnotesize
Means over 1 to 2 folds, 1 to 2 cells a number; the CSV form has the counts of each. \\
\textsuperscript{a} 2 of 3 folds: 0, 1. \\
\textsuperscript{b} of 3 cells: 3 infeasible.
\end{minipage}
\end{table*}
"""


def test_latex() -> None:
    assert to_latex(small()) == LATEX


def test_latex_spreads_have_lines_of_their_own() -> None:
    lines = to_latex(small(), spread=True).splitlines()
    assert lines[12] == r" &  & {\scriptsize$\pm$0.1768} & {\scriptsize$\pm$0.1768} &  \\"
    assert lines[14] == r" &  &  &  &  \\"


def test_latex_escapes_every_special_character() -> None:
    special = table(frame(cell(0.5, metric="[*]", dataset=r"a&b%c$d#e_f{g}h~i^j\k")), rows="dataset")
    assert (
        r"{[}{*}] & a\&b\%c\$d\#e\_f\{g\}h\textasciitilde{}i\textasciicircum{}j\textbackslash{}k & \textbf{0.5000} \\"
        in to_latex(special).splitlines()
    )


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is not installed")
@pytest.mark.parametrize("spread", [False, True])
def test_latex_compiles(tmp_path: Any, spread: bool) -> None:
    document = r"\documentclass[twocolumn]{article}\usepackage{booktabs}\begin{document}%s\end{document}"
    (tmp_path / "t.tex").write_text(document % to_latex(small(), spread), encoding="utf-8")
    command = ["pdflatex", "-halt-on-error", "-interaction=nonstopmode", "t.tex"]
    assert subprocess.run(command, cwd=tmp_path, stdout=subprocess.PIPE, check=False).returncode == 0


def terminal(shown: Table, width: int, spread: bool = False, styles: bool = False) -> str:
    console = Console(width=width, record=True, file=StringIO(), force_terminal=True)
    console.print(to_terminal(shown, spread, width=width))
    return "\n".join(line.rstrip() for line in console.export_text(styles=styles).splitlines())


def test_terminal() -> None:
    assert terminal(small(), 60) == (
        "Results by dataset, for IR 2\n"
        "\n"
        "      image · cnn            features · svm\n"
        "Dataset      Base  S+ENN   Dataset    mine_50%\n"
        "────────────────────────   ───────────────────\n"
        "AvAcc                      AvAcc\n"
        "  mnist(a) 0.6250 0.6250     mnist(a)     —(b)\n"
        "  stl|10   0.2500 0.2500     stl|10     0.5000\n"
        "\n"
        "Means over 1 to 2 folds, 1 to 2 cells a number; the CSV form\n"
        "has the counts of each.\n"
        "(a) 2 of 3 folds: 0, 1\n"
        "(b) of 3 cells: 3 infeasible"
    )


def test_blocks_stand_line_by_line_beside_each_other_and_apart_from_those_below() -> None:
    arms = ["a_classifier_with_a_name_of_two_lines", "svm", "other"]
    cells = [
        cell(0.25, representation="features", classifier=name, resampler=r) for name in arms for r in ("none", "ros")
    ]
    lines = terminal(table(frame(*cells), rows="dataset"), 60).splitlines()
    assert [line.count("Dataset") for line in lines if "Dataset" in line] == [2, 1]
    assert {line.count("0.2500") for line in lines} == {0, 2, 4}
    [*_, last] = [at for at, line in enumerate(lines) if line.count("0.2500") == 4]
    assert lines[last + 1] == ""
    assert lines[last + 2]


def test_terminal_prints_the_best_in_bold() -> None:
    text = terminal(small(), 60, styles=True)
    assert re.findall(r"\x1b\[1m *(0\.\d+)\x1b\[0m", text) == ["0.6250", "0.6250", "0.5000"]


@pytest.mark.parametrize("width", [80, 100])
def test_terminal_never_cuts_a_number_of_the_papers_tables(width: int) -> None:
    cells = [
        cell(0.25 + fold / 4, resampler=c, representation=a, classifier=b, fold=fold)
        for a, b, c in ARMS
        for fold in (0, 1)
    ]
    plain, wide = (terminal(table(frame(*cells), rows="imbalance"), width, spread) for spread in (False, True))
    assert plain.count("0.3750") == wide.count("0.3750") == wide.count("±0.1768") == len(ARMS)
    assert ("image · cnn" in plain, "features · svm" in plain) == (True, True)
    assert max(map(len, (plain + wide).splitlines())) <= width


def test_a_block_that_is_wider_than_the_terminal_stands_alone() -> None:
    text = terminal(table(by_fold(none=[0.25], ros=[0.5]), rows="dataset"), 20)
    assert (text.count("0.2500"), text.count("0.5000"), text.count("Dataset")) == (1, 1, 2)


def test_folds_may_be_columns() -> None:
    shown = table(by_fold(none=[0.25, 0.5]), rows="dataset", columns=["fold", "resampler"])
    assert re.search(r"fold 0 +fold 1\n", terminal(shown, 60))
    assert "fold 0<br>Base | fold 1<br>Base" in to_markdown(shown)
    alone = table(by_fold(none=[0.25, 0.5]), rows="dataset", columns=["resampler"])
    assert to_markdown(alone).splitlines()[2] == "| Metric | Dataset | Base |"
    assert "\n\nDataset" in terminal(alone, 60)
    assert "\n\n\n" not in terminal(alone, 60)
    assert r"\multicolumn{1}{c}{fold 0}" in to_latex(shown)


def test_rich_is_imported_only_to_print_on_a_terminal() -> None:
    code = "import sys, raygrid.report; sys.exit('rich' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


# Rows of Table 1 and Table 2 as published, bold as there.
PAPER = {
    "dataset": """\
| AvAcc | CIFAR | 0.8718 | **0.8744** | 0.8296 | 0.8617 | 0.7320 | 0.7779 | 0.7007 | 0.7164 | 0.6642 | 0.6089 |
|  | MNIST | 0.9924 | 0.9931 | 0.9903 | **0.9933** | 0.9918 | 0.9694 | 0.9622 | 0.9672 | 0.9619 | 0.8732 |
|  | STL-10 | 0.7461 | **0.7466** | 0.6885 | 0.7397 | 0.5073 | 0.6737 | 0.5103 | 0.5326 | 0.5199 | 0.5139 |
| CBA | CIFAR | 0.8544 | **0.8584** | 0.7693 | 0.8450 | 0.6555 | 0.6868 | 0.6735 | 0.6957 | 0.5406 | 0.5125 |
|  | MNIST | 0.9894 | 0.9906 | 0.9837 | **0.9908** | 0.9886 | 0.9316 | 0.9549 | 0.9590 | 0.9399 | 0.7776 |
|  | STL-10 | **0.7139** | 0.7130 | 0.6104 | 0.7041 | 0.3696 | 0.5872 | 0.4437 | 0.4729 | 0.3830 | 0.4170 |""",
    "imbalance": """\
| MAvG | 2 | 0.8822 | **0.8827** | 0.8684 | 0.8788 | 0.6425 | 0.8554 | 0.7316 | 0.7509 | 0.5703 | 0.7245 |
|  | 5 | 0.8629 | **0.8635** | 0.8276 | 0.8573 | 0.6861 | 0.7959 | 0.5881 | 0.6530 | 0.6032 | 0.6492 |
|  | 10 | 0.8421 | **0.8456** | 0.7943 | 0.8301 | 0.6948 | 0.7542 | 0.4986 | 0.5751 | 0.5377 | 0.5733 |""",
}


@pytest.mark.parametrize("rows", PAPER)
def test_published_values_print_as_published(rows: str) -> None:
    """Each number is spread over two folds and two levels of the averaged axis, around the published mean."""
    averaged, levels = ("imbalance", (2.0, 5.0)) if rows == "dataset" else ("dataset", ("mnist", "stl10"))
    cells, metric = [], ""
    for line in PAPER[rows].splitlines():
        _, name, label, *numbers, _ = (part.strip() for part in line.split("|"))
        metric = name or metric
        for arm, number in zip(ARMS, numbers, strict=True):
            place = dict(zip(("representation", "classifier", "resampler"), arm, strict=True))
            for fold, at, shift in [(0, 0, 0.02), (0, 1, 0.04), (1, 0, -0.05), (1, 1, -0.01)]:
                value = float(number.strip("*")) + shift
                axes = {rows: float(label) if rows == "imbalance" else label, averaged: levels[at], "fold": fold}
                cells.append(cell(value, metric=metric, **axes, **place))
    text = to_markdown(table(frame(*cells), rows=rows))
    assert PAPER[rows] in text
    assert "Means over 2 folds, 4 cells a number." in text


def test_a_level_is_told_from_its_namesakes_by_what_differs_and_is_not_off():
    plain, focal, wide = Cnn(), Cnn(focal_gamma=2), Cnn(dense_units=8)
    assert labels([plain, focal]) == {plain: "cnn", focal: "cnn(focal_gamma=2.0)"}
    assert labels([plain, wide]) == {plain: "cnn(dense_units=1024)", wide: "cnn(dense_units=8)"}


def test_a_table_that_is_too_wide_becomes_several_blocks_and_no_number_is_shortened():
    from rich.console import Console

    cells = [cell(0.1234 + i / 1000, resampler=f"a-resampler-{i}") for i in range(12)]
    console = Console(width=80)
    with console.capture() as captured:
        console.print(to_terminal(table(frame(*cells), rows="dataset"), width=console.width))
    text = captured.get()
    assert "…" not in text and max(map(len, text.splitlines())) <= 80
    for i in range(12):
        assert f"{0.1234 + i / 1000:.4f}" in text and f"a-resampler-{i}" in text
