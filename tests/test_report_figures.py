"""The figures: numbers by hand, what is drawn of them, and what is said of what is missing."""

import os
import re
import shutil
import subprocess
import sys
from dataclasses import replace
from io import BytesIO
from math import inf, nan
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pandas as pd
import pytest
from made_up import CLASSES, failed, grid, measured, record, results, study, unfinished
from matplotlib.axes import Axes
from matplotlib.figure import Figure as Canvas
from PIL import Image

from raygrid.cells import expand
from raygrid.metrics.further import range_of
from raygrid.report.figures import (
    Figure,
    Ranks,
    against_ir,
    confusion,
    critical_difference,
    figures_of,
    ranks,
    ranks_of,
    recall,
)
from raygrid.report.figures.confusion import confusion_by_name, normalised
from raygrid.report.figures.figure import DOUBLE, FONT_PT, SINGLE, basis
from raygrid.report.figures.gain import gain_over_none, paired_gains
from raygrid.report.figures.lines import apart
from raygrid.report.figures.seconds import _frame, seconds_by_stage
from raygrid.report.figures.style import COLOURS, PAPER, styles
from raygrid.report.inference.mean_ranks import MeanRanks, mean_ranks
from raygrid.report.inference.samples import Sample
from raygrid.report.latex import DOCUMENT, figures_to_latex, to_latex
from raygrid.report.results import Results
from raygrid.report.statistics import Statistics
from raygrid.report.statistics_sheets import arm_name
from raygrid.report.tables import table
from raygrid.storage.record import Record

SMALL: dict[str, Any] = {"folds": 3, "datasets": ["mnist", "stl10"]}
NAMES = [
    *("ir-AvAcc", "ir-CBA", "ir-MAvG", "gain", "ranks-AvAcc", "ranks-CBA", "ranks-MAvG", "recall"),
    *(f"confusion-rank-{arm}" for arm in ("image-cnn", "features-svm")),
    *(f"confusion-name-{arm}-{data}" for arm in ("image-cnn", "features-svm") for data in ("mnist", "stl10")),
    "seconds",
]


@pytest.fixture(scope="module")
def part_way() -> Results:
    return unfinished(**SMALL)


@pytest.fixture(scope="module")
def drawn(part_way: Results) -> list[Figure]:
    found = tuple(ranked(metric) for metric in part_way.metrics)
    return figures_of(part_way, Statistics(answers=(), mean_ranks=found, alpha=0.05, rope=0.01))


def ranked(metric: str) -> MeanRanks:
    """Ranks of three methods on seven data sets."""
    columns = tuple(("image", "cnn", name) for name in ("none", "ros", "rus"))
    values = np.random.default_rng(0).normal([0.7, 0.72, 0.6], 0.02, (7, 3))
    return mean_ranks(metric, ("image", "cnn"), Sample("", columns, values, 0.0, 6), 0.05)


@pytest.fixture
def axes() -> Axes:
    return Canvas().subplots()


def line(value: float, **place: Any) -> dict[str, Any]:
    """A line of the frame."""
    arm = {"metric": "AvAcc", "dataset": "mnist", "representation": "image", "classifier": "cnn"}
    return (
        arm | {"imbalance": 2.0, "ratio": 2.0, "fold": 0, "resampler": "none", "status": "done", "value": value} | place
    )


def test_every_figure_is_a_vector_and_pixels_with_a_name_of_its_own(drawn: list[Figure]) -> None:
    assert [figure.name for figure in drawn] == NAMES
    for figure in drawn:
        assert ElementTree.fromstring(figure.svg).tag == "{http://www.w3.org/2000/svg}svg"
        assert figure.title
        assert figure.caption.endswith(".")


def test_a_figure_is_printed_at_the_width_of_a_column_or_a_page_in_one_font_size(drawn: list[Figure]) -> None:
    from matplotlib.text import Text

    for figure in drawn:
        assert figure.canvas.get_size_inches()[0] in (pytest.approx(SINGLE), pytest.approx(DOUBLE))
        assert {text.get_fontsize() for text in figure.canvas.findobj(Text) if text.get_text()} == {FONT_PT}


def test_all_that_is_drawn_lies_on_the_canvas(drawn: list[Figure]) -> None:
    for figure in drawn:
        inches, (width, height) = figure.canvas.get_tightbbox(), figure.canvas.get_size_inches()
        assert min(inches.x0, inches.y0, width - inches.x1, height - inches.y1) > -0.01, (figure.name, inches)


_SMOTES = [(2, "not majority"), (5, "not minority")]
LONG_NAMES: dict[str, Any] = {
    "folds": 2,
    "datasets": ["mnist"],
    "arms": [
        {
            "representation": {"name": "features", "alpha": alpha, "weights": "none"},
            "classifier": {"name": "svm", "C": 50 * alpha, "gamma": alpha / 4, "probability": probability},
            "resamplers": ["none", *({"name": "smote", "k_neighbors": k, "sampling_strategy": s} for k, s in _SMOTES)],
        }
        for alpha, probability in ((0.25, "none"), (0.5, "sigmoid"))
    ],
}


def drawn_texts(figure: Figure) -> list[tuple[str, Any]]:
    """What is written in a figure, and where: extents in pixels."""
    from matplotlib.text import Text

    figure.canvas.draw_without_rendering()
    beyond = {  # ticks beyond the ends of an axis, which are not drawn
        label
        for axes in figure.canvas.axes
        for axis in (axes.xaxis, axes.yaxis)
        for tick in axis.get_major_ticks()
        for label in (tick.label1, tick.label2)
        if not min(axis.get_view_interval()) <= tick.get_loc() <= max(axis.get_view_interval())
    }
    texts = [text for text in figure.canvas.findobj(Text) if text.get_text().strip() and text.get_visible()]
    return [(text.get_text(), text.get_window_extent()) for text in texts if text not in beyond]


def ranked_with_long_names(metric: str) -> MeanRanks:
    arm = ("features(backbone=mobilenet_v2)", "svm(C=12.5,gamma=0.0625)")
    columns = tuple((*arm, f"smote(k_neighbors={k},sampling_strategy=not majority)") for k in (2, 3, 4))
    return replace(ranked(metric), arm=arm, columns=columns)


def test_titles_and_labels_of_long_names_lie_on_the_canvas_and_run_into_nothing() -> None:
    found = study(**LONG_NAMES)
    long = tuple(ranked_with_long_names(metric) for metric in found.metrics)
    figures = figures_of(found, Statistics(answers=(), mean_ranks=long, alpha=0.05, rope=0.01))
    assert {"gain", "recall", "ranks-AvAcc", "seconds"} < {figure.name for figure in figures}
    for figure in figures:
        width, height = figure.canvas.bbox.size
        titles = {axes.get_title(loc="left") for axes in figure.canvas.axes}
        drawn = drawn_texts(figure)
        for i, (text, box) in enumerate(drawn):
            assert min(box.x0, box.y0, width - box.x1, height - box.y1) > -1, (figure.name, text)
            others = drawn[:i] + drawn[i + 1 :] if text in titles or "smote(" in text else []
            hit = [other for other, place in others if box.padded(-1).overlaps(place.padded(-1))]
            assert not hit, (figure.name, text, hit)


def test_what_is_printed_has_its_fonts_and_enough_pixels(drawn: list[Figure]) -> None:
    figure = drawn[0]
    pdf, image = figure.pdf(), Image.open(BytesIO(figure.png()))
    assert pdf.startswith(b"%PDF")
    assert b"/FontFile2" in pdf  # TrueType, embedded
    assert b"/Type3" not in pdf
    assert image.size[0] == int(DOUBLE * 300)
    assert image.info["dpi"] == pytest.approx((300, 300), abs=0.1)


def test_a_figure_made_twice_is_the_same_file(part_way: Results, drawn: list[Figure]) -> None:
    again = [against_ir.metric_against_ir(part_way, "AvAcc"), gain_over_none(part_way), seconds_by_stage(part_way)]
    before = [figure for figure in drawn if figure.name in ("ir-AvAcc", "gain", "seconds")]
    assert again == before
    assert [(figure.pdf(), figure.png()) for figure in again if figure] == [(f.pdf(), f.png()) for f in before]
    assert b"Date" not in before[0].svg + before[0].pdf()


RANKED = """
import hashlib, pandas as pd
from raygrid.report.figures import Ranks, critical_difference
names = ["a", "bb", "ccc", "d", "ee"]
p = pd.DataFrame(1.0, index=names, columns=names)
p.loc["a", "ee"] = p.loc["ee", "a"] = p.loc["a", "d"] = p.loc["d", "a"] = 0.01
figure = critical_difference([Ranks("t", dict(zip(names, [1, 2, 3, 4, 5])), p)], name="r", title="t", caption="c")
print(hashlib.sha256(figure.svg + figure.pdf() + figure.png()).hexdigest())
"""


def test_ranks_are_the_same_file_whatever_the_order_of_sets() -> None:
    run = [sys.executable, "-c", RANKED]
    made = [subprocess.run(run, env=os.environ | {"PYTHONHASHSEED": seed}, capture_output=True) for seed in "12"]
    assert made[0].stdout == made[1].stdout != b"", made[0].stderr


def test_captions_say_what_is_missing(part_way: Results, drawn: list[Figure]) -> None:
    counts = part_way.places["status"].value_counts()
    said = f"Drawn from the {counts['done']} of 180 cells that have a result; the others: "
    assert said in drawn[0].caption
    for status in ("missing", "infeasible", "error"):
        assert f"{counts[status]} {status}" in drawn[0].caption
    assert basis(pd.DataFrame({"status": ["done", "done"]})) == "Drawn from all 2 cells."


def test_nothing_is_drawn_of_nothing() -> None:
    assert figures_of(results(expand(grid(**SMALL)), [])) == []


def test_an_arm_that_has_not_begun_takes_its_place_but_has_no_confusions() -> None:
    cells, rng = expand(grid(**SMALL)), np.random.default_rng(0)
    half = results(cells, [record(cell, rng) for cell in cells if cell.classifier.name == "svm"])
    names = [figure.name for figure in figures_of(half)]
    assert [name for name in names if "confusion" in name] == [NAMES[9], *NAMES[12:14]]


def test_resamplers_differ_by_more_than_colour() -> None:
    looks = list(styles(f"r{i}" for i in range(20)).values())
    assert len({(look.colour, look.marker, str(look.dash)) for look in looks}) == 20
    assert len({look.marker for look in looks[: len(COLOURS)]}) == len(COLOURS)


def test_points_are_means_over_folds_with_their_spread_and_hollow_where_folds_lack(axes: Axes) -> None:
    values = [(2.0, [0.5, 0.7]), (8.0, [0.2, nan]), (4.0, [0.4, 0.4])]
    part = pd.DataFrame([line(x, imbalance=ir, ratio=ir, fold=fold) for ir, xs in values for fold, x in enumerate(xs)])
    [end] = against_ir._draw(axes, part, styles(["none"]))
    joined, whole, short = axes.lines
    assert joined.get_ydata() == pytest.approx([0.6, 0.4, 0.2])
    assert joined.get_xdata() == pytest.approx([0, 0.5, 1])  # 2, 4 and 8 are as far from one another on a log scale
    assert (list(whole.get_ydata()), list(short.get_ydata())) == (pytest.approx([0.6, 0.4]), pytest.approx([0.2]))
    assert (whole.get_markerfacecolor(), short.get_markerfacecolor()) == (COLOURS[0], PAPER)
    [bars] = axes.collections
    reach = [segment[1][1] - segment[0][1] for segment in bars.get_segments()]
    assert reach == pytest.approx([2 * 0.2 / 2**0.5, 0, 0])
    assert (end.label, end.x, end.y) == ("Base", 1.0, pytest.approx(0.2))
    assert [text.get_text() for text in axes.get_xticklabels()] == ["2", "4", "8"]


def test_a_bar_ends_where_the_metric_does(axes: Axes) -> None:
    part = pd.DataFrame([line(x, fold=fold) for fold, x in enumerate([0.0, 0.0, 0.9])])
    against_ir._draw(axes, part, styles(["none"]), bounds=(0, 1))
    [[low, high]] = axes.collections[0].get_segments()
    assert (low[1], high[1]) == pytest.approx((0, 0.3 + 0.9 / 3**0.5))
    assert (range_of("AvAcc"), range_of("matthews_corrcoef"), range_of("m:f")) == ((0, 1), (-1, 1), (-inf, inf))


def test_ticks_do_not_run_into_each_other() -> None:
    assert against_ir._thinned(np.array([0, 0.02, 0.3, 0.36, 0.38, 1])) == [0, 2, 4, 5]


def test_a_single_ir_stands_in_the_middle(axes: Axes) -> None:
    against_ir._draw(axes, pd.DataFrame([line(0.5)]), styles(["none"]))
    assert axes.lines[0].get_xdata() == pytest.approx([0.5])


THREE = [[3, 1, 0], [0, 8, 0], [2, 0, 2]]


def three(**changes: Any) -> Record:
    """A record of three classes, of which the last is the largest."""
    fields = {"confusion": THREE, "class_order": [2, 0, 1], "class_names": ["a", "b", "c"], "status": "done"}
    return Record(key="k", cell={}, measured=measured({}), **fields | changes)


def test_recall_from_the_largest_class_to_the_smallest() -> None:
    assert recall.recalls(three()) == pytest.approx([0.5, 0.75, 1.0])
    empty = three(confusion=[[3, 1, 0], [0, 0, 0], [2, 0, 2]])
    assert recall.recalls(empty) == pytest.approx([0.5, 0.75, nan], nan_ok=True)


def test_recall_is_averaged_over_folds_by_rank(axes: Axes) -> None:
    values = [np.array([1.0, 0.5]), np.array([0.8, nan]), None]
    part = pd.DataFrame([line(0, fold=fold) for fold in range(3)]).assign(value=pd.Series(values, dtype=object))
    [end] = recall._draw(axes, part, styles(["none"]), names={})
    assert (list(axes.lines[0].get_xdata()), list(axes.lines[0].get_ydata())) == ([1, 2], pytest.approx([0.9, 0.5]))
    assert (end.x, end.y) == (2, 0.5)


def test_classes_have_names_where_every_fold_has_the_same_order() -> None:
    made = study(folds=2, datasets=["stl10", "mnist"], imbalance_ratios=[5])
    ordered = {"class_order": [*range(9, -1, -1)]}
    records = [
        one.model_copy(update=ordered if one.class_names[0] == "airplane" else {}) for one in made.records.values()
    ]
    figure = recall.recall_by_frequency(results(made.cells, records))
    ticks = [[text.get_text() for text in axes.get_xticklabels()] for axes in figure.canvas.axes]
    assert ticks[0] == ticks[1] == list(reversed(CLASSES["stl10"]))
    assert "airplane" not in ticks[2]
    assert "class 1 is the largest of its fold" in figure.caption


def test_a_number_in_a_confusion_matrix_stands_in_its_field(axes: Axes) -> None:
    image = axes.imshow(np.zeros((2, 2)), vmin=0, vmax=100)
    confusion._write_numbers(axes, np.array([[95.0, 5.0], [0.0, 95.0]]), image.to_rgba)
    fields = {(x, y): line.get_marker() for line in axes.lines for x, y in zip(*line.get_data(), strict=True)}
    assert set(fields) == {(0, 0), (1, 0), (1, 1)}  # column and row of what is not 0
    assert fields[0, 0] is fields[1, 1] is confusion._outline(95)
    assert fields[1, 0] is confusion._outline(5)
    box = confusion._outline(95).get_extents()
    assert (box.x0 + box.x1, box.y0 + box.y1) == pytest.approx((0, 0), abs=1e-9)


def test_nothing_is_drawn_against_a_single_level() -> None:
    names = [figure.name for figure in figures_of(study(folds=1, datasets=["mnist"], imbalance_ratios=[5]))]
    assert "gain" in names
    assert not [name for name in names if name.startswith("ir-")]


def test_confusions_by_rank_and_by_name() -> None:
    by_name = [[0.75, 0.25, 0], [0, 1, 0], [0.5, 0, 0.5]]
    assert normalised(three(), "name").tolist() == by_name
    assert normalised(three(), "rank").tolist() == [[0.5, 0.5, 0], [0, 0.75, 0.25], [0, 0, 1]]


def test_gain_is_that_of_pairs() -> None:
    cells = [line(0.5), line(0.9, fold=1), line(0.7, resampler="ros"), line(0.95, fold=1, resampler="ros")]
    cells += [line(nan, fold=2, status="error"), line(0.1, fold=2, resampler="ros"), line(0.3, fold=3, resampler="ros")]
    gains = paired_gains(pd.DataFrame(cells))
    assert gains["gain"].tolist() == pytest.approx([0.2, 0.05, nan], nan_ok=True)  # a pair, a pair, half of one


def test_a_long_name_of_a_metric_does_not_run_into_the_next_panel() -> None:
    cells, records = expand(grid(**SMALL)), study(**SMALL).records
    metrics = {f"a_function_of_the_users_own_with_a_long_name_{i}": 0.5 for i in range(2)}
    named = [r.model_copy(update={"metrics": metrics}) for r in records.values()]
    figure = gain_over_none(results(cells, named, metrics=tuple(metrics)))
    assert figure is not None
    figure.canvas.draw_without_rendering()
    titles = [axes.get_title(loc="left") and axes._left_title.get_window_extent() for axes in figure.canvas.axes]
    boxes = [box for box in titles if box]
    assert len(boxes) == 4
    assert not any(one.overlaps(other) for i, one in enumerate(boxes) for other in boxes[:i])


def test_there_is_no_gain_without_a_baseline() -> None:
    arm = {"representation": "image", "classifier": "cnn", "resamplers": ["ros", "rus"]}
    assert gain_over_none(study(folds=1, datasets=["mnist"], arms=[arm])) is None


def test_seconds_are_of_trials_that_are_done() -> None:
    cells = expand(grid(folds=1, datasets=["mnist"], imbalance_ratios=[2]))[:3]
    done = record(cells[0], np.random.default_rng(0))
    frame, stages = _frame(results(cells, [done, failed(cells[1], "error", "broke")]))
    assert stages == ["split", "resample", "fit", "predict"]
    assert frame["fit"].tolist() == pytest.approx([900, nan, nan], nan_ok=True)


def test_a_stage_of_some_trials_only_counts_as_none_in_the_others() -> None:
    cells = expand(grid(folds=1, datasets=["mnist"], imbalance_ratios=[2]))[:3]
    one, other = (record(cell, np.random.default_rng(0)) for cell in cells[:2])
    measured = one.measured.model_copy(update={"seconds": one.measured.seconds | {"earlier": 3600.0}})
    frame, stages = _frame(results(cells, [one.model_copy(update={"measured": measured}), other]))
    assert stages[-1] == "earlier"
    assert frame["earlier"].tolist() == pytest.approx([3600, 0, nan], nan_ok=True)


def test_labels_keep_their_distance_near_where_they_belong() -> None:
    assert apart(np.array([0.2, 0.5, 0.9]), gap=0.1).tolist() == pytest.approx([0.2, 0.5, 0.9])
    assert apart(np.array([0.52, 0.48]), gap=0.1).tolist() == pytest.approx([0.55, 0.45])
    assert apart(np.array([1.0, 1.0, 0.0]), gap=0.1).tolist() == pytest.approx([0.9, 1.0, 0.0])
    crowded = apart(np.zeros(21), gap=0.1)
    assert (crowded.min(), crowded.max(), len(set(crowded.round(6)))) == (0, pytest.approx(1), 21)


def p_values(**different: float) -> pd.DataFrame:
    """All 1 but for those named, for example ``ac=0.01``."""
    table = pd.DataFrame(1.0, index=list("abc"), columns=list("abc"))
    for (left, right), p in different.items():
        table.loc[left, right] = table.loc[right, left] = p
    return table


@pytest.mark.parametrize(
    ("different", "runs"),
    [({"ac": 0.01}, [(0, 1), (1, 2)]), ({"ac": 0.05}, [(0, 2)]), ({"ab": 0.01, "ac": 0.01}, [(1, 2)])],
)
def test_ranks_that_do_not_differ_are_joined(axes: Axes, different: dict[str, float], runs: list[Any]) -> None:
    diagram = Ranks("t", {"c": 2.8, "a": 1.2, "b": 2.0}, p_values(**different), 1.0)
    assert ranks.joined(diagram, 0.05) == runs
    ranks._draw(axes, diagram, 0.05)
    assert [text.get_text() for text in axes.get_yticklabels()] == ["a", "b", "c"]
    bars = [bar.get_ydata() for bar in axes.lines if bar.get_linewidth() == 2.5]
    assert [(round(low), round(high)) for low, high in bars] == runs
    [scale] = [bar.get_xdata() for bar in axes.lines if bar.get_marker() == "|"]
    assert list(scale) == [1, 2]


def test_a_critical_difference_longer_than_the_axis_is_said(axes: Axes) -> None:
    ranks._draw(axes, Ranks("t", {"c": 2.1, "a": 1.9, "b": 2.0}, p_values(), 2.35), 0.05)
    assert not [bar for bar in axes.lines if bar.get_marker() == "|"]
    assert "CD = 2.35, longer than this axis" in [text.get_text() for text in axes.texts]


def test_ranks_come_from_the_statistics() -> None:
    found = ranked("AvAcc")
    diagram = ranks_of(found)
    assert diagram.title == f"AvAcc: {arm_name(found)}"
    assert list(diagram.ranks) == [f"image · cnn · {name}" for name in ("Base", "ROS", "RUS")]
    assert sum(diagram.ranks.values()) == pytest.approx(6)
    left, right = list(diagram.ranks)[::2]
    assert diagram.p_values.loc[left, right] == diagram.p_values.loc[right, left] == found.p_values[0, 2]
    assert diagram.critical_difference == found.friedman.critical_difference


def test_names_may_be_anything() -> None:
    odd = Ranks("a $b$ c", {"$a_b^": 1.0, "</svg>": 2.0, "日本": 3.0}, p_values().set_axis(["$a_b^", "</svg>", "日本"]))
    odd = Ranks(odd.title, odd.ranks, odd.p_values.set_axis(["$a_b^", "</svg>", "日本"], axis=1))
    figure = critical_difference([odd], name="ranks-my_pkg.mod:Odd (x=1)", title="t", caption="c")
    assert figure.name == "ranks-my_pkg_mod_Odd_x_1_"
    ElementTree.fromstring(figure.svg)


def test_many_classes_and_one_resampler() -> None:
    rng = np.random.default_rng(0)
    [cell] = expand(
        grid(
            folds=1,
            datasets=["mnist"],
            imbalance_ratios=[5],
            arms=[{"representation": "image", "classifier": "cnn", "resamplers": ["none"]}],
        )
    )
    many = {"confusion": rng.integers(1, 9, (100, 100)).tolist(), "class_order": list(range(100))}
    wide = record(cell, rng).model_copy(update=many | {"class_names": [f"class {i}" for i in range(100)]})
    figure = confusion_by_name(results([cell], [wide]), ("image", "cnn"), "mnist")
    assert len(figure.svg) < 200_000
    assert recall.recall_by_frequency(results([cell], [wide])).title == "Recall by class frequency at IR 5"


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is not installed")
def test_the_document_of_a_report_compiles(tmp_path: Path, part_way: Results, drawn: list[Figure]) -> None:
    (tmp_path / "figures").mkdir()
    for figure in drawn:
        (tmp_path / "figures" / f"{figure.name}.pdf").write_bytes(figure.pdf())
    shown = to_latex(table(part_way.frame, rows="dataset", missing="mark"))
    for name, text in {"table1": shown, "figures": figures_to_latex(drawn), "report": DOCUMENT}.items():
        (tmp_path / f"{name}.tex").write_text(text, encoding="utf-8")
    command = ["pdflatex", "-halt-on-error", "-interaction=nonstopmode", "report.tex"]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout[-2000:]
    assert not re.search(r"Overfull \\hbox \([0-9]{2,}", run.stdout)  # no figure is wider than its column
    said = run.stdout.replace("\n", "")  # it breaks lines anywhere
    assert all(f"figures/{figure.name}.pdf" in said for figure in drawn)


def test_drawing_leaves_no_state_behind(drawn: list[Figure]) -> None:
    import matplotlib
    from matplotlib import pyplot

    assert pyplot.get_fignums() == []
    assert matplotlib.rcParams["svg.hashsalt"] is None


def test_matplotlib_is_loaded_only_to_draw() -> None:
    code = "import sys, raygrid.report.figures; sys.exit('matplotlib' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
