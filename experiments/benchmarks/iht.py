"""Where instance hardness threshold spends its time: the forest, by the layout of its samples and by its threads.

    python experiments/benchmarks/iht.py [FOLDER OF INPUTS]

Predicted for samples laid out feature by feature: 3 times as fast, for a tree reads one feature of many samples at a
time. Measured: 1.0 to 1.3 times, the same choice, for a second copy of the samples; so raygrid leaves the layout alone.
Predicted for two threads, which a trial with two CPUs uses: 1.9 times. Measured: 1.6; 1.67 is the most, for it is the
five forests that run side by side, so that more than five threads bring nothing.

scikit-learn-intelex's forest, where it is installed, bins the features: other trees. It is as good for this purpose if
it agrees with scikit-learn's as well as scikit-learn's with itself under another seed. Measured: as good (87.5% against
88.3% of the choice), but 0.85 times as fast; so raygrid does without.
"""

import os
import shutil
import time
from importlib.util import find_spec

import numpy as np
from imblearn.under_sampling import InstanceHardnessThreshold
from inputs import inputs
from joblib import parallel_config
from sklearn.ensemble import RandomForestClassifier
from threadpoolctl import threadpool_limits

from raygrid.folds import imbalanced
from raygrid.imbalance import Harmonic

TREES = 100


def main() -> None:
    """Print seconds, and how many of the samples chosen are the same."""
    given = inputs(4000, 100)
    shutil.rmtree(given.cache.root, ignore_errors=True)
    kept = imbalanced(given.y[given.parts["train"]], Harmonic(ir=5), seed=0)  # training samples come first
    X, y = np.array(given.X[kept]), given.y[kept]
    print(f"{len(X)} samples of {X.shape[1]} values, five forests of {TREES} trees")
    forest = RandomForestClassifier(TREES)
    chosen, first = chosen_by(forest, X, y)
    print(f"as it is: {first:.1f} s")
    for name, variant in variants(forest, X).items():
        other, seconds = chosen_by(**{"forest": forest, "X": X, "y": y, **variant})
        same = np.isin(chosen, other).mean()
        print(f"{name}: {seconds:.1f} s, {first / seconds:.2f} times as fast, {same:.1%} of the choice the same")


def variants(forest: object, X: np.ndarray) -> dict[str, dict[str, object]]:
    """Return what is compared: what differs, by name."""
    cpus = os.cpu_count() or 1
    found: dict[str, dict[str, object]] = {
        "feature by feature": {"X": np.asfortranarray(X)},
        f"{cpus} threads": {"threads": cpus},
        "another seed": {"seed": 1},
    }
    if find_spec("sklearnex"):
        from sklearnex import ensemble as intel

        found["intelex"] = {"forest": intel.RandomForestClassifier(TREES)}
    return found


def chosen_by(
    forest: object, X: np.ndarray, y: np.ndarray, *, threads: int = 1, seed: int = 0
) -> tuple[np.ndarray, float]:
    """Return which samples are chosen, and the wall-clock time."""
    sampler = InstanceHardnessThreshold(estimator=forest, random_state=seed)
    start = time.perf_counter()
    with threadpool_limits(threads), parallel_config("threading", n_jobs=threads):
        sampler.fit_resample(X, y)
    return sampler.sample_indices_, time.perf_counter() - start


if __name__ == "__main__":
    main()
