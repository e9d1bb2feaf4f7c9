"""Small cells that share trials, and the same cells with a trial for each.

    python experiments/benchmarks/small_cells.py [--cells 900] [--seconds 0.05]

Cells that sleep run twice on a cluster that runs already: as they are, and with every cell in a trial of its own.
Printed are wall-clock seconds, with the start of two workers, those from the first record to the last, their ratio to
the ideal (cells x seconds / CPUs), and the CPU seconds of the driver.

Predicted, before the first run (2 CPUs, 900 cells of 0.05 s): 1.3 x ideal together, for each cell has 10 ms of
pipeline and files besides; 2.2 x with a trial each.
Measured (2 threads of one core, ten other processes at work): together 38.3 s, 1.38 x ideal from the first record to
the last, and 0.8 s of CPU in the driver; with a trial each 112.5 s, 4.53 x, and 9.4 s.
"""

import argparse
import os
import sys
import tempfile
import time
from datetime import datetime
from pathlib import Path

import engine_overhead
from engine_overhead import Guess, Nap, Watch, expand, grid, vars_of
from scipy.sparse import eye_array

from raygrid.cells import Cell
from raygrid.engine import Terms, engine_named, queue
from raygrid.storage.cache import Cache
from raygrid.storage.store import Store


class ShortNap(Nap):
    """Some seconds in which nothing happens."""

    seconds: float

    def _fit(self, X, y, seed):  # type: ignore[no-untyped-def]
        time.sleep(self.seconds)
        return eye_array(len(y), format="csr"), y


def run(cells: list[Cell], cache: Cache) -> tuple[float, float, float]:
    """Run the cells in a new store; return seconds, those from the first record to the last, and this process' CPU."""
    with tempfile.TemporaryDirectory() as folder:
        store = Store(Path(folder, "store"))
        store.prepare()
        start, cpu = time.perf_counter(), time.process_time()
        engine_named("ray")(cells, store, cache, terms=Terms(), observer=Watch())
        seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
        ends = [datetime.fromisoformat(record.measured.finished_at) for record in store.records().values()]
        return seconds, (max(ends) - min(ends)).total_seconds(), cpu


def main() -> None:
    """Run both and print."""
    from ray import cloudpickle

    from raygrid.engine.ray.cluster import connected

    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--cells", type=int, default=900)
    parser.add_argument("--seconds", type=float, default=0.05)
    given = parser.parse_args()
    for module in (sys.modules["__main__"], engine_overhead):  # workers cannot import them
        cloudpickle.register_pickle_by_value(module)
    levels = {"resampler": ShortNap(seconds=given.seconds), "classifier": Guess()}
    cells = [Cell(**vars_of(cell) | levels) for cell in expand(grid(given.cells))]
    ideal = given.cells * given.seconds / (os.cpu_count() or 1)
    with tempfile.TemporaryDirectory() as folder, connected(None):
        run(cells[:4], Cache(folder))  # the inputs are computed, and workers have started once
        for name, small_s in (("together", queue.SMALL_S), ("a trial each", 0.0)):
            queue.SMALL_S = small_s
            seconds, busy, cpu = run(cells, Cache(folder))
            from_first = f"from the first record to the last {busy:.0f} s, {busy / ideal:.2f} x ideal"
            print(f"{name}: {seconds:.1f} s; {from_first}; driver {cpu:.1f} s of CPU", flush=True)


if __name__ == "__main__":
    main()
