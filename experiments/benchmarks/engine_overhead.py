"""What the Ray engine adds to the time and memory that the cells themselves need.

    python experiments/benchmarks/engine_overhead.py [--cells 900] [--running]

One-second cells (they sleep, so that a busy machine changes little) run through the Ray engine, the start and end of
Ray counted in unless it is `--running`; beside it, the same sleep as trials of bare Ray Tune as it comes. Printed are
ratios to the ideal, cells x 1 s / CPUs; what the driver's memory grows by for each trial; and planning 100,000 cells
against a store of as many records.

Predicted, before the first run (2 CPUs, 900 cells): engine 1.045 x ideal (12 s to start and stop a cluster, 20 ms a
trial); bare Tune 3 x; the driver 15 KB a trial; planning 2 s.
Measured (2 threads of one core, at rest): 1.054 x for 900 cells, of which 0.021 are the start of Ray and of the first
trials, 0.026 what lies between the trials of a CPU (24 ms; a third of it is the cell's own pipeline), 0.003 the end;
1.041 x on a cluster that runs already. Before it was 1.065 x: Tune asked for 900 placement groups before the first cell
was started, and MLflow was imported for nobody. Bare Tune: 3.4 x for 20 trials. The driver grew by 2 to 9 KB a trial
(47 KB before it dropped Tune's statistics). Planning took 1.4 s.
"""

import argparse
import os
import resource
import tempfile
import time
from contextlib import nullcontext
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
from quiet import Quiet
from scipy.sparse import csr_array, eye_array

from raygrid.cells import Cell, expand, plan
from raygrid.classifiers import Classifier
from raygrid.engine import Terms, engine_named
from raygrid.gridfile.schema import Grid
from raygrid.resampling import Resampler
from raygrid.storage.cache import Cache
from raygrid.storage.store import Store


class Nap(Resampler):
    """A second in which nothing happens."""

    name: Literal["nap"] = "nap"

    def _fit(self, X: Any, y: Any, seed: int) -> Any:
        time.sleep(1)
        return eye_array(len(y), format="csr"), y


class Guess(Classifier):
    """Always the first class."""

    takes: ClassVar[Literal["images", "vectors"]] = "images"
    name: Literal["guess"] = "guess"

    def fit(self, X: Any, A: csr_array, y: Any, **how: Any) -> Any:
        """Learn nothing."""
        return self

    def predict(self, X: Any) -> Any:
        """Guess."""
        return np.zeros(len(X), dtype=np.int64)


class Watch(Quiet):
    """Notes how large the driver is as trials end."""

    def __init__(self) -> None:
        self.sizes_kb: list[float] = []

    def finished(self, cell: Cell, status: str) -> None:
        """Note the size."""
        super().finished(cell, status)
        self.sizes_kb.append(resident_kb())


def resident_kb() -> float:
    """Return the resident size of this process."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e3
    except OSError:
        return float(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)


def grid(n: int) -> Grid:
    """Return a grid of n cells, of the data set that ships with scikit-learn."""
    return Grid.model_validate(
        {
            "name": "naps",
            "folds": n,
            "image_size": 32,
            "imbalance_ratios": [10],
            "datasets": ["digits"],
            "arms": [{"representation": "image", "classifier": "cnn", "resamplers": ["none"]}],
        }
    )


def cells(n: int) -> list[Cell]:
    """Return cells that nap for a second."""
    return [Cell(**{**vars_of(cell), "resampler": Nap(), "classifier": Guess()}) for cell in expand(grid(n))]


def vars_of(cell: Cell) -> dict[str, Any]:
    """Return a cell's fields."""
    return {name: getattr(cell, name) for name, field in Cell.__dataclass_fields__.items() if field.init}


def time_engine(n: int, folder: Path, *, is_running: bool) -> tuple[float, float]:
    """Return the seconds that n cells took, and the KB by which the driver grew for each of the later nine tenths.

    The start and the end of Ray are counted in, unless it `is_running` beforehand.
    """
    from raygrid.engine.ray.cluster import connected

    store, watch = Store(folder / "store"), Watch()
    store.prepare()
    with connected(None) if is_running else nullcontext():
        start = time.perf_counter()
        engine_named("ray")(cells(n), store, Cache(folder / "cache"), terms=Terms(), observer=watch)
        seconds = time.perf_counter() - start
    early = n // 10
    return seconds, (watch.sizes_kb[-1] - watch.sizes_kb[early]) / (n - early - 1)


def time_bare_tune(n: int, cpus: int) -> float:
    """Return the seconds that n sleeps of a second took as trials of Ray Tune as it comes."""
    import ray
    from ray import tune

    def nap(config: dict[str, int]) -> None:
        time.sleep(1)
        tune.report({"done": True})

    start = time.perf_counter()
    ray.init("local", num_cpus=cpus, include_dashboard=False, log_to_driver=False, logging_level="CRITICAL")
    with tempfile.TemporaryDirectory() as folder:
        config = tune.RunConfig(verbose=0, storage_path=folder)
        tune.Tuner(nap, param_space={"i": tune.grid_search(list(range(n)))}, run_config=config).fit()
    ray.shutdown()
    return time.perf_counter() - start


def time_plan(n: int) -> float:
    """Return the seconds that planning n cells takes, their keys counted in."""
    declared = grid(n)
    start = time.perf_counter()
    many = expand(declared)
    plan(many, {cell.key: "done" for cell in many[::2]})
    return time.perf_counter() - start


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--cells", type=int, default=900)
    parser.add_argument("--running", action="store_true", help="on a cluster that runs already, as --address finds one")
    parser.add_argument("--bare-cells", type=int, default=20, help="for bare Tune, which is slow")
    parser.add_argument("--plan-cells", type=int, default=100_000)
    args = parser.parse_args()
    cpus = os.cpu_count() or 1
    print(f"planning {args.plan_cells} cells: {time_plan(args.plan_cells) / 3:.2f} x the 3 s it may take")
    with tempfile.TemporaryDirectory() as folder:
        seconds, growth_kb = time_engine(args.cells, Path(folder), is_running=args.running)
    ideal = args.cells / cpus
    print(f"raygrid, {args.cells} cells of 1 s on {cpus} CPUs: {seconds / ideal:.3f} x ideal ({seconds:.0f} s)")
    print(f"driver memory: {growth_kb:.1f} KB a trial, {growth_kb / 20:.2f} x the 20 KB it may take")
    bare = time_bare_tune(args.bare_cells, cpus)
    print(f"bare Ray Tune, {args.bare_cells} such trials: {bare / (args.bare_cells / cpus):.2f} x ideal")


if __name__ == "__main__":
    main()
