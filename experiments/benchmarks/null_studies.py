"""How many studies of equal methods end in a false claim, by the report's rules and by two that treat blocks as alike.

    python experiments/benchmarks/null_studies.py [N_STUDIES]

Six methods, all pairs, alpha 0.05: the share of studies with any false claim. *blocks*: every (data set, IR, fold) is a
block, and the blocks are taken as independent, as reports did before: Nemenyi's test, and Wilcoxon's with Holm's
correction. *best* and *gain*: the report's primary analysis of "Which method is best?" and of "What does resampling
gain?"; *any*: these two and "What does imbalance cost?" taken together. The simulation, and what its settings mean, is
tests/simulated_studies.py. Then how often an effect that is planted in one method is found; its size is in standard
deviations of what comes from a fold's test images. Last, the variance of a mean over folds relative to what the
report's estimate of it is on average: above 1 is too sure.
"""

import sys
from dataclasses import replace
from itertools import product
from math import inf, sqrt
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy import stats

sys.path.insert(0, str(Path(__file__).parents[2] / "tests"))

from simulated_studies import (
    PAPER,
    SHAPES,
    Shape,
    Studies,
    Truth,
    against_last,
    all_pairs,
    false_claims,
    false_in_any,
    power,
    simulated,
    variance_ratio,
)

from raygrid.report.inference.families import ALPHA
from raygrid.report.inference.paired import holm

K = 6
AT_ONCE = 500


def blocks(studies: Studies) -> NDArray[np.float64]:
    """Return the values by study, block and method."""
    return studies.values.reshape(len(studies.values), -1, K)


def nemenyi(studies: Studies) -> float:
    """Return the share of studies in which the average ranks of any two differ by the critical difference."""
    ranks = stats.rankdata(blocks(studies), axis=2).mean(axis=1)
    n = blocks(studies).shape[1]
    critical = stats.studentized_range.ppf(1 - ALPHA, K, inf) / sqrt(2) * sqrt(K * (K + 1) / (6 * n))
    return float((np.ptp(ranks, axis=1) >= critical).mean())


def wilcoxon(studies: Studies) -> float:
    """Return the share in which Wilcoxon's test, with Holm's correction, tells any two apart."""
    left, right = np.transpose(all_pairs(K))
    p = stats.wilcoxon(blocks(studies)[..., left] - blocks(studies)[..., right], axis=1).pvalue
    return float((holm(p) < ALPHA).any(axis=1).mean())


def row(shape: Shape, truth: Truth, n_studies: int, n_datasets: int) -> list[float]:
    """Return the five shares, simulated in portions."""
    portions = [
        simulated(shape, truth, n_studies=AT_ONCE, n_datasets=n_datasets, seed=seed)
        for seed in range(max(1, n_studies // AT_ONCE))
    ]
    found = [
        [
            nemenyi(some),
            wilcoxon(some),
            *(false_claims(some, pairs(K), truth) for pairs in (all_pairs, against_last)),
            false_in_any(some, truth),
        ]
        for some in portions
    ]
    return np.mean(found, axis=0).tolist()


def main() -> None:
    """Print the tables."""
    n_studies = int(sys.argv[1]) if len(sys.argv) > 1 else 5_000
    print(f"{n_studies} studies a row; % with any false claim\n")
    head = ("", "data sets", "Nemenyi", "Wilcoxon", "best", "gain", "any")
    print("{:<62}{:>10}{:>10}{:>10}{:>8}{:>8}{:>8}".format(*head))
    settings = [(shape, Truth(), n) for shape in SHAPES for n in (1, 3)]
    settings += [(PAPER, Truth(of_dataset=effect), n) for effect in (0, 1, 5) for n in (2, 5, 6, 8, 12)]
    hard = (Truth(of_fold=0), Truth(of_fold=0, of_training=1), Truth(of_fold=4), Truth(of_fold=4, tails=2.5))
    settings += [(shape, truth, 3) for truth in hard for shape in (PAPER, SHAPES[3], SHAPES[5], SHAPES[8])]
    for shape, truth, n in settings:
        changed = {name: value for name, value in vars(truth).items() if value != getattr(Truth(), name)}
        name = shape.name + "".join(f", {name} {value:g}" for name, value in changed.items())
        shares = "".join(
            f"{100 * share:{width}.1f}"
            for share, width in zip(row(shape, truth, n_studies, n), (10, 10, 8, 8, 8), strict=True)
        )
        print(f"{name:<62}{n:>10}{shares}", flush=True)
    print("\n% of studies that find a planted effect, against none\n")
    sizes = (2, 4, 6, 8, 12)
    print(f"{'':<62}{'data sets':>10}" + "".join(f"{size:>8}" for size in sizes))
    for shape in SHAPES:
        for n in (1, 3):
            print_power(shape, Truth(), n, sizes, n_studies)
    for n in (6, 8, 12):
        print_power(PAPER, Truth(of_dataset=1), n, sizes, n_studies)
    print_variances()


def print_variances() -> None:
    """Print the third table; nothing in it is drawn at random but which images a fold has."""
    sources = product((0, 0.25, 4), (0, 0.25, 1))
    truths = [Truth(of_fold=of_fold, of_training=of_training) for of_fold, of_training in sources]
    print("\nvariance of a mean over folds / its estimate, by variance of a fold alone; of a training image\n")
    print(f"{'':<62}" + "".join(f"{f'{truth.of_fold:g}; {truth.of_training:g}':>10}" for truth in truths))
    for shape in SHAPES:
        print(f"{shape.name:<62}" + "".join(f"{variance_ratio(shape, truth):10.2f}" for truth in truths), flush=True)


def print_power(shape: Shape, truth: Truth, n: int, sizes: tuple[int, ...], n_studies: int) -> None:
    """Print a row of the second table."""
    shares = [
        power(
            simulated(shape, replace(truth, planted=(size,)), n_studies=min(n_studies, 1_000), n_datasets=n, seed=0),
            against_last(K),
        )
        for size in sizes
    ]
    name = shape.name + (f", of_dataset {truth.of_dataset:g}" if truth.of_dataset else "")
    print(f"{name:<62}{n:>10}" + "".join(f"{100 * share:8.0f}" for share in shares), flush=True)


if __name__ == "__main__":
    main()
