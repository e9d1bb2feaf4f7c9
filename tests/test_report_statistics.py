"""The statistics: published worked examples, blocks that are not complete, and what is said about too few of them."""

from functools import cache
from io import StringIO
from math import erfc, inf, isnan, nan, sqrt
from typing import Any

import numpy as np
import pandas as pd
import pytest
from rich.console import Console

from raygrid.report.bayesian import draw_weights, signed_rank
from raygrid.report.sheets import sheets_to_markdown, sheets_to_terminal
from raygrid.report.statistics import Comparison, Statistics, statistics
from raygrid.report.statistics_sheets import overview_sheet, pair_sheets, statistics_to_csv

# Demšar (2006), Table 6: AUC of four learners on 14 data sets. Voting is printed there as 0.975 twice but ranked 2 and
# 3, from more decimals than are printed: 0.9751 here.
LEARNERS = ["C4.5", "C4.5+m", "C4.5+cf", "C4.5+m+cf"]
AUC = [
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


def frame(rows: list[list[float | str]], resamplers: list[str], **place: Any) -> pd.DataFrame:
    """One block a row: a value where the cell is done, else its status."""
    arm = {"metric": "AvAcc", "imbalance": 2.0, "fold": 0, "representation": "image", "classifier": "cnn"}
    lines = [
        arm
        | {"dataset": f"data{i}", "resampler": name, "status": result if isinstance(result, str) else "done"}
        | {"value": nan if isinstance(result, str) else result}
        | place
        for i, row in enumerate(rows)
        for name, result in zip(resamplers, row, strict=True)
    ]
    return pd.DataFrame(lines)


def compared(*args: Any, **settings: Any) -> Comparison:
    [comparison] = statistics(frame(*args), **settings).comparisons
    return comparison


def test_demsars_example() -> None:
    comparison = compared(AUC, LEARNERS)
    assert comparison.columns == tuple((name,) for name in LEARNERS)
    assert comparison.ranks == pytest.approx((3.143, 2.000, 2.893, 1.964), abs=0.0005)
    # The paper's chi2 is not corrected for ties: 3 rows tie two learners and one all four, so that the correction
    # divides by 1 - (3 (2^3 - 2) + (4^3 - 4)) / (14 * 4 * (4^2 - 1)).
    uncorrected = comparison.friedman.chi2 * (1 - 78 / 840)
    assert uncorrected == pytest.approx(9.28, abs=0.005)
    assert 13 * uncorrected / (14 * 3 - uncorrected) == pytest.approx(3.69, abs=0.005)
    assert comparison.friedman.f == pytest.approx(13 * comparison.friedman.chi2 / (42 - comparison.friedman.chi2))
    assert comparison.friedman.p < 0.05  # F(3, 39) is 2.85 there
    assert comparison.friedman.critical_difference == pytest.approx(1.25, abs=0.005)
    assert (comparison.n_blocks, comparison.n_left_out, comparison.warnings) == (14, 0, ())


def test_demsars_example_at_ten_percent() -> None:
    """C4.5 differs from the two that tune m; the paper's Figure 1(a)."""
    comparison = compared(AUC, LEARNERS, alpha=0.1)
    assert comparison.friedman.critical_difference == pytest.approx(1.12, abs=0.005)
    told_apart = {(pair.left[0], pair.right[0]) for pair in comparison.pairs if pair.nemenyi_p < 0.1}
    assert told_apart == {("C4.5", "C4.5+m"), ("C4.5", "C4.5+m+cf")}
    assert min(pair.nemenyi_p for pair in comparison.pairs) > 0.05  # "not powerful enough" at 5 %


def test_demsars_wilcoxon_after_holm() -> None:
    """Its Table 2: T = 12 for C4.5 against C4.5+m, zeros split. The smallest of six p values is multiplied by six."""
    z = (12 - 14 * 15 / 4) / sqrt(14 * 15 * 29 / 24)
    pair = compared(AUC, LEARNERS).pairs[0]
    assert pair.wilcoxon_p == pytest.approx(6 * erfc(-z / sqrt(2)), rel=0.01)
    assert pair.difference == pytest.approx(np.mean([row[0] - row[1] for row in AUC]))


# P(left better), P(equivalent), P(right better), computed by baycomp 1.0.3: SignedRankTest.probs(x, y, rope=10,
# nsamples=200_000, random_state=1) on the table above in thousandths, which are exact in floats: many pairs of
# differences sum to just 2 x 0.01. The Monte Carlo error here is 0.007.
BAYCOMP = {
    ("C4.5", "C4.5+m"): (0.0000, 0.3287, 0.6714),
    ("C4.5", "C4.5+cf"): (0.0885, 0.7442, 0.1673),
    ("C4.5", "C4.5+m+cf"): (0.0003, 0.0353, 0.9644),
    ("C4.5+m", "C4.5+cf"): (0.4654, 0.5278, 0.0067),
    ("C4.5+m", "C4.5+m+cf"): (0.0021, 0.7594, 0.2385),
    ("C4.5+cf", "C4.5+m+cf"): (0.0007, 0.2194, 0.7799),
}


def test_bayesian_signed_rank_agrees_with_baycomp() -> None:
    found = {
        (pair.left[0], pair.right[0]): (
            pair.posterior.left_better,
            pair.posterior.equivalent,
            pair.posterior.right_better,
        )
        for pair in compared(AUC, LEARNERS).pairs
    }
    assert found.keys() == BAYCOMP.keys()
    for pair, expected in BAYCOMP.items():
        assert found[pair] == pytest.approx(expected, abs=0.025)


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


def test_a_report_made_twice_is_the_same() -> None:
    assert repr(statistics(frame(AUC, LEARNERS))) == repr(statistics(frame(AUC, LEARNERS)))


def test_the_region_of_equivalence_is_a_setting() -> None:
    wide, narrow = (compared(AUC, LEARNERS, rope=rope).pairs[2].posterior for rope in (0.2, 0.0))
    assert (wide.equivalent, narrow.equivalent) == (1, 0)


def test_only_blocks_that_are_complete_count() -> None:
    rows: list[list[float | str]] = [[0.5, 0.6, 0.7 + i / 100] for i in range(5)]
    comparison = compared([*rows, ["error", 0.9, 0.1], [0.9, "infeasible", 0.1]], ["none", "ros", "rus"])
    assert (comparison.n_blocks, comparison.n_left_out) == (5, 2)
    assert comparison.ranks == (3, 2, 1)
    assert [pair.difference for pair in comparison.pairs] == pytest.approx([-0.1, -0.22, -0.12])


def test_ties_share_their_ranks() -> None:
    assert compared([[0.5, 0.5, 0.1], [0.5, 0.4, 0.4]], ["none", "ros", "rus"]).ranks == (1.25, 2, 2.75)


def test_a_status_goes_before_a_value() -> None:
    failed = frame([[0.5, 0.6]] * 6, ["none", "ros"]).assign(status=["error"] * 2 + ["done"] * 10)
    assert statistics(failed).comparisons[0].n_blocks == 5


def test_a_column_without_any_result_takes_no_block_from_the_others() -> None:
    comparison = compared([[0.5, 0.6 + i / 100, "infeasible"] for i in range(10)], ["none", "ros", "smote"])
    assert comparison.columns == (("none",), ("ros",))
    assert (comparison.n_blocks, comparison.n_left_out) == (10, 0)
    assert comparison.warnings == (
        "smote has no result and takes no part",
        "2 resamplers: Friedman's and Nemenyi's tests need 3, see Wilcoxon's",
    )


FEW = [
    (0, 3, "0 complete blocks: too few for any test, so none was made"),
    (1, 3, "1 complete block: too few for any test, so none was made"),
    (4, 3, "4 complete blocks: too few for any test, so none was made"),
    (5, 3, "5 complete blocks: few, so that only large and steady differences can be told from chance"),
    (9, 3, "9 complete blocks: few, so that only large and steady differences can be told from chance"),
    (10, 3, None),
    (10, 2, "2 resamplers: Friedman's and Nemenyi's tests need 3, see Wilcoxon's"),
    (10, 1, "fewer than 2 resamplers have results: there is nothing to compare"),
]


@pytest.mark.parametrize(("n_blocks", "n_resamplers", "warning"), FEW)
def test_warnings(n_blocks: int, n_resamplers: int, warning: str | None) -> None:
    rows: list[list[float | str]] = [[0.5, 0.6 + i / 100, 0.4][:n_resamplers] for i in range(n_blocks)]
    # Blocks of which every column lacks another cell, so that no column goes and none of these blocks is complete.
    incomplete: list[list[float | str]] = [
        ["error" if i == j else 0.5 for i in range(n_resamplers)] for j in range(n_resamplers)
    ]
    comparison = compared([*rows, *incomplete], ["none", "ros", "rus"][:n_resamplers])
    assert comparison.n_blocks == n_blocks
    assert comparison.warnings == ((warning,) if warning else ())
    assert isnan(comparison.friedman.chi2) == (n_blocks < 5 or n_resamplers < 3)
    for pair in comparison.pairs:
        assert isnan(pair.nemenyi_p) == (n_blocks < 5 or n_resamplers < 3)
        assert isnan(pair.wilcoxon_p) == isnan(pair.posterior.equivalent) == (n_blocks < 5)


def test_no_result_at_all() -> None:
    comparison = compared([["missing", "missing"]] * 10, ["none", "ros"])
    assert (comparison.columns, comparison.pairs, comparison.n_blocks, comparison.n_left_out) == ((), (), 0, 10)
    assert comparison.warnings[-1] == "fewer than 2 resamplers have results: there is nothing to compare"


def test_wilcoxon_is_exact_for_few_blocks() -> None:
    [pair] = compared([[0.5, 0.6 + i / 100] for i in range(5)], ["none", "ros"]).pairs
    assert pair.wilcoxon_p == pytest.approx(2 / 2**5)


def test_blocks_that_all_agree_and_blocks_that_tell_nothing() -> None:
    agreed = compared([[0.5, 0.6 + i / 100, 0.4] for i in range(10)], ["none", "ros", "rus"])
    assert (agreed.friedman.chi2, agreed.friedman.f, agreed.friedman.p) == (pytest.approx(20), inf, 0)
    tied = compared([[0.5, 0.5, 0.5]] * 10, ["none", "ros", "rus"])
    assert tied.ranks == (2, 2, 2)
    assert isnan(tied.friedman.chi2)
    assert isnan(tied.friedman.p)
    assert [pair.wilcoxon_p for pair in tied.pairs] == [1, 1, 1]


@cache
def two_arms() -> Statistics:
    """The second arm lacks one block, has a column fewer, and is better by 0.1; two metrics."""
    rows: list[list[float | str]] = [[0.5, 0.6 + i / 100, 0.4] for i in range(10)]
    svm: list[list[float | str]] = [[0.6, 0.7 + i / 100] for i in range(9)]
    arm = {"representation": "features", "classifier": "svm"}
    frames = [
        frame(part, ["none", "smote_enn", "rus"][: len(part[0])], metric=metric, **place)
        for metric in ("MAvG", "AvAcc")
        for part, place in ((rows, {}), ([*svm, ["oom", 0.5]], arm))
    ]
    return statistics(pd.concat(frames, ignore_index=True))


def test_arms_are_compared_each_and_together() -> None:
    found = [(c.metric, c.arm, c.n_blocks, c.n_left_out, len(c.pairs)) for c in two_arms().comparisons]
    assert found == [
        (metric, *rest)
        for metric in ("MAvG", "AvAcc")
        for rest in [(("image", "cnn"), 10, 0, 3), (("features", "svm"), 9, 1, 1), ((), 9, 1, 10)]
    ]
    together = two_arms().comparisons[2]
    assert together.columns[3:] == (("features", "svm", "none"), ("features", "svm", "smote_enn"))
    # none and smote_enn of the features arm are above their namesakes; smote_enn of images ties with none in one block
    assert together.ranks == pytest.approx((4, 2 + 0.5 / 9, 5, 3 - 0.5 / 9, 1))


def test_the_caveat_counts_data_sets() -> None:
    assert "they speak of 10 data sets only" in two_arms().caveat


def test_markdown() -> None:
    text = sheets_to_markdown([overview_sheet(two_arms()), *pair_sheets(two_arms())])
    assert text.startswith(
        "**Average ranks and Friedman's test**\n"
        "\n"
        "| Metric | Arm | Blocks | Left out | χ² | F | p | CD | Average ranks, best first |\n"
        "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: | --- |\n"
        "| MAvG | image · cnn | 10 | 0 | 20.00 | inf | \\<0.0001 | 1.05 | S+ENN 1.00, Base 2.00, RUS 3.00 |\n"
        "| MAvG | features · svm | 9 | 1 | — | — | — | — | S+ENN 1.00, Base 2.00 |\n"
    )
    assert ("MAvG, features · svm: 2 resamplers: Friedman's and Nemenyi's tests need 3, see Wilcoxon's.\n") in text
    assert (
        "**MAvG, features · svm: pairs over 9 blocks, 1 left out as incomplete**\n"
        "\n"
        "| Left | Right | Difference | Nemenyi p | Wilcoxon p | P(left) | P(equal) | P(right) |\n"
        "| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |\n"
        "| Base | S+ENN | -0.1400 | — | 0.0039 | 0.00 | 0.00 | 1.00 |\n"
    ) in text


def test_csv() -> None:
    head, *lines = statistics_to_csv(two_arms()).splitlines()
    assert head.startswith("metric,representation,classifier,n_blocks,n_left_out,friedman_chi2,")
    assert len(lines) == 2 * (3 + 1 + 10)
    assert lines[3].startswith("MAvG,features,svm,9,1,,,,,none,smote_enn,2.0,1.0,-0.1")
    assert lines[3].endswith(
        ',0.0,0.0,1.0,"9 complete blocks: few, so that only large and steady differences can be '
        "told from chance; 2 resamplers: Friedman's and Nemenyi's tests need 3, see Wilcoxon's\""
    )
    assert lines[4].startswith("MAvG,,,9,1,")
    [nothing] = statistics_to_csv(statistics(frame([[0.5]] * 10, ["none"]))).splitlines()[1:]
    assert nothing == (
        "AvAcc,image,cnn,10,0,,,,,,,,,,,,,,,fewer than 2 resamplers have results: there is nothing to compare"
    )
    assert nothing.count(",") == head.count(",")


def test_terminal() -> None:
    console = Console(width=150, record=True, file=StringIO())
    console.print(sheets_to_terminal([overview_sheet(two_arms())]))
    text = console.export_text()
    assert "S+ENN 1.00, Base 2.00, RUS 3.00" in text
    assert "a claim about data sets in general needs tests over data sets (Demšar, 2006)" in " ".join(text.split())
