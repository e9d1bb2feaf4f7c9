"""What N trials at a time need in memory for one data set: one copy a node, or N.

    python experiments/benchmarks/shared_memory.py [--trials 4] [--images 40000]

A made-up data set of 64x64 images is run through the Ray engine by N trials at a time, each of which reads all of it.
Every trial notes its proportional set size (pages that k processes map count as 1/k in each). Beside it, N processes
that each load the same file, as a script around scikit-learn would. Printed: memory of both, as a ratio to the data
set's size; and how often the data set was decoded.

Predicted, before the first run (4 trials, 40,000 images, 492 MB): shared 1.0 copies and 4 x 0.05 for what else a trial
holds; each its own 4.0 copies.
Measured (2 cores of a shared server): 0.96 copies against 3.93; decoded once.
"""

import argparse
import json
import multiprocessing
import os
import tempfile
import time
from pathlib import Path
from typing import Any, Literal

import numpy as np
from engine_overhead import Guess, vars_of
from quiet import Quiet
from scipy.sparse import eye_array

from raygrid.cells import Cell, expand
from raygrid.engine import Terms, engine_named
from raygrid.gridfile.schema import Grid
from raygrid.resampling import Resampler
from raygrid.storage.cache import Cache
from raygrid.storage.store import Store


def resident_mb() -> float:
    """Return the proportional set size of this process."""
    lines = Path("/proc/self/smaps_rollup").read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1e3


class ReadAll(Resampler):
    """Reads every image, waits until all trials have, and notes how large its process is."""

    name: Literal["read_all"] = "read_all"
    folder: str
    trials: int

    def _fit(self, X: Any, y: Any, seed: int) -> Any:
        before = resident_mb()
        whole = X.X
        sum(int(whole[i : i + 1000].sum()) for i in range(0, len(whole), 1000))
        note(Path(self.folder), self.trials, before)
        return eye_array(len(y), format="csr"), y


def note(folder: Path, trials: int, before_mb: float) -> None:
    """Write down by how much this process has grown, when as many as `trials` processes have got here."""
    (folder / f"{os.getpid()}.here").touch()
    while len(list(folder.glob("*.here"))) < trials:
        time.sleep(0.05)
    time.sleep(1)
    (folder / f"{os.getpid()}.json").write_text(json.dumps(resident_mb() - before_mb))
    while len(list(folder.glob("*.json"))) < trials:
        time.sleep(0.05)


def load_own(path: Path, folder: Path, trials: int) -> None:
    """Load the file into this process alone."""
    before = resident_mb()
    with np.load(path) as data:
        X = {name: data[name] for name in data}
    note(folder, trials, before)
    del X


def total_mb(folder: Path) -> float:
    """Return what the processes have grown by together."""
    return sum(json.loads(path.read_text()) for path in folder.glob("*.json"))


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--trials", type=int, default=4)
    parser.add_argument("--images", type=int, default=40_000)
    args = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        root = Path(name)
        shared, own = root / "shared", root / "own"
        shared.mkdir()
        own.mkdir()
        rng = np.random.default_rng(0)
        X = rng.integers(0, 256, (args.images, 64, 64, 3), dtype=np.uint8)
        y = np.arange(args.images) % 10
        np.savez(root / "images.npz", x_train=X, y_train=y, x_test=X[:100], y_test=y[:100])
        size_mb = X.nbytes / 1e6
        del X

        grid = Grid.model_validate(
            {
                "name": "shared",
                "folds": args.trials,
                "image_size": 64,
                "imbalance_ratios": [10],
                "datasets": [{"name": "made_up", "path": str(root / "images.npz")}],
                "arms": [{"representation": "image", "classifier": "cnn", "resamplers": ["none"]}],
            }
        )
        read_all = ReadAll(folder=str(shared), trials=args.trials)
        cells = [Cell(**{**vars_of(cell), "resampler": read_all, "classifier": Guess()}) for cell in expand(grid)]
        from raygrid.engine.ray.cluster import ray

        ray.init("local", num_cpus=args.trials, include_dashboard=False, log_to_driver=False, logging_level="ERROR")
        store, cache = Store(root / "store"), Cache(root / "cache")
        store.prepare()
        engine_named("ray")(cells, store, cache, terms=Terms(), observer=Quiet())
        ray.shutdown()

        processes = [
            multiprocessing.get_context("spawn").Process(target=load_own, args=(root / "images.npz", own, args.trials))
            for _ in range(args.trials)
        ]
        for process in processes:
            process.start()
        for process in processes:
            process.join()

        decoded = len(list((root / "cache" / "computed").iterdir()))
        print(f"{args.trials} trials at a time, a data set of {size_mb:.0f} MB, decoded {decoded} time(s)")
        print(f"raygrid: {total_mb(shared) / size_mb:.2f} copies in memory")
        print(f"each its own: {total_mb(own) / size_mb:.2f} copies in memory")


if __name__ == "__main__":
    main()
