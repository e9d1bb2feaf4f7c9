"""Cells of one fold, with Ray Tune as it comes: every trial its own features, its own neighbours, its own SVC.

    python experiments/benchmarks/plain_tune.py [--samples 3000]

Both run the same cells on the same features, kept on disk beforehand, on all CPUs of this machine; the start of Ray is
counted in. The plain trials are what one would write: load the features, select, resample with imbalanced-learn, fit
and predict with scikit-learn. Printed are the wall-clock seconds, their ratio, and whether the confusions agree.

Predicted, before the first run, for 3,000 training samples and six cells: 3 times as fast, for the start of Ray, 10 s
of both, is most of what raygrid takes; at the size of the paper's data sets what svm.py finds.
Measured (2 threads of one core, busy with other things as well): 2.0 times at 1,000 samples, all predictions the same.
"""

import argparse
import tempfile
import time
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
from quiet import Quiet

from raygrid.cells import Cell
from raygrid.classifiers.svm import Svm
from raygrid.datasets import DatasetLevel, Images
from raygrid.engine import Terms, engine_named
from raygrid.host import Runtime
from raygrid.imbalance import split
from raygrid.inputs import load_inputs
from raygrid.metrics.confusion import confusion_matrix
from raygrid.representations import Representation
from raygrid.resampling import RESAMPLERS
from raygrid.storage.cache import Cache
from raygrid.storage.store import Store

IRS, RESAMPLING = (2.0, 10.0), ("none", "smote", "smote_enn")


class Noise(DatasetLevel):
    """Ten classes of noisy images."""

    name: Literal["noise"] = "noise"
    n_samples: int

    def fingerprint(self) -> str:
        """Return what tells sizes apart."""
        return f"sha256:{self.n_samples}"

    def fetch(self) -> None:
        """Have everything."""

    def load(self, image_size: int, interpolation: str) -> Images:
        """Make them."""
        rng = np.random.default_rng(0)
        centres = rng.integers(90, 166, (10, image_size, image_size, 3))

        def part(n: int) -> Any:
            noise = rng.normal(0, 25, (n, image_size, image_size, 3))
            return np.clip(centres[np.arange(n) % 10] + noise, 0, 255).astype(np.uint8), np.arange(n) % 10

        parts = {"train": part(self.n_samples), "test": part(self.n_samples // 5)}
        return Images.of_parts(parts, tuple("0123456789"))


class Random(Representation):
    """4,096 random features."""

    gives: ClassVar[Literal["images", "vectors"]] = "vectors"
    name: Literal["random"] = "random"

    def transform(self, X: Any, *, seed: int) -> Any:
        """Project, and cut off what is below zero, as a network does."""
        pixels = X.reshape(len(X), -1).astype(np.float32) / 128 - 1
        weights = np.random.default_rng(seed).normal(0, 0.02, (pixels.shape[1], 4096)).astype(np.float32)
        return np.maximum(pixels @ weights, 0)


def plain_trial(config: dict[str, dict[str, Any]]) -> None:
    """Do what one would write for a cell."""
    cell = config["cell"]
    import imblearn.combine
    import imblearn.over_sampling
    from ray import tune
    from sklearn.svm import SVC

    X, y, X_test, y_test = (np.load(f"{cell['folder']}/{part}.npy") for part in ("X", "y", "X_test", "y_test"))
    found = split(y, y_test, ir=cell["ir"], seed=cell["fold_seed"])
    X, y, seed = X[found.train], y[found.train], cell["seed"]
    if cell["resampler"] == "smote":
        X, y = imblearn.over_sampling.SMOTE(random_state=seed).fit_resample(X, y)
    elif cell["resampler"] == "smote_enn":
        X, y = imblearn.combine.SMOTEENN(random_state=seed).fit_resample(X, y)
    predicted = SVC().fit(X, y).predict(X_test[found.test])
    tune.report({"confusion": confusion_matrix(y_test[found.test], predicted, 10).tolist()})


def run_plain(cells: list[Cell], folder: Path) -> list[Any]:
    """Run the cells as Ray Tune's trials; return their confusion matrices."""
    import ray
    from ray import tune

    ray.init("local", include_dashboard=False, log_to_driver=False, logging_level="CRITICAL")
    configs = [
        {
            "folder": str(folder),
            "ir": cell.ir,
            "resampler": cell.resampler.name,
            "fold_seed": cell.fold_seed,
            "seed": cell.seed_of("resample"),
        }
        for cell in cells
    ]
    options = tune.RunConfig(verbose=0, storage_path=str(folder / "tune"))
    tuner = tune.Tuner(plain_trial, param_space={"cell": tune.grid_search(configs)}, run_config=options)
    confusions = [result.metrics["confusion"] for result in tuner.fit()]
    ray.shutdown()
    return confusions


def main() -> None:
    """Run both and print the seconds and their ratio."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=int, default=3000)
    data = Noise(n_samples=parser.parse_args().samples)
    cells = [
        Cell(data, ir, 0, Random(), RESAMPLERS[name](), Svm(), 32, "bilinear", 1) for ir in IRS for name in RESAMPLING
    ]
    folder = Path(tempfile.mkdtemp(prefix="raygrid-benchmark-"))
    store, cache = Store(folder / "store"), Cache(folder / "cache")
    store.prepare()
    given = load_inputs(cells[0], cache, Runtime())
    for name, part in (("X", given.X_train), ("y", given.y_train), ("X_test", given.X_test), ("y_test", given.y_test)):
        np.save(folder / f"{name}.npy", part)

    start = time.perf_counter()
    engine_named("ray")(cells, store, cache, terms=Terms(), observer=Quiet())
    ours = time.perf_counter() - start
    start = time.perf_counter()
    theirs = run_plain(cells, folder)
    plain = time.perf_counter() - start

    records = store.records()
    pairs = [
        (np.array(records[cell.key].confusion), np.array(other)) for cell, other in zip(cells, theirs, strict=True)
    ]
    differ = sum(np.abs(one - other).sum() // 2 for one, other in pairs)
    print(f"raygrid {ours:.0f} s, Ray Tune with plain estimators {plain:.0f} s: {plain / ours:.1f} times as fast")
    print(f"{differ} of {sum(one.sum() for one, _ in pairs)} predictions differ, at least")


if __name__ == "__main__":
    main()
