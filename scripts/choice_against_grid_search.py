"""Whether the choices in a store are those of scikit-learn: GridSearchCV on the same inner folds of the same cells.

    python scripts/choice_against_grid_search.py GRID STORE [--only AXIS=LEVEL]...

Of the cells of an SVM that choose C or gamma, with the resampler none, ros, rus or smote. It prints the largest
difference of a score, and ends with an error if a choice differs. A cell of STL-10 at IR 10 without resampling takes a
minute: two of them agreed, with scores equal to 5e-13.
"""

import argparse
import os
from pathlib import Path

import numpy as np
from imblearn.over_sampling import SMOTE, RandomOverSampler
from imblearn.pipeline import Pipeline
from imblearn.under_sampling import RandomUnderSampler
from sklearn.model_selection import GridSearchCV
from sklearn.svm import SVC

from raygrid.cells import Cell
from raygrid.choosing.inner_folds import inner_folds
from raygrid.commands.job import Job, open_job
from raygrid.folds import fold_of
from raygrid.host import Runtime
from raygrid.inputs import load_inputs

SAMPLERS = {"none": None, "ros": RandomOverSampler, "rus": RandomUnderSampler, "smote": SMOTE}


def main() -> None:
    """Compare every cell that can be compared."""
    parser = argparse.ArgumentParser()
    parser.add_argument("grid", type=Path)
    parser.add_argument("store")
    parser.add_argument("--only", action="append", default=[])
    given = parser.parse_args()
    cache = os.environ.get("RAYGRID_CACHE") or Path("~/.cache/raygrid").expanduser()
    job = open_job(given.grid, stores=[given.store], cache=cache, only=given.only)
    cells = [
        cell
        for cell in job.cells
        if cell.classifier.name == "svm" and cell.n_candidates > 1 and cell.resampler.text in SAMPLERS
    ]
    if not all([agrees(cell, job) for cell in cells]):
        raise SystemExit("a choice differs")


def agrees(cell: Cell, job: Job) -> bool:
    """Print and return whether both choose alike."""
    inputs = load_inputs(cell, job.cache, Runtime())
    train = fold_of(cell, inputs).train
    X, y = np.array(inputs.X[train]).reshape(len(train), -1), inputs.y[train]
    sampler = SAMPLERS[cell.resampler.name]
    steps = [("sampler", sampler(random_state=cell.seed_of("resample")) if sampler else "passthrough"), ("svc", SVC())]
    levels = cell.classifier.candidates
    grid = [{"svc__C": [level.C], "svc__gamma": [level.gamma]} for level in levels]
    folds = list(inner_folds(cell, y))
    search = GridSearchCV(Pipeline(steps), grid, scoring="balanced_accuracy", cv=folds, refit=False).fit(X, y)
    choice = job.store.record(cell.key).choice
    ours, theirs = np.array([one.score for one in choice.candidates]), search.cv_results_["mean_test_score"]
    print(f"{cell}: scores differ by at most {np.abs(ours - theirs).max():.1e}; {levels[choice.chosen]!r}")
    return choice.chosen == search.best_index_ and np.allclose(ours, theirs, atol=1e-9)


if __name__ == "__main__":
    main()
