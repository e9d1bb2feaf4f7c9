"""A report of 10,000 made-up records, without figures for print and with them.

    python experiments/benchmarks/report.py [CHECKOUT]

CPU and wall seconds of `raygrid report` in a process of its own, imports included, and the ratio of the CPU seconds to
those of the first row. With another checkout of raygrid, its report of the same records is one more row, so that a
change is judged within one run.
"""

import resource
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import yaml

sys.path.insert(0, str(Path(__file__).parents[2] / "tests"))

import made_up

from raygrid.cells import expand
from raygrid.gridfile.faults import load_grid
from raygrid.storage.store import Store

ROOT = Path(__file__).parents[2]
GRID = {
    "name": "report",
    "datasets": list(made_up.CLASSES),
    "imbalance_ratios": [1.5, 2, 3, 5, 8, 10, 15, 20, 30, 50],
    "folds": 25,
    "arms": [
        {"representation": "image", "classifier": "cnn", "resamplers": list(made_up.GAIN)},
        {"representation": "features", "classifier": "svm", "resamplers": ["none", "smote", "smote_enn", "iht"]},
    ],
}
CODE = "import sys; sys.argv[0] = 'raygrid'; from raygrid.cli import main; main()"


def made(folder: Path) -> tuple[Path, Path]:
    """Return a grid file and a store with its records."""
    path, store, rng = folder / "grid.yaml", Store(folder / "store"), made_up.np.random.default_rng(0)
    path.write_text(yaml.safe_dump(GRID))
    store.prepare()
    for cell in expand(load_grid(path)):
        store.write(made_up.record(cell, rng), {})
    return path, folder / "store"


def seconds(checkout: Path, arguments: list[str]) -> tuple[float, float]:
    """Return CPU and wall seconds of a report."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    command = [sys.executable, "-c", CODE, "report", *arguments]
    subprocess.run(command, cwd=checkout, check=True, capture_output=True)  # noqa: S603
    after, wall = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter() - start
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, wall


def main() -> None:
    """Print one row a report."""
    rows = {"without figures for print": (ROOT, ["--no-print"]), "with PDF, PNG and LaTeX": (ROOT, ["--print"])}
    if len(sys.argv) > 1:
        rows["the other checkout"] = (Path(sys.argv[1]), [])
    with tempfile.TemporaryDirectory() as folder:
        grid, store = made(Path(folder))
        print(f"{'':<28}{'CPU s':>8}{'wall s':>8}{'ratio':>8}")
        first = 0.0
        for name, (checkout, flags) in rows.items():
            cpu, wall = seconds(checkout, [str(grid), "--store", str(store), *flags])
            first = first or cpu
            print(f"{name:<28}{cpu:8.1f}{wall:8.1f}{cpu / first:8.2f}", flush=True)


if __name__ == "__main__":
    main()
