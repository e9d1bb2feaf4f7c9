"""The command line: what each verb prints and keeps, its exit codes, and one line for a mistake."""

import csv
import json
import logging
import os
import re
import shutil
import subprocess
import sys
import warnings
from importlib.metadata import version
from pathlib import Path
from typing import get_args

import pytest
import typer
import yaml
from made_up import statuses

from raygrid import cli
from raygrid.engine import ENGINES
from raygrid.gridfile.schema import Grid
from raygrid.report.missing import Missing
from raygrid.storage.store import Store

SMOTE_OF_MANY = {"name": "smote", "k_neighbors": 11}  # at IR 10 the smallest class has 11 samples


@pytest.fixture(scope="module")
def finished_once(tmp_path_factory):
    return tmp_path_factory.mktemp("finished") / "store"


@pytest.fixture
def finished(finished_once, raygrid, grid_file, tmp_path):
    """A copy of the store of the tiny grid, run to its end."""
    if not finished_once.exists():
        assert raygrid("run", grid_file(), "--store", finished_once, "--engine", "inline")[0] == 0
    return Path(shutil.copytree(finished_once, tmp_path / "store"))


def contents(store: Path, *folders: str) -> dict[str, tuple[bytes, int]]:
    """Return what files hold and when they were written."""
    paths = [path for folder in folders for path in (store / folder).iterdir()]
    return {str(path.relative_to(store)): (path.read_bytes(), path.stat().st_mtime_ns) for path in paths}


def fail(store: Path, status: str) -> Path:
    """Turn a record into that of a cell that failed, and return its path."""
    path = sorted((store / "records").iterdir())[0]
    path.write_text(json.dumps(json.loads(path.read_text()) | {"status": status, "message": "was so", "metrics": {}}))
    return path


def rows(text: str) -> list[list[str]]:
    """Return the words of each line of a table, without its rules."""
    return [words for line in text.splitlines() if (words := re.findall(r"[\w.:]+", line))]


def test_plan_counts_cells_by_axis_and_level(raygrid, grid_file, tmp_path):
    code, out, err = raygrid("plan", grid_file(), "--store", tmp_path / "store")
    assert (code, err) in ((0, ""), (0, "reading digits, 1797 images; this is kept in the cache\n"))
    table, _, sizes = out.partition("Images that are used")
    *sizes, hint = sizes.splitlines()
    assert hint.startswith("no estimate for 8 of 8 cells")
    assert rows(table) == [
        ["tiny:", "8", "cells:", "0", "done", "0", "infeasible", "8", "to", "do"],
        ["axis", "level", "cells", "done", "infeasible", "to", "do"],
        ["dataset", "digits", "8", "0", "0", "8"],
        ["imbalance", "2", "4", "0", "0", "4"],
        ["10", "4", "0", "0", "4"],
        ["fold", "0", "1", "each", "4", "0", "0", "4"],
        ["representation", "features", "8", "0", "0", "8"],
        ["classifier", "svm", "8", "0", "0", "8"],
        ["resampler", "none", "4", "0", "0", "4"],
        ["smote", "4", "0", "0", "4"],
    ]
    # 116 and 58 images of the smallest class, train and test, by rank: 116 / (1 + i / 9), and 116 / (1 + i).
    assert [line[:-1] for line in rows("\n".join(sizes))][2:4] == [
        ["digits", "2", "1210", "1797", "808", "58", "to", "116", "2", "402", "29", "to"],
        ["digits", "10", "502", "1797", "336", "11", "to", "116", "10.5", "166", "5", "to"],
    ]
    assert not (tmp_path / "store").exists()


def test_plan_knows_what_is_done(raygrid, grid_file, finished):
    grown = grid_file(folds=3)
    _, out, _ = raygrid("plan", grown, "--store", finished)
    assert ["tiny:", "12", "cells:", "8", "done", "0", "infeasible", "4", "to", "do"] in rows(out)
    assert ["2", "4", "0", "0", "4"] in rows(out)
    _, out, _ = raygrid("plan", grown, "--store", finished, "--only", "ir=2", "--only", "fold=1,2")
    assert ["tiny:", "4", "cells:", "2", "done", "0", "infeasible", "2", "to", "do"] in rows(out)


def test_prepare_says_what_there_is(raygrid, grid_file):
    code, out, _ = raygrid("prepare", grid_file())
    assert (code, out) == (0, "digits features: (1797, 256), train 1198, test 599\n")


def test_schema_is_the_json_schema_of_a_grid_file(raygrid):
    code, out, err = raygrid("schema")
    assert (code, err) == (0, "")
    assert json.loads(out) == Grid.model_json_schema()


def test_a_run_leaves_these_files(finished, grid_file, cells_of):
    keys = [cell.key for cell in cells_of()]
    tables = [f"report/{table}.{form}" for table in ("table1", "table2") for form in ("csv", "md", "tex")]
    expected = [f"records/{key}.json" for key in keys] + [f"predictions/{key}.npz" for key in keys] + tables
    found = {str(path.relative_to(finished)) for path in finished.rglob("*") if path.is_file()}
    assert found - {".lock"} >= {*expected, "grid.yaml", "environment.json"}
    assert {name for name in found if name.startswith(("records", "predictions"))} == set(expected) - set(tables)
    assert (finished / "grid.yaml").read_text() == grid_file().read_text()
    assert {"platform", "cpus", "command", "versions"} <= set(json.loads((finished / "environment.json").read_text()))


def test_the_tables_hold_the_means_of_the_records(finished, cells_of):
    records = Store(finished).records()
    of_smote_at_10 = [
        records[cell.key].metrics["CBA"]
        for cell in cells_of()
        if (cell.imbalance.ir, cell.resampler.name) == (10, "smote")
    ]
    with (finished / "report" / "table2.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if [*row.values()][:5] == ["CBA", "10", "features", "svm", "smote"]]
    (row,) = rows
    assert float(row["value"]) == pytest.approx(sum(of_smote_at_10) / 2)
    assert (row["n_folds"], row["n_cells"]) == ("2", "2")


def test_a_second_run_does_nothing(raygrid, grid_file, finished):
    before = contents(finished, "records", "predictions")
    tables = {name: content for name, (content, _) in contents(finished, "report").items()}
    code, out, err = raygrid("run", grid_file(), "--store", finished)
    assert (code, err) == (0, "tiny: 8 cells: 8 done, 0 infeasible, 0 to do\n")
    assert "Results by IR, for dataset digits" in out
    assert contents(finished, "records", "predictions") == before
    assert {name: content for name, (content, _) in contents(finished, "report").items()} == tables


@pytest.mark.parametrize("status", ["error", "oom", "timeout", "preempted"])
def test_a_run_tries_what_failed_again_and_nothing_else(raygrid, grid_file, finished, status):
    before = contents(finished, "records")
    tables = {name: content for name, (content, _) in contents(finished, "report").items()}
    failed = fail(finished, status)
    code, _, err = raygrid("run", grid_file(), "--store", finished, "--engine", "inline")
    assert (code, err.splitlines()[0]) == (0, "tiny: 8 cells: 7 done, 0 infeasible, 1 to do")
    again = json.loads(failed.read_text())
    name = f"records/{failed.name}"
    assert {**again, "measured": 0} == {**json.loads(before[name][0]), "measured": 0}
    after = contents(finished, "records")
    assert {path: file for path, file in after.items() if path != name} == {
        path: file for path, file in before.items() if path != name
    }
    assert {name: content for name, (content, _) in contents(finished, "report").items()} == tables


def test_status_says_what_failed_and_why(raygrid, grid_file, finished, cells_of):
    key = fail(finished, "oom").stem
    cell = next(cell for cell in cells_of() if cell.key == key)
    code, out, err = raygrid("status", grid_file(), "--store", finished)
    assert (code, err) == (0, "")
    assert out.splitlines() == [
        "tiny: 8 cells: 7 done, 0 infeasible, 1 to do",
        f"oom: {cell}: was so ({key})",
        "1 of 8 cells have no result; run the grid again to try them",
    ]


def test_status_for_machines(raygrid, grid_file, finished, cells_of, tmp_path):
    def status(store, **changes):
        code, out, err = raygrid("status", "--json", grid_file(**changes), "--store", store)
        assert (code, err) == (0, "")
        return json.loads(out)

    counts = dict.fromkeys(("done", "infeasible", "error", "oom", "timeout", "preempted", "missing"), 0)
    assert status(tmp_path / "none") == {"name": "tiny", "cells": 8, **counts, "missing": 8, "not_done": []}
    assert status(finished) == {"name": "tiny", "cells": 8, **counts, "done": 8, "not_done": []}
    key = fail(finished, "error").stem
    levels = next(cell.levels() for cell in cells_of() if cell.key == key)
    assert status(finished, folds=3) == {
        "name": "tiny",
        "cells": 12,
        **counts,
        "done": 7,
        "error": 1,
        "missing": 4,
        "not_done": [{"key": key, **levels, "status": "error", "message": "was so"}],
    }


def test_a_grid_with_infeasible_cells_is_finished(raygrid, grid_file, tiny, tmp_path):
    grid = grid_file(arms=[tiny["arms"][0] | {"resamplers": ["none", SMOTE_OF_MANY]}])
    arguments = (grid, "--store", tmp_path / "store")
    code, out, err = raygrid("run", *arguments, "--only", "fold=0", "--engine", "inline")
    assert code == 0
    assert re.search(
        r"^infeasible: dataset=digits imbalance=10 fold=0 representation=features classifier=svm resampler=smote: "
        r"smote: got 11 samples of class \d; expected at least 12 \(k_neighbors \+ 1\) \([0-9a-f]{16}\)$",
        err,
        re.MULTILINE,
    )
    assert "of 1 cell: 1 infeasible" in out
    assert "—" in (tmp_path / "store" / "report" / "fold=0" / "table2.md").read_text()
    code, _, err = raygrid("run", *arguments, "--only", "fold=0", "--engine", "inline")
    assert (code, err.splitlines()[0]) == (0, "tiny: 4 cells: 3 done, 1 infeasible, 0 to do")


def test_a_run_with_failed_cells_says_so(raygrid, grid_file, finished, cells_of, monkeypatch):
    from raygrid.classifiers.svm import Svm

    def raising(self, X, A, y, *, seed, checkpoint):
        raise ValueError("got 3; expected 4")

    monkeypatch.setattr(Svm, "fit", raising)
    path = fail(finished, "preempted")
    cell = next(cell for cell in cells_of() if cell.key == path.stem)
    code, out, err = raygrid("run", grid_file(), "--store", finished, "--engine", "inline")
    assert code == 1
    assert err.splitlines()[-2:] == [
        f"error: {cell}: ValueError: got 3; expected 4 ({cell.key})",
        "1 of 8 cells have no result, because of errors, which come again until their cause is mended: "
        "`raygrid logs` shows where",
    ]
    assert "1 error" in out


def test_the_store_is_runs_slash_name_on_ray_too(raygrid, grid_file, cells_of, cluster, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    code, _, err = raygrid("run", grid_file(), "--only", "resampler=none", "--only", "ir=10", "--only", "fold=1,0")
    assert (code, err.splitlines()[0]) == (0, "tiny: 2 cells: 0 done, 0 infeasible, 2 to do")
    expected = [cell.key for cell in cells_of() if (cell.imbalance.ir, cell.resampler.name) == (10, "none")]
    assert statuses(Store(tmp_path / "runs" / "tiny")) == dict.fromkeys(expected, "done")
    _, out, _ = raygrid("plan", grid_file(), "--only", "resampler=none", "--only", "ir=10")
    assert rows(out)[0] == ["tiny:", "2", "cells:", "2", "done", "0", "infeasible", "0", "to", "do"]


def test_a_report_of_an_unfinished_store_is_refused_unless_told_how(raygrid, grid_file, finished):
    failed = fail(finished, "error")
    gone = sorted((finished / "records").iterdir())[1]
    gone.unlink()
    arguments = ("report", grid_file(), "--store", finished)
    code, out, err = raygrid(*arguments)
    assert (code, out.replace("\n", "")) == (2, f"{finished}/report/index.html")
    assert err == (
        "2 of 8 cells have no result (1 error, 1 missing); run the grid again, or pass --missing mark (dash "
        "them) or --missing drop (leave their folds out)\n"
    )
    code, out, err = raygrid(*arguments, "--missing", "mark")
    assert (code, err) == (0, "")
    assert "1 error" in out and "1 missing" in out
    assert "—" in (finished / "report" / "table1.md").read_text()
    assert (failed.exists(), gone.exists()) == (True, False)


def test_a_report_shows_the_spread_if_asked(raygrid, grid_file, finished):
    assert "±" not in raygrid("report", grid_file(), "--store", finished)[1]
    code, out, _ = raygrid("report", grid_file(), "--store", finished, "--spread")
    assert (code, "±" in out, "±" in (finished / "report" / "table1.md").read_text()) == (0, True, True)


MISTAKES = {
    "no such file": (["plan", "nowhere.yaml"], "nowhere.yaml: No such file or directory; name a grid file"),
    "no such axis": (
        ["run", "tiny.yaml", "--only", "resampling=none"],
        "--only resampling=none: got 'resampling'; expected one of dataset, imbalance, fold, representation, "
        "classifier, resampler; did you mean 'resampler'?",
    ),
    "no such level": (
        ["status", "tiny.yaml", "--only", "ir=2,3"],
        "--only ir=2,3: got '3'; expected one of 2, 10",
    ),
    "unknown key": (["prepare", "fold.yaml"], "fold.yaml:2:7: fold: unknown key: got 'fold'; expected one of name, "),
    "broken data": (["prepare", "broken.yaml"], "mine: "),
    "broken data in a run": (["run", "broken.yaml", "--engine", "inline"], "mine: "),
}


@pytest.mark.parametrize(("arguments", "line"), MISTAKES.values(), ids=MISTAKES)
def test_a_mistake_is_one_line_and_exit_code_2(raygrid, grid_file, tiny, tmp_path, monkeypatch, arguments, line):
    monkeypatch.chdir(tmp_path)
    grid_file()
    Path("fold.yaml").write_text(yaml.safe_dump({"name": "tiny", "fold": 3} | tiny, sort_keys=False))
    Path("mine.npz").write_text("hello")
    Path("broken.yaml").write_text(yaml.safe_dump(tiny | {"datasets": [{"name": "mine", "path": "mine.npz"}]}))
    code, out, err = raygrid(*arguments)
    assert (code, out) == (2, "")
    lines = [
        text for text in err.splitlines() if not text.startswith(("fetching", "tiny: 8 cells")) and "0/8" not in text
    ]
    assert (len(lines), lines[0][: len(line)]) == (1, line)


def test_a_store_that_is_being_written_is_left_alone(raygrid, grid_file, finished):
    with Store(finished).locked():
        assert raygrid("run", grid_file(), "--store", finished) == (
            2,
            "",
            f"{finished}: another run is writing here; wait for it, or use another --store\n",
        )


@pytest.mark.parametrize(
    ("arguments", "code", "stream", "text"),
    [
        (["--help"], 0, "stdout", "Exit codes: 0 all cells done"),
        (["plan", "nowhere.yaml"], 2, "stderr", "nowhere.yaml: No such file or directory; name a grid file\n"),
        (["plan", "x.yaml", "--bogus"], 2, "stderr", "--bogus"),
        (["run", "x.yaml", "--engine", "dask"], 2, "stderr", "dask"),
    ],
    ids=["help", "a mistake", "no such option", "no such engine"],
)
def test_the_installed_command(arguments, code, stream, text, tmp_path):
    script = Path(sys.executable).with_name("raygrid")
    run = subprocess.run([script, *arguments], capture_output=True, text=True, cwd=tmp_path)
    assert run.returncode == code
    assert text in getattr(run, stream)
    assert "Traceback" not in run.stderr


def test_the_version_is_that_of_the_package(raygrid):
    assert raygrid("--version") == (0, f"raygrid {version('raygrid')}\n", "")


@pytest.mark.parametrize("verb", [[], ["run"], ["report"]], ids=["raygrid", "run", "report"])
def test_h_is_help(raygrid, verb):
    assert raygrid(*verb, "-h") == raygrid(*verb, "--help")


@pytest.mark.parametrize(
    ("verb", "option", "names"),
    [("run", "--engine", ENGINES), ("plan", "--engine", ENGINES), ("report", "--missing", get_args(Missing))],
)
def test_help_and_mistakes_name_what_there_is(raygrid, verb, option, names):
    assert "|".join(names) in unboxed(raygrid(verb, "--help")[1])
    code, out, err = raygrid(verb, "x.yaml", option, "bogus")
    assert (code, out) == (2, "")
    assert f"got 'bogus'; expected one of {', '.join(names)}" in unboxed(err)


VERBS = [command.name for command in cli.app.registered_commands]


@pytest.mark.parametrize("verb", VERBS)
def test_the_help_of_a_verb_stands_alone_at_80_columns(raygrid, verb, monkeypatch):
    monkeypatch.setenv("COLUMNS", "80")
    lines = raygrid(verb, "--help")[1].splitlines()
    assert max(map(len, lines)) <= 80
    assert "…" not in "".join(lines)  # cut
    assert [line for line in lines if line.strip()][-1].startswith(f" Example: raygrid {verb}")
    parameters = typer.main.get_command(cli.app).commands[verb].params
    assert [each.name for each in parameters if not each.help] == []
    ungrouped = [each.name for each in parameters if each.param_type_name == "option" and not each.rich_help_panel]
    assert ungrouped == []  # --help, which is alone in Options, is not among them


def test_other_libraries_are_kept_quiet_unless_the_user_says_otherwise(raygrid, monkeypatch):
    monkeypatch.setenv("TQDM_DISABLE", "0")
    monkeypatch.delenv("HF_HUB_DISABLE_PROGRESS_BARS", raising=False)
    with warnings.catch_warnings(record=True) as warned:
        raygrid("schema")
        warnings.warn("of a library", stacklevel=1)
    assert warned == []
    assert (os.environ["TQDM_DISABLE"], os.environ["HF_HUB_DISABLE_PROGRESS_BARS"]) == ("0", "1")
    assert not logging.getLogger("matplotlib").isEnabledFor(logging.WARNING)


def unboxed(text: str) -> str:
    """Return the words in a box on a terminal."""
    return " ".join(re.findall(r"[^\s│]+", text))
