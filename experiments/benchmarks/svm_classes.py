"""The SVM of the features arm with 2 to 1,000 classes, small and large, against scikit-learn's SVC.

    python experiments/benchmarks/svm_classes.py

Both fit the same samples and predict as many others as a fifth of them, one after the other, in turns, on one thread;
the fastest of the turns counts. A cell bears a 120th of the inner products, as in svm.py; the last column has a lone
cell, which bears all of them.
"""

import shutil
import time
from collections.abc import Callable

import numpy as np
from inputs import inputs
from scipy.sparse import eye_array
from sklearn.svm import SVC
from threadpoolctl import threadpool_limits

from raygrid.classifiers.svm import Svm
from raygrid.storage.checkpoint import NO_CHECKPOINT

# Classes, samples of each, values a sample.
CASES = (
    *((2, 50, 4096), (2, 1500, 4096), (10, 8, 4096), (10, 400, 4096), (60, 8, 4096), (60, 60, 4096)),
    *((100, 12, 3072), (200, 8, 4096), (200, 40, 1024), (1000, 5, 1024)),
    *((10, 8, 64), (60, 8, 64), (200, 8, 64), (200, 40, 64), (1000, 5, 64), (1000, 10, 64)),
)
CELLS = 120


def main() -> None:
    """Print CPU and wall-clock seconds of both, and how many times as fast raygrid is."""
    print(
        "classes  each  values    SVC: fit + predict   raygrid: fit + predict   times as fast: CPU   wall   lone cell"
    )
    for case in CASES:
        print(row(*case), flush=True)


def row(n_classes: int, n_each: int, n_values: int) -> str:
    """Return the line of the table."""
    n, n_test = n_classes * n_each, max(n_classes * n_each // 5, 20)
    given = inputs(n, n_test, n_classes=n_classes, n_values=n_values)
    products = seconds(lambda: (given._train_tiles, given._test_tiles))[1]
    train, test, A = given.train(np.arange(n)), given.test(np.arange(n_test)), eye_array(n, format="csr")
    X, y, X_test = np.array(given.X_train), given.y_train, np.array(given.X_test)
    with threadpool_limits(1):
        theirs, ours = in_turns(
            (lambda: SVC().fit(X, y), lambda model: model.predict(X_test)),
            (lambda: Svm().fit(train, A, y, seed=0, checkpoint=NO_CHECKPOINT), lambda model: model.predict(test)),
        )
    shutil.rmtree(given.cache.root)
    ratios = (
        theirs.sum(axis=0) / (ours.sum(axis=0) + products / CELLS),
        theirs[:, 0].sum() / (ours[:, 0].sum() + products[0]),
    )
    (cpu, wall), lone = ratios
    return (
        f"{n_classes:7} {n_each:5} {n_values:7} {theirs[0, 0]:12.3f} + {theirs[1, 0]:7.3f} {ours[0, 0]:14.3f} + "
        f"{ours[1, 0]:7.3f} {cpu:20.1f} {wall:6.1f} {lone:11.1f}"
    )


def in_turns(*sides: tuple[Callable[[], object], Callable[[object], np.ndarray]]) -> list[np.ndarray]:
    """Return CPU and wall-clock seconds of each side's (fit, predict), the fastest turn's."""
    turns: list[list[np.ndarray]] = [[] for _ in sides]
    start = time.perf_counter()
    while not turns[0] or (len(turns[0]) < 7 and time.perf_counter() - start < 5):
        predicted = []
        for (fit, predict), taken in zip(sides, turns, strict=True):
            model, of_fit = seconds(fit)
            labels, of_predict = seconds(lambda: predict(model))  # noqa: B023
            predicted.append(labels)
            taken.append(np.array([of_fit, of_predict]))
        if np.mean(predicted[0] != predicted[1]) > 0.001:  # features are float32, so that a tie may fall otherwise
            raise SystemExit("the predictions differ")
    return [np.min(taken, axis=0) for taken in turns]


def seconds(work: Callable[[], object]) -> tuple[object, np.ndarray]:
    """Return what the work returns, and the CPU and wall-clock time that it took."""
    cpu, wall = time.process_time(), time.perf_counter()
    result = work()
    return result, np.array([time.process_time() - cpu, time.perf_counter() - wall])


if __name__ == "__main__":
    main()
