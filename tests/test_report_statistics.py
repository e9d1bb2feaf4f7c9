"""The statistics of a report: which analysis is primary, what is not said and why, the ranking, and the sentences."""

from dataclasses import replace
from functools import cache
from io import StringIO
from math import isnan
from typing import Any

import numpy as np
import pandas as pd
import pytest
from made_up import study, unfinished
from rich.console import Console
from scipy import stats

from raygrid.report.confounds import confounds
from raygrid.report.findings import findings
from raygrid.report.inference.design import Design, designs_of
from raygrid.report.inference.questions import BEST, COST, GAIN
from raygrid.report.ranking import Ranking, rankings
from raygrid.report.sheets import sheets_to_markdown, sheets_to_terminal
from raygrid.report.statistics import Answer, Statistics, statistics
from raygrid.report.statistics_sheets import statistics_sheets, statistics_to_csv
from raygrid.splits import StratifiedKFold

SIZES = np.array([[40.0, 40.0], [10.0, 10.0]])  # 5-fold cross-validation
RNG = np.random.default_rng(0)


def frame(effects: dict[str, float], *, n_datasets: int = 1, n_folds: int = 10, **place: Any) -> pd.DataFrame:
    """Values of resamplers in every fold and at two IRs: their effect, the difficulty of the fold, a little noise."""
    base = {"metric": "AvAcc", "representation": "image", "classifier": "cnn", "status": "done"}
    lines = [
        base
        | {"dataset": f"data{dataset}", "imbalance": ir, "fold": fold, "resampler": name}
        | {"value": 0.7 - ir / 100 - fold / 100 + effect + RNG.normal(0, 0.002)}
        | place
        for dataset in range(n_datasets)
        for ir in (2.0, 10.0)
        for fold in range(n_folds)
        for name, effect in effects.items()
    ]
    return pd.DataFrame(lines)


def designs(cells: pd.DataFrame) -> dict[str, Design]:
    sizes = {ir: dict.fromkeys(range(int(cells["fold"].max()) + 1), SIZES) for ir in (2.0, 10.0)}
    return {dataset: Design(StratifiedKFold(n_splits=5), sizes) for dataset in cells["dataset"].unique()}


def answers(cells: pd.DataFrame, **settings: Any) -> tuple[Answer, ...]:
    return statistics(cells, designs(cells), **settings).answers


def primary(cells: pd.DataFrame, question: str = BEST) -> Answer:
    [answer] = [answer for answer in answers(cells) if answer.question == question and answer.is_primary]
    return answer


def ranking(cells: pd.DataFrame) -> Ranking:
    [found] = rankings(cells, designs(cells))
    return found


EFFECTS = {"none": 0.0, "ros": 0.05, "rus": 0.0001, "smote": -0.05}


@pytest.mark.parametrize(("n_datasets", "units"), [(1, "folds"), (5, "folds"), (6, "data sets"), (8, "data sets")])
def test_the_design_alone_names_the_primary_analysis(n_datasets: int, units: str) -> None:
    first = frame(EFFECTS, n_datasets=n_datasets, n_folds=5)
    both = pd.concat([first, first.assign(metric="CBA")])
    found = [answer for answer in answers(both) if answer.is_primary]
    assert [(answer.question, answer.metric, answer.units) for answer in found] == [
        (question, "AvAcc", units) for question in (BEST, GAIN, COST)
    ]
    others = {answer.units for answer in answers(both) if not answer.is_primary}
    assert others == ({"folds"} if n_datasets < 6 else {"folds", "data sets"})


def test_what_each_question_compares() -> None:
    cells = frame(EFFECTS)
    assert [(one.left[-1], one.right[-1]) for one in primary(cells, BEST).differences] == [
        *[("none", "ros"), ("none", "rus"), ("none", "smote")],
        *[("ros", "rus"), ("ros", "smote"), ("rus", "smote")],
    ]
    assert [(one.left[-1], one.right[-1]) for one in primary(cells, GAIN).differences] == [
        (name, "none") for name in ("ros", "rus", "smote")
    ]
    assert [(one.left[-1], one.right[-1]) for one in primary(cells, COST).differences] == [("IR 2", "IR 10")]


def test_within_a_data_set_folds_are_the_units_and_irs_are_averaged() -> None:
    ros, rus, smote = primary(frame(EFFECTS), GAIN).differences
    assert (ros.dataset, ros.n_units) == ("data0", 10)
    assert ros.difference == pytest.approx(0.05, abs=0.002)
    assert (ros.told_apart, rus.told_apart, smote.told_apart) == (True, False, True)
    assert ros.low < ros.difference < ros.high
    assert rus.low < 0 < rus.high
    assert ros.posterior.left_better > 0.99
    assert rus.posterior.equivalent > 0.99


def test_a_family_has_all_data_sets() -> None:
    """The smallest p of all six differences is multiplied by six, not by three."""
    cells = frame(EFFECTS | {"ros": 0.003}, n_datasets=2)
    both = primary(cells, GAIN).differences
    alone = primary(cells[cells["dataset"] == "data0"], GAIN).differences
    assert len(both) == 2 * len(alone)
    assert both[0].p > alone[0].p
    assert both[0].difference == alone[0].difference


def test_fewer_than_six_data_sets_are_said_in_a_sentence_instead_of_a_test() -> None:
    found = answers(frame(EFFECTS, n_datasets=5))
    assert {answer.units for answer in found} == {"folds"}
    assert all(
        "Nothing is said about other data sets: that takes a test over at least 6 (Demšar, 2006), and this study has 5"
        in answer.notes
        for answer in found
    )


def test_no_p_is_printed_where_none_could_be_small() -> None:
    """Six data sets give 1/32 at best: enough for one difference, not for three."""
    family = primary(frame(EFFECTS, n_datasets=6), GAIN)
    assert all(isnan(one.p) and isnan(one.low) and not one.told_apart for one in family.differences)
    assert family.notes == (
        "6 data sets cannot give a p value below 0.05 in a family of 3 differences, so no test was made",
    )
    [single] = primary(frame({"none": 0, "ros": 0.05}, n_datasets=6), GAIN).differences
    assert (single.p, single.told_apart, single.dataset, single.n_units) == (1 / 32, True, "", 6)
    assert single.low > 0


def test_eight_data_sets_are_enough_for_three_differences() -> None:
    ros, rus, smote = primary(frame(EFFECTS, n_datasets=8), GAIN).differences
    assert (ros.told_apart, rus.told_apart, smote.told_apart) == (True, False, True)
    assert ros.p == pytest.approx(3 / 128)


def test_two_folds_are_too_few() -> None:
    found = primary(frame(EFFECTS, n_folds=2))
    assert all(isnan(one.p) and isnan(one.low) for one in found.differences)
    assert "data0: 2 complete folds, too few for a test" in found.notes


def test_what_is_missing_is_said() -> None:
    cells = frame(EFFECTS)
    failed = cells.assign(status=cells["status"].where((cells["fold"] != 3) | (cells["resampler"] != "ros"), "error"))
    found = primary(failed, GAIN)
    assert {one.n_units for one in found.differences} == {9}
    assert "data0: 9 of 10 folds; of the others results are missing" in found.notes


def test_nothing_done_and_nothing_to_compare() -> None:
    assert all(not answer.differences for answer in answers(frame(EFFECTS).assign(status="missing")))
    assert all(not answer.differences for answer in answers(frame({"ros": 0.1})) if answer.question != COST)


def test_a_report_made_twice_is_the_same() -> None:
    cells = frame(EFFECTS, n_datasets=6)
    assert repr(statistics(cells, designs(cells))) == repr(statistics(cells, designs(cells)))


def test_the_level_and_the_region_of_equivalence_are_settings() -> None:
    cells = frame({"none": 0, "ros": 0.001})
    wide, narrow = (answers(cells, rope=rope)[1].differences[0].posterior.equivalent for rope in (0.2, 0.0))
    assert (wide, narrow) == (pytest.approx(1), pytest.approx(0))
    assert answers(cells, alpha=0.99)[1].differences[0].told_apart


# --- the ranking ---


def test_a_ranking_of_one_data_set() -> None:
    found = ranking(frame(EFFECTS))
    assert [method.method[-1] for method in found.methods[::3]] == ["ros", "smote"]
    best, second, *_, last = found.methods
    assert (best.difference_to_best, best.told_apart, best.n_units) == (0, False, 10)
    assert second.told_apart
    assert last.difference_to_best == pytest.approx(-0.1, abs=0.003)
    assert last.difference_low < last.difference_to_best < last.difference_high < 0
    assert best.low < best.mean < best.high
    assert found.unit.startswith("Intervals are over 10 folds of data0")


def test_equal_methods_are_not_told_apart() -> None:
    found = ranking(frame({"none": 0, "ros": 0.0001, "rus": 0}))
    assert [method.told_apart for method in found.methods] == [False, False, False]


def test_intervals_of_differences_end_at_what_a_difference_can_be() -> None:
    cells = frame({"none": 0, "ros": 0}, n_folds=3)
    pairs = zip(cells["resampler"], cells["fold"], strict=True)
    values = [float((name == "ros") == (fold != 1)) for name, fold in pairs]
    half = stats.t.isf(0.025, 2) * np.sqrt(4 / 3) * np.sqrt(1 / 3 + 1 / 4)  # of the differences -1, 1 and -1
    for metric, reach in (("AvAcc", 1), ("matthews_corrcoef", 2), ("my:own", np.inf)):
        wild = cells.assign(value=values, metric=metric)
        ends = max(-reach, -1 / 3 - half), min(reach, -1 / 3 + half)
        [one] = answers(wild)[0].differences
        assert (one.low, one.high) == pytest.approx(ends)
        second = ranking(wild).methods[1]
        assert (second.difference_low, second.difference_high) == pytest.approx(ends)


def test_over_two_data_sets_a_method_is_told_apart_if_it_is_in_each() -> None:
    both = pd.concat([frame({"none": 0, "ros": 0.05}), frame({"none": 0, "ros": 0}).assign(dataset="other")])
    found = ranking(both)
    assert [(method.method[-1], method.told_apart) for method in found.methods] == [("ros", False), ("none", False)]
    assert found.methods[1].difference_low < -0.04
    assert found.methods[1].difference_high > 0
    assert ranking(frame({"none": 0, "ros": 0.05}, n_datasets=2)).methods[1].told_apart


def test_over_eight_data_sets_they_are_the_units() -> None:
    found = ranking(frame({"none": 0, "ros": 0.05}, n_datasets=8))
    assert [(m.method[-1], m.n_units, m.told_apart) for m in found.methods] == [("ros", 8, False), ("none", 8, True)]
    assert found.unit.startswith("Intervals are over 8 data sets. The interval of a mean is of one method alone")


def test_methods_are_ranked_on_what_all_have() -> None:
    cells = frame({"none": 0, "ros": 0.05}, n_datasets=2)
    lost = cells.assign(value=cells["value"].mask((cells["dataset"] == "data1") & (cells["resampler"] == "ros")))
    found = ranking(lost)
    assert found.datasets == ("data0",)
    assert "data1 takes no part, because not all methods have a result in it" in found.notes
    nothing = ranking(cells.assign(value=cells["value"].mask((cells["dataset"] == "data1") == (cells["fold"] < 99))))
    assert nothing.methods


def test_nothing_is_ranked_without_results() -> None:
    found = ranking(frame(EFFECTS).assign(status="missing"))
    assert found.methods == ()
    assert found.notes


# --- the sentences ---


def said(cells: pd.DataFrame) -> tuple[str, ...]:
    return findings(statistics(cells, designs(cells)), rankings(cells, designs(cells)))


def test_three_sentences() -> None:
    best, gain, cost = said(frame(EFFECTS))
    assert best.startswith("ROS with image · cnn has the highest mean AvAcc on data0, 0.6")
    assert "(95% interval of it alone: 0." in best
    assert best.endswith("). All of the other 3 could be shown to be worse (6 comparisons, Holm).")
    assert gain.startswith("Each resampler against Base only (3 comparisons, Holm): with image · cnn ROS gains 0.0")
    assert gain.endswith(", and of RUS no difference could be shown.")
    assert cost.startswith("From IR 2 to IR 10 without resampling, image · cnn loses 0.0")


def test_sentences_claim_nothing_that_was_not_tested() -> None:
    best, gain, cost = said(frame(EFFECTS, n_folds=2))
    assert best.endswith("but the design allows no test of whether that is more than chance.")
    assert gain == "Each resampler against Base only: with image · cnn the design allows no test."
    assert "the design allows no test" in cost


def test_sentences_about_equal_methods() -> None:
    best, gain, _ = said(frame({"none": 0, "ros": 0.0001, "rus": 0}))
    assert best.endswith("). None of the other 2 could be shown to be worse (3 comparisons, Holm).")
    assert gain == (
        "Each resampler against Base only (2 comparisons, Holm): with image · cnn no difference could be shown."
    )
    best, *_ = said(frame({"none": 0, "ros": 0.0001}))
    assert best.endswith("). The other method could not be shown to be worse (1 comparison).")


def test_the_sentences_say_why_they_differ_where_one_corrects_for_more_comparisons() -> None:
    # In every other fold higher by so much than in those between: alone, ROS differs from Base by p = 0.017.
    means = {"none": (0.6, 0), "ros": (0.61, 0.0053)} | {f"other{i}": (0.55, 0.1 * i) for i in range(1, 9)}
    cells = frame(dict.fromkeys(means, 0.0))
    cells["classifier"] = ["other" if name[:5] == "other" else "cnn" for name in cells["resampler"]]  # without Base
    pairs = zip(cells["resampler"], cells["fold"], strict=True)
    cells["value"] = [means[name][0] + means[name][1] * (-1) ** fold for name, fold in pairs]
    best, gain, _ = said(cells)
    assert best.startswith("ROS with image · cnn has the highest mean")
    assert best.endswith(" None of the other 9 could be shown to be worse (45 comparisons, Holm).")
    assert "with image · cnn ROS gains 0.010" in gain
    assert gain.endswith(
        " The tests of all methods do not show all of this, because they correct for more comparisons."
    )
    assert not said(frame(EFFECTS))[1].endswith(" comparisons.")


def test_the_ranking_makes_the_tests_of_the_statistics() -> None:
    cells = frame(EFFECTS, n_datasets=3)
    cells["value"] += np.random.default_rng(3).normal(0, 0.03, len(cells))
    lacking = cells.assign(value=cells["value"].mask((cells["dataset"] == "data2") & (cells["resampler"] == "rus")))
    for some in (cells, lacking):
        sheet, ranked = answers(some)[0], ranking(some)
        best = ranked.methods[0].method
        assert ranked.n_comparisons == len(sheet.differences)
        for other in ranked.methods[1:]:
            tests = [one for one in sheet.differences if {one.left, one.right} == {best, other.method}]
            tests = [one for one in tests if one.dataset in ranked.datasets]
            assert len(tests) == len(ranked.datasets)
            if other.told_apart:
                assert all(one.told_apart for one in tests)


def test_a_tie_is_said() -> None:
    cells = frame({"none": 0})
    best, *_ = said(pd.concat([cells, cells.assign(resampler="ros")]))
    assert best.startswith("Base with image · cnn and ROS with image · cnn share the highest mean AvAcc on data0")


def test_several_data_sets_are_counted() -> None:
    both = pd.concat([frame({"none": 0, "ros": 0.05}), frame({"none": 0, "ros": 0}).assign(dataset="other")])
    _, gain, cost = said(both)
    assert " on 1 of 2 data sets" in gain
    assert " on 2 of 2 data sets" in cost


def test_nothing_can_be_said() -> None:
    assert said(frame(EFFECTS).assign(status="missing")) == ("Nothing can be compared yet.",)


def test_confounds_are_said() -> None:
    results = study(datasets=["mnist"], folds=1)
    records = [
        record.model_copy(update={"class_counts": record.class_counts | {"resampled": record.class_counts["train"]}})
        if record.cell["resampler"]["name"] == "rus"
        else record
        for record in results.records.values()
    ]
    [sizes] = confounds(results)  # of the made-up records, all are resampled to 10,000
    assert sizes == (
        "Levels of imbalance also differ in how many images are trained on (on average 6,980 at IR 2, 2,920 at IR 10)."
    )
    _, resampled = confounds(replace(results, records={record.key: record for record in records}))
    assert resampled.startswith("Resamplers also differ in how many images are trained on (on average RUS 4,7")
    assert resampled.endswith(" Equal epochs are then unequal numbers of training steps.")
    infeasible, lacking = confounds(unfinished())[-2:]
    assert infeasible == (
        "20 cells are infeasible, which no repetition changes. Where a method lacks some results only, the ranking "
        "and each test leave out these folds or levels of all methods that they compare, and a table leaves them out "
        "of that method's number."
    )
    assert lacking.startswith("The study is unfinished: ")


def test_methods_without_any_result_are_named_and_take_nothing_from_the_others() -> None:
    results = study(datasets=["mnist"], folds=3)
    lost = {cell.key for cell in results.cells if cell.resampler.name in ("iht", "smote_enn")}
    records = {
        key: one.model_copy(update={"status": "infeasible"}) if key in lost else one
        for key, one in results.records.items()
    }
    without = replace(results, records=records)
    [said_of] = [sentence for sentence in confounds(without) if "infeasible" in sentence]
    assert said_of == (
        "36 cells are infeasible, which no repetition changes. No result at all, so that nothing is compared with "
        "it there: S+ENN with image · cnn on mnist; IHT with image · cnn on mnist; S+ENN with features · svm on mnist; "
        "and 1 more."
    )
    [ranked, *_] = rankings(without.frame, designs_of(without))
    assert {(len(ranked.methods), method.n_units) for method in ranked.methods} == {(6, 3)}


# --- the sheets ---


@cache
def made_up_statistics() -> Statistics:
    results = study(datasets=["mnist", "stl10"])
    return statistics(results.frame, designs_of(results))


def test_primary_sheets_come_first_and_the_others_are_marked() -> None:
    sheets = statistics_sheets(made_up_statistics())
    assert [sheet.is_secondary for sheet in sheets] == [*[False] * 3, *[True] * (len(sheets) - 3)]
    assert [sheet.title for sheet in sheets[:3]] == [
        "Which method is best? AvAcc, within each data set",
        "What does resampling gain? AvAcc, within each data set",
        "What does imbalance cost? AvAcc, within each data set",
    ]


def test_markdown() -> None:
    cells = frame({"none": 0, "ros": 0.05})
    text = sheets_to_markdown(statistics_sheets(statistics(cells, designs(cells)))[1:2])
    head, _, row = text.splitlines()[2:5]
    assert head == "| Data set | Left | Right | Difference | Low | High | p | Told apart | Folds |"
    assert row.startswith("| data0 | image · cnn · ROS | image · cnn · Base | +0.0")
    assert row.endswith(" | yes | 10 |")
    assert "the corrected resampled t test (Nadeau and Bengio, 2003), because folds share images" in text
    assert "p values are two-sided" in text
    assert "folds share images, with 8 degrees of freedom. They are corrected by Holm for the 1 difference" in text
    assert "Folds: how many a test has; each counts once" in text
    assert "The three questions (which method is best, gain, cost) are not corrected for one another." in text


def test_over_data_sets_the_sheet_has_no_degrees_of_freedom() -> None:
    cells = frame({"none": 0, "ros": 0.05}, n_datasets=6)
    sheet = statistics_sheets(statistics(cells, designs(cells)))[1]
    assert sheet.head[-1] == "Data sets"
    assert "degrees" not in " ".join(sheet.notes)


def test_what_cannot_be_compared_is_said_once_with_its_reason() -> None:
    one_level = frame({"none": 0, "ros": 0.05}).query("imbalance == 2")
    both = pd.concat([one_level, one_level.assign(metric="CBA")])
    sheets = statistics_sheets(statistics(both, designs(both)))
    assert [sheet.title for sheet in sheets if "imbalance cost" in sheet.title] == [
        "What does imbalance cost? AvAcc, within each data set"
    ]
    reason = "no arm has results without resampling at more than one level of imbalance"
    assert sheets[2].notes == (f"There is nothing to compare: {reason}.",)
    lacking = both.assign(value=both["value"].where(both["metric"] == "AvAcc"))
    titles = [sheet.title for sheet in statistics_sheets(statistics(lacking, designs(both))) if not sheet.rows]
    assert titles == [  # by the second metric nothing is known, which its own sheets say
        "What does imbalance cost? AvAcc, within each data set",
        "Which method is best? CBA, within each data set",
        "What does resampling gain? CBA, within each data set",
    ]


def test_ranks_are_shown_over_enough_data_sets_only() -> None:
    few, many = (frame(EFFECTS, n_datasets=n, n_folds=2) for n in (5, 6))
    assert statistics(few, designs(few)).mean_ranks == ()
    [ranks, _] = statistics(many, designs(many)).mean_ranks
    assert (ranks.n_datasets, ranks.ranks[1], ranks.ranks[3]) == (6, 1, 4)
    assert statistics_sheets(statistics(many, designs(many)))[-1].title.startswith("Average ranks over data sets")


def test_csv() -> None:
    head, *lines = statistics_to_csv(made_up_statistics()).splitlines()
    assert head.startswith(
        "question,metric,units,standing,dataset,left,right,n_units,difference,standard_error,statistic,df,p_raw,low,"
    )
    assert len(lines) == 3 * 2 * (45 + 8 + 2)
    assert lines[0].startswith("Which method is best?,AvAcc,folds,primary,mnist,image cnn none,image cnn ros,10,-0.0")
    cells = frame({"ros": 0}, n_folds=2).assign(imbalance=2.0).drop_duplicates(["fold"])
    nothing = statistics_to_csv(statistics(cells, designs(cells))).splitlines()
    assert nothing[1].startswith("Which method is best?,AvAcc,folds,primary,,,,")
    assert nothing[1].count(",") >= head.count(",")


def test_the_csv_has_what_a_reviewer_computes_again() -> None:
    """As by hand: 5-fold cross-validation dealt twice, so that n_test / n_train is 1 / 4 and df is 10 - 2."""
    cells = frame(EFFECTS)
    lines = pd.read_csv(StringIO(statistics_to_csv(statistics(cells, designs(cells)))))
    gains = lines[(lines["question"] == GAIN)]
    wide = cells.groupby(["fold", "resampler"])["value"].mean().unstack()
    for (_, one), name in zip(gains.iterrows(), ("ros", "rus", "smote"), strict=True):
        differences = wide[name] - wide["none"]
        t = differences.mean() / (differences.std() * np.sqrt(1 / 10 + 1 / 4))
        assert (one["statistic"], one["df"]) == (pytest.approx(t), 8)
        assert one["p_raw"] == pytest.approx(2 * stats.t.sf(abs(t), 8))
        assert one["p_raw"] <= one["p_holm"] <= 3 * one["p_raw"]
    many = frame({"none": 0, "ros": 0.001}, n_datasets=7)
    [over] = [answer for answer in answers(many) if answer.question == GAIN and answer.is_primary]
    [one] = over.differences
    means = many.groupby(["dataset", "resampler"])["value"].mean().unstack()
    expected = stats.wilcoxon(means["ros"], means["none"])
    assert (one.statistic, one.raw_p) == (expected.statistic, pytest.approx(expected.pvalue))
    assert isnan(one.degrees)


def test_terminal() -> None:
    console = Console(width=150, record=True, file=StringIO())
    console.print(sheets_to_terminal(statistics_sheets(made_up_statistics())[:1]))
    assert "Nothing is said about other data sets" in " ".join(console.export_text().split())
