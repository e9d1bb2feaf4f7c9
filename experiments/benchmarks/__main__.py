"""All benchmarks, one after the other, each in a process of its own.

    python experiments/benchmarks [NAME...]

It takes an hour and a quiet machine. Each prints ratios of what it measured side by side; the numbers in a file's head
are those of the machine named there, and no promise.
"""

import subprocess
import sys
from pathlib import Path

# Name -> what it compares.
BENCHMARKS = {
    "svm": "a cell of the features arm, with scikit-learn's SVC and scikit-learn-intelex's",
    "svm_classes": "the SVM with 2 to 1,000 classes, with scikit-learn's SVC",
    "choosing": "a choice of C and gamma on inner folds, with GridSearchCV over SMOTE and SVC",
    "plain_tune": "cells of a fold, with Ray Tune on scikit-learn's and imbalanced-learn's estimators",
    "gram": "inner products, with the machine's rates of arithmetic and of copying",
    "neighbours": "SMOTE + ENN on images, with imbalanced-learn on the images themselves",
    "iht": "the forests of IHT, by layout and by threads",
    "image_arm": "training a network, with stock Keras",
    "features": "features of a frozen network, with Keras' own layers",
    "engine_overhead": "the engine, with cells that cost nothing, and with bare Ray Tune",
    "small_cells": "900 cells of 0.05 s that share trials, with a trial for each",
    "two_nodes": "10,000 cells of 0.1 s over two nodes, and a store at a slow server, with the ideal",
    "many_cells": "plan, status and report of 100,000 cells, with those of a small grid",
    "shared_memory": "the memory of trials that share their inputs, with that of trials that do not",
    "threads": "thread pools as large as a trial's share, with those that libraries choose",
    "worker_memory": "a worker that is used again, with a new one",
    "null_studies": "false claims about equal methods, by the report's rules and by tests of dependent blocks",
    "report": "a report of 10,000 records, with and without figures for print",
    "cost_model": "what a grid took, with what was predicted",
}


def main() -> None:
    """Run those that are named, or all."""
    names = sys.argv[1:] or list(BENCHMARKS)
    unknown = set(names) - set(BENCHMARKS)
    if unknown:
        sys.exit(f"got {', '.join(sorted(unknown))}; expected some of {', '.join(BENCHMARKS)}")
    failed = []
    for name in names:
        print(f"\n== {name}: {BENCHMARKS[name]}", flush=True)
        file = Path(__file__).with_name(f"{name}.py")
        failed += [name] if subprocess.run([sys.executable, file]).returncode else []  # noqa: S603
    if failed:
        sys.exit(f"failed: {', '.join(failed)}")


if __name__ == "__main__":
    main()
