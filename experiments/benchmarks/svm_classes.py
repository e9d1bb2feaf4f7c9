"""The SVM of the features arm with 2 to 1,000 classes, small and large, against scikit-learn's SVC.

    python experiments/benchmarks/svm_classes.py

Both fit the same samples and predict as many others as a fifth of them, one after the other, in turns, on one thread;
the fastest of the turns counts. A cell bears a 120th of the inner products, as in svm.py; the last column has a lone
cell, which bears all of them.

Predicted: at least as fast everywhere, because libsvm takes 20 microseconds for a small pair and scikit-learn's fit
of one 0.3 to 1 ms; 7 times as fast a prediction at 1,000 classes. Measured on a machine busy with other things, in CPU
time, with 4,096 values: 3 and 42 times at 2 classes of 50 and 1,500; 2 and 74 at 10 of 8 and 400; 15 and 54 at 60 of 8
and 60; 24 at 200 of 8 (a fit pair by pair: 0.2). A fit took 0.9 ms a pair, and 7 microseconds in a shared kernel. With
64 values a kernel costs SVC next to nothing: 1.0 times at 60 of 8, 1.4 at 200 of 8, 1.2 at 200 of 40, 1.7 at 1,000 of
5, 2.1 at 1,000 of 10 (the fit alone 0.8 at the last three, the prediction 2.6 to 3.6), and 0.5 at 10 of 8, which takes
SVC 1 ms.

Shared kernels or a pair each, 20 classes of 64, 128 and 256 samples: 4 times, 2.2 times and 0.5 to 1.5 times as fast a
fit; so classes below 128 share.
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
    products = seconds(lambda: given._tiles)[1]
    indices = given.parts["train"], given.parts["test"]
    (train, test), A = (given.samples(index) for index in indices), eye_array(n, format="csr")
    X, X_test = (given.X[index] for index in indices)
    y = given.y[indices[0]]
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
