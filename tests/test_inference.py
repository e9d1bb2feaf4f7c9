"""Inference: the tests by hand and by published examples, and how folds share images."""

from math import erfc, inf, isnan, nan, sqrt

import numpy as np
import pytest
from scipy import stats

from raygrid.report.inference.bayesian import correlated_t, draw_weights, signed_rank
from raygrid.report.inference.design import Design
from raygrid.report.inference.mean_ranks import friedman, mean_ranks, nemenyi_p_values
from raygrid.report.inference.paired import Corrected, corrected_t, holm, last_level
from raygrid.report.inference.samples import Sample, Values, over_datasets, sample_of
from raygrid.report.inference.signed_rank import hodges_lehmann, signed_rank_p, smaller_rank_sum, smallest_p
from raygrid.splits import Holdout, Official, StratifiedKFold

# Demšar (2006), Table 6: AUC of four learners on 14 data sets. Voting is printed there as 0.975 twice but ranked 2 and
# 3, from more decimals than are printed: 0.9751 here.
LEARNERS = ["C4.5", "C4.5+m", "C4.5+cf", "C4.5+m+cf"]
AUC = np.array(
    [
        [0.763, 0.768, 0.771, 0.798],
        [0.599, 0.591, 0.590, 0.569],
        [0.954, 0.971, 0.968, 0.967],
        [0.628, 0.661, 0.654, 0.657],
        [0.882, 0.888, 0.886, 0.898],
        [0.936, 0.931, 0.916, 0.931],
        [0.661, 0.668, 0.609, 0.685],
        [0.583, 0.583, 0.563, 0.625],
        [0.775, 0.838, 0.866, 0.875],
        [1.000, 1.000, 1.000, 1.000],
        [0.940, 0.962, 0.965, 0.962],
        [0.619, 0.666, 0.614, 0.669],
        [0.972, 0.981, 0.9751, 0.975],
        [0.957, 0.978, 0.946, 0.970],
    ]
)
DIFFERENCES = [0.03, 0.0, 0.04, 0.01, 0.01, 0.04, 0.02, 0.01, 0.0, 0.04]

# --- folds ---


def corrected(values, correlation=0.0, degrees=None) -> Corrected:
    return corrected_t(np.array(values)[:, None], correlation, degrees or len(values) - 1)


def test_without_correlation_it_is_the_t_test() -> None:
    found = corrected(DIFFERENCES)
    assert found.p == pytest.approx(stats.ttest_1samp(DIFFERENCES, 0).pvalue)
    interval = stats.ttest_1samp(DIFFERENCES, 0).confidence_interval(0.9)
    assert [float(end[0]) for end in found.interval(0.1)] == pytest.approx(list(interval))


def test_nadeau_and_bengio() -> None:
    """Ten folds of two times 5-fold cross-validation: n_test / n_train is 1/4."""
    found = corrected(DIFFERENCES, correlation=1 / 5)
    deviation = np.std(DIFFERENCES, ddof=1)
    assert found.standard_error == pytest.approx(deviation * sqrt(1 / 10 + 1 / 4))
    assert found.p == pytest.approx(2 * stats.t.sf(0.02 / (deviation * sqrt(0.35)), 9))


def test_the_bayesian_correlated_t_test_agrees_with_baycomp() -> None:
    """baycomp 1.0.3: CorrelatedTTest.probs(x, y, rope=0.01, runs=2), where the differences are x - y."""
    [found] = correlated_t(corrected(DIFFERENCES, correlation=1 / 5), rope=0.01)
    expected = (0.8361831354331288, 0.15750974999803602, 0.006307114568835148)
    assert (found.left_better, found.equivalent, found.right_better) == pytest.approx(expected)


def test_folds_that_do_not_vary_give_no_p() -> None:
    found = corrected([0.1, 0.1, 0.1])
    assert isnan(found.p[0])
    assert all(isnan(end[0]) for end in found.interval(0.05))
    assert isnan(correlated_t(found, rope=0.01)[0].left_better)


def test_the_same_results_are_not_different() -> None:
    found = corrected([0.0, 0.0, 0.0])
    assert found.p[0] == 1
    assert [float(end[0]) for end in found.interval(0.05)] == [0, 0]


def test_folds_that_share_all_images_give_no_p() -> None:
    found = corrected(DIFFERENCES, correlation=1)
    assert found.standard_error[0] == inf
    assert isnan(found.p[0])
    assert all(isnan(end[0]) for end in found.interval(0.05))


def test_one_fold_gives_no_p() -> None:
    assert isnan(corrected_t(np.array([[0.1]]), 0.0, 0).p[0])


def test_holm() -> None:
    """Three of four at alpha 0.05: 0.01 * 4, 0.013 * 3, 0.014 * 2 but not below the one before, then 0.6."""
    assert holm(np.array([0.6, 0.01, 0.014, 0.011])) == pytest.approx([0.6, 0.04, 0.04, 0.04])
    found = holm(np.array([0.02, nan, 0.01]))
    assert found[[0, 2]] == pytest.approx([0.04, 0.03])  # what was not tested counts
    assert isnan(found[1])
    assert holm(np.array([[0.01, 0.04], [0.5, 0.9]])) == pytest.approx(np.array([[0.02, 0.04], [1, 1]]))


def test_intervals_exclude_zero_just_where_holm_rejects() -> None:
    rng = np.random.default_rng(0)
    for _ in range(50):
        found = corrected_t(rng.normal(rng.normal(0, 0.5, 6), 1, (10, 6)), 0.2, 9)
        p = holm(found.p)
        low, high = found.interval(last_level(p, 0.05))
        assert ((low > 0) | (high < 0)).tolist() == (p < 0.05).tolist()


# --- designs ---


def sizes(*folds):
    """Of each fold, (train, test) of two classes."""
    return {i: np.array(fold, dtype=float) for i, fold in enumerate(folds)}


def test_folds_of_one_pool_are_correlated_as_nadeau_and_bengio_say() -> None:
    design = Design(StratifiedKFold(n_splits=5), {2.0: sizes(([40, 40], [10, 10]), ([40, 40], [10, 10]))})
    assert design.correlation([2.0], [0, 1]) == pytest.approx(1 / 5)
    assert Design(Holdout(), design.sizes).correlation([2.0], [0, 1]) == pytest.approx(1 / 5)


def test_the_realised_sizes_count() -> None:
    """A balanced test part beside an imbalanced training part: as many images to test on as to train on."""
    found = {10.0: sizes(([30, 3], [10, 10]), ([3, 30], [10, 10])), 2.0: sizes(([30, 15], [10, 10]))}
    assert Design(Holdout(), found).correlation([10.0], [0, 1]) == pytest.approx(20 / 53)


def test_folds_of_official_parts_share_what_they_have_in_common() -> None:
    """Two classes of 10; each fold has all of one and half of the other, whose halves are drawn anew."""
    design = Design(Official(), {2.0: sizes(([40, 20], [10, 5]), ([20, 40], [5, 10]))})
    variance, in_common = 1 / 10 + 1 / 5, 1 / 10 + 1 / 10
    assert design.correlation([2.0], [0, 1]) == pytest.approx(in_common / variance)


def test_a_mean_over_levels_shares_what_any_level_shares() -> None:
    """At the higher ratio a fold has some of the images that it has at the lower: their means are correlated."""
    found = {1.0: sizes(([10, 10], [10, 10])), 2.0: sizes(([10, 5], [10, 5]))}
    variance = ((1 / 10 + 1 / 10) + 2 * (1 / 10 + 1 / 10) + (1 / 10 + 1 / 5)) / 4
    assert Design(Official(), found).correlation([1.0, 2.0], [0]) == pytest.approx(0.2 / variance)


def test_folds_that_all_test_the_same_images_share_all() -> None:
    design = Design(Official(), {"natural": sizes(*[([40, 9], [10, 7])] * 3)})
    assert design.correlation(["natural"], [0, 1, 2]) == 1


@pytest.mark.parametrize(
    ("split", "folds", "degrees"),
    [
        (Official(), range(10), 9),
        (Holdout(), range(10), 9),
        (StratifiedKFold(n_splits=5), range(5), 4),
        (StratifiedKFold(n_splits=2), range(10), 5),  # Dietterich's
        (StratifiedKFold(n_splits=5), range(10), 8),
        (StratifiedKFold(n_splits=5), [0, 1, 2, 3, 4, 6, 7], 6),
        (StratifiedKFold(n_splits=2), [0, 2, 4], 2),
    ],
)
def test_degrees_of_freedom(split, folds, degrees) -> None:
    assert Design(split).degrees(list(folds)) == degrees


# --- samples ---

METHODS = (("image", "cnn", "none"), ("image", "cnn", "ros"))


def values(table) -> Values:
    """By level, fold and method."""
    found = np.array(table, dtype=float)
    return Values("mnist", (2.0, 5.0)[: len(found)], tuple(range(found.shape[1])), METHODS, found)


def design(*levels) -> Design:
    return Design(StratifiedKFold(n_splits=2), {level: sizes(*[([9, 9], [9, 9])] * 6) for level in levels})


def test_levels_are_averaged_within_a_fold() -> None:
    sample = sample_of(values([[[0.1, 0.2], [0.3, 0.4]], [[0.3, 0.4], [0.5, 0.4]]]), design(2.0, 5.0))
    assert sample.values == pytest.approx(np.array([[0.2, 0.3], [0.4, 0.4]]))
    assert (sample.n_units, sample.columns, sample.notes) == (2, METHODS, ())
    assert sample.correlation == 0.5


def test_what_leaves_the_most_cells_is_kept() -> None:
    fold_missing = sample_of(values([[[0.1, 0.2], [0.3, nan], [0.3, 0.1]]] * 2), design(2.0, 5.0))
    assert fold_missing.n_units == 2
    assert fold_missing.notes == ("mnist: 2 of 3 folds; of the others results are missing",)
    level_missing = sample_of(values([[[0.1, 0.2], [0.3, 0.3]], [[0.1, nan], [0.3, nan]]]), design(2.0, 5.0))
    assert level_missing.values.tolist() == [[0.1, 0.2], [0.3, 0.3]]
    assert level_missing.notes == ("mnist: without IR 5, where results are missing",)


def test_a_column_without_any_result_takes_nothing_from_the_others() -> None:
    sample = sample_of(values([[[0.1, nan], [0.3, nan]]]), design(2.0))
    assert sample.columns == METHODS[:1]
    assert sample.notes == ("mnist: image cnn ros has no result and takes no part",)


def test_nothing_in_common_is_no_sample() -> None:
    assert sample_of(values([[[0.1, nan], [nan, 0.2]]]), design(2.0)) is None
    assert sample_of(values([[[nan, nan], [nan, nan]]]), design(2.0)) is None


def test_over_data_sets_only_those_count_that_have_all_columns() -> None:
    samples = [
        Sample("a", METHODS, np.array([[0.1, 0.3], [0.3, 0.5]]), 0.5, 1),
        Sample("b", METHODS[:1], np.array([[0.1], [0.3]]), 0.5, 1),
    ]
    over = over_datasets(samples, METHODS)
    assert over.values == pytest.approx(np.array([[0.2, 0.4]]))
    assert over.notes == ("b takes no part, because not all methods have a result in it",)


# --- data sets ---


def test_demsars_wilcoxon() -> None:
    """Its Table 2: T = 12 for C4.5 against C4.5+m, zeros split; 14 data sets tie, so that the p is approximate."""
    z = (12 - 14 * 15 / 4) / sqrt(14 * 15 * 29 / 24)
    assert signed_rank_p(AUC[:, :1] - AUC[:, 1:2])[0] == pytest.approx(erfc(-z / sqrt(2)), rel=0.01)


def test_wilcoxon_is_exact_for_few_data_sets() -> None:
    assert signed_rank_p(np.arange(1.0, 7.0)[:, None])[0] == smallest_p(6) == 2 / 2**6
    assert signed_rank_p(np.ones((6, 1)))[0] == 2 / 2**6  # ties: every way to give signs is looked at
    assert signed_rank_p(np.array([[0.0, 0, 1, 1, 1, 1]]).T)[0] == 2 / 2**4
    assert signed_rank_p(np.zeros((6, 1)))[0] == 1


@pytest.mark.parametrize("differences", [[3.0, -1, 2, 5, 4, -6], [0.0, 0, 0, 1, -2, 2], [0.0] * 6])
def test_wilcoxons_w_is_scipys(differences: list[float]) -> None:
    expected = stats.wilcoxon(differences, zero_method="zsplit", method="approx").statistic
    assert smaller_rank_sum(np.array(differences)) == expected


def test_many_studies_at_once() -> None:
    differences = np.random.default_rng(0).normal(0.3, 1, (4, 8, 3))
    found = signed_rank_p(differences)
    assert found.shape == (4, 3)
    assert found[2, 1] == stats.wilcoxon(differences[2, :, 1]).pvalue


@pytest.mark.parametrize("alpha", [0.05, 0.01])
@pytest.mark.parametrize("n", [6, 8, 14])
def test_the_interval_over_data_sets_excludes_zero_just_where_wilcoxon_rejects(n: int, alpha: float) -> None:
    for seed in range(40):
        differences = np.random.default_rng(seed).normal(0.6, 1, n)
        estimate, low, high = hodges_lehmann(differences, alpha)
        assert not low > estimate
        assert (low > 0 or high < 0) == (signed_rank_p(differences[:, None])[0] <= alpha)


def test_so_few_data_sets_have_no_interval() -> None:
    estimate, low, high = hodges_lehmann(np.array([0.1, 0.2, 0.3]), 0.05)
    assert estimate == pytest.approx(0.2)
    assert isnan(low)
    assert isnan(high)


# P(left better), P(equivalent), P(right better), computed by baycomp 1.0.3: SignedRankTest.probs(x, y, rope=10,
# nsamples=200_000, random_state=1) on the table above in thousandths, which are exact in floats: many pairs of
# differences sum to just 2 x 0.01. The Monte Carlo error here is 0.007.
BAYCOMP = {
    (0, 1): (0.0000, 0.3287, 0.6714),
    (0, 2): (0.0885, 0.7442, 0.1673),
    (0, 3): (0.0003, 0.0353, 0.9644),
    (1, 2): (0.4654, 0.5278, 0.0067),
    (1, 3): (0.0021, 0.7594, 0.2385),
    (2, 3): (0.0007, 0.2194, 0.7799),
}


@pytest.mark.parametrize("pair", BAYCOMP)
def test_bayesian_signed_rank_agrees_with_baycomp(pair: tuple[int, int]) -> None:
    left, right = pair
    found = signed_rank(AUC[:, left], AUC[:, right], rope=0.01, weights=draw_weights(len(AUC), seed=0))
    assert (found.left_better, found.equivalent, found.right_better) == pytest.approx(BAYCOMP[pair], abs=0.025)


# One block: the weight w of the prior is Beta(1/2, 1), and left wins where 1 - w^2 > w^2, that is with 2 ** -1/4.
ONE_BLOCK = 2**-0.25
POSTERIORS = [
    ([0.9], [0.5], (ONE_BLOCK, 1 - ONE_BLOCK, 0)),
    ([0.5], [0.9], (0, 1 - ONE_BLOCK, ONE_BLOCK)),
    ([0.5] * 20, [0.5] * 20, (0, 1, 0)),
    ([0.5] * 20, [0.49] * 20, (0, 1, 0)),  # a difference of just the region's size, which floats make 0.01 + 9e-18
    ([0.5] * 20, [0.47] * 20, (1, 0, 0)),
]


@pytest.mark.parametrize(("left", "right", "expected"), POSTERIORS)
def test_bayesian_signed_rank_by_hand(left: list[float], right: list[float], expected: tuple[float, ...]) -> None:
    weights = draw_weights(len(left), seed=0)
    found = signed_rank(np.array(left), np.array(right), rope=0.01, weights=weights)
    assert (found.left_better, found.equivalent, found.right_better) == pytest.approx(expected, abs=0.025)


def test_weights_are_those_of_the_dirichlet_process() -> None:
    weights = draw_weights(9, seed=0)
    assert weights.sum(axis=0) == pytest.approx(1)
    assert weights.mean(axis=1) == pytest.approx([0.5 / 9.5, *[1 / 9.5] * 9], abs=0.005)
    assert draw_weights(999, seed=0).shape == (1000, 1000)  # fewer draws of many blocks
    assert not np.array_equal(weights, draw_weights(9, seed=1))


# --- average ranks ---


def test_demsars_ranks() -> None:
    sample = Sample("", tuple((name,) for name in LEARNERS), AUC, 0.0, 13)
    found = mean_ranks("AUC", (), sample, 0.05)
    assert found.ranks == pytest.approx((3.143, 2.000, 2.893, 1.964), abs=0.0005)
    # The paper's chi2 is not corrected for ties: 3 rows tie two learners and one all four, so that the correction
    # divides by 1 - (3 (2^3 - 2) + (4^3 - 4)) / (14 * 4 * (4^2 - 1)).
    uncorrected = found.friedman.chi2 * (1 - 78 / 840)
    assert uncorrected == pytest.approx(9.28, abs=0.005)
    assert 13 * uncorrected / (14 * 3 - uncorrected) == pytest.approx(3.69, abs=0.005)
    assert found.friedman.f == pytest.approx(13 * found.friedman.chi2 / (42 - found.friedman.chi2))
    assert found.friedman.p < 0.05  # F(3, 39) is 2.85 there
    assert found.friedman.critical_difference == pytest.approx(1.25, abs=0.005)


def test_demsars_example_at_ten_percent() -> None:
    """C4.5 differs from the two that tune m; the paper's Figure 1(a)."""
    assert friedman(AUC, 0.1).critical_difference == pytest.approx(1.12, abs=0.005)
    p = nemenyi_p_values(AUC)
    assert np.argwhere(np.triu(p < 0.1, 1)).tolist() == [[0, 1], [0, 3]]
    assert p.min() > 0.05  # "not powerful enough" at 5 %


def test_data_sets_that_all_agree_and_data_sets_that_tell_nothing() -> None:
    agreed = friedman(np.array([[0.5, 0.6 + i / 100, 0.4] for i in range(10)]), 0.05)
    assert (agreed.chi2, agreed.f, agreed.p) == (pytest.approx(20), inf, 0)
    tied = friedman(np.full((10, 3), 0.5), 0.05)
    assert isnan(tied.chi2)
    assert isnan(tied.p)
