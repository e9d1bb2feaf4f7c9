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

# Each kill ends the run that the one before it left unfinished. What is computed before trials begin is the same code
# in every engine; what is left of a run in the middle is Ray's.
KILLS = {
    "while inputs are computed": ("inline", lambda store, cache: any(cache.glob(".images-*.lock"))),
    "in the middle": ("ray", lambda store, cache: len(list(store.glob("records/*.json"))) >= N_CELLS // 2),
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
def test_a_run_killed_twice_ends_as_an_undisturbed_one(launch, raygrid, cluster, grid_file, cells_of, tmp_path):
    grid, keys = grid_file(folds=6), {cell.key for cell in cells_of(folds=6)}
    assert len(keys) == N_CELLS
    killed, cache = tmp_path / "killed", tmp_path / "killed cache"
    arguments = ("run", grid, "--store", killed, "--cache", cache)
    counts = []
    for moment, (engine, reached) in KILLS.items():
        process = launch(*arguments, "--engine", engine)
        process.wait_until(lambda reached=reached: reached(killed, cache))
        os.kill(process.process.pid, signal.SIGKILL)
        assert process.process.wait() == -signal.SIGKILL
        # Ray's workers notice; its agents do, too, but only after minutes.
        assert process.wait_for_descendants(but="Agent") == {}, moment
        process.end()

        after = files(killed, "records", "predictions")
        records = Store(killed).records()
        assert Counter(record.status for record in records.values()) == Counter(done=len(records)), moment
        assert {f"predictions/{key}.npz" for key in records} <= set(after), moment
        assert set(records) < keys, moment
        counts.append(len(records))
    assert (counts[0], counts[1] >= N_CELLS // 2) == (0, True)

    before = files(killed, "records", "predictions")
    code, _, err = raygrid(*arguments)
    assert (code, f"{counts[1]} done, 0 infeasible, {N_CELLS - counts[1]} to do" in err) == (0, True)
    after = files(killed, "records", "predictions")
    assert {name: after[name] for name in before} == before
    assert set(after) == {f"records/{key}.json" for key in keys} | {f"predictions/{key}.npz" for key in keys}
    assert not list(killed.glob("*/.*"))

    assert raygrid("run", grid, "--store", tmp_path / "undisturbed", "--engine", "inline")[0] == 0
    assert results(killed) == results(tmp_path / "undisturbed")
    assert len(files(killed, "report")) == 6
