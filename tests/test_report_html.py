"""The page: what it says, that it needs nothing from outside, and how it behaves in a real browser."""

import json
import re
import shutil
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import HANGS_S
from made_up import LARGE, failed, grid, record, results, study, unfinished
from matplotlib.figure import Figure as Canvas

from raygrid.cells import expand
from raygrid.report import overview
from raygrid.report.figures import Figure, gain_over_none, metric_against_ir
from raygrid.report.html import inline, page
from raygrid.report.provenance import failures, provenance
from raygrid.report.results import Results
from raygrid.report.sheets import Sheet
from raygrid.report.tables import table

SMALL: dict[str, Any] = {"folds": 3, "datasets": ["mnist", "stl10"]}
HOSTILE = "</script><img src=x onerror='window.hacked=1'>"
SHEET = Sheet(
    "<b>Pairs</b>", ("Left", "p"), tuple((name, p) for name, p in zip("abcdef", "123456", strict=True)), ("A note.",)
)


def write(found: Results, content: Sequence[Sheet | Figure] = (SHEET,), **changes: Any) -> str:
    tables = [table(found.frame, rows=rows, missing="mark") for rows in ("dataset", "imbalance")]
    return page(found, tables=tables, content=content, **changes)


@pytest.fixture(scope="module")
def part_way() -> Results:
    return unfinished(**SMALL)


@pytest.fixture(scope="module")
def written(part_way: Results) -> str:
    return write(part_way, [metric_against_ir(part_way, "AvAcc"), *filter(None, [gain_over_none(part_way)]), SHEET])


class Parsed(HTMLParser):
    """The attributes of every element, in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.attributes: list[tuple[str, str]] = []
        self.tags: Counter[str] = Counter()
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags[tag] += 1
        self.attributes += [(name, value or "") for name, value in attrs]

    def all(self, *names: str) -> list[str]:
        return [value for name, value in self.attributes if name in names]


def data_of(text: str) -> Any:
    [data] = re.findall(r'<script type="application/json" id="data">(.*?)</script>', text, re.DOTALL)
    return json.loads(data)


def test_nothing_comes_from_outside(written: str) -> None:
    parsed = Parsed(written)
    references = parsed.all("src", "href", "xlink:href", "action", "srcset", "poster", "formaction")
    assert {reference.partition(":")[0] for reference in references if not reference.startswith("#")} == {"data"}
    assert not re.findall(r"url\((?!#)|@import", written)
    assert not parsed.tags["iframe"]
    [policy] = [value for value in parsed.all("content") if "default-src" in value]
    assert policy.startswith("default-src 'none'; ")
    assert "http" not in policy


def test_no_id_is_there_twice_and_every_reference_has_one(written: str) -> None:
    parsed = Parsed(written)
    ids = Counter(parsed.all("id"))
    assert max(ids.values()) == 1
    local = {reference[1:] for reference in parsed.all("href", "xlink:href") if reference.startswith("#")}
    assert {one for one in local if "/" not in one} <= set(ids)
    assert set(re.findall(r"url\(#([^)]*)\)", written)) <= set(ids)


def test_figures_take_the_colours_of_the_page(written: str) -> None:
    assert "#1a1a1e" not in written[written.index("<svg") :]
    svg = b'<?xml?>\n<svg id="a" style="fill: #1a1a1e"><use href="#a" clip="url(#a)"/></svg>'
    figure = Figure("f", "t", "c", svg, Canvas())
    assert inline(figure) == '<svg id="f-a" style="fill: currentColor"><use href="#f-a" clip="url(#f-a)"/></svg>'


def test_the_data_is_that_of_the_records(part_way: Results, written: str) -> None:
    data = data_of(written)
    assert data["metrics"] == ["AvAcc", "CBA", "MAvG"]
    assert data["cells"]["key"] == [cell.key for cell in part_way.cells]
    for i, cell in enumerate(part_way.cells):
        found = part_way.records.get(cell.key)
        status = found.status if found else "missing"
        assert data["levels"]["status"][data["cells"]["status"][i]] == status
        assert data["levels"]["dataset"][data["cells"]["dataset"][i]] == cell.dataset.name
        if found and found.status == "done":
            assert data["records"]["values"][i] == pytest.approx(list(found.metrics.values()), abs=1e-6)
            assert data["records"]["confusion"][i] == found.confusion
            names = data["pools"]["class_names"][data["records"]["class_names"][i]]
            assert names == found.class_names


def test_unfinished_says_what_is_missing(part_way: Results, written: str) -> None:
    counts = Counter(part_way.places["status"])
    assert counts["missing"]
    assert f"{counts['done']} of the 180 cells of the grid are done" in written
    assert f"{counts['missing']} not run yet" in written
    assert "The grid is unfinished" in written
    assert "All 180 cells of the grid are done." in write(study(**SMALL))


def test_a_store_without_records() -> None:
    empty = results(expand(grid(**SMALL)), [])
    text = write(empty)
    assert "0 of the 180 cells of the grid are done (0%); 180 not run yet." in text
    assert text.count("Nothing is done yet.") == 2


def test_sheets_are_escaped_and_stand_in_their_section(written: str) -> None:
    statistics = written[written.index('<section id="statistics">') :]
    assert statistics.index("<summary><h3>&lt;b&gt;Pairs&lt;/b&gt;</h3></summary>") < statistics.index("</section>")
    assert '<section id="classes">' not in written
    there = write(study(**SMALL), [replace(SHEET, section="classes", is_folded=False)])
    assert '<section id="classes">' in there
    assert "<summary><h3>&lt;b&gt;Pairs" not in there
    assert '<td class="number">6</td>' in written
    assert "A note." in written


def test_findings_by_hand() -> None:
    values = {
        ("none", 2.0): [0.6, 0.8],
        ("none", 10.0): [0.5, 0.5],
        ("ros", 2.0): [0.7, 0.8],
        ("ros", 10.0): [0.7, 0.6],
    }
    arm = {"representation": "image", "classifier": "cnn", "resamplers": ["none", "ros"]}
    cells = expand(grid(folds=2, datasets=["mnist"], imbalance_ratios=[2, 10], arms=[arm]))
    rng = np.random.default_rng(0)
    records = [
        record(cell, rng).model_copy(
            update={"metrics": {"AvAcc": values[cell.resampler.name, cell.imbalance.ir][cell.fold]}}
        )
        for cell in cells
    ]
    [finding] = overview.findings(results(cells, records, metrics=("AvAcc",)))
    said = {subject: sentences.replace("\u00a0", " ") for subject, sentences in finding.points}
    assert (finding.title, finding.note) == ("image · cnn", "")
    # ros: folds 0.7 and 0.7; none: 0.55 and 0.65; none at IR 2: 0.6 and 0.8, at IR 10: 0.5 and 0.5
    assert said == {
        "AvAcc": "ROS has the highest mean, 0.7000 ±0.0000: 0.1000 ±0.0707 above Base, and above it in 2 of 2 folds.",
        "From IR 2 to IR 10": "Base loses 0.2000 ±0.1414 AvAcc (28.6% of its value).",
    }
    [finding] = overview.findings(results(cells, records[:-1], metrics=("AvAcc",)))
    assert finding.note == "Over the 3 of 4 blocks that lack nothing."


def test_failures_are_grouped_by_message(part_way: Results) -> None:
    counts = Counter(part_way.places["status"])
    found = list(failures(part_way))
    assert [failure.status for failure in found][-1] == "infeasible"
    assert {failure.status: failure.n_cells for failure in found} == {
        status: counts[status] for status in ("error", "oom", "infeasible")
    }
    error = next(failure for failure in found if failure.status == "error")
    assert error.traceback is not None
    key, name = error.cells[0]
    assert part_way.records[key].status == "error"
    assert name == "mnist, IR 2, fold 0: image · cnn · IHT"


def test_provenance_tells_versions_apart(part_way: Results) -> None:
    known = dict(provenance(part_way))
    assert known["Seeds"] == "2020"
    assert known["Versions behind the records"].startswith("python 3.12.1")
    first = next(iter(part_way.records.values()))
    other = first.model_copy(update={"versions": {"python": "3.11.0"}})
    mixed = replace(part_way, records={**part_way.records, first.key: other}, environment={"git_commit": None})
    assert dict(provenance(mixed))["Versions behind 1 of the records"] == "python 3.11.0"
    assert dict(provenance(mixed))["Last run: git commit"] == "not known"


def test_provenance_names_the_devices(part_way: Results) -> None:
    assert "Computed on" not in dict(provenance(part_way))
    devices = [("AMD EPYC", 0.0), ("NVIDIA H100", 0.25), ("NVIDIA H100", 0.25)]
    records = dict(part_way.records)
    for (key, plain), (device, gpus) in zip(part_way.records.items(), devices, strict=False):
        measured = plain.measured.model_copy(update={"device": device, "gpus": gpus})
        records[key] = plain.model_copy(update={"measured": measured})
    known = dict(provenance(replace(part_way, records=records)))
    assert known["Computed on"] == "NVIDIA H100, 0.25 of a card (2 records); AMD EPYC (1 record)"


def test_the_grid_file_is_on_the_page(written: str) -> None:
    assert "datasets: [mnist, cifar10, stl10]" in written


# In a real browser


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    webdriver = pytest.importorskip("selenium.webdriver")
    binary, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if not binary or not driver:
        pytest.skip("chromium or chromedriver is not installed")
    options = webdriver.ChromeOptions()
    options.binary_location = binary
    for flag in (
        *("--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"),
        *("--disable-component-update", "--disable-sync", "--disable-dev-shm-usage", "--window-size=1280,900"),
        "--force-prefers-reduced-motion",  # a click would come before the end of a smooth scroll
        f"--user-data-dir={tmp_path_factory.mktemp('chromium')}",
    ):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    with webdriver.Chrome(options=options, service=webdriver.ChromeService(driver)) as browser:
        yield browser


class Tab:
    """One page in the browser."""

    def __init__(self, browser: Any, path: Path) -> None:
        self.browser = browser
        browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
        browser.get("about:blank")  # or a page that differs in its fragment only would not be loaded anew
        browser.get_log("browser")
        browser.get(path.as_uri())

    def js(self, expression: str, *arguments: Any) -> Any:
        return self.browser.execute_script(f"return {expression}", *arguments)

    def one(self, selector: str) -> Any:
        return self.browser.find_element("css selector", selector)

    def texts(self, selector: str) -> list[str]:
        """What can be seen of the elements: no text for those that are hidden."""
        return [element.text for element in self.browser.find_elements("css selector", selector)]

    def wait(self, condition: Callable[[], object]) -> None:
        deadline = time.monotonic() + HANGS_S
        while not condition():
            assert time.monotonic() < deadline, self.js("document.querySelector('dialog').innerText")
            time.sleep(0.02)

    def title(self) -> str:
        return str(self.one("#panel-title").text)

    def press(self, *keys: str) -> None:
        from selenium.webdriver import ActionChains

        ActionChains(self.browser).send_keys(*keys).perform()

    def tab_to(self, selector: str) -> None:
        """Reach an element with the Tab key alone."""
        for _ in range(80):
            self.press("\ue004")
            if self.js("document.activeElement.matches(arguments[0])", selector):
                return
        raise AssertionError(f"{selector} cannot be reached with the Tab key")

    def narrow(self) -> None:
        phone = {"width": 390, "height": 844, "deviceScaleFactor": 1, "mobile": True}
        self.browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", phone)


Opener = Callable[[str], Tab]


@pytest.fixture
def opened(chromium: Any, tmp_path: Path) -> Iterator[Opener]:
    """Open text as a page from disk; at the end, the browser must have found nothing to complain of."""

    def open_(text: str) -> Tab:
        (tmp_path / "page.html").write_text(text, encoding="utf-8")
        return Tab(chromium, tmp_path / "page.html")

    yield open_
    assert chromium.get_log("browser") == []


@pytest.fixture
def tab(opened: Opener, written: str) -> Tab:
    return opened(written)


ESCAPE, ENTER = "\ue00c", "\ue007"


def test_loads_and_shows_the_first_cells_only(tab: Tab) -> None:
    assert tab.one("h1").text == "paper"
    assert tab.one("#cell-count").text == "50 of 180 cells shown"
    assert len(tab.texts("#cell-table tbody tr")) == 50
    tab.one("#more").click()
    assert tab.one("#cell-count").text == "180 of 180 cells shown"
    assert not tab.one("#more").is_displayed()


def column(tab: Tab, at: int) -> list[float | None]:
    texts = tab.texts(f".numbers tbody tr > :nth-child({at}) > a")
    return [None if text == "—" else float(text) for text in texts][:6]


def test_sorting(tab: Tab) -> None:
    heads = tab.browser.find_elements("css selector", ".numbers thead tr:last-child th")[:12]
    at = next(i for i in range(3, 13) if None in column(tab, i) and len(set(column(tab, i))) > 2)
    before = column(tab, at)
    known = sorted((value for value in before if value is not None), reverse=True)
    dashes = [None] * before.count(None)
    heads[at - 1].find_element("css selector", "button").click()
    assert (heads[at - 1].get_attribute("aria-sort"), column(tab, at)) == ("descending", [*known, *dashes])
    heads[at - 1].find_element("css selector", "button").click()
    assert (heads[at - 1].get_attribute("aria-sort"), column(tab, at)) == ("ascending", [*known[::-1], *dashes])
    heads[1].find_element("css selector", "button").click()
    assert tab.texts(".numbers .second")[1:7] == ["mnist"] * 3 + ["stl10"] * 3
    assert heads[at - 1].get_attribute("aria-sort") is None


def test_filtering(tab: Tab) -> None:
    tab.one(".filter").send_keys("cba STL")
    assert [text for text in tab.texts(".numbers tbody .first")[:6] if text] == ["CBA"]
    assert [text for text in tab.texts(".numbers tbody .second")[:6] if text] == ["stl10"]
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
    matrix = [[int(text) for text in row.split()[1:]] for row in tab.texts(".confusion tbody tr")]
    assert matrix == [[found.confusion[i][j] for j in order] for i in order]
    assert tab.texts("#panel-body dd")[:3] == [f"{value:.4f}" for value in found.metrics.values()]
    body = tab.one("#panel-body").text
    assert "All folds of the number" in body
    assert "Status: done" in body
    assert "fit 900 s" in body
    assert "numpy 2.4.6" in body

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


def test_cells_are_filtered_and_sorted(tab: Tab, part_way: Results) -> None:
    n_failed = Counter(part_way.places["status"])["error"]
    tab.one("#cell-filters label:nth-last-child(2) select").send_keys("error")
    tab.wait(lambda: tab.one("#cell-count").text == f"{n_failed} of {n_failed} cells shown")
    tab.one("#cell-filters input").send_keys("no such words")
    tab.wait(lambda: tab.one("#cell-count").text == "0 of 0 cells shown")
    tab.one("#cell-filters input").clear()
    tab.one("#cell-filters input").send_keys(" ")
    tab.one("#cell-filters label:nth-last-child(2) select").send_keys("all")
    tab.one("#cell-table thead th:last-child button").click()
    done = part_way.frame.query("metric == 'MAvG' and status == 'done'")["value"].sort_values(ascending=False)
    top = tab.texts("#cell-table tbody tr:nth-child(-n+3) td:last-child")
    assert top == [f"{value:.4f}" for value in done.iloc[:3]]


def test_the_keyboard_is_enough(tab: Tab) -> None:
    tab.tab_to(".numbers thead .number button")
    assert tab.js("getComputedStyle(document.activeElement).outlineStyle") == "solid"
    tab.press(ENTER)
    assert tab.one(".numbers thead th.number").get_attribute("aria-sort") == "descending"
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


def test_no_horizontal_overflow_on_a_phone(tab: Tab) -> None:
    tab.narrow()
    assert tab.js("document.documentElement.scrollWidth") == 390
    assert tab.js("document.querySelector('.numbers').scrollWidth") > 390  # it scrolls inside its own box
    tab.js("document.querySelector(\"a[href='#number/0/0/0']\").click()")
    tab.wait(lambda: tab.one("#panel").is_displayed())
    tab.js("document.querySelector('#panel-body td a').click()")
    tab.wait(lambda: ", fold " in tab.title())
    assert tab.js("[panel.scrollWidth === panel.clientWidth, panel.getBoundingClientRect().right <= 390]") == [True] * 2


def test_paper_gets_tables_and_figures_but_nothing_to_press(tab: Tab) -> None:
    tab.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    displayed = {
        one: tab.js("document.querySelector(arguments[0]).checkVisibility({contentVisibilityAuto: true})", one)
        for one in ("nav", ".tools", "#cells", ".numbers", "figure svg")
    }
    tab.browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": ""})
    assert displayed == {"nav": False, ".tools": False, "#cells": False, ".numbers": True, "figure svg": True}


def test_hostile_text_stays_text(opened: Opener) -> None:
    cells, rng = expand(grid(folds=1, datasets=["mnist"])), np.random.default_rng(0)
    named = record(cells[0], rng).model_copy(update={"class_names": [f"{HOSTILE}{i}" for i in range(10)]})
    wrong = failed(cells[1], "error", HOSTILE, HOSTILE)
    found = results(cells, [named, wrong], name=HOSTILE, grid_text=HOSTILE, environment={HOSTILE: HOSTILE})
    sheet = Sheet(HOSTILE, (HOSTILE,), ((HOSTILE,),), (HOSTILE,))
    tab = opened(write(found, content=[sheet]))
    for key, text in ((named.key, f"{HOSTILE}9"), (wrong.key, HOSTILE)):
        tab.js(f"location.hash = '#record/{key}'")
        tab.wait(lambda text=text: text in tab.one("#panel-body").text)
    assert tab.js("document.querySelectorAll('img').length") == 0
    assert tab.js("window.hacked") is None
    assert tab.one("pre.file").get_property("textContent") == HOSTILE


def test_the_page_refreshes_itself_unless_a_record_is_open(opened: Opener, part_way: Results) -> None:
    tab = opened(write(part_way, refresh_s=1))
    tab.js("window.mark = 1")
    tab.wait(lambda: tab.js("window.mark === undefined"))
    tab.js("location.hash = '#number/0/0/0'")
    tab.wait(lambda: tab.one("#panel").is_displayed())
    tab.js("window.mark = 1")
    time.sleep(1.3)
    assert tab.js("window.mark") == 1


def named(metric: str) -> Results:
    """A study with a metric of this name as well: AvAcc again, of one arm only."""
    found = study(datasets=["mnist"], folds=2)
    records = [
        r.model_copy(update={"metrics": {**r.metrics, metric: r.metrics["AvAcc"]}})
        if "dense_units" in str(r.cell)
        else r
        for r in found.records.values()
    ]
    return results(found.cells, records, metrics=("AvAcc", metric))


def test_what_one_arm_lacks_is_said() -> None:
    said = {finding.title: dict(finding.points)["roc_auc_ovr"] for finding in overview.findings(named("roc_auc_ovr"))}
    assert said["features · svm"] == "No cell has a value."
    assert said["Across the arms"].endswith(" No other arm has values.")


def test_the_name_of_a_metric_is_whole(opened: Opener) -> None:
    tab = opened(write(named("a_function_of_the_users_own_with_a_long_name")))
    cut = "[...document.querySelectorAll('.first')].filter((cell) => cell.scrollWidth > cell.clientWidth).length"
    assert "a_function_of_the_users_own_with_a_long_name" in tab.texts(".numbers tbody .first")
    assert tab.js(cut) == 0
    tab.narrow()
    assert tab.js(cut) == 0
    sides = (
        "['.first', '.second'].map((name) => document.querySelector(`.numbers tbody ${name}`).getBoundingClientRect())"
    )
    first, second = tab.js(sides)
    assert first["right"] == pytest.approx(second["left"], abs=1)


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
