"""What a grid of 100,000 cells costs before and between runs, through the command line, whatever its axes.

    python experiments/benchmarks/many_cells.py [--cells 100000] [--done 10000]

Grids of three shapes: thousands of folds, a hundred data sets with fifty levels of imbalance, a thousand levels of
a resampler. Of each, the CPU seconds of `plan`, `plan --only`, `status` and `report --rows`, with a tenth of the cells
done, and their ratio to the same verb on a grid of a hundredth of the cells, which is mostly what Python and the
libraries need to start.

Predicted, before the first run: `plan` 2.5 s of CPU for each shape (0.7 of them imports, 0.4 cells, 0.5 keys), 3 times
those of the small grid; `status` and `plan --only` 2 s; `report --rows` 6 s, because of a data frame of all cells.
Measured (2 cores on which two other runs were at work the whole time, so more CPU seconds than at rest), for folds,
data sets and resamplers: `plan` 3.3, 5.0 and 3.9 s, of which reading the 10,000 records and learning from them is
about 1 s; without records 1.8, 2.5 and 2.5 s. So the prediction of 2.5 s holds without records only, and data sets
(10,000 strata, 9,000 of them predicted from records of others) miss it by most. `plan --only` 2.2, 3.4 and 2.5 s;
`status` 2.2, 2.4 and 2.6 s, of the store alone 2.7, 2.8 and 2.9 s; `report --rows` 3.1, 3.2 and 8.5 s: a table of
30,000 numbers is more than predicted, because it is laid out for the terminal. All are 2.6 to 6.8 x the small grid.
"""

import argparse
import resource
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from raygrid.cells import Cell
from raygrid.commands.declared import write_declared
from raygrid.commands.job import open_job
from raygrid.metrics.confusion import METRICS
from raygrid.storage.record import Measured, Record
from raygrid.storage.store import Store

SIZES = [116] * 10


def folds(n: int, folder: Path) -> dict[str, Any]:
    """Return a grid of many folds: n / 40 of them, at ten ratios."""
    return _grid(folds=n // 40, ratios=range(1, 11), datasets=["digits"], resamplers=["none", "smote", "ros", "rus"])


def datasets(n: int, folder: Path) -> dict[str, Any]:
    """Return a grid of many data sets: n / 1000 of them, in 5-fold cross-validation at 50 ratios."""
    made = []
    for i in range(n // 1000):
        path = folder / f"set{i}.npz"
        X = np.random.default_rng(i).integers(0, 255, (300, 8, 8), dtype=np.uint8)
        np.savez(path, X=X, y=np.repeat(np.arange(3), 100))
        made.append({"name": f"set{i}", "path": str(path)})
    ratios = [1 + i / 5 for i in range(50)]
    split = {"split": {"name": "stratified_kfold", "n_splits": 5}}
    return split | _grid(folds=10, ratios=ratios, datasets=made, resamplers=["none", "ros"])


def resamplers(n: int, folder: Path) -> dict[str, Any]:
    """Return a grid of many levels of a resampler: n / 100 of them, most of which need more samples than there are."""
    levels = [{"name": "smote", "k_neighbors": k} for k in range(1, n // 100 + 1)]
    return _grid(folds=10, ratios=range(1, 11), datasets=["digits"], resamplers=levels)


def _grid(*, folds: int, ratios: Sequence[float], datasets: list[Any], resamplers: list[Any]) -> dict[str, Any]:
    arm = {"representation": "features", "classifier": "linear_probe", "resamplers": resamplers}
    return {"name": "many", "folds": folds, "imbalance": list(ratios), "datasets": datasets, "arms": [arm]}


def record(cell: Cell, rng: np.random.Generator) -> Record:
    """Return a record that a run might have left."""
    confusion = rng.multinomial(58, [0.1] * 10, 10)
    return Record(
        key=cell.key,
        cell=cell.identity(),
        status="done",
        metrics={name: metric(confusion) for name, metric in METRICS.items()},
        confusion=confusion.tolist(),
        class_names=list("0123456789"),
        class_order=list(range(10)),
        class_counts={"train": SIZES, "resampled": SIZES, "test": confusion.sum(axis=1).tolist()},
        ir=1.0,
        measured=Measured(finished_at="2026-01-01T00:00:00+00:00", seconds={"fit": 0.1}, peak_memory_mb=500),
    )


def cpu_seconds(folder: Path, *arguments: str) -> float:
    """Return the CPU seconds of a command, and of its processes."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    command = [sys.executable, "-m", "raygrid", *arguments, "--cache", str(folder / "cache")]
    subprocess.run(command, check=True, capture_output=True)  # noqa: S603
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def measure(shape: Callable[[int, Path], dict[str, Any]], n: int, n_done: int) -> dict[str, float]:
    """Return the CPU seconds of each verb on a grid of n cells, of which some are done."""
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        grid, place = folder / "grid.yaml", folder / "store"
        grid.write_text(yaml.safe_dump(shape(n, folder)))
        job, store = open_job(grid, stores=[place], cache=folder / "cache", only=[]), Store(place)
        cpu_seconds(folder, "plan", str(grid), "--store", str(place))  # reads the data sets
        store.prepare()
        write_declared(store, job.name, job.metrics, job.cells)
        rng = np.random.default_rng(0)
        for cell in job.cells[: n_done * len(job.cells) // n]:
            store.write(record(cell, rng), {})
        verbs = {
            "plan": ["plan", str(grid), "--store", str(place)],
            "plan --only": ["plan", str(grid), "--store", str(place), "--only", "fold=0"],
            "status": ["status", str(grid), "--store", str(place)],
            "status of the store": ["status", str(place)],
            "report --rows": ["report", str(grid), "--store", str(place), "--rows", "imbalance", "--missing", "mark"],
        }
        return {verb: cpu_seconds(folder, *arguments) for verb, arguments in verbs.items()}


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--cells", type=int, default=100_000)
    parser.add_argument("--done", type=int, default=10_000)
    parser.add_argument("--shape", choices=["folds", "datasets", "resamplers"], action="append")
    given = parser.parse_args()
    shapes = {"folds": folds, "datasets": datasets, "resamplers": resamplers}
    for name in given.shape or shapes:
        large = measure(shapes[name], given.cells, given.done)
        small = measure(shapes[name], max(1000, given.cells // 1000), 10)
        for verb, seconds in large.items():
            ratio = seconds / small[verb]
            print(f"{name}: {verb}: {seconds:.1f} s of CPU, {ratio:.1f} x those of a small grid", flush=True)


if __name__ == "__main__":
    main()
