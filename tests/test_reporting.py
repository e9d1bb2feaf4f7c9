"""The verbs that read records, on a made-up study in real stores: report, pivot, compare, merge, watch."""

import csv
import threading
from pathlib import Path

import made_up
import pytest
import yaml

from raygrid.cells import expand
from raygrid.commands.folder_names import folder_named
from raygrid.gridfile.faults import load_grid
from raygrid.storage.store import Store

STUDY = {
    "name": "study",
    "seed": 2020,
    "folds": 2,
    "datasets": ["mnist", "stl10"],
    "arms": [
        {"representation": "image", "classifier": "cnn", "resamplers": ["none", "ros", "smote"]},
        {"representation": "features", "classifier": "svm", "resamplers": ["none", "smote"]},
    ],
}


@pytest.fixture(scope="module")
def grid_file(tmp_path_factory):
    path = tmp_path_factory.mktemp("grid") / "study.yaml"
    path.write_text(yaml.safe_dump(STUDY, sort_keys=False))
    return path


@pytest.fixture(scope="module")
def records(grid_file):
    rng = made_up.np.random.default_rng(0)
    return [made_up.record(cell, rng) for cell in expand(load_grid(grid_file))]


def store_of(path: Path, records) -> Path:
    store = Store(path)
    store.prepare()
    for record in records:
        store.write(record, {"y_pred": made_up.np.arange(3)})
    return path


def lines(path: Path) -> list[dict[str, str]]:
    with path.open() as file:
        return list(csv.DictReader(file))


def test_report_writes_everything(raygrid, grid_file, records, tmp_path):
    store = store_of(tmp_path / "store", records)
    code, out, _ = raygrid("report", grid_file, "--store", store, "--published", "paper")
    assert code == 0
    assert "Results by dataset, averaged over IR 2, 5, 10" in out
    assert out.splitlines()[-1] == f"{store}/report/index.html"
    written = {path.relative_to(store / "report").as_posix() for path in (store / "report").rglob("*.*")}
    tables = {f"{table}.{form}" for table in ("table1", "table2") for form in ("csv", "md", "tex")}
    assert {*tables, "statistics.csv", "statistics.md", "index.html"} <= written
    drawn = {name for name in written if name.startswith("figures/")}
    assert len(drawn) == 3 * len({name[:-4] for name in drawn}) > 8  # each as SVG, PDF and PNG
    assert {"classes.csv", "calibration.csv", "figures.tex"} <= written
    page = (store / "report" / "index.html").read_text()
    assert "Against published results" in page
    assert all(record.key in page for record in records)


def test_a_part_of_the_grid_has_a_report_of_its_own(raygrid, grid_file, records, tmp_path):
    store = store_of(tmp_path / "store", records)
    whole = store / "report" / "index.html"
    whole.parent.mkdir(exist_ok=True)
    whole.write_text("of all")
    part = ("--only", "dataset=mnist", "--only", "imbalance=5", "--no-print")
    code, out, _ = raygrid("report", grid_file, "--store", store, *part)
    folder = store / "report" / "dataset=mnist+imbalance=5"
    assert (code, out.splitlines()[-1]) == (0, f"{folder}/index.html")
    assert whole.read_text() == "of all"
    assert out.count("Results by") == 1  # by data set and by IR it would be the same table
    assert not (folder / "table2.csv").exists()
    assert {path.suffix for path in (folder / "figures").iterdir()} == {".svg"}
    assert not (folder / "report.tex").exists()
    assert "No pictures of classes" in (folder / "index.html").read_text()


def test_every_part_of_a_grid_has_a_folder_with_a_name_that_is_not_too_long():
    long = [f"classifier=svm,{'é' * 300}{ending}" for ending in "ab"]
    alike = ["classifier=svm(C=1)", "classifier=svm[C=1]"]
    assert folder_named(["dataset=mnist", "imbalance=5,10"]) == "dataset=mnist+imbalance=5,10"
    names = [folder_named([only]) for only in (*long, *alike)]
    assert len(set(names)) == 4
    assert max(len(name.encode()) for name in names) <= 100
    assert all(name.startswith("classifier=svm") for name in names)


def test_a_large_grid_has_figures_for_print_if_asked_for(raygrid, grid_file, records, tmp_path, monkeypatch):
    monkeypatch.setattr("raygrid.commands.report._FEW", 5)
    store = store_of(tmp_path / "store", records)
    part = ("--only", "dataset=mnist", "--only", "classifier=svm", "--only", "imbalance=5,10")
    folder = store / "report" / "dataset=mnist+classifier=svm+imbalance=5,10"
    _, _, err = raygrid("report", grid_file, "--store", store, *part)
    assert err == "figures: SVG only, because 8 cells are many; --print adds PDF, PNG and LaTeX\n"
    assert not (folder / "report.tex").exists()
    _, _, err = raygrid("report", grid_file, "--store", store, *part, "--print")
    assert err == ""
    assert {path.suffix for path in (folder / "figures").iterdir()} == {".svg", ".pdf", ".png"}
    assert (folder / "report.tex").exists()
    own = folder / "figures" / "own.png"
    own.touch()
    raygrid("report", grid_file, "--store", store, *part)  # those for print would show the records of before
    assert [path for path in (folder / "figures").iterdir() if path.suffix != ".svg"] == [own]
    assert not list(folder.glob("[!t]*.tex"))


def test_a_spreadsheet_runs_no_formula_of_a_store(raygrid, grid_file, records, tmp_path):
    hostile = '=cmd|"/C calc"!A0'
    named = [one.model_copy(update={"class_names": [hostile, *one.class_names[1:]]}) for one in records]
    store = store_of(tmp_path / "store", named)
    part = ("--only", "dataset=mnist", "--only", "classifier=svm", "--only", "imbalance=5")
    assert raygrid("report", grid_file, "--store", store, *part, "--no-print")[0] == 0
    entries = {
        entry
        for path in (store / "report").rglob("*.csv")
        for line in csv.reader(path.read_text().splitlines())
        for entry in line
    }
    assert f"'{hostile}" in entries
    assert not [entry for entry in entries if entry.startswith("=")]


def test_an_unfinished_grid_is_refused_unless_told_how(raygrid, grid_file, records, tmp_path):
    store = store_of(tmp_path / "store", records[1:])
    code, out, err = raygrid("report", grid_file, "--store", store)
    # The page says what is missing; the tables that a paper prints are refused.
    assert (code, out.replace("\n", "")) == (2, f"{store}/report/index.html")
    assert not (store / "report" / "table1.csv").exists()
    assert err == (
        "1 of 60 cells have no result (1 missing); run the grid again, "
        "or pass --missing mark (dash them) or --missing drop (leave their folds out)\n"
    )
    assert raygrid("report", grid_file, "--store", store, "--missing", "mark")[0] == 0
    dashed = [line for line in lines(store / "report" / "table1.csv") if not line["value"]]
    assert {(line["dataset"], line["resampler"], line["note"]) for line in dashed} == {
        ("mnist", "none", "of 6 cells: 1 missing")
    }
    assert "1 missing" in (store / "report" / "index.html").read_text()


def test_several_stores_are_read_as_one(raygrid, grid_file, records, tmp_path):
    whole = store_of(tmp_path / "whole", records)
    halves = [store_of(tmp_path / "a", records[:31]), store_of(tmp_path / "b", records[29:])]
    raygrid("compare", grid_file, "--store", whole)
    code, _, err = raygrid("compare", grid_file, "--store", halves[0], "--store", halves[1])
    assert (code, err) == (0, "")
    for name in ("comparison_dataset.csv", "comparison_imbalance.csv", "claims.csv", "comparison.md"):
        assert (halves[0] / "report" / name).read_bytes() == (whole / "report" / name).read_bytes()


def test_comparison_has_every_number_that_both_have(raygrid, grid_file, records, tmp_path):
    store = store_of(tmp_path / "store", records)
    code, out, _ = raygrid("compare", grid_file, "--store", store)
    assert code == 0
    assert "because these differ: dataset mnist, stl10 against cifar10, mnist, stl10." in out
    assert Path(out.splitlines()[-1]).read_text().count("cifar10") > 1  # only published: said, not dropped
    assert len(out.splitlines()) <= 24
    assert not lines(store / "report" / "comparison_imbalance.csv")
    compared = lines(store / "report" / "comparison_dataset.csv")
    assert len(compared) == 3 * 2 * 5
    mnist = next(line for line in compared if line["metric"] == "AvAcc" and line["dataset"] == "mnist")
    assert mnist["published"] == "0.9924"
    assert float(mnist["difference"]) == pytest.approx(float(mnist["value"]) - 0.9924)
    assert {line["verdict"] for line in lines(store / "report" / "claims.csv")} <= {
        "holds",
        "does not hold",
        "cannot be told",
    }


def test_numbers_of_another_protocol_are_compared_if_told(raygrid, grid_file, records, tmp_path):
    store = store_of(tmp_path / "store", records)
    code, out, _ = raygrid("compare", grid_file, "--store", store, "--despite", "dataset", "--all")
    assert code == 0
    assert "Compared although these differ: dataset mnist, stl10 against cifar10, mnist, stl10." in out
    compared = lines(store / "report" / "comparison_imbalance.csv")
    assert {line["differing"] for line in compared} == {"dataset mnist, stl10 against cifar10, mnist, stl10"}
    assert all(f"{float(line['value']):.4f}" in out for line in compared)  # every number
    code, _, err = raygrid("compare", grid_file, "--store", store, "--despite", "fold")
    assert (code, err.startswith("--despite: got 'fold'; expected one of dataset, levels, split")) == (2, True)


def test_a_pivot_of_any_axes(raygrid, grid_file, records, tmp_path):
    store = store_of(tmp_path / "store", records)
    arguments = (
        "--rows",
        "dataset,imbalance",
        "--columns",
        "resampler",
        "--metric",
        "MAvG",
        "--only",
        "representation=image",
    )
    code, out, _ = raygrid("report", grid_file, "--store", store, *arguments)
    assert code == 0
    assert "Results by dataset and IR" in out
    pivot = lines(store / "report" / "representation=image" / "pivot.csv")
    assert [(line["dataset"], line["imbalance_ratio"], line["resampler"]) for line in pivot] == [
        (dataset, ir, resampler)
        for dataset in ("mnist", "stl10")
        for ir in ("2", "5", "10")
        for resampler in ("none", "ros", "smote")
    ]
    assert {line["metric"] for line in pivot} == {"MAvG"}


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (
            ("--rows", "sampler"),
            "rows: got 'sampler'; expected one of dataset, imbalance, fold, ",
        ),
        (("--metric", "CBA"), "--metric: got no --rows; expected both"),
        (("--rows", "imbalance", "--metric", "F1"), "--metric: got 'F1'; expected one of AvAcc, CBA, MAvG"),
        (("--only", "dataset=mnist", "--only", "dataset=stl10"), "got no cells; expected at least one"),
        (("--published", "nowhere.csv"), "published: nowhere.csv: No such file or directory; expected "),
    ],
    ids=["axis", "metric without rows", "metric", "no cells", "published"],
)
def test_a_mistake_is_one_line(raygrid, grid_file, records, tmp_path, arguments, line):
    store = store_of(tmp_path / "store", records[:1])
    code, _, err = raygrid("report", grid_file, "--store", store, "--missing", "mark", *arguments)
    assert code == 2
    assert err.startswith(line)
    assert err.count("\n") == 1


def test_merge_joins_stores_and_refuses_two_truths(raygrid, grid_file, records, tmp_path):
    halves = [store_of(tmp_path / "a", records[:31]), store_of(tmp_path / "b", records[29:])]
    code, out, _ = raygrid("merge", tmp_path / "all", *halves)
    assert (code, out.split()[0]) == (0, "60")
    assert Store(tmp_path / "all").records() == {record.key: record for record in records}
    other = records[0].model_copy(update={"metrics": {"AvAcc": 0.0}})
    code, out, err = raygrid("merge", tmp_path / "all", store_of(tmp_path / "c", [other]))
    assert (code, out) == (2, "")
    assert f"got another record of {other.key} than in {tmp_path / 'all'} (metrics)" in err


def test_watching_ends_with_the_grid(raygrid, grid_file, records, tmp_path):
    store = store_of(tmp_path / "store", records[:-1])

    def finish():
        Store(store).write(records[-1], {})

    timer = threading.Timer(2, finish)
    timer.start()
    code, out, _ = raygrid("report", grid_file, "--store", store, "--watch", "1")
    timer.join()
    assert code == 0
    assert out.count("report/index.html") >= 2
    assert "missing" not in out.rsplit("Results by dataset", 1)[1]


def test_open_writes_the_page_once_and_names_it(raygrid, grid_file, tmp_path, monkeypatch):
    monkeypatch.setenv("BROWSER", "true")  # a program that is given the address, and succeeds
    store = tmp_path / "opened"
    for said in ("writing the report\n", ""):
        code, out, err = raygrid("open", grid_file, "--store", store)
        assert (code, out, err) == (0, f"{(store / 'report' / 'index.html').as_uri()}\n", said)
