"""The page in a real browser: what a reader can do with it."""

import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import replace
from importlib.resources import files
from math import isnan
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlparse

import numpy as np
import pytest
from made_up import CLASSES, LARGE, failed, grid, record, results, study, unfinished
from pages import SMALL, Tab, chromium, write

from raygrid.cells import expand
from raygrid.report.figures import gain_over_none
from raygrid.report.inference.design import designs_of
from raygrid.report.kept_files import kept_files
from raygrid.report.pictures import Pictures, class_pictures, disputed, disputed_block
from raygrid.report.ranking import rankings
from raygrid.report.render import printed
from raygrid.report.results import Results
from raygrid.report.sheets import Sheet
from raygrid.report.statistics import statistics
from raygrid.report.statistics_sheets import statistics_sheets
from raygrid.storage.store import Store

HOSTILE = "</script><img src=x onerror='window.hacked=1'>"
ESCAPE, ENTER, SPACE = "\ue00c", "\ue007", " "

Opener = Callable[[str], Tab]


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    with chromium(tmp_path_factory.mktemp("chromium")) as browser:
        yield browser


@pytest.fixture
def opened(browser: Any, tmp_path: Path) -> Iterator[Opener]:
    """Open text as the page of a store on disk; at the end, the browser must have found nothing to complain of."""

    def open_(text: str) -> Tab:
        path = tmp_path / "a store #1" / "report" / "index.html"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return Tab(browser, path)

    yield open_
    assert browser.get_log("browser") == []


@pytest.fixture(scope="module")
def finished() -> Results:
    return study(folds=4, datasets=["mnist", "stl10"])


@pytest.fixture(scope="module")
def part_way() -> Results:
    return unfinished(**SMALL)


@pytest.fixture(scope="module")
def illustrated(finished: Results) -> str:
    """The page of a finished study with a figure, and with pictures of its samples."""
    return write(finished, [*filter(None, [gain_over_none(finished)])], pictures=pictures_of(finished))


@pytest.fixture(scope="module")
def written(part_way: Results) -> str:
    return write(part_way, [*filter(None, [gain_over_none(part_way)])])


@pytest.fixture
def tab(opened: Opener, written: str) -> Tab:
    return opened(written)


def pictures_of(found: Results) -> Pictures:
    """Pictures of noise; every second method takes every third sample for the class after its own."""
    rng, keys = np.random.default_rng(0), disputed_block(found.places)
    X, y = rng.integers(0, 255, (60, 32, 32, 3), dtype=np.uint8), np.arange(60) % 10
    test = {"y_true": y, "test_index": np.arange(60)}
    predicted = {key: np.where((np.arange(60) % 3 == 0) & (k % 2 == 1), (y + 1) % 10, y) for k, key in enumerate(keys)}
    pool = {"X": X, "y": y}
    shown = disputed(pool, {key: {**test, "y_pred": of} for key, of in predicted.items()})
    return Pictures(class_pictures(dict.fromkeys(found.places["dataset"], pool)), shown)


def shown_ranking(tab: Tab) -> list[tuple[str, str]]:
    """Each line of the ranking: the method; its value and half of its interval, if there is one."""
    return list(zip(tab.texts("#methods tbody th"), tab.texts("#methods tbody .value"), strict=True))


def expected_ranking(found: Results, metric: str, query: str = "dataset == dataset") -> list[tuple[str, str]]:
    of = next(one for one in rankings(found.frame.query(query), designs_of(found)) if one.metric == metric)
    names = [" · ".join([*one.method[:2], printed("resampler", one.method[2])]) for one in of.methods]
    halves = ["" if isnan(one.high) else f" ±{max(one.high - one.mean, one.mean - one.low):.3f}" for one in of.methods]
    return [(name, f"{one.mean:.4f}{half}") for name, one, half in zip(names, of.methods, halves, strict=True)]


def test_methods_are_ranked_by_the_metric_that_is_chosen(opened: Opener, finished: Results, illustrated: str) -> None:
    tab = opened(illustrated)
    assert shown_ranking(tab) == expected_ranking(finished, "AvAcc")
    assert tab.texts("#methods .behind")[1] == "best"
    tab.js("document.querySelector('#controls input[value=MAvG]').click()")
    assert shown_ranking(tab) == expected_ranking(finished, "MAvG")
    assert tab.js("document.querySelector('#tables-metric input[value=MAvG]').checked")
    assert {text.rpartition(": ")[2] for text in tab.texts("#tables h3") if text} == {"MAvG"}


@pytest.mark.parametrize(
    ("chosen", "query"),
    [
        ({"Dataset": "stl10"}, "dataset == 'stl10'"),
        ({"IR": "10"}, "imbalance == 10"),
        (
            {"Dataset": "mnist", "IR": "2", "Classifier": "svm"},
            "dataset == 'mnist' and imbalance == 2 and classifier == 'svm'",
        ),
    ],
)
def test_filters_rank_what_they_leave_as_the_report_would(
    opened: Opener, finished: Results, illustrated: str, chosen: dict[str, str], query: str
) -> None:
    tab = opened(illustrated)
    for name, level in chosen.items():
        tab.filter(name, level)
    assert shown_ranking(tab) == expected_ranking(finished, "AvAcc", query)
    n_methods = len(tab.texts("#methods tbody tr"))
    panels = len(tab.texts("#chart svg"))
    assert panels == (1 if "Dataset" in chosen else 2)
    assert (
        len(tab.js("[...document.querySelectorAll('#chart [data-m]')].map((one) => one.dataset.m)"))
        == panels * n_methods
    )
    tab.one("#no-filter").click()
    assert shown_ranking(tab) == expected_ranking(finished, "AvAcc")


def test_an_unfinished_grid_is_ranked_by_what_it_has(tab: Tab, part_way: Results) -> None:
    assert shown_ranking(tab) == expected_ranking(part_way, "AvAcc")
    tab.filter("Dataset", "mnist")
    assert shown_ranking(tab) == expected_ranking(part_way, "AvAcc", "dataset == 'mnist'")


def test_rows_are_methods_when_sorted_and_filtered(opened: Opener, illustrated: str) -> None:
    tab = opened(illustrated)
    tab.one("#methods th.name button").click()
    assert tab.texts("#methods tbody th")[0] == "features · svm · Base"
    tab.filter("Resampler", "SMOTE")
    shown = [text for text in tab.texts("#tables [data-metric=AvAcc] tbody th") if text]
    assert set(shown) == {"image · cnn · SMOTE", "features · svm · SMOTE"}


def test_the_figure_can_be_another_one(opened: Opener, illustrated: str) -> None:
    tab = opened(illustrated)
    labels = {name: tab.one(f"[name=chart][value={name}]") for name in ("classes", "seconds")}
    for name, label in (("classes", "Class, the largest first"), ("seconds", "Seconds of a trial")):
        tab.js("arguments[0].click()", labels[name])
        assert label in tab.js("document.querySelector('#chart svg').textContent")
    tab.filter("IR", "2")
    assert not tab.one("[name=chart][value=imbalance]").is_enabled()


# Two methods side by side


def test_two_methods_are_set_side_by_side(opened: Opener, finished: Results, illustrated: str) -> None:
    tab = opened(illustrated)
    for name in ("image · cnn · ROS", "features · svm · IHT"):
        tab.one(f"input[aria-label='Compare {name}']").click()
    values = finished.frame.query("metric == 'AvAcc'").pivot(
        index=["dataset", "imbalance", "fold"], columns=["classifier", "resampler"], values="value"
    )
    differences = values["cnn"]["ros"] - values["svm"]["iht"]
    said = tab.one("#pair-body > p").text
    assert said.startswith(f"image · cnn · ROS minus features · svm · IHT: +{differences.mean():.4f} AvAcc")
    assert f"Higher in {(differences > 0).sum()} of 24 blocks" in said
    of_mnist = differences.loc["mnist", 2.0]
    assert tab.texts(".differences tbody tr:first-child .number") == [f"+{of_mnist.mean():.4f}", "4 of 4"]
    assert len(tab.browser.find_elements("css selector", ".differences tbody tr:first-child circle")) == 4
    cells = finished.places.query("dataset == 'mnist' and classifier == 'cnn' and resampler == 'ros'")
    total = sum(np.array(finished.records[key].confusion) for key in cells["key"])
    shown = [[int(cell) for cell in row.split()[1:]] for row in tab.texts(".matrices > :first-child tbody tr")]
    assert shown == total.tolist()


def test_images_are_shown_that_only_one_of_two_recognises(opened: Opener, illustrated: str) -> None:
    tab = opened(illustrated)
    for name in ("image · cnn · Base", "image · cnn · ROS"):  # the second errs on every third of 60 samples
        tab.one(f"input[aria-label='Compare {name}']").click()
    assert "Only image · cnn · Base: 20 test images" in tab.one("#pair-body").text
    assert "Only image · cnn · ROS: 0 test images" in tab.one("#pair-body").text
    names = tab.js("[...document.querySelectorAll('.pictures img')].map((one) => one.alt)")
    assert len(names) == 6
    assert names[0] == "0, taken for 1"
    assert tab.js("[...document.querySelectorAll('img')].every((one) => one.naturalWidth > 0)")


def test_of_many_classes_those_are_compared_that_differ_most(opened: Opener) -> None:
    arm = {"representation": "raw", "classifier": "svm", "resamplers": ["none", "ros"]}
    cells = expand(grid(folds=1, datasets=["mnist"], imbalance_ratios=[2], arms=[arm]))
    confusions = [10 * np.eye(30, dtype=int) for _ in cells]
    confusions[1][29] = [*[0] * 28, 4, 6]
    records = [
        record(cell, np.random.default_rng(0)).model_copy(
            update={"confusion": confusion.tolist(), "class_names": [f"class {i}" for i in range(30)]}
        )
        for cell, confusion in zip(cells, confusions, strict=True)
    ]
    tab = opened(write(results(cells, records)))
    shown = tab.texts(".matrices > :first-child tbody tr")
    assert len(shown) == 20
    assert shown[-1].startswith("class 29 ")
    assert "The 20 classes whose recall differs most, of 30." in tab.one("#pair-body").text


def test_a_class_of_each_data_set_is_shown(opened: Opener, illustrated: str) -> None:
    tab = opened(illustrated)
    assert len(tab.browser.find_elements("css selector", ".classes img")) == 20
    assert tab.one(".data-set:nth-of-type(2) .classes img").get_attribute("alt") == "airplane"


# Numbers, folds and records


def column(tab: Tab, at: int) -> list[float | None]:
    texts = [text for text in tab.texts(f".numbers tbody tr > :nth-child({at}) > a") if text]
    return [None if text == "—" else float(text) for text in texts][:10]


def test_sorting(tab: Tab) -> None:
    heads = tab.browser.find_elements("css selector", ".numbers thead th")[:3]
    before = column(tab, 3)
    known = sorted((value for value in before if value is not None), reverse=True)
    dashes = [None] * before.count(None)
    assert dashes
    for direction, values in (("descending", known), ("ascending", known[::-1])):
        heads[2].find_element("css selector", "button").click()
        assert (heads[2].get_attribute("aria-sort"), column(tab, 3)) == (direction, [*values, *dashes])
    heads[0].find_element("css selector", "button").click()
    assert tab.texts(".numbers tbody th")[0] == "features · svm · Base"
    assert heads[2].get_attribute("aria-sort") is None


def test_a_sheet_is_filtered(tab: Tab, opened: Opener, part_way: Results) -> None:
    rows = tuple((name, str(number)) for number, name in enumerate("abcdef"))
    tab = opened(write(part_way, [Sheet("Pairs", ("Left", "p"), rows, is_folded=False)]))
    tab.one("#statistics .filter").send_keys("B 1")
    assert [text for text in tab.texts("#statistics tbody tr") if text] == ["b 1"]
    assert "1 of 6 rows" in tab.texts(".tools output")


def test_a_number_leads_to_its_folds_and_a_fold_to_its_record(tab: Tab, part_way: Results) -> None:
    frame = part_way.frame
    behind = frame[(frame["metric"] == "AvAcc") & (frame["dataset"] == "mnist") & (frame["resampler"] == "none")]
    behind = behind[behind["classifier"] == "cnn"].sort_values(["fold", "imbalance"])
    tab.one("a[href='#number/0/0/0']").click()
    assert tab.title() == "AvAcc: mnist · image · cnn · Base"
    values = tab.texts("#panel-body td:last-child")
    assert values == [f"{value:.4f}" if value == value else "—" for value in behind["value"]]
    assert tab.texts("#panel-body td:first-child")[:2] == ["mnist, IR 2", "mnist, IR 5"]

    found = part_way.records[behind["key"].iloc[0]]
    tab.one("#panel-body td a").click()
    tab.wait(lambda: tab.title() == "mnist, IR 2, fold 0: image · cnn · Base")
    assert tab.js("location.hash") == f"#record/{found.key}"
    order = found.class_order
    matrix = [[int(text) for text in row.split()[1:]] for row in tab.texts("#panel-body .confusion tbody tr")]
    assert matrix == [[found.confusion[i][j] for j in order] for i in order]
    assert tab.texts("#panel-body dd")[:3] == [f"{value:.4f}" for value in found.metrics.values()]
    body = tab.one("#panel-body").text
    for text in ("All folds of the number", "Status: done", "fit 900 s", "numpy 2.4.6"):
        assert text in body

    tab.browser.back()
    tab.wait(lambda: tab.title().startswith("AvAcc"))
    tab.one("#close").click()
    tab.wait(lambda: not tab.one("#panel").is_displayed())
    assert tab.js("location.hash") == ""
    tab.js(f"location.hash = '#record/{found.key}'")
    tab.wait(lambda: tab.one("#panel").is_displayed())
    assert "All folds of the number" not in tab.one("#panel-body").text


def test_a_failure_leads_to_its_record_and_a_missing_cell_says_so(tab: Tab, part_way: Results) -> None:
    tab.js("document.querySelector('.failure details:last-child').open = true")
    tab.one(".failure .cells a").click()
    tab.wait(lambda: tab.one("#panel").is_displayed())
    body = tab.one("#panel-body").text
    assert "ValueError: odd & <b>bold</b>" in body
    assert 'File "svm.py", line 3, in fit' in body
    missing = next(cell.key for cell in part_way.cells if cell.key not in part_way.records)
    tab.js(f"location.hash = '#record/{missing}'")
    tab.wait(lambda: "There is no record of this cell" in tab.one("#panel-body").text)


def test_the_curves_of_a_training_are_in_its_record(opened: Opener, finished: Results) -> None:
    first = finished.records[finished.cells[0].key]
    curves = {"train": {"loss": [2.0, 1.0, 0.5], "AvAcc": [0.1, None, 0.3]}, "validation": {}, "kept": 3}
    known = first.model_validate(first.model_dump() | {"curves": curves})
    tab = opened(write(replace(finished, records={**finished.records, first.key: known})))
    tab.js(f"location.hash = '#record/{first.key}'")
    tab.wait(lambda: tab.one("#panel").is_displayed())
    assert "The weights are those after epoch 3." in tab.one("#panel-body").text
    points = tab.js("[...document.querySelectorAll('#panel-body polyline')].map((one) => one.points.length)")
    assert points == [3, 2]


# The cells


def test_loads_and_shows_the_first_cells_only(tab: Tab) -> None:
    assert tab.one("h1").text == "paper"
    assert tab.one("#cell-count").text == "50 of 180 cells shown"
    assert len(tab.texts("#cell-table tbody tr")) == 50
    tab.one("#more").click()
    assert tab.one("#cell-count").text == "180 of 180 cells shown"
    assert not tab.one("#more").is_displayed()


def test_cells_are_filtered_and_sorted(tab: Tab, part_way: Results) -> None:
    n_failed = Counter(part_way.places["status"])["error"]
    tab.choose("#cell-filters label:nth-last-child(2) select", "error")
    assert tab.one("#cell-count").text == f"{n_failed} of {n_failed} cells shown"
    tab.one("#cell-filters input").send_keys("no such words")
    assert tab.one("#cell-count").text == "0 of 0 cells shown"
    tab.one("#cell-filters input").clear()
    tab.choose("#cell-filters label:nth-last-child(2) select", "all")
    tab.one("#cell-filters input").send_keys(part_way.cells[0].key)
    assert tab.one("#cell-count").text == "1 of 1 cells shown"
    tab.one("#cell-filters input").clear()
    tab.one("#cell-filters input").send_keys(" ")
    tab.one("#cell-table thead th:nth-last-child(2) button").click()
    done = part_way.frame.query("metric == 'MAvG' and status == 'done'")["value"].sort_values(ascending=False)
    top = tab.texts("#cell-table tbody tr:nth-child(-n+3) td:nth-last-child(2)")
    assert top == [f"{value:.4f}" for value in done.iloc[:3]]
    tab.one("#cell-table thead th:nth-last-child(5) button").click()
    most = max(sum(one.measured.seconds.values()) for one in part_way.records.values())
    assert tab.texts("#cell-table tbody tr:first-child td:nth-last-child(5)") == [f"{most:.0f}"]


def test_links_open_the_record_and_the_log(opened: Opener, finished: Results, tmp_path: Path) -> None:
    store, elsewhere = Store(tmp_path / "a store #1"), Store(tmp_path / "other")
    first, second, third = (finished.records[cell.key] for cell in finished.cells[:3])
    for where, one in ((store, first), (elsewhere, second)):
        where.prepare()
        where.write(one, {})
    store.write_log(first.key, "what the trial said")
    owners = {first.key: store, second.key: elsewhere}
    tab = opened(write(finished, files=kept_files(owners, store.root / "report")))
    links = tab.js("[...document.querySelectorAll('#cell-table .files a')].map((one) => [one.textContent, one.href])")
    opens = [(name, Path(unquote(urlparse(address).path))) for name, address in links]
    assert opens == [
        ("record", store.root / "records" / f"{first.key}.json"),
        ("log", store.root / "logs" / f"{first.key}.log"),
        ("record", elsewhere.root / "records" / f"{second.key}.json"),
    ]
    assert all(path.is_file() for _, path in opens)
    assert tab.texts("#cell-table tbody tr:nth-child(3) .files") == [f"records/{third.key}.json"]
    tab.browser.get(links[1][1])
    assert tab.one("body").text == "what the trial said"


# For every reader


@pytest.mark.parametrize("how", ["light", "dark", "phone", "panel"])
def test_axe_finds_nothing(opened: Opener, illustrated: str, written: str, how: str) -> None:
    axe = pytest.importorskip("axe_core_python")
    tab = opened(written if how == "panel" else illustrated)
    tab.media(prefers_color_scheme="dark" if how == "dark" else "light")
    if how == "phone":
        tab.narrow()
    if how == "panel":
        tab.js("document.querySelector(\"a[href='#number/0/0/0']\").click()")
        tab.wait(lambda: tab.one("#panel").is_displayed())
    tab.js("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    tab.browser.execute_script((files(axe) / "axe.min.js").read_text(encoding="utf-8"))
    found = tab.browser.execute_async_script("axe.run().then(({ violations }) => arguments[0](violations))")
    tab.media()
    assert [(one["id"], [node["html"] for node in one["nodes"]]) for one in found] == []


def test_the_page_has_at_most_six_screens_before_something_is_opened(opened: Opener) -> None:
    found = study()
    sheets = [Sheet(f"Sheet {i}", ("A", "B"), (("a", "1"),)) for i in range(9)]
    tab = opened(write(found, sheets, pictures=pictures_of(found)))
    assert tab.js("document.documentElement.scrollHeight") <= 6 * 900


def test_the_keyboard_is_enough(tab: Tab) -> None:
    tab.tab_to("#methods .value button")
    assert tab.js("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    tab.press(ENTER)
    assert tab.one("#methods th.value").get_attribute("aria-sort") == "ascending"
    assert tab.js("document.activeElement.matches('#methods .value button')")
    tab.tab_to("#methods input")
    tab.press(SPACE)
    assert tab.one("#methods tbody tr").get_attribute("class") == "chosen"
    tab.tab_to("a[href^='#number/0/']")
    address = tab.js("document.activeElement.getAttribute('href')")
    tab.press(ENTER)
    tab.wait(lambda: tab.one("#panel").is_displayed())
    tab.tab_to("#panel-body td a")
    tab.press(ENTER)
    tab.wait(lambda: ", fold " in tab.title())
    tab.press(ESCAPE)
    tab.wait(lambda: not tab.one("#panel").is_displayed())
    assert tab.js("document.activeElement.getAttribute('href')") == address
    assert tab.js("location.hash") == ""


def test_a_phone_shows_where_something_is_cut(tab: Tab) -> None:
    tab.narrow()
    assert tab.js("document.documentElement.scrollWidth") == 390
    assert tab.js("document.querySelector('#cell-table').scrollWidth") > 390  # it scrolls inside its own box
    boxes = "[...document.querySelectorAll('.scroll')].filter((one) => one.scrollWidth > one.clientWidth + 2)"
    hinted = ".map((one) => one.nextElementSibling?.matches('.cut-hint') && one.nextElementSibling.offsetHeight > 0)"
    seen = ".filter((one) => one.offsetParent)"
    tab.js("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    tab.wait(lambda: set(tab.js(boxes + seen + hinted)) == {True})
    tab.js("document.querySelector(\"a[href='#number/0/0/0']\").click()")
    tab.wait(lambda: tab.one("#panel").is_displayed())
    tab.js("document.querySelector('#panel-body td a').click()")
    tab.wait(lambda: ", fold " in tab.title())
    assert tab.js("[panel.scrollWidth === panel.clientWidth, panel.getBoundingClientRect().right <= 390]") == [True] * 2


def test_paper_gets_what_is_folded_but_nothing_to_press(tab: Tab) -> None:
    tab.media("print")
    displayed = {
        one: tab.js("document.querySelector(arguments[0]).checkVisibility({contentVisibilityAuto: true})", one)
        for one in (".contents", ".tools", "#cells", ".numbers", "[data-metric=MAvG]", "figure svg", "#chart svg")
    }
    tab.media()
    assert [one for one, is_shown in displayed.items() if not is_shown] == [".contents", ".tools", "#cells"]


def test_hostile_text_stays_text(opened: Opener) -> None:
    cells, rng = expand(grid(folds=1, datasets=["mnist"])), np.random.default_rng(0)
    names = [f"{HOSTILE}{i}" for i in range(10)]
    named, other = (record(cell, rng).model_copy(update={"class_names": names}) for cell in (cells[0], cells[2]))
    wrong = failed(cells[1], "error", HOSTILE, HOSTILE)
    found = results(cells, [named, wrong, other], name=HOSTILE, grid_text=HOSTILE, environment={HOSTILE: HOSTILE})
    sheet = Sheet(HOSTILE, (HOSTILE,), ((HOSTILE,),), (HOSTILE,))
    text = write(found, [sheet], pictures=pictures_of(found), findings=[HOSTILE])
    tab = opened(text)
    for key, text in ((named.key, f"{HOSTILE}9"), (wrong.key, HOSTILE)):
        tab.js(f"location.hash = '#record/{key}'")
        tab.wait(lambda text=text: text in tab.one("#panel-body").text)
    assert tab.one("[alt]").get_attribute("alt") == f"{HOSTILE}0"
    assert tab.js("document.querySelectorAll('img:not([src^=\"data:image/jpeg\"])').length") == 0
    assert tab.js("window.hacked") is None
    assert tab.one("pre.file").get_property("textContent") == HOSTILE


def test_the_page_refreshes_itself_unless_a_record_is_open(opened: Opener, part_way: Results) -> None:
    tab = opened(write(part_way, refresh_s=1))
    tab.js("window.mark = 1")
    tab.wait(lambda: tab.js("window.mark === undefined"))
    tab.js("location.hash = '#number/0/0/0'")
    tab.wait(lambda: tab.one("#panel").is_displayed())
    tab.js("window.mark = 1")
    # Whether a record is open is asked before the page would be loaded anew.
    asked = "{ get() { window.asked = (window.asked || 0) + 1; return this.hasAttribute('open') } }"
    tab.js(f"Object.defineProperty(document.querySelector('dialog'), 'open', {asked})")
    tab.wait(lambda: tab.js("window.asked > 1 || window.mark === undefined"))
    assert tab.js("window.mark") == 1


def test_a_grid_of_one_method_or_none_is_shown(opened: Opener) -> None:
    arm = {"representation": "raw", "classifier": "svm", "resamplers": ["none"]}
    cells = expand(grid(folds=1, datasets=["mnist"], imbalance_ratios=[2], arms=[arm]))
    tab = opened(write(results(cells, [])))
    assert tab.texts("#methods tbody th") == ["Base"]
    done = record(cells[0], np.random.default_rng(0))
    tab = opened(write(results(cells, [done])))
    assert tab.texts("#methods tbody .value") == [f"{done.metrics['AvAcc']:.4f}"]


def test_a_metric_that_one_arm_lacks_ranks_the_other(opened: Opener) -> None:
    name = "a_function_of_the_users_own_with_a_long_name"
    found = study(datasets=["mnist"], folds=2)
    records = [
        one.model_copy(update={"metrics": {**one.metrics, name: one.metrics["AvAcc"]}})
        if "dense_units" in str(one.cell)
        else one
        for one in found.records.values()
    ]
    tab = opened(write(results(found.cells, records, metrics=("AvAcc", name))))
    tab.js(f"document.querySelector('#controls input[value={name}]').click()")
    assert [text.split()[0] for text in tab.texts("#methods tbody .value")][-4:] == ["—"] * 4
    tab.narrow()
    assert tab.js("document.documentElement.scrollWidth") == 390


def test_ten_thousand_records(opened: Opener) -> None:
    large = study(**LARGE)
    start = time.perf_counter()
    text = write(large)
    print(f"\n{len(text) / 1e6:.1f} MB, written in {time.perf_counter() - start:.1f} s")
    assert len(text) < 20e6
    tab = opened(text)
    assert tab.one("#cell-count").text == "50 of 10000 cells shown"
    tab.one("a[href='#number/0/0/0']").click()
    tab.wait(lambda: len(tab.texts("#panel-body td:last-child")) == 250)


def test_the_chart_of_recall_names_classes_where_every_fold_has_the_same_order(opened: Opener) -> None:
    found = study(folds=2, datasets=["mnist", "stl10"])
    same = {
        key: one.model_copy(update={"class_order": list(range(10))}) if one.cell["dataset"]["name"] == "stl10" else one
        for key, one in found.records.items()
    }
    tab = opened(write(replace(found, records=same)))
    tab.one("#chart-switch input[value=classes]").click()
    labels = tab.js(
        "[...document.querySelectorAll('#chart > svg')].map((panel) => "
        "[...panel.querySelectorAll('text')].map((text) => text.textContent))"
    )
    assert "10" in labels[0]
    assert set(CLASSES["stl10"]) <= set(labels[1])
    assert "where folds order classes anew" in tab.one("#chart-note").text
    assert tab.js(  # nothing of a name is cut off by the edge of its picture
        "[...document.querySelectorAll('#chart > svg')].every((panel) => [...panel.querySelectorAll('text')]"
        ".every((text) => text.getBoundingClientRect().bottom <= panel.getBoundingClientRect().bottom + 1))"
    )


def test_long_names_of_methods_break_and_push_nothing_out_of_sight(opened: Opener) -> None:
    svms = [
        {"name": "svm", "C": 12.5, "gamma": "scale", "probability": "sigmoid"},
        {"name": "svm", "C": 0.125, "gamma": 0.0625, "probability": "none"},
    ]
    arms = [{"representation": "features", "classifier": svm, "resamplers": ["none", "smote"]} for svm in svms]
    found = study(folds=3, datasets=["mnist"], arms=arms)
    content = statistics_sheets(statistics(found.frame, designs_of(found)))[:1]
    tab = opened(write(found, content))
    tab.size(1300, 900)
    tab.js("document.querySelectorAll('details').forEach((one) => { one.open = true; })")
    assert max(map(len, tab.texts("#statistics td"))) > 40
    beyond = "[...document.querySelectorAll('#statistics .scroll')].map((box) => box.scrollWidth - box.clientWidth)"
    assert tab.js(beyond) == [0]
    tab.size(320, 800)
    heights = tab.js(
        "[...document.querySelectorAll('#pair .tools label')].map((one) => "
        "one.getBoundingClientRect().height - one.querySelector('select').getBoundingClientRect().height)"
    )
    assert max(heights) < 5  # a name in two lines is higher than what is chosen from
