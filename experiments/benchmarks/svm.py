"""A cell of the features arm, against scikit-learn's SVC and, where it is installed, scikit-learn-intelex's.

    python experiments/benchmarks/svm.py [FOLDER OF INPUTS]

All fit one set of samples and predict as many others as a fifth of it. SVC is run up to 4,000 samples, and what it
would take for more follows from the exponent of its growth, which is printed. The inner products, shared by the 120
cells of a data set (3 imbalance ratios, 10 folds, 4 resamplers), are counted in with a 120th.

Predicted: 70 times as fast as SVC at 14,000 samples of CIFAR-10's features. Measured: 82 and 56 times, and 10 and 9
times as fast as scikit-learn-intelex, in two runs on cores that were busy with other things. What is left is libsvm's
optimisation (a quarter) and the assembly of kernels from tiles.

The kernel within a class is kept for all its pairs: predicted 1.3 times as fast an assembly, measured 1.23. Kernels are
written as they lie in memory: predicted 10% of a fit after SMOTE, measured 5 to 16%. Where a mixing matrix only
selects, nothing is multiplied: predicted 1.2 times as fast a cell, measured 49 and 34 s of CPU time, but the second run
found the tiles in memory.
"""

import shutil
from importlib.util import find_spec

import numpy as np
from inputs import cpu_seconds, inputs
from scipy.sparse import eye_array
from sklearn.svm import SVC
from threadpoolctl import threadpool_limits

from raygrid.classifiers.svm import Svm
from raygrid.storage.checkpoint import NO_CHECKPOINT

SIZES, LARGE, CELLS = (1000, 2000, 4000), 14_000, 120


def main() -> None:
    """Print the CPU seconds of each, and their ratios."""
    given = inputs(LARGE, LARGE // 5)
    shared = cpu_seconds(lambda: given._tiles) / CELLS
    with threadpool_limits(1):
        theirs = {"scikit-learn": {n: measured(SVC(), given, n) for n in SIZES}}
        if find_spec("sklearnex"):
            from sklearnex import svm as intel

            theirs["intelex"] = {n: measured(intel.SVC(), given, n) for n in (*SIZES, LARGE)}
        ours = {n: kernel_arm(given, n) for n in (*SIZES, LARGE)}
    shutil.rmtree(given.cache.root)
    for name, times in theirs.items():
        exponent = np.polyfit(np.log(list(times)), np.log(list(times.values())), 1)[0]
        times.setdefault(LARGE, times[SIZES[-1]] * (LARGE / SIZES[-1]) ** exponent)
        direct = "measured" if name == "intelex" else f"extrapolated from {SIZES[-1]}"
        print(f"{name}: CPU s {rounded(times)}, growing with the power {exponent:.2f}; {LARGE} {direct}")
        print(f"  kernel arm, sharing counted in: {times[LARGE] / (ours[LARGE] + shared):.0f} times as fast at {LARGE}")
        print(f"  at {SIZES[-1]}, both measured: {times[SIZES[-1]] / (ours[SIZES[-1]] + shared):.0f} times as fast")
    print(f"kernel arm: CPU s {rounded(ours)}, and {shared:.2f} a cell for its share of the inner products")


def measured(model: object, given: object, n: int) -> float:
    """Return what an SVC takes to fit n samples and predict a fifth as many."""
    train, test = chosen(given, n)
    X, y, X_test = given.X[train], given.y[train], given.X[test]
    return cpu_seconds(lambda: model.fit(X, y).predict(X_test))


def kernel_arm(given: object, n: int) -> float:
    """Return what a cell takes for the same, once the inner products are there."""
    indices = chosen(given, n)
    train, test = (given.samples(index) for index in indices)
    A, y = eye_array(n, format="csr"), given.y[indices[0]]
    return cpu_seconds(lambda: Svm().fit(train, A, y, seed=0, checkpoint=NO_CHECKPOINT).predict(test))


def chosen(given: object, n: int) -> tuple[np.ndarray, np.ndarray]:
    """Return n training samples and a fifth as many test samples, spread so that all classes are among them."""
    parts = ((given.parts["train"], n), (given.parts["test"], n // 5))
    train, test = (index[np.linspace(0, len(index) - 1, size).astype(np.int64)] for index, size in parts)
    return train, test


def rounded(times: dict[int, float]) -> str:
    """Return the times as text."""
    return ", ".join(f"{n}: {seconds:.1f}" for n, seconds in times.items())


if __name__ == "__main__":
    main()
