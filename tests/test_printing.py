"""What is printed: no number is cut however narrow it is, and failures of one kind are one line."""

import re
from pathlib import Path

import made_up
import pytest
import yaml
from rich.console import Console
from rich.table import Table

from raygrid.cells import expand
from raygrid.commands.printing import show
from raygrid.commands.status import sentence_on_rest
from raygrid.gridfile.faults import load_grid
from raygrid.report.provenance import failures
from raygrid.report.sheets import Sheet, sheets_to_terminal
from raygrid.report.tables import table
from raygrid.report.terminal import to_terminal
from raygrid.storage.store import Store
from raygrid.wording import gist

NUMBER = re.compile(r"0\.\d{4}\b")
SHEET = Sheet("Pairs", ("Left", *(f"column {i}" for i in range(12))), (("a", *(f"0.{i:04}" for i in range(12))),))


@pytest.mark.parametrize("width", [20, 40, 80, 300])
@pytest.mark.parametrize("spread", [False, True])
def test_no_number_of_a_table_is_cut(width, spread, capsys):
    shown = table(made_up.study(folds=2).frame, rows="dataset")
    console = Console(width=width)
    show(console, to_terminal(shown, spread, width=width))
    printed = NUMBER.findall(re.sub(r"±0\.\d{4}", "", capsys.readouterr().out))
    assert sorted(printed) == sorted(f"{n.value:.4f}" for row in shown.rows for n in row.numbers)


def test_long_names_are_printed_whole_beside_each_other_at_80_characters(capsys):
    names = {"smote": "smote(k_neighbors=3, sampling_strategy=not majority)", "ros": "my_package.sampling:OfMyOwnKind"}
    long = {"resampler": names, "dataset": {"stl10": "images_of_" + 4 * "trees_"}}
    frame = made_up.study(folds=2).frame.replace(long)
    shown = table(frame, rows="dataset")
    show(Console(width=80), to_terminal(shown, width=80))
    printed = capsys.readouterr().out
    assert max(map(len, printed.splitlines())) <= 80
    assert "…" not in printed
    assert len(NUMBER.findall(printed)) == sum(len(row.numbers) for row in shown.rows)
    assert printed.count("AvAcc") == 3  # blocks, where each arm once needed six


@pytest.mark.parametrize("width", [80, 160])
def test_the_names_above_a_narrow_block_are_printed_whole(width, capsys):
    names = {"classifier": {"cnn": "svm(class_weight=balanced)", "svm": "Proto-chosen-C"}}
    frame = made_up.study(folds=2).frame
    shown = table(frame[frame["resampler"] == "none"].replace(names), rows="dataset")
    show(Console(width=width), to_terminal(shown, width=width))
    printed = capsys.readouterr().out
    assert "…" not in printed
    assert all(part in printed for part in ("svm(class_weigh", "Proto-chosen"))


@pytest.mark.parametrize("width", [20, 80, 300])
def test_no_number_of_a_sheet_is_cut(width, capsys):
    show(Console(width=width), sheets_to_terminal([SHEET]))
    assert NUMBER.findall(capsys.readouterr().out) == list(SHEET.rows[0][1:])


def test_what_fits_is_printed_at_the_width_of_the_terminal(capsys):
    narrow = Table("name", "number")
    narrow.add_row("a text of several words that can be wrapped", "0.1234")
    show(Console(width=30), narrow)
    assert {len(line.rstrip()) for line in capsys.readouterr().out.splitlines()} == {30}


def test_what_messages_have_in_common():
    assert gist("smote: got 5 samples of class 3, 'cat'; expected 6\nmore") == gist(
        "smote: got 4 samples of class 12, 'dog'; expected 6"
    )
    assert gist("ValueError: got 3") != gist("TypeError: got 3")


@pytest.fixture
def study(tmp_path):
    """A grid file, its store and its cells: SMOTE is infeasible on one data set, one more cell has failed."""
    arm = {"representation": "features", "classifier": "svm", "resamplers": ["none", "smote"]}
    path = tmp_path / "study.yaml"
    path.write_text(yaml.safe_dump({"name": "s", "datasets": ["mnist", "stl10"], "folds": 2, "arms": [arm]}))
    cells, rng, store = expand(load_grid(path)), made_up.np.random.default_rng(0), Store(tmp_path / "store")
    store.prepare()
    for i, cell in enumerate(cells):
        if cell.resampler.name == "smote" and cell.dataset.name == "stl10":
            store.write(made_up.failed(cell, "infeasible", f"smote: got {i} samples of class {i % 10}; expected 6"), {})
        elif i == 0:
            store.write(made_up.failed(cell, "error", "ValueError: [odd] 3"), {})
        else:
            store.write(made_up.record(cell, rng), {})
    return path, store, cells


def test_what_helps_depends_on_how_cells_ended(study):
    cells = study[2]
    records = {
        cell.key: made_up.failed(cell, status, "x") for cell, status in zip(cells, ["error", "oom"], strict=False)
    }
    assert sentence_on_rest([], 24, records) == ""
    assert sentence_on_rest(cells[1:3], 24, records) == "2 of 24 cells have no result; run the grid again to try them"
    assert sentence_on_rest(cells[:3], 24, records).endswith(
        "(1 had an error, which comes again until its cause is mended)"
    )


def test_failures_of_one_kind_are_one_line(raygrid, study):
    path, store, cells = study
    _, out, _ = raygrid("status", path, "--store", store.root)
    first = next(cell for cell in cells if (cell.resampler.name, cell.dataset.name) == ("smote", "stl10"))
    message = store.record(first.key).message
    assert out.splitlines()[1:] == [
        f"infeasible: 6 cells (dataset=stl10 resampler=smote): {message}; the others likewise (the first: {first.key})",
        f"error: {cells[0]}: ValueError: [odd] 3 ({cells[0].key})",
        "1 of 24 cells have no result, because of errors, which come again until their cause is mended: "
        "`raygrid logs` shows where",
    ]


def test_failures_of_one_kind_are_one_of_the_page(study):
    _, store, cells = study
    found = list(failures(made_up.results(cells, list(store.records().values()))))
    assert [(failure.status, failure.n_cells) for failure in found] == [("error", 1), ("infeasible", 6)]


def test_a_run_ends_with_the_next_command_and_a_path(raygrid, study):
    path, store, cells = study
    keys = [cell.key for cell in cells[1:]]
    assert all(store.record(key).status in ("done", "infeasible") for key in keys)
    code, out, _ = raygrid("run", path, "--store", store.root, "--only", "resampler=smote", "--engine", "inline")
    *_, command, place = out.splitlines()
    again = f"raygrid report {path} --store {store.root} --only resampler=smote"
    assert (code, command) == (0, f"figures, statistics and the page: {again}")
    assert place == f"{store.root}/report/resampler=smote/table1.md"
    assert Path(place).read_text().startswith("**Results by dataset")
