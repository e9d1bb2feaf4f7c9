"""SMOTE + ENN on images from shared inner products, against imbalanced-learn on the images themselves.

    python experiments/benchmarks/neighbours.py

Images of 64 x 64 x 3 bytes, made up. The inner products are counted in with a 60th: those of a data set are shared by
3 imbalance ratios, 10 folds and the two resamplers that look for neighbours.

Predicted: 20 times as fast at 2,000 samples, for the values of a pair of samples are read no more; the same samples,
for products of bytes are exact. Measured: 33 times at 1,300 samples, the same.

Repeated minima instead of a partition of the distances: predicted 3 times as fast, measured 2.1 times for 4 neighbours
and 1.4 times for 6.
"""

import shutil
import sys

import numpy as np
from imblearn.combine import SMOTEENN
from inputs import cpu_seconds, inputs
from threadpoolctl import threadpool_limits

from raygrid.imbalance import split
from raygrid.inputs import Inputs
from raygrid.resampling.samplers import SmoteEnn

N, CELLS, SEED = 3000, 60, 0


def main() -> None:
    """Print CPU seconds and whether the samples are the same."""
    given = images()
    kept = split(given.y_train, given.y_test, ir=5, seed=0).train
    X, y = given.X_train[kept], given.y_train[kept]
    with threadpool_limits(1):
        found, theirs = [], []
        vectors = X.reshape(len(X), -1).astype(np.float32)
        slow = cpu_seconds(lambda: theirs.append(SMOTEENN(random_state=SEED).fit_resample(vectors, y)[1]))
        shared = cpu_seconds(lambda: given._train_tiles)
        fast = cpu_seconds(lambda: found.append(SmoteEnn().resample(given.train(kept), y, seed=SEED)[1]))
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
    bytes_of = [np.repeat(X.clip(0, 6) * 42, 3, axis=1).astype(np.uint8) for X in (given.X_train, given.X_test)]
    return Inputs(bytes_of[0], given.y_train, bytes_of[1], given.y_test, given.class_names, given.cache, "images")


if __name__ == "__main__":
    main()
