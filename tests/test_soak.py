"""A short form of the soak: after kills of drivers, workers and the store's server nothing is lost or doubled.

And what the soak looks at when it says so.
"""

import importlib
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import HANGS_S

SOAK = Path(__file__).parents[1] / "scripts" / "soak"


@pytest.mark.slow
def test_ten_kills_lose_nothing_and_double_nothing():
    options = ["--kills", "10", "--seconds", "60", "--seed", "7", "--folds", "1", "--kinds", "worker,server,driver"]
    soak = subprocess.run(
        [sys.executable, SOAK, *options], env=os.environ, capture_output=True, text=True, timeout=HANGS_S
    )
    assert soak.returncode == 0, soak.stderr
    names, _, numbers = ([cell.strip() for cell in line.strip("| ").split("|")] for line in soak.stdout.splitlines())
    counts = dict(zip(names, map(int, numbers), strict=True))
    assert sum(counts[kind] for kind in ("driver", "worker", "server")) >= 1
    assert counts["cells"] % 8 == 0 < counts["cells"]
    assert [counts[name] for name in ("lost", "doubled", "blamed", "files that differ", "unclear ends")] == [0] * 5


@pytest.fixture
def judged(monkeypatch):
    monkeypatch.syspath_prepend(str(SOAK))
    yield importlib.import_module("judged")
    del sys.modules["judged"]


def put(key, status, finished_at):
    body = json.dumps({"status": status, "measured": {"finished_at": finished_at}})
    return {"path": f"/soak/run1/records/{key}.json", "body": body}


@pytest.mark.parametrize(
    ("writes", "expected"),
    [
        ([("done", 1)], {}),
        ([("done", 1), ("done", 1)], {}),  # the answer was lost, the write repeated
        ([("done", 1), ("done", 2)], {"doubled": 1}),
        ([("done", 1), ("preempted", 2)], {"doubled": 1, "preempted": 1}),
        ([("preempted", 1), ("done", 2)], {"preempted": 1}),
        ([("error", 1), ("done", 2)], {"blamed": 1}),
        ([("timeout", 1)], {"blamed": 1}),
    ],
)
def test_the_soak_sees_what_is_doubled_and_what_is_blamed(judged, writes, expected):
    requests = [put("a" * 16, status, when) for status, when in writes] + [put("b" * 16, "done", 1)]
    other = [{"path": "/soak/run2/records/" + "a" * 16 + ".json", "body": "{}"}, {"path": "/soak/run1/.lock"}]
    counts = judged.counted(judged.written(requests + other, "run1"))
    assert {name: n for name, n in counts.items() if n} == expected


def test_the_soak_sees_what_is_lost_and_what_differs(judged, tmp_path):
    for store, metric in (("one", 0.5), ("other", 0.6), ("less", None)):
        (tmp_path / store / "records").mkdir(parents=True)
        (tmp_path / store / "report").mkdir()
        (tmp_path / store / "report" / "table1.md").write_text("same")
        if metric:
            record = {"metrics": metric, "measured": {"finished_at": store}}
            (tmp_path / store / "records" / "a.json").write_text(json.dumps(record))
    one = tmp_path / "one"
    assert judged.differing(one, one) == (0, [])
    assert judged.differing(tmp_path / "other", one) == (0, ["records/a.json"])
    assert judged.differing(tmp_path / "less", one) == (1, ["records/a.json"])
