"""Published results: reading them, comparing with them, and the paper's claims on the paper's own numbers."""

import re
from dataclasses import replace
from io import StringIO
from math import isnan, nan
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from made_up import study
from rich.console import Console

from raygrid.classifiers.cnn import Cnn
from raygrid.errors import UsageError
from raygrid.gridfile.faults import load_grid
from raygrid.report.claims import CLAIMS, check_claims
from raygrid.report.compare import Contrast, compare, values_of
from raygrid.report.compare_sheets import (
    agreement_sheet,
    claims_sheet,
    claims_to_csv,
    contrast_to_csv,
    difference_sheet,
)
from raygrid.report.compare_summary import summary_sheet
from raygrid.report.inequalities import Inequality, judge
from raygrid.report.inference.families import PairedDifference
from raygrid.report.inference.questions import BEST
from raygrid.report.protocol import FACTS, facts_of_numbers
from raygrid.report.published import Published, parse, read_published
from raygrid.report.render import to_csv
from raygrid.report.results import Results
from raygrid.report.sheets import sheets_to_markdown, sheets_to_terminal
from raygrid.report.statistics import Answer
from raygrid.report.tables import Table, table

ROOT = Path(__file__).parents[1]
METRICS = ["AvAcc", "CBA", "MAvG"]
HEAD = "metric,dataset,representation,classifier,resampler,value\n"
TABLE1, TABLE2 = read_published("paper", METRICS)


def test_the_papers_tables() -> None:
    assert [(p.name, p.row_axis, len(p.values)) for p in (TABLE1, TABLE2)] == [
        ("paper_table1.csv", "dataset", 90),
        ("paper_table2.csv", "imbalance", 90),
    ]
    assert TABLE1.values["CBA", "stl10", "image", "cnn", "smote_enn"] == 0.3696
    assert TABLE2.values["MAvG", 10.0, "features", "svm", "iht"] == 0.5733


def test_the_papers_tables_average_to_each_other() -> None:
    """Both average the same 900 cells, so the mean over data sets is the mean over IR but for rounding."""
    columns = {(key[0], *key[2:]) for key in TABLE1.values}
    assert len(columns) == 30
    means = [
        {column: sum(v for k, v in p.values.items() if (k[0], *k[2:]) == column) / 3 for column in columns}
        for p in (TABLE1, TABLE2)
    ]
    assert means[0] == pytest.approx(means[1], abs=0.0001)


def test_a_published_table_says_its_protocol() -> None:
    (tables,) = read_published("cifar10_lt", METRICS)
    assert (tables.row_axis, tables.protocol["imbalance"], tables.protocol["backbone"]) == (
        "imbalance",
        "exponential",
        "resnet32",
    )
    assert set(tables.protocol) == set(FACTS) - {"levels"}
    assert "BagofTricks-LT" in tables.remarks["source"]
    assert tables.values["AvAcc", "exponential-100", "image", "cross_entropy", "none"] == 0.6988  # the error is 30.12%
    assert tables.values["AvAcc", "exponential-50", "image", "cross_entropy", "none"] == 0.7519


def test_the_grid_of_long_tailed_cifar_10_has_the_published_networks_and_their_protocol() -> None:
    """Its labels are the published ones, so that a comparison finds them."""
    (tables,) = read_published("cifar10_lt", METRICS)
    grid = load_grid(ROOT / "experiments" / "cifar10_lt.yaml")
    levels = grid.levels()
    assert {str(key[3]) for key in tables.values} == set(levels["classifier"]) - {"crt"}
    assert {key[1] for key in tables.values} == set(levels["imbalance"])
    declared: dict[str, object] = {"image_size": grid.image_size, "split": grid.split.name, "dataset": "cifar10"}
    for profile in grid.imbalance:
        declared |= {"imbalance": profile.name, "class_order": profile.class_order, "test": profile.test}
    for arm in grid.arms:
        assert isinstance(arm.classifier, Cnn)
        declared |= {"backbone": arm.classifier.backbone, "weights": arm.classifier.weights}
        assert arm.classifier.dense_units == 0
    assert {key: str(value) for key, value in declared.items()} | {"metric": "AvAcc"} == tables.protocol


def test_lines_above_the_columns_are_the_protocol_and_remarks() -> None:
    table = parse("mine.csv", "# dataset: mnist\n# note: a: b\n" + HEAD + "CBA,mnist,a,b,c,0.5\n", METRICS)
    assert (table.protocol, table.remarks) == ({"dataset": "mnist"}, {"note": "a: b"})
    with pytest.raises(UsageError, match=r"^mine.csv: line 3: value: got 'half'"):
        parse("mine.csv", "# dataset: mnist\n" + HEAD + "CBA,mnist,a,b,c,half\n", METRICS)
    assert parse("mine.csv", HEAD + "CBA,mnist,a,b,c,0.5\n", METRICS).protocol == {}


FAULTS = [
    ("metric,dataset,classifier,value\n", "got the columns metric, dataset, classifier, value; expected also"),
    ("metric,dataset,classifier,value\n", "representation, resampler"),
    ("metric,representation,classifier,resampler,value\n", "expected also dataset or imbalance_ratio"),
    ("", "expected also metric, representation"),
    (HEAD, "got no rows"),
    (HEAD.replace("value", "imbalance_ratio,value"), "got both dataset and imbalance_ratio; expected one of them"),
    (
        HEAD + "AvAC,a,b,c,d,0.5\n",
        "line 2: metric: got 'AvAC'; expected one of AvAcc, CBA, MAvG; did you mean 'AvAcc'?",
    ),
    (HEAD + "CBA,a,b,c,d,0.5\nCBA,a,b,c,e,half\n", "line 3: value: got 'half'; expected a number"),
    (
        HEAD + "CBA,a,b,c,d,87.18\n",
        "line 2: value: got 87.18; expected a number from 0 to 1; divide percentages by 100",
    ),
    (HEAD + "CBA,a,b,c,d,nan\n", "line 2: value: got nan; expected a number from 0 to 1"),
    (HEAD + "CBA,a,b,c,d\n", "line 2: value: got None; expected a number"),
    (HEAD + "CBA,,b,c,d,0.5\n", "line 2: got nothing as dataset; expected a name"),
    (HEAD + "CBA,a,b,c,d,0.5\nCBA,a,b,c,d,0.6\n", "line 3: got CBA a b c d twice; expected one value a row"),
    (
        HEAD.replace("dataset", "imbalance_ratio") + "CBA,2,b,c,d,0.5\nCBA,2.0,b,c,d,0.6\n",
        "line 3: got CBA 2 b c d twice",
    ),
]


@pytest.mark.parametrize(("text", "line"), FAULTS)
def test_faults_of_a_file(tmp_path: Path, text: str, line: str) -> None:
    path = tmp_path / "mine.csv"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(UsageError, match=re.escape(line)) as refused:
        read_published(str(path), METRICS)
    assert str(refused.value).startswith(str(path))
    assert "\n" not in str(refused.value)


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"No such file or directory; expected paper, cifar10_lt or the path of a CSV"):
        read_published(str(tmp_path / "none.csv"), METRICS)
    (tmp_path / "excel.csv").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UsageError, match="not UTF-8"):
        read_published(str(tmp_path / "excel.csv"), METRICS)


def test_an_empty_value_is_a_dash_and_other_columns_are_ignored(tmp_path: Path) -> None:
    path = tmp_path / "mine.csv"
    path.write_text("\ufeff" + HEAD.replace("value", "value,note") + "CBA,a,b,c,d,,infeasible\n", encoding="utf-8")
    [published] = read_published(str(path), METRICS)
    assert isnan(published.values["CBA", "a", "b", "c", "d"])


def made(columns: dict[tuple[str, str, str], list[float | str]], **place: Any) -> Table:
    """Results by fold of (dataset, representation, resampler), as a table by data set."""
    lines = [
        {"metric": "CBA", "dataset": dataset, "imbalance": 2.0, "fold": i, "representation": representation}
        | {"classifier": {"image": "cnn", "features": "svm"}[representation], "resampler": resampler}
        | {"status": result if isinstance(result, str) else "done", "lost": False}
        | {"value": nan if isinstance(result, str) else result}
        for (dataset, representation, resampler), results in columns.items()
        for i, result in enumerate(results)
    ]
    return table(pd.DataFrame(lines), rows=place.get("rows", "dataset"), missing="mark")


def contrast() -> Contrast:
    here = made(
        {
            ("mnist", "image", "none"): [0.96, 0.98],
            ("mnist", "image", "ros"): [0.9906],
            ("mnist", "image", "rus"): [0.99, 0.99],
            ("mnist", "image", "iht"): [0.9, "error"],
            ("mnist", "image", "mine"): [0.5],
            ("digits", "image", "none"): [0.5],
        }
    )
    published = parse(
        "mine.csv",
        HEAD
        + "CBA,mnist,image,cnn,none,0.9894\nCBA,mnist,image,cnn,ros,0.9906\nCBA,mnist,image,cnn,rus,0.9837\n"
        + "CBA,mnist,image,cnn,iht,0.9316\nCBA,mnist,features,svm,none,0.9549\nCBA,mnist,features,svm,smote,0.9590\n"
        + "CBA,stl10,image,cnn,none,0.7139\nCBA,stl10,image,cnn,smote,\n",
        METRICS,
    )
    return compare(here, published)


def test_differences() -> None:
    none, ros, rus = contrast().differences
    assert (none.metric, none.level, none.column, none.number.n_folds) == ("CBA", "mnist", ("image", "cnn", "none"), 2)
    assert none.difference == pytest.approx(0.97 - 0.9894)
    assert none.in_standard_errors == pytest.approx((0.97 - 0.9894) / 0.01)
    assert (ros.difference, ros.number.n_folds) == (0, 1)
    assert isnan(ros.in_standard_errors)  # one fold has none
    assert rus.difference == pytest.approx(0.0063)
    assert isnan(rus.in_standard_errors)  # the folds are equal


def test_what_is_printed_alike_is_a_tie() -> None:
    here = made(
        {("mnist", "image", name): [value] for name, value in {"none": 0.50004, "ros": 0.6, "rus": 0.7}.items()}
    )
    text = HEAD + "CBA,mnist,image,cnn,none,0.5\nCBA,mnist,image,cnn,ros,0.6001\nCBA,mnist,image,cnn,rus,0.8\n"
    found = compare(here, parse("mine.csv", text, METRICS))
    assert [round(one.difference, 4) for one in found.differences] == [0, -0.0001, -0.1]
    assert difference_sheet(found).rows[0][6] == "tie"
    assert "  0 above, 2 below, 1 tied." in summary_sheet("mine", [found], ()).notes


def test_what_only_one_has_is_named() -> None:
    assert contrast().only_here == ("resampler mine", "dataset digits")
    # What is a dash on one side is not there: iht has an error here, smote on stl10 is empty there.
    assert contrast().only_published == (
        "resampler iht",
        "representation features",
        "classifier svm",
        "resampler smote",
        "dataset stl10",
    )
    hole = made({("mnist", "image", "none"): [0.5], ("stl10", "image", "ros"): [0.5]})
    assert "CBA stl10 image cnn none" in compare(hole, TABLE1).only_published


RANKINGS = [
    ([0.1, 0.2, 0.3], [0.1, 0.2, 0.3], 1),
    ([0.3, 0.2, 0.1], [0.1, 0.2, 0.3], -1),
    ([0.1, 0.2, 0.3, 0.4], [0.2, 0.1, 0.3, 0.4], 1 - 6 * 2 / (4 * 15)),
    ([0.1, 0.2], [0.1, 0.2], nan),
    ([0.2, 0.2, 0.2], [0.1, 0.2, 0.3], nan),
]


@pytest.mark.parametrize(("here", "there", "expected"), RANKINGS)
def test_rank_correlation(here: list[float], there: list[float], expected: float) -> None:
    names = ["none", "ros", "rus", "iht"][: len(here)]
    ours = made({("mnist", "image", name): [value] for name, value in zip(names, here, strict=True)})
    text = HEAD + "".join(f"CBA,mnist,image,cnn,{n},{v}\n" for n, v in zip(names, there, strict=True))
    [agreement] = compare(ours, parse("mine.csv", text, METRICS)).agreements
    assert (agreement.metric, agreement.level, agreement.arm) == ("CBA", "mnist", ("image", "cnn"))
    assert agreement.n_resamplers == len(here)
    assert agreement.correlation == pytest.approx(expected, nan_ok=True)


def test_a_table_agrees_with_its_own_csv() -> None:
    ours = made({("mnist", "image", name): [0.1 * i] for i, name in enumerate(["none", "ros", "rus"])})
    itself = compare(ours, parse("mine.csv", to_csv(ours), METRICS))
    assert [d.difference for d in itself.differences] == [0, 0, 0]
    assert (itself.only_here, itself.only_published) == ((), ())


def test_rows_must_be_of_the_same_axis() -> None:
    with pytest.raises(
        UsageError, match=re.escape("paper_table2.csv: got rows by imbalance; expected rows by dataset")
    ):
        compare(made({("mnist", "image", "none"): [0.5]}), TABLE2)


def test_nothing_in_common() -> None:
    nothing = compare(made({("digits", "image", "none"): [0.5]}), TABLE1)
    assert nothing.differences == nothing.agreements == ()
    assert "0 numbers compared." in sheets_to_markdown([difference_sheet(nothing), agreement_sheet(nothing)])
    assert summary_sheet("mine", [nothing], ()).notes[1:] == ("  No number is in both.", "  Only here: dataset digits")


def test_markdown() -> None:
    assert sheets_to_markdown([difference_sheet(contrast()), agreement_sheet(contrast())]) == (
        "**Against mine.csv, by dataset**\n"
        "\n"
        "| Metric | Dataset | Arm | Resampler | Value | Published | Difference | Standard errors | Folds |\n"
        "| --- | --- | --- | --- | ---: | ---: | ---: | ---: | ---: |\n"
        "| CBA | mnist | image · cnn | Base | 0.9700 | 0.9894 | -0.0194 | -1.9 | 2 |\n"
        "| CBA | mnist | image · cnn | ROS | 0.9906 | 0.9906 | tie | — | 1 |\n"
        "| CBA | mnist | image · cnn | RUS | 0.9900 | 0.9837 | +0.0063 | — | 2 |\n"
        "\n"
        "3 numbers compared. Mean size of the difference 0.0086, largest 0.0194. Standard errors: the difference "
        "divided by the standard error of the value here; the published value is taken as exact. A tie is equal as "
        "printed.\n"
        "\n"
        "Only here: resampler mine; dataset digits.\n"
        "\n"
        "Only published: resampler iht; representation features; classifier svm; resampler smote; dataset stl10.\n"
        "\n"
        "**Order of the resamplers against mine.csv, by dataset**\n"
        "\n"
        "| Metric | Dataset | Arm | Resamplers | Rank correlation |\n"
        "| --- | --- | --- | ---: | ---: |\n"
        "| CBA | mnist | image · cnn | 3 | +0.50 |\n"
        "\n"
        "Spearman's; 1 is the same order, -1 the reverse; a dash where fewer than 3 can be ordered.\n"
    )


def test_csv() -> None:
    head, none, ros, _ = contrast_to_csv(contrast()).splitlines()
    assert head == (
        "metric,dataset,representation,classifier,resampler,"
        "value,published,difference,standard_error,in_standard_errors,n_folds,rank_correlation,differing"
    )
    assert none.startswith("CBA,mnist,image,cnn,none,0.97,0.9894,-0.01939999999999")
    assert none.endswith(",2,0.5,")
    assert ros == "CBA,mnist,image,cnn,ros,0.9906,0.9906,0.0,,,1,0.5,"
    by_ir = made({("mnist", "image", "none"): [0.5]}, rows="imbalance")
    assert contrast_to_csv(compare(by_ir, TABLE2)).splitlines()[1].startswith("CBA,2,image,cnn,none,0.5,0.8682,")


# --- protocols ---


def study_of(**changes: Any) -> Results:
    """A study whose protocol is the paper's but for the changes."""
    return study(**{"folds": 2, "datasets": ["mnist"]} | changes)


def against_paper(found: Results, source: Published, despite: tuple[str, ...] = ()) -> Contrast:
    return compare(
        table(found.frame, rows=source.row_axis, missing="mark"),
        source,
        facts=facts_of_numbers(found, source.row_axis),
        despite=despite,
    )


def test_numbers_of_one_protocol_are_compared() -> None:
    found = against_paper(study_of(), TABLE1)
    assert (len(found.differences), found.refused) == (30, ())
    whole = study(folds=2)
    assert (len(against_paper(whole, TABLE2).differences), against_paper(whole, TABLE2).refused) == (90, ())


PROTOCOLS: list[tuple[dict[str, Any], Published, dict[str, str]]] = [
    ({}, TABLE2, {"dataset": "mnist against cifar10, mnist, stl10"}),
    ({"imbalance_ratios": [2, 10]}, TABLE1, {"levels": "2, 10 against 2, 5, 10"}),
    ({"image_size": 32}, TABLE1, {"image_size": "32 against 64"}),
    (
        {"imbalance_ratios": None, "imbalance": [{"name": "linear", "ir": 5, "test": "balanced"}]},
        TABLE1,
        {
            "levels": "linear-5 against 2, 5, 10",
            "imbalance": "linear against harmonic",
            "test": "balanced against same",
        },
    ),
    ({"split": {"name": "holdout"}}, TABLE1, {"split": "holdout against official"}),
]


@pytest.mark.parametrize(("changes", "source", "differ"), PROTOCOLS)
def test_numbers_of_other_protocols_are_refused_and_named(
    changes: dict[str, Any], source: Published, differ: dict[str, str]
) -> None:
    here = study_of(**{name: value for name, value in changes.items() if value is not None})
    found = against_paper(here, source)
    assert found.differences == found.agreements == ()
    assert len(found.refused) in (30, 90)
    assert {tuple(one.differing.items()) for one in found.refused} == {tuple(differ.items())}
    said = "\n".join(summary_sheet("mine", [found], ()).notes)
    assert f"Not compared: {len(found.refused)} numbers, because these differ: " in said
    assert f"--despite {','.join(differ)}" in said
    for despite in (tuple(differ), ("all",)):
        told = against_paper(here, source, despite)
        assert told.refused == ()
        assert "Compared although these differ: " in "\n".join(summary_sheet("mine", [told], ()).notes)


def test_a_backbone_is_that_of_the_arm() -> None:
    arms = [
        {"representation": {"name": "features", "alpha": 0.25, "weights": "embedded"}, "classifier": "svm"}
        | {"resamplers": ["none"]},
        {"representation": "image", "classifier": "cnn", "resamplers": ["none"]},
    ]
    found = against_paper(study_of(arms=arms), TABLE1)
    assert {one.column[0] for one in found.refused} == {"features"}
    assert {one.column[0] for one in found.differences} == {"image"}


def test_a_table_without_a_protocol_is_compared_and_said_to_have_none() -> None:
    found = compare(
        made({("mnist", "image", "none"): [0.5]}), parse("m.csv", HEAD + "CBA,mnist,image,cnn,none,0.5\n", METRICS)
    )
    assert len(found.differences) == 1
    assert "states no protocol" in summary_sheet("mine", [found], ()).notes[-1]


# --- the paper's claims ---

PLAIN = "Images beat features without resampling, in every data set, IR and metric"
RESAMPLED = "Images beat features with the same resampler, in every data set, IR and metric"
PREFERABLE = "Images without resampling beat features with any resampler"
ROS_ALONE = "ROS is the only resampler that improves images on every data set"
ROS_BEST = "Images with ROS are the best of all on every data set"
IMAGES_HURT = "RUS, SMOTE, S+ENN and IHT hurt on images, except SMOTE on MNIST"
EXCEPTION = "On MNIST images SMOTE beats both the base case and ROS"
SMOTE_HELPS = "SMOTE improves features on every data set"
SMOTE_GAINS = "SMOTE gains more on features than ROS does on images"
FEATURES_HURT = "S+ENN and IHT usually hurt on features"
DROP = "With growing IR, features without resampling lose a larger share than images"


def test_tests_stand_beside_the_verdict_of_the_numbers() -> None:
    """Of one data set the study tells SMOTE from none on features, and nothing else."""
    smote, none = (("features", "svm", name) for name in ("smote", "none"))
    told = PairedDifference("mnist", none, smote, 10, -0.1, 0.01, -0.2, -0.05, 0.001, told_apart=True)
    chance = replace(told, dataset="stl10", p=0.5, told_apart=False)
    answer = Answer(BEST, "CBA", "folds", False, (told, chance, replace(told, dataset="cifar10", p=nan)), ())
    tested = {claim.statement: claim.tested for claim in check_claims(TABLE1.values, TABLE2.values, [answer])}
    assert tested[SMOTE_HELPS] == "1 for, 0 against, of 2"
    assert tested[DROP] == tested[PLAIN] == "no test"
    assert {claim.tested for claim in check_claims(TABLE1.values, TABLE2.values)} == {"no test"}
    assert "| no test |" in sheets_to_markdown([claims_sheet(check_claims(TABLE1.values, TABLE2.values), "paper")])


# What the paper's own tables say. Three sentences of its text they contradict: STL-10 with S+ENN is better on features
# than on images, ROS does not improve CBA on STL-10, and so is not the best there, nor on MNIST.
PUBLISHED = {
    PLAIN: (
        "holds",
        "True of 18 of 18 comparisons; the closest is AvAcc mnist: image Base 0.9924 against features Base",
    ),
    RESAMPLED: (
        "does not hold",
        "Not true of 2 of 54 comparisons: AvAcc stl10: image S+ENN 0.5073 against features S+ENN 0.5199; "
        "CBA stl10: image S+ENN 0.3696 against features S+ENN 0.3830.",
    ),
    PREFERABLE: (
        "holds",
        "True of 72 of 72 comparisons; the closest is AvAcc mnist: image Base 0.9924 against features",
    ),
    ROS_ALONE: (
        "does not hold",
        "Not true of 1 of 13 comparisons: CBA stl10: image ROS 0.7130 against image Base 0.7139.",
    ),
    ROS_BEST: (
        "does not hold",
        "Not true of 4 of 81 comparisons: AvAcc mnist: image ROS 0.9931 against image SMOTE 0.9933; CBA mnist: image "
        "ROS 0.9906 against image SMOTE 0.9908; CBA stl10: image ROS 0.7130 against image Base 0.7139; and 1 more.",
    ),
    IMAGES_HURT: (
        "holds",
        "True of 33 of 33 comparisons; the closest is MAvG mnist: image Base 0.9923 against image S+E",
    ),
    EXCEPTION: ("holds", "True of 6 of 6 comparisons; the closest is "),
    SMOTE_HELPS: (
        "holds",
        "True of 9 of 9 comparisons; the closest is CBA mnist: features SMOTE 0.9590 against features",
    ),
    SMOTE_GAINS: (
        "holds",
        "True of 9 of 9 comparisons; the closest is CBA mnist, gain over Base: features SMOTE 0.0041",
    ),
    FEATURES_HURT: (
        "holds",
        "True of 15 of 18 comparisons; the closest is MAvG mnist: features Base 0.9617 against features S+ENN 0.9616. "
        "Not so: AvAcc stl10: features Base 0.5103 against features S+ENN 0.5199; AvAcc stl10: features Base 0.5103 "
        "against features IHT 0.5139; MAvG stl10: features Base 0.2156 against features IHT 0.4782.",
    ),
    DROP: (
        "holds",
        "True of 3 of 3 comparisons; the closest is AvAcc, relative drop from IR 2 to 10: features Base 0.0891 against "
        "image Base 0.0340.",
    ),
}


def verdicts(by_dataset: Any, by_ir: Any) -> dict[str, str]:
    return {claim.statement: claim.verdict for claim in check_claims(by_dataset, by_ir)}


def test_every_claim_on_the_published_tables() -> None:
    assert list(PUBLISHED) == list(CLAIMS)
    for claim in check_claims(TABLE1.values, TABLE2.values):
        verdict, because = PUBLISHED[claim.statement]
        assert claim.verdict == verdict, claim.statement
        assert claim.because.startswith(because)


def changed(published: Published, changes: dict[tuple[Any, ...], float | None]) -> dict[Any, float]:
    assert changes.keys() <= published.values.keys()
    values = published.values | changes
    return {key: value for key, value in values.items() if value is not None}


def image(name: str, dataset: Any = "stl10", metric: str = "CBA") -> tuple[Any, ...]:
    return (metric, dataset, "image", "cnn", name)


def features(name: str, dataset: Any = "stl10", metric: str = "CBA") -> tuple[Any, ...]:
    return (metric, dataset, "features", "svm", name)


# Changes of Table 1 that turn a verdict: None takes the number away, nan makes it a dash.
TURNED = [
    (PLAIN, {image("none"): 0.4436}, "does not hold"),
    (PLAIN, {image("none"): nan}, "cannot be told"),
    (PLAIN, {image("none"): None}, "cannot be told"),
    (PLAIN, {image("none"): nan, features("none", "mnist"): 0.999}, "does not hold"),  # refuted all the same
    (RESAMPLED, {image("smote_enn"): 0.6, image("smote_enn", metric="AvAcc"): 0.6}, "holds"),
    (PREFERABLE, {features("iht"): 0.72}, "does not hold"),
    (ROS_ALONE, {image("ros"): 0.7140}, "holds"),
    (ROS_ALONE, {image("ros"): nan}, "cannot be told"),
    (
        ROS_ALONE,
        {image("ros"): 0.72}
        | {image("smote", dataset, metric): 0.999 for dataset in ("cifar10", "mnist", "stl10") for metric in METRICS},
        "does not hold",  # SMOTE improves everywhere, too
    ),
    (
        ROS_ALONE,
        {image("ros"): 0.72}
        | {image("smote", dataset, metric): 0.999 for dataset in ("cifar10", "mnist") for metric in METRICS}
        | {image("smote", "stl10", metric): nan for metric in METRICS},
        "cannot be told",
    ),
    (
        ROS_BEST,
        {image("ros"): 0.72} | {image("ros", "mnist", metric): 0.9999 for metric in METRICS},
        "holds",
    ),
    (IMAGES_HURT, {image("rus"): 0.72}, "does not hold"),
    (IMAGES_HURT, {image("smote", "mnist"): 0.1}, "holds"),  # the exception does not count either way
    (EXCEPTION, {image("smote", "mnist"): 0.9905}, "does not hold"),
    (SMOTE_HELPS, {features("smote"): 0.4437}, "does not hold"),
    (SMOTE_GAINS, {image("ros"): 0.8}, "does not hold"),
    (FEATURES_HURT, {features("iht", d, m): 0.999 for d in ("cifar10", "mnist") for m in METRICS}, "does not hold"),
    (FEATURES_HURT, {features("iht", d, m): nan for d in ("cifar10", "mnist") for m in METRICS}, "cannot be told"),
    (FEATURES_HURT, {features("iht"): nan}, "holds"),  # 14 of 18 are more than half whatever the missing one is
]


@pytest.mark.parametrize(("statement", "changes", "verdict"), TURNED)
def test_a_claim_turns_with_its_numbers(statement: str, changes: Any, verdict: str) -> None:
    assert verdicts(changed(TABLE1, changes), TABLE2.values)[statement] == verdict


TURNED_BY_IR = [
    (PLAIN, {features("none", 5.0): 0.9}, "does not hold"),
    (DROP, {image("none", 10.0): 0.5}, "does not hold"),
    (DROP, {features("none", 2.0): nan}, "cannot be told"),
    (DROP, {features("none", 2.0): 0.0}, "cannot be told"),  # nothing to lose
    (DROP, {image("none", 5.0): 0.1}, "holds"),  # from the lowest to the highest
]


@pytest.mark.parametrize(("statement", "changes", "verdict"), TURNED_BY_IR)
def test_a_claim_turns_with_the_numbers_by_ir(statement: str, changes: Any, verdict: str) -> None:
    assert verdicts(TABLE1.values, changed(TABLE2, changes))[statement] == verdict


def test_without_an_arm_or_the_data_set_nothing_can_be_told() -> None:
    only_images = [{k: v for k, v in p.values.items() if k[2] == "image"} for p in (TABLE1, TABLE2)]
    told = {statement for statement, verdict in verdicts(*only_images).items() if verdict != "cannot be told"}
    assert told == {ROS_ALONE, ROS_BEST, IMAGES_HURT, EXCEPTION}
    no_mnist = {k: v for k, v in TABLE1.values.items() if k[1] != "mnist"}
    assert verdicts(no_mnist, TABLE2.values)[EXCEPTION] == "cannot be told"
    assert set(verdicts({}, {}).values()) == {"cannot be told"}


def test_claims_on_a_table_of_ones_own() -> None:
    """A dash is a missing number, not a refutation."""
    columns: dict[Any, list[float | str]] = {
        ("digits", "image", "none"): [0.9, 0.8],
        ("digits", "features", "none"): [0.7, 0.7],
        ("digits", "features", "smote"): [0.8, 0.7],
    }
    own = [values_of(made(columns, rows=rows)) for rows in ("dataset", "imbalance")]
    found = verdicts(*own)
    assert (found[PLAIN], found[SMOTE_HELPS], found[DROP]) == ("holds", "holds", "cannot be told")
    columns["digits", "features", "smote"] = [0.8, "infeasible"]
    assert (
        verdicts(*[values_of(made(columns, rows=rows)) for rows in ("dataset", "imbalance")])[SMOTE_HELPS]
        == "cannot be told"
    )


JUDGED = [
    ([True, True], 1, "holds"),
    ([True, False], 1, "does not hold"),
    ([True, None], 1, "cannot be told"),
    ([False, None], 1, "does not hold"),
    ([True, False], 0.5, "does not hold"),  # half is not more than half
    ([True, True, False], 0.5, "holds"),
    ([True, False, None], 0.5, "cannot be told"),
    ([], 1, "cannot be told"),
]


@pytest.mark.parametrize(("outcomes", "share", "verdict"), JUDGED)
def test_verdicts(outcomes: list[bool | None], share: float, verdict: str) -> None:
    lower = {True: 0.4, False: 0.5, None: nan}  # a tie is not above
    inequalities = [Inequality("CBA", "a", 0.5, "b", lower[outcome]) for outcome in outcomes]
    assert judge("", inequalities, share_needed=share).verdict == verdict


def test_a_tie_is_above_nothing() -> None:
    claim = judge("", [Inequality("CBA mnist", "image ROS", 0.50004, "image Base", 0.5)])
    assert claim.verdict == "does not hold"
    assert claim.because == (
        "Not true of 1 of 1 comparison: CBA mnist: image ROS 0.5000 against image Base 0.5000 (a tie)."
    )


def test_a_missing_number_is_named() -> None:
    claim = judge("", [Inequality("CBA mnist", "image ROS", nan, "image Base", 0.5)])
    assert claim.because == "1 of 1 comparison lack a number: CBA mnist: image ROS no number against image Base 0.5000."


def test_claims_print() -> None:
    claims = check_claims(TABLE1.values, TABLE2.values)
    text = sheets_to_markdown([claims_sheet(claims, "paper")])
    assert f"| {ROS_ALONE} | does not hold | no test | Not true of 1 of 13" in text
    head, *lines = claims_to_csv(claims).splitlines()
    assert (head, len(lines)) == ("claim,verdict,more_than_chance,because", len(CLAIMS))
    console = Console(width=100, record=True, file=StringIO())
    console.print(sheets_to_terminal([claims_sheet(claims, "paper")]))
    text = console.export_text()
    assert "The paper's claims, checked on paper" in text
    assert text.count("does not hold") == 3
