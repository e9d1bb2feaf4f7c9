"""SMOTE + ENN on images from shared inner products, against imbalanced-learn on the images themselves.

    python experiments/benchmarks/neighbours.py

Images of 64 x 64 x 3 bytes, made up. The inner products are counted in with a 60th: those of a data set are shared by
3 imbalance ratios, 10 folds and the two resamplers that look for neighbours.

Predicted: 20 times as fast at 2,000 samples, for the values of a pair of samples are read no more; the same samples,
for products of bytes are exact. Measured: 33 and 55 times at 1,300 samples, the same.

Repeated minima instead of a partition of the distances: predicted 3 times as fast, measured 2.1 times for 4 neighbours
and 1.4 times for 6.

Row by row, which keeps a row in the processor's cache, those that lie together in the tiles read together, instead of
in blocks as the products come: predicted 1.5 times as fast. Measured: 4.5 times among 30,000 vectors, the same
neighbours.
"""

import shutil
import sys
from dataclasses import replace

import numpy as np
from imblearn.combine import SMOTEENN
from inputs import cpu_seconds, inputs
from threadpoolctl import threadpool_limits

from raygrid.folds import imbalanced
from raygrid.imbalance import Harmonic
from raygrid.inputs import Inputs
from raygrid.mixtures.samples import nearest, products, squares
from raygrid.resampling import RESAMPLERS

N, CELLS, SEED = 3000, 60, 0
N_VECTORS, NEIGHBOURS = 30_000, 4


def main() -> None:
    """Compare with imbalanced-learn, and ways to find minima."""
    compare_on_images()
    compare_minima()


def compare_minima() -> None:
    """Print CPU seconds for the neighbours among vectors that SMOTE has balanced, and whether they are the same."""
    sys.argv[1:] = []
    given = inputs(N_VECTORS, 100)
    kept = imbalanced(given.y[given.parts["train"]], Harmonic(ir=5), seed=0)  # training samples come first
    X, y = given.samples(kept), given.y[kept]
    A, _ = RESAMPLERS["smote"]().resample(X, y, seed=SEED)
    norms = squares(A, X)

    def by_block() -> np.ndarray:
        parts = (norms - 2 * part for _, part in products(A, X, A, X))
        return np.concatenate([minima(part) for part in parts])

    with threadpool_limits(1):
        found: list[np.ndarray] = []
        slow = cpu_seconds(lambda: found.append(by_block()))
        fast = cpu_seconds(lambda: found.append(nearest(A, X, A, X, norms, n=NEIGHBOURS)[0]))
    shutil.rmtree(given.cache.root)
    print(f"{A.shape[0]} vectors, {len(kept)} of them no mixtures: CPU s by block {slow:.1f}, by row {fast:.1f}")
    print(f"{slow / fast:.1f} times as fast; the same neighbours: {np.array_equal(*found)}")


def minima(distances: np.ndarray) -> np.ndarray:
    """Return the places of the least distances of each row."""
    least, rows = np.empty((len(distances), NEIGHBOURS), dtype=np.int64), np.arange(len(distances))
    for column in least.T:
        column[:] = distances.argmin(axis=1)
        distances[rows, column] = np.inf
    return least


def compare_on_images() -> None:
    """Print CPU seconds and whether the samples are the same."""
    given = images()
    kept = imbalanced(given.y[given.parts["train"]], Harmonic(ir=5), seed=0)
    X, y = given.X[kept], given.y[kept]
    with threadpool_limits(1):
        found, theirs = [], []
        vectors = X.reshape(len(X), -1).astype(np.float32)
        slow = cpu_seconds(lambda: theirs.append(SMOTEENN(random_state=SEED).fit_resample(vectors, y)[1]))
        shared = cpu_seconds(lambda: given._tiles)
        fast = cpu_seconds(
            lambda: found.append(RESAMPLERS["smote_enn"]().resample(given.samples(kept), y, seed=SEED)[1])
        )
    shutil.rmtree(given.cache.root)
    print(f"{len(X)} images of {vectors.shape[1]} values")
    print(f"imbalanced-learn: CPU s {slow:.1f}; inner products: {fast:.2f}, and {shared:.1f} once")
    print(f"{slow / (fast + shared / CELLS):.0f} times as fast, the products' {CELLS}th counted in")
    print(f"the same labels: {np.array_equal(found[0], theirs[0])}")


def images() -> Inputs:
    """Return images whose classes overlap."""
    sys.argv[1:] = []
    given = inputs(N, 100)
    # Every made-up value thrice, as a channel each, scaled to bytes.
    return replace(given, X=np.repeat(given.X.clip(0, 6) * 42, 3, axis=1).astype(np.uint8), key="images")


if __name__ == "__main__":
    main()
