"""Killed at any moment and started again, a run ends as if nothing had happened."""

import json
import os
import signal
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from raygrid.storage.store import Store

N_CELLS = 24

# Each kill ends the run that the one before it left unfinished.
MOMENTS = {
    "while inputs are computed": lambda store, cache: any(cache.glob(".images-*.lock")),
    "after the first records": lambda store, cache: len(list(store.glob("records/*.json"))) >= 2,
    "in the middle": lambda store, cache: len(list(store.glob("records/*.json"))) >= N_CELLS // 2,
}


def files(store: Path, *folders: str) -> dict[str, tuple[int, bytes]]:
    """Return when files were written and what they hold."""
    paths = [path for folder in folders for path in (store / folder).glob("[!.]*")]
    return {str(path.relative_to(store)): (path.stat().st_mtime_ns, path.read_bytes()) for path in paths}


def results(store: Path) -> dict[str, Any]:
    """Return all that must not depend on how often a run was killed."""
    records = {path.name: json.loads(path.read_text()) | {"measured": None} for path in (store / "records").iterdir()}
    others = {name: content for name, (_, content) in files(store, "predictions", "report").items()}
    return {name: json.dumps(record) for name, record in records.items()} | others


@pytest.mark.slow
def test_a_run_killed_three_times_ends_as_an_undisturbed_one(launch, grid_file, cells_of, tmp_path):
    grid, keys = grid_file(folds=6), {cell.key for cell in cells_of(folds=6)}
    assert len(keys) == N_CELLS

    def run(name: str) -> Any:
        return launch("run", grid, "--store", tmp_path / name, "--cache", tmp_path / f"{name} cache")

    killed = tmp_path / "killed"
    counts = []
    for moment, reached in MOMENTS.items():
        before = files(killed, "records", "predictions")
        process = run("killed")
        process.wait_until(lambda reached=reached: reached(killed, tmp_path / "killed cache"))
        os.kill(process.process.pid, signal.SIGKILL)
        assert process.process.wait() == -signal.SIGKILL
        # Ray's workers notice; its agents do, too, but only after minutes.
        assert process.wait_for_descendants(but="Agent") == {}, moment
        process.end()

        after = files(killed, "records", "predictions")
        assert {name: after[name] for name in before} == before, moment
        records = Store(killed).records()
        assert Counter(record.status for record in records.values()) == Counter(done=len(records)), moment
        assert {f"predictions/{key}.npz" for key in records} <= set(after), moment
        assert set(records) < keys, moment
        counts.append(len(records))
    assert counts == sorted(counts)
    assert (counts[0], counts[1] > 0, counts[2] >= N_CELLS // 2) == (0, True, True)

    before = files(killed, "records", "predictions")
    last = run("killed")
    assert last.wait() == 0, last.log.read_text()
    assert f"{counts[2]} done, 0 infeasible, {N_CELLS - counts[2]} to do" in last.log.read_text()
    after = files(killed, "records", "predictions")
    assert {name: after[name] for name in before} == before
    assert set(after) == {f"records/{key}.json" for key in keys} | {f"predictions/{key}.npz" for key in keys}
    assert not list(killed.glob("*/.*"))

    undisturbed = run("undisturbed")
    assert undisturbed.wait() == 0, undisturbed.log.read_text()
    assert f"0 done, 0 infeasible, {N_CELLS} to do" in undisturbed.log.read_text()
    assert results(killed) == results(tmp_path / "undisturbed")
    assert len(files(killed, "report")) == 6
