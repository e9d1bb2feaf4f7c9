"""What a file of a stranger cannot do; docs/explanation/security.md names these tests."""

import io
import json
import os
import re
import struct
import subprocess
import sys
import zipfile
from pathlib import Path

import made_up
import numpy as np
import pytest

from raygrid import host
from raygrid.commands.declared import read_declared, write_declared
from raygrid.commands.printing import Terminal
from raygrid.datasets.npz import read as read_npz
from raygrid.errors import DataError, GridError, StoreError, UsageError, printable
from raygrid.gridfile.yaml_file import YamlFile, read_yaml
from raygrid.report.figures import confusion_by_name
from raygrid.report.published import parse
from raygrid.report.sheets import to_csv_text
from raygrid.storage.cache import Cache
from raygrid.storage.record import Measured, Record
from raygrid.storage.store import Store
from raygrid.wording import shown, without_passwords

ESCAPES = "\x1b]0;title\x07\x1b[2J\u202eevil\ud800"
HARMLESS = r"\x1b]0;title\x07\x1b[2J\u202eevil\ud800"


@pytest.fixture
def cells(cells_of):
    return cells_of()


@pytest.fixture
def store(tmp_path, cells):
    """A store of 8 cells, one of which failed."""
    store, rng = Store(tmp_path / "store"), np.random.default_rng(0)
    store.prepare()
    for cell in cells[1:]:
        store.write(made_up.record(cell, rng), {})
    store.write(made_up.failed(cells[0], "error", f"ValueError: {ESCAPES[:-1]}", ESCAPES[:-1]), {})
    write_declared(store, "tiny", ["AvAcc"], cells)
    return store


# Grid files


LAUGHS = "\n".join(["a0: &a0 [x]", *(f"a{i}: &a{i} [{', '.join([f'*a{i - 1}'] * 10)}]" for i in range(1, 30))])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (LAUGHS, "6:5: got more than 100000 values, aliases written out; expected a grid file"),
        ("name: &a [*a]", "1:7: got a value in 41 others, or in itself; expected at most 40"),
        ("name: " + "[" * 400 + "]" * 400, "1:47: got a value in 41 others, or in itself; expected at most 40"),
        ("name: " + "[" * 5000, "got lists or mappings too deep in each other; expected a grid file"),
        ("seed: 0x" + "f" * 5000, "1:7: got a value of 5002 characters; expected at most 400"),
        ("name: " + "x" * 10_001, "1:7: got a value of 10001 characters; expected at most 10000"),
    ],
    ids=["laughs", "itself", "deep", "deeper", "digits", "long"],
)
def test_a_grid_file_of_a_few_lines_fills_no_memory(text, said):
    with pytest.raises(GridError) as refused:
        YamlFile(text, "g.yaml")
    assert str(refused.value).replace("g.yaml: ", "g.yaml:").removeprefix("g.yaml:") == said


def test_a_grid_file_is_a_file_and_has_an_end(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "large").write_bytes(b"#" * 300_001)
    (tmp_path / "loop").symlink_to("loop")
    for name, said in {"pipe": "neither a file nor a folder", "/dev/zero": "a device", "large": "300000"}.items():
        with pytest.raises(GridError, match=said):
            read_yaml(tmp_path / name)
    with pytest.raises(GridError, match="levels of symbolic links; name a grid file"):
        read_yaml(tmp_path / "loop")


def test_cells_are_counted_before_they_are_made(cells_of):
    with pytest.raises(ValueError, match="got 4000000000 cells; expected at most 250000; make several grids of it"):
        cells_of(folds=10**9)


# Stores


VERBS = (["status"], ["logs", "KEY"], ["report", "--rows", "dataset", "--missing", "mark"], ["pack"])


@pytest.mark.parametrize("verb", VERBS, ids=lambda verb: verb[0])
@pytest.mark.parametrize("name", [".lock", "records", "report", "cells.json", "records/KEY.json", "logs/KEY.log"])
def test_a_link_in_a_store_leads_nowhere(raygrid, store, cells, tmp_path, verb, name):
    (tmp_path / "victim").mkdir()
    (tmp_path / "victim" / "file").write_text("not to be changed, nor shown")
    link = store.root / name.replace("KEY", cells[0].key)
    if link.is_dir():
        link.rename(tmp_path / "moved")
    link.unlink(missing_ok=True)
    link.symlink_to(tmp_path / "victim" / ("file" if "." in name else ""))
    written = [tmp_path / "packed.zip"] if verb == ["pack"] else []
    code, out, err = raygrid(verb[0], store.root, *written, *(word.replace("KEY", cells[0].key) for word in verb[1:]))
    assert code in (0, 1) or "got a link; expected a file or a folder" in err
    assert "nor shown" not in out + err
    assert [path.name for path in (tmp_path / "victim").iterdir()] == ["file"]
    assert (tmp_path / "victim" / "file").read_text() == "not to be changed, nor shown"


def test_a_lock_that_is_a_link_is_refused(store, tmp_path):
    (tmp_path / "file").write_text("not to be changed")
    (store.root / ".lock").symlink_to(tmp_path / "file")
    for use in (store.is_locked, store.locked().__enter__):
        with pytest.raises(StoreError, match="got a link"):
            use()
    assert (tmp_path / "file").read_text() == "not to be changed"


def test_a_pipe_in_the_place_of_a_record_is_refused(store):
    os.mkfifo(store.root / "records" / f"{'0' * 16}.json")
    with pytest.raises(StoreError, match="neither a file nor a folder, but a pipe"):
        store.records()


@pytest.mark.parametrize("name", ["cells.json", "grid.yaml", "environment.json"])
def test_what_is_no_text_is_refused(store, name):
    (store.root / name).write_bytes(b"\xff")
    with pytest.raises(StoreError, match="got bytes that are not UTF-8"):
        store.read_text(name)


def test_an_environment_too_deep_for_python_is_refused(store):
    store.write_text("environment.json", "[" * 100_000)
    with pytest.raises(StoreError, match="got no JSON object"):
        store.environment()


LIES = [
    ({"confusion": []}, "confusion"),
    ({"confusion": [[1, 2], [3]]}, "confusion"),
    ({"confusion": [[-1, 2], [3, 4]]}, "confusion"),
    ({"confusion": [[2**60, 2], [3, 4]]}, "confusion"),
    ({"class_names": ["a"]}, "class_names"),
    ({"class_order": [0, 2]}, "class_order"),
    ({"class_order": [0, 0]}, "class_order"),
    ({"class_counts": {}}, "class_counts"),
    ({"class_counts": {"train": [1], "test": [1, 1]}}, "class_counts.train"),
    ({"class_counts": {"train": [1, 1], "test": [1, -1]}}, "class_counts.test"),
    ({"metrics": {"AvAcc": float("nan")}}, "metrics"),
    ({"curves": {"train": {"loss": [1.0]}, "kept": 2}}, "curves"),
    ({"curves": {"train": {"AvAcc": [1.0]}, "kept": 1}}, "curves"),
    ({"choice": {"how": "x", "chosen": 1, "candidates": [{"parameters": {}, "scores": []}]}}, "choice.chosen"),
    (
        {"measured": {"finished_at": "2020-01-01T00:00:00+00:00", "seconds": {"fit": 1e300}, "peak_memory_mb": 1}},
        "measured",
    ),
    ({"measured": {"finished_at": "2020-01-01", "seconds": {}, "peak_memory_mb": 1}}, "measured.finished_at"),
]


@pytest.mark.parametrize(("lie", "field"), LIES, ids=[str(i) for i in range(len(LIES))])
def test_a_record_whose_parts_do_not_fit_is_refused(tmp_path, lie, field):
    measured = {"finished_at": "2020-01-01T00:00:00+00:00", "seconds": {"fit": 1.0}, "peak_memory_mb": 1.0}
    sound = {"key": "0" * 16, "cell": {}, "status": "done", "measured": measured, **made_up.OF_TWO_CLASSES}
    store = Store(tmp_path)
    store.prepare()
    path = tmp_path / "records" / f"{'0' * 16}.json"
    path.write_text(json.dumps(sound))
    assert store.record("0" * 16)
    path.write_text(json.dumps(sound | lie))
    with pytest.raises(
        StoreError, match=rf"got no sound record \({field}: [^\n]*delete the file to run its cell again$"
    ):
        store.record("0" * 16)


def test_a_member_without_a_name_is_refused(tmp_path):
    with zipfile.ZipFile(tmp_path / "s.zip", "w") as archive:
        nameless = zipfile.ZipInfo("x")
        nameless.filename = ""
        archive.writestr(nameless, b"x")
    with pytest.raises(StoreError, match="got a file that no packed store has"):
        Store(tmp_path / "s.zip").records()


@pytest.mark.parametrize("field", ["9" * 140_000, '"' + "9" * 140_000])
def test_a_table_with_an_endless_field_is_refused(field):
    head = "metric,dataset,representation,classifier,resampler,value"
    with pytest.raises(UsageError, match=r"^t\.csv: got no CSV \(field larger than field limit"):
        parse("t.csv", f"{head}\n{field},", ["AvAcc"])


@pytest.mark.parametrize("verb", [["status", "NAME"], ["plan", "NAME"], ["init", "NAME"], ["merge", "NAME", "x"]])
def test_a_name_that_no_file_can_have_is_refused(raygrid, verb):
    code, _, err = raygrid(*(word.replace("NAME", "x" * 300) for word in verb))
    assert code == 2
    assert len(err.splitlines()) == 1
    assert "x" * 20 in err


@pytest.mark.parametrize("name", ["\x1b[2J", "\u202e", "\ufeff", "a\nb"])
def test_a_level_whose_name_cannot_be_printed_is_refused(store, name):
    declared = json.loads(store.read_text("cells.json"))
    declared["levels"]["resampler"][0]["text"] = name
    store.write_text("cells.json", json.dumps(declared))
    with pytest.raises(StoreError, match=r"got no declared cells \(got [^\n]* expected what can be printed\)"):
        read_declared(store)


def test_half_a_character_can_be_printed():
    assert [printable(name) for name in ("a\ud800", "a\udcff", "a\ufeff")] == [r"a\ud800", r"a\xff", r"a\ufeff"]


def test_a_class_may_have_a_name_that_no_font_has(cells_of):
    [cell] = cells_of(folds=1, imbalance_ratios=[2])[:1]
    names = ["\ufeff", "\x1b[2J", *map(str, range(8))]
    record = made_up.record(cell, np.random.default_rng(0)).model_copy(update={"class_names": names})
    results = made_up.results([cell], [record])
    figure = confusion_by_name(results, ("features", "svm"), "digits")
    assert figure.pdf().startswith(b"%PDF")


# What is printed


def test_a_terminal_obeys_nothing_that_a_store_says(raygrid, store, cells):
    store.write_log(cells[0].key, f"log {ESCAPES}")
    for verb in (["status"], ["logs", cells[0].key]):
        _, out, _ = raygrid(verb[0], store.root, *verb[1:])
        assert "\x1b" not in out and "\u202e" not in out
        assert r"\x1b[2J\u202eevil" in out


def test_what_a_terminal_obeys_is_shown_as_it_is_written():
    assert shown(ESCAPES) == HARMLESS
    assert shown("a\tb\r\nc\rd\n\x1b[1;31mred\x1b[0m é 日本 👩‍🔬") == "a\tb\nc\nd\nred é 日本 👩‍🔬"


@pytest.mark.parametrize("text", ["[bold]x[/bold]", "[/]", "[link=file:///etc/passwd]x[/link]", ":warning:"])
def test_markup_is_printed_as_it_is(text):
    terminal = Terminal(file=io.StringIO(), force_terminal=True, width=100)
    terminal.print(text, highlight=False)
    assert terminal.file.getvalue() == f"{text}\n"


def test_a_name_with_markup_is_no_fault(raygrid, store, tmp_path):
    code, out, _ = raygrid("merge", tmp_path / "[/x]", store.root)
    assert (code, out) == (0, f"8 records copied into {tmp_path / '[/x]'}\n")


# Passwords


SECRET = "https://me:s3cret@example.org/x?access_token=t0ken&run=1"
PUBLIC = "https://***@example.org/x?access_token=***&run=1"


def test_an_address_is_known_without_its_password():
    assert without_passwords(f"got no answer from '{SECRET}'; start it") == f"got no answer from '{PUBLIC}'; start it"
    plain = "s3://bucket/run, a@b.c, https://example.org/a@b, ~/x?y=1"
    assert without_passwords(plain) == plain


def test_no_password_is_kept_in_a_store(tmp_path, monkeypatch):
    store, key = Store(tmp_path), "0" * 16
    store.prepare()
    measured = Measured(finished_at="2020-01-01T00:00:00+00:00", seconds={}, peak_memory_mb=1, log=[SECRET])
    store.write(Record(key=key, cell={}, status="error", message=SECRET, traceback=SECRET, measured=measured), {})
    store.write_log(key, SECRET)
    record = store.record(key)
    assert [record.message, record.traceback, record.measured.log, store.read_log(key)] == [
        PUBLIC,
        PUBLIC,
        [PUBLIC],
        PUBLIC,
    ]
    monkeypatch.setattr(sys, "argv", ["/bin/raygrid", "run", "g.yaml", "--mlflow", SECRET])
    assert host.environment(tmp_path)["command"] == ["raygrid", "run", "g.yaml", "--mlflow", PUBLIC]


def test_no_password_is_in_a_message(raygrid):
    _, _, err = raygrid("status", "nosuch://me:s3cret@example.org/run")
    assert err.startswith("nosuch://***@example.org/run: got 'nosuch'")


# Other programs


def test_a_spreadsheet_runs_no_formula():
    names = ["=1+1", "+x", "-x", "@x", "\tx", "-1", "-0.5", "-1e-05", "plain"]
    text = to_csv_text(["name", "n"], [(name, -1.5) for name in names])
    first = [line.rpartition(",")[0].strip('"') for line in text.splitlines()[1:]]
    assert first == ["'=1+1", "'+x", "'-x", "'@x", "'\tx", "-1", "-0.5", "-1e-05", "plain"]


def test_git_starts_nothing_that_a_folder_says(tmp_path):
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\ntouch {tmp_path}/started\n")
    program.chmod(0o755)
    who = ["-c", "user.name=x", "-c", "user.email=x@x"]
    subprocess.run(["git", "-C", tmp_path, *who, "commit", "-qm", "x", "--allow-empty"], check=True)
    subprocess.run(["git", "-C", tmp_path, "config", "core.fsmonitor", program], check=True)
    assert len(host.environment(tmp_path)["git_commit"]) == 40
    assert not (tmp_path / "started").exists()


def test_a_page_that_came_with_a_store_is_written_anew(raygrid, store, monkeypatch):
    monkeypatch.setenv("BROWSER", "true")
    page = store.root / "report" / "index.html"
    page.write_text("<!doctype html><script>fetch('https://example.org')</script>")
    assert raygrid("open", store.root)[0] == 0
    ours = page.read_text()
    assert "example.org" not in ours
    page.write_text(f"{ours}<!-- as it was -->")
    assert raygrid("open", store.root)[0] == 0
    assert page.read_text().endswith("<!-- as it was -->")


# Data and weights


def test_arrays_packed_too_tight_are_refused(tmp_path):
    header = b"{'descr': '|u1', 'fortran_order': False, 'shape': (70000, 32, 32), }\n"
    content = b"\x93NUMPY\x01\x00" + struct.pack("<H", len(header)) + header + bytes(70_000 * 32 * 32)
    with zipfile.ZipFile(tmp_path / "x.npz", "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("X.npy", content)
        archive.writestr("y.npy", b"")
    with pytest.raises(
        DataError, match=r"got 716800[0-9]* bytes packed into [0-9]*; expected at most 200 times as many"
    ):
        read_npz(tmp_path / "x.npz", 8, "nearest")


@pytest.mark.parametrize("name", ["y", "y.npy"])
def test_what_is_no_array_is_refused(tmp_path, name):
    X = io.BytesIO()
    np.save(X, np.zeros((4, 8, 8), np.uint8))
    with zipfile.ZipFile(tmp_path / "x.npz", "w") as archive:
        archive.writestr("X.npy", X.getvalue())
        archive.writestr(name, b"0101")
    with pytest.raises(DataError, match=r"x\.npz: "):
        read_npz(tmp_path / "x.npz", 8, "nearest")


def test_a_grid_file_is_not_written_through_a_link(raygrid, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("cat", "dog"):
        (tmp_path / "photos" / name).mkdir(parents=True)
    (tmp_path / "photos.yaml").symlink_to(tmp_path / "elsewhere")
    assert raygrid("init", "photos")[0] == 2
    assert not (tmp_path / "elsewhere").exists()


class Program:
    """A pickle of it makes a file."""

    def __init__(self, makes: Path) -> None:
        self.makes = makes

    def __reduce__(self):
        return Path.touch, (self.makes,)


def test_a_cache_holds_no_pickles(tmp_path):
    cache, ran = Cache(tmp_path / "cache"), tmp_path / "ran"
    cache.arrays("images-1", lambda: {"X": np.arange(3)})
    path = cache.root / "images-1" / "X.npy"
    np.save(path, np.array([Program(ran)], dtype=object), allow_pickle=True)
    (path.parent / "contents.json").write_text(json.dumps({"X.npy": path.stat().st_size}))
    with pytest.raises(ValueError, match="Python objects"):
        cache.known("images-1")
    assert not ran.exists()
    np.load(path, allow_pickle=True)
    assert ran.exists()


def test_a_list_of_a_cache_names_nothing_outside(tmp_path):
    (tmp_path / "outside").write_text("x")
    cache = Cache(tmp_path / "cache")
    cache.arrays("images-1", lambda: {"X": np.arange(3)})
    (cache.root / "images-1" / "contents.json").write_text(json.dumps({"../../outside": 1}))
    assert cache.known("images-1") is None


def test_no_credentials_are_sent_with_a_run():
    from raygrid.engine.ray.cluster import _PASSED_ON

    assert not [name for name in _PASSED_ON if any(word in name for word in ("SECRET", "TOKEN", "KEY_ID", "PASSWORD"))]


def test_the_page_names_tests_that_are_there():
    tests = Path(__file__).parent
    page = (tests.parent / "docs" / "explanation" / "security.md").read_text(encoding="utf-8")
    there = {
        name for file in tests.glob("test_*.py") for name in re.findall(r"^def (test_\w+)", file.read_text(), re.M)
    }
    there |= {file.name for file in tests.glob("test_*.py")}
    named = re.findall(r"`(test_[\w.]+)`", page)
    assert len(named) > 30
    assert [name for name in named if name not in there] == []


@pytest.mark.slow
def test_code_in_keras_weights_is_not_run(tmp_path):
    from raygrid.errors import WeightsError
    from raygrid.networks.backbones import BackboneLevel
    from raygrid.networks.keras_backend import load_keras

    keras = load_keras()
    ran = tmp_path / "ran"
    layer = keras.layers.Lambda(lambda x, path=str(ran): (Path(path).touch(), x)[1])
    model = keras.Sequential([keras.Input((3,)), layer])
    ran.unlink()  # it is run when the model is built, and must not be when the weights are read
    model.save(tmp_path / "weights.keras")
    level = BackboneLevel.model_validate({"name": "x", "weights": str(tmp_path / "weights.keras")})
    with pytest.raises(WeightsError):
        level.build_backbone(32, seed=0)
    assert not ran.exists()


@pytest.mark.slow
def test_a_cluster_of_our_own_wants_a_token(tmp_path):
    script = (
        "from raygrid.engine.ray.cluster import connected\n"
        "from ray._raylet import AuthenticationMode, get_authentication_mode\n"
        "with connected(None):\n    print(get_authentication_mode() == AuthenticationMode.TOKEN)\n"
    )
    unset = {name: value for name, value in os.environ.items() if not name.startswith("RAY_")}
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        env={**unset, "HOME": str(tmp_path), "TMPDIR": "/tmp"},
        cwd=Path(__file__).parents[1],
        timeout=200,
    )
    assert done.stdout.splitlines()[-1:] == ["True"], done.stderr
