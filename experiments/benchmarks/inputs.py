"""What the benchmarks work on: features from raygrid's cache, or made-up ones of the same kind."""

import os
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from raygrid.inputs import Inputs
from raygrid.storage.cache import Cache


def inputs(n_train: int, n_test: int, *, n_classes: int = 10, n_values: int = 4096) -> Inputs:
    """Return balanced samples, with a cache of their own in which nothing is computed yet.

    They come from the folder that the command line names (an ``inputs-*`` folder of raygrid's cache, of ten classes).
    Without one they are made up: 6 values in 10 of them 0 as after a ReLU, classes that overlap.
    """
    cache = Cache(Path(tempfile.mkdtemp(prefix="raygrid-benchmark-")))
    names = tuple(str(label) for label in range(n_classes))
    if len(sys.argv) > 1:
        parts = [_some(Path(sys.argv[1]), part, n) for part, n in (("train", n_train), ("test", n_test))]
    else:
        parts = [_made_up(n, seed, n_classes, n_values) for seed, n in enumerate((n_train, n_test))]
    X, y = (np.concatenate(arrays) for arrays in zip(*parts, strict=True))
    indices = dict(zip(("train", "test"), np.split(np.arange(len(y)), [n_train]), strict=True))
    return Inputs(X, y, names, indices, cache, "benchmark", threads=os.cpu_count() or 1)


def _some(folder: Path, part: str, n: int) -> tuple[np.ndarray, np.ndarray]:
    X, y, part_of = (np.load(folder / f"{name}.npy", mmap_mode="r") for name in ("X", "y", f"part_{part}"))
    kept = np.sort(np.concatenate([part_of[y[part_of] == label][: n // 10] for label in range(10)]))
    return np.array(X[kept]), np.array(y[kept])


def _made_up(n: int, seed: int, n_classes: int, n_values: int) -> tuple[np.ndarray, np.ndarray]:
    rng, centres = np.random.default_rng(seed), np.random.default_rng(99).normal(size=(n_classes, 64))
    y = np.arange(n) % n_classes
    directions = np.random.default_rng(98).normal(size=(64, n_values)) / 8
    X = (centres[y] * 0.45 + rng.normal(size=(n, 64))) @ directions - 0.3 + 0.3 * rng.normal(size=(n, n_values))
    return np.maximum(X, 0).astype(np.float32), y.astype(np.int64)


def cpu_seconds(work: Callable[[], object]) -> float:
    """Return the CPU time of all threads: on a machine that does other things as well, the fairer clock."""
    start = time.process_time()
    work()
    return time.process_time() - start
