"""The page as text: what it says, and that it needs nothing from outside."""

import json
import re
from collections import Counter
from dataclasses import replace
from html.parser import HTMLParser
from importlib.resources import files
from typing import Any

import numpy as np
import pytest
from made_up import grid, record, results, study, unfinished
from matplotlib.figure import Figure as Canvas
from pages import SHEET, SMALL, write

from raygrid.cells import expand
from raygrid.report.figures import Figure, gain_over_none, metric_against_ir
from raygrid.report.html import inline
from raygrid.report.provenance import failures, provenance
from raygrid.report.results import Results
from raygrid.report.studied import protocol
from raygrid.report.studied_methods import settings
from raygrid.storage.record import Candidate, Choice


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
    outside = {reference.partition(":")[0] for reference in references if not reference.startswith(("#", "figures/"))}
    assert outside == {"data"}
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


def test_no_part_of_the_page_is_longer_than_a_sitting() -> None:
    parts = list(files("raygrid.report").joinpath("page").iterdir())
    assert len(parts) > 5
    assert [part.name for part in parts if len(part.read_text(encoding="utf-8").splitlines()) >= 260] == []


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
    assert "No cell is done yet." in text


def test_sheets_are_escaped_and_stand_in_their_section(written: str) -> None:
    statistics = written[written.index('<section id="statistics">') :]
    assert statistics.index("<summary><h3>&lt;b&gt;Pairs&lt;/b&gt;</h3></summary>") < statistics.index("</section>")
    assert '<section id="classes">' not in written
    there = write(study(**SMALL), [replace(SHEET, section="classes", is_folded=False)])
    assert '<section id="classes">' in there
    assert "<summary><h3>&lt;b&gt;Pairs" not in there
    assert '<td class="number">6</td>' in written
    assert "A note." in written


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
    assert known["Seed"] == "2020"
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


def test_what_was_studied_names_the_validation_part_what_is_chosen_and_the_weights() -> None:
    svm = {"name": "svm", "C": {"choose": [0.1, 1, 10]}}
    embedded = {"name": "features", "alpha": 0.25, "weights": "embedded"}
    arms = [
        {"representation": embedded, "classifier": svm, "resamplers": ["none", "ros"]},
        {"representation": "raw", "classifier": "svm", "resamplers": ["none"]},
    ]
    cells = expand(grid(datasets=["mnist"], folds=1, arms=arms, validation=0.2))
    tried = [Candidate(parameters={"classifier": {"C": c}}, scores=[c / 2]) for c in (0.1, 1.0)]
    choice = Choice(how="CBA on validation", chosen=1, candidates=tried)
    found = record(cells[0], np.random.default_rng(0)).model_copy(update={"choice": choice})
    assert dict(settings(results(cells, [found]))) == {
        "Validation": "0.2 of each class of the training part, taken out before resampling",
        "Chosen": "C of svm from 0.1, 1.0, 10.0; in each cell, by CBA on the validation part, never on test samples",
        "Networks": "features: mobilenet, alpha 0.25, weights trained on CIFAR-10, which come with raygrid",
    }
    assert dict(settings(results(expand(grid(datasets=["mnist"], folds=1, arms=arms[1:])), []))) == {}
    shown = dict(protocol(study(datasets=["mnist"], folds=1)))
    assert shown["Networks"].startswith("cnn: mobilenet, weights trained on ImageNet; features: mobilenet, ")
