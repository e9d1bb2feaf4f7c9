"""A choice among 4 C x 3 gamma on 3 inner folds, against scikit-learn's GridSearchCV of SMOTE and SVC in a pipeline.

    python experiments/benchmarks/choosing.py [FOLDER OF INPUTS]

The training part is imbalanced as in a cell (n / rank), SMOTE fills it up, and all 36 candidates are scored; both sides
get the same samples and seeds. GridSearchCV is run at small sizes, where it takes minutes; what it takes at that of
CIFAR-10 at IR 10 (14,645 training samples, 50,000 after SMOTE), which is hours, follows from its growth.
raygrid is run at larger sizes as well, and extrapolated from the last two.

Predicted before any run: 60 to 100 times as fast at that size, because an SVC is 60 to 80 times as slow as a fit from
inner products, most of which is the assembly of kernels that all candidates share; libsvm's optimisation is not shared.
At a few hundred samples of each class 5 to 10 times. Measured on two busy cores: 90, 49 and 113 times as fast at 150,
300 and 600 samples in the largest class (459 s of CPU time against 4.1). At 5,000 it is 440 times, 117 s against 14
hours, if GridSearchCV goes on growing with the power 2.2 as between the last two sizes, and 270 times with a power of
2. Scores were equal to the last digit. The inner products, 25 s for 24,010 samples, are shared by all cells of a data
set and not counted.
"""

import shutil

import numpy as np
from imblearn.over_sampling import SMOTE
from imblearn.pipeline import Pipeline
from inputs import cpu_seconds, inputs
from sklearn.model_selection import GridSearchCV, StratifiedKFold
from sklearn.svm import SVC
from threadpoolctl import threadpool_limits

from raygrid.classifiers.svm import Svm
from raygrid.resampling import RESAMPLERS
from raygrid.storage.checkpoint import NO_CHECKPOINT

C, GAMMA = (0.1, 1.0, 10.0, 100.0), (1e-4, "auto", "scale")
LARGEST, LARGER = (150, 300, 600), (1200, 2400)  # samples of the largest class; that of CIFAR-10 has 5,000
WHOLE = 5000


def main() -> None:
    """Print the CPU seconds of both, and their ratio."""
    given = inputs(10 * LARGER[-1], 10)
    shared = cpu_seconds(lambda: given._tiles)
    with threadpool_limits(1):
        theirs, ours = {}, {}
        for largest in LARGEST:
            rows = chosen(given, largest)
            theirs[largest], expected = searched(given, rows)
            ours[largest], found = raygrids(given, rows)
            print(f"{len(rows)} samples: scores differ by at most {np.abs(expected - found).max():.1e}", flush=True)
            print(f"  GridSearchCV {theirs[largest]:.1f} s, raygrid {ours[largest]:.1f} s", flush=True)
        for largest in LARGER:
            ours[largest], _ = raygrids(given, chosen(given, largest))
            print(f"{largest} in the largest class: raygrid {ours[largest]:.1f} s", flush=True)
    shutil.rmtree(given.cache.root)
    largest = LARGEST[-1]
    print(f"inner products, once for all cells of the data set: {shared:.1f} s")
    print(f"{largest} in the largest class, both measured: {theirs[largest] / ours[largest]:.0f} times as fast")
    for n in (*LARGER, WHOLE):
        ratio = grown(theirs, n) / ours.get(n, grown(ours, n))
        print(
            f"{n}: {ratio:.0f} times as fast as GridSearchCV, which is extrapolated to {grown(theirs, n) / 3600:.1f} h"
        )


def grown(times: dict[int, float], n: int) -> float:
    """Return what the last two sizes say of another."""
    (a, first), (b, second) = list(times.items())[-2:]
    return second * (n / b) ** (np.log(second / first) / np.log(b / a))


def chosen(given: object, largest: int) -> np.ndarray:
    """Return an imbalanced training part: the class of rank i has largest / i samples."""
    train = given.parts["train"]
    return np.sort(np.concatenate([train[given.y[train] == i][: largest // (i + 1)] for i in range(10)]))


def folds(given: object, rows: np.ndarray) -> list[tuple[np.ndarray, np.ndarray]]:
    """Return the inner folds of both."""
    return list(StratifiedKFold(3, shuffle=True, random_state=0).split(rows, given.y[rows]))


def searched(given: object, rows: np.ndarray) -> tuple[float, np.ndarray]:
    """Return what GridSearchCV takes, and the mean score of each candidate."""
    pipeline = Pipeline([("smote", SMOTE(random_state=0)), ("svc", SVC())])
    grid = {"svc__C": C, "svc__gamma": GAMMA}
    search = GridSearchCV(pipeline, grid, scoring="balanced_accuracy", cv=folds(given, rows), refit=False)
    seconds = cpu_seconds(lambda: search.fit(given.X[rows], given.y[rows]))
    return seconds, search.cv_results_["mean_test_score"]


def raygrids(given: object, rows: np.ndarray) -> tuple[float, np.ndarray]:
    """Return what the same takes from inner products, and the mean score of each candidate."""
    levels, scores = [Svm(C=c, gamma=gamma) for c in C for gamma in GAMMA], []

    def choose() -> None:
        samples, y = given.samples(rows), given.y[rows]
        for fitted, scored in folds(given, rows):
            X, X_scored = samples.select(fitted), samples.select(scored)
            A, y_resampled = RESAMPLERS["smote"]().resample(X, y[fitted], seed=0)
            each = Svm.predictions_of_each(levels, X, A, y_resampled, X_scored, seed=0, checkpoint=NO_CHECKPOINT)
            recall = [[np.mean(labels[y[scored] == i] == i) for i in range(10)] for labels in each]
            scores.append(np.mean(recall, axis=1))

    return cpu_seconds(choose), np.mean(scores, axis=0)


if __name__ == "__main__":
    main()
