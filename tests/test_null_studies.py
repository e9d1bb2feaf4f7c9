"""Simulated studies: how often the primary analysis claims what is not so, and how often it finds what is.

Claims are counted a study: one false claim among all methods and data sets makes a study false. The seeds are fixed. Of
400 studies of which 4% are false, the most that is seen here, more than 7% are so in 2 of 1,000 cases.
`experiments/benchmarks/null_studies.py` simulates more of them, and other rules.
"""

from dataclasses import replace

import numpy as np
import pytest
from simulated_studies import (
    PAPER,
    SHAPES,
    Shape,
    Truth,
    against_last,
    all_pairs,
    claims,
    false_claims,
    false_in_any,
    power,
    simulated,
    variance_ratio,
)

from raygrid.report.inference.families import family_in_folds, family_over_datasets
from raygrid.report.inference.samples import Sample, over_datasets
from raygrid.splits import Official

N_STUDIES = 400
MOST = 0.07
PAIRS = [all_pairs, against_last]


@pytest.mark.parametrize("n_datasets", [1, 3, 5])
@pytest.mark.parametrize("shape", SHAPES, ids=[shape.name for shape in SHAPES])
def test_equal_methods_are_not_told_apart(shape: Shape, n_datasets: int) -> None:
    studies = simulated(shape, Truth(), n_studies=N_STUDIES, n_datasets=n_datasets, seed=1)
    for pairs in PAIRS:
        assert false_claims(studies, pairs(6), Truth()) <= MOST


@pytest.mark.parametrize(("n_datasets", "at_most"), [(1, MOST), (3, MOST), (12, 0.14)])
def test_three_questions_together_are_as_often_wrong_as_the_docs_say(n_datasets: int, at_most: float) -> None:
    """Of 400 studies of which 10% are false, more than 14% are so in 1 of 200 cases."""
    studies = simulated(PAPER, Truth(), n_studies=N_STUDIES, n_datasets=n_datasets, seed=8)
    assert false_claims(studies, all_pairs(6), Truth()) <= false_in_any(studies, Truth()) <= at_most


@pytest.mark.parametrize("of_fold", [0, 0.25, 4])
@pytest.mark.parametrize("of_training", [0, 0.25, 1])
@pytest.mark.parametrize("shape", [shape for shape in SHAPES if isinstance(shape.split, Official)], ids=str)
def test_the_variance_of_a_mean_over_folds_of_official_parts_is_not_underestimated(
    shape: Shape, of_training: float, of_fold: float
) -> None:
    assert variance_ratio(shape, Truth(of_fold=of_fold, of_training=of_training)) <= 1


@pytest.mark.parametrize("shape", [PAPER, SHAPES[5], SHAPES[8]], ids=lambda shape: shape.name)
def test_the_correction_is_needed(shape: Shape) -> None:
    studies = simulated(shape, Truth(), n_studies=N_STUDIES, n_datasets=3, seed=1)
    assert false_claims(replace(studies, correlation=0, degrees=shape.n_folds - 1), all_pairs(6), Truth()) > MOST


@pytest.mark.parametrize(
    "truth", [Truth(of_fold=0), Truth(of_fold=4), Truth(of_fold=4, tails=2.5), Truth(of_fold=1, of_training=1)], ids=str
)
@pytest.mark.parametrize("shape", [PAPER, SHAPES[5]], ids=lambda shape: shape.name)
def test_wherever_their_variance_comes_from(shape: Shape, truth: Truth) -> None:
    studies = simulated(shape, truth, n_studies=N_STUDIES, n_datasets=3, seed=2)
    assert false_claims(studies, all_pairs(6), truth) <= MOST


@pytest.mark.parametrize("of_dataset", [0, 1, 5])
@pytest.mark.parametrize("n_datasets", [2, 5, 6, 8, 12])
def test_methods_that_are_equal_on_average_over_data_sets(n_datasets: int, of_dataset: float) -> None:
    """Within a data set they are not, so that a claim about it may be true; over data sets every claim is false."""
    truth = Truth(of_dataset=of_dataset)
    studies = simulated(PAPER, truth, n_studies=N_STUDIES, n_datasets=n_datasets, seed=3)
    for pairs in PAIRS:
        assert false_claims(studies, pairs(6), truth) <= MOST
        assert claims(studies, pairs(6)).shape[1] == (n_datasets if n_datasets < 6 else 1)


def test_some_methods_are_better_and_the_equal_ones_are_still_not_told_apart() -> None:
    truth = Truth(planted=(20, 20, 10))
    studies = simulated(PAPER, truth, n_studies=N_STUDIES, n_datasets=1, seed=4)
    assert false_claims(studies, all_pairs(6), truth) <= MOST
    assert power(studies, [(2, 5), *all_pairs(6)]) > 0.9


@pytest.mark.parametrize(
    ("shape", "effect", "at_least"),
    [(PAPER, 8, 0.9), (SHAPES[3], 10, 0.75), (SHAPES[5], 12, 0.75), (SHAPES[7], 5, 0.8)],
)
def test_what_is_planted_is_found(shape: Shape, effect: float, at_least: float) -> None:
    studies = simulated(shape, Truth(planted=(effect,)), n_studies=N_STUDIES, n_datasets=1, seed=5)
    assert power(studies, against_last(6)) >= at_least


def test_what_is_planted_in_all_data_sets_is_found_over_twelve() -> None:
    truth = Truth(planted=(3,), of_dataset=1)
    assert power(simulated(PAPER, truth, n_studies=N_STUDIES, n_datasets=12, seed=6), against_last(6)) >= 0.8


@pytest.mark.parametrize("n_datasets", [2, 8])
def test_the_report_claims_what_is_counted_here(n_datasets: int) -> None:
    """`claims` calls the tests of the report on many studies at once; this is one study through the report's way."""
    truth, columns = Truth(planted=(6,)), [("image", "cnn", name) for name in "abcdef"]
    studies = simulated(PAPER, truth, n_studies=20, n_datasets=n_datasets, seed=7)
    for study, counted in zip(studies.values, claims(studies, all_pairs(6)), strict=True):
        samples = [
            Sample(f"data{i}", tuple(columns), values.mean(axis=0), studies.correlation, studies.degrees)
            for i, values in enumerate(study)
        ]

        def pairs_of(sample: Sample):
            return tuple((sample.columns[i], sample.columns[j]) for i, j in all_pairs(6))

        if n_datasets < 6:
            family = family_in_folds(samples, pairs_of)
        else:
            family = family_over_datasets([over_datasets(samples, columns)], pairs_of)
        assert [one.told_apart * np.sign(one.difference) for one in family] == counted.ravel().tolist()
