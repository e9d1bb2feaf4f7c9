"""The statistics as sheets of text and as CSV: an overview, and the pairs of each comparison."""

from collections.abc import Iterator

from raygrid.axes import ARM_AXES
from raygrid.report.render import printed
from raygrid.report.sheets import Sheet, number, p_value, to_csv_text
from raygrid.report.statistics import Column, Comparison, Pair, Statistics
from raygrid.wording import plural


def column_name(column: Column) -> str:
    """Return a column as the report prints it."""
    return " · ".join([*column[:-1], printed("resampler", column[-1])])


def arm_name(comparison: Comparison) -> str:
    """Return what is compared: the name of the arm, or that it is all of them."""
    return " · ".join(comparison.arm) or "all columns"


def overview_sheet(statistics: Statistics) -> Sheet:
    """Return one row a comparison: the Friedman test and the average ranks, best first."""
    notes = [
        f"{comparison.metric}, {arm_name(comparison)}: {warning}."
        for comparison in statistics.comparisons
        for warning in comparison.warnings
    ]
    explained = (
        "χ² and F are Friedman's statistic and Iman and Davenport's, p that of F. Columns whose average ranks differ "
        f"by less than CD cannot be told apart (Nemenyi, alpha = {statistics.alpha:g})."
    )
    return Sheet(
        title="Average ranks and Friedman's test",
        head=("Metric", "Arm", "Blocks", "Left out", "χ²", "F", "p", "CD", "Average ranks, best first"),
        rows=tuple(map(_overview_row, statistics.comparisons)),
        notes=(explained, statistics.caveat, *notes),
        text_columns=frozenset({0, 1, 8}),
    )


def _overview_row(comparison: Comparison) -> tuple[str, ...]:
    test = comparison.friedman
    ranked = sorted(zip(comparison.ranks, map(column_name, comparison.columns), strict=True))
    return (
        comparison.metric,
        arm_name(comparison),
        str(comparison.n_blocks),
        str(comparison.n_left_out),
        number(test.chi2, ".2f"),
        number(test.f, ".2f"),
        p_value(test.p),
        number(test.critical_difference, ".2f"),
        ", ".join(f"{name} {number(rank, '.2f')}" for rank, name in ranked),
    )


def pair_sheets(statistics: Statistics) -> Iterator[Sheet]:
    """Yield, of each comparison that has any, the sheet of its pairs."""
    for comparison in statistics.comparisons:
        if comparison.pairs:
            yield Sheet(
                title=f"{comparison.metric}, {arm_name(comparison)}: pairs over {_blocks(comparison)}",
                head=("Left", "Right", "Difference", "Nemenyi p", "Wilcoxon p", "P(left)", "P(equal)", "P(right)"),
                rows=tuple(map(_pair_row, comparison.pairs)),
                notes=(
                    "Difference: mean of left minus right. Wilcoxon's p values are corrected by Holm. P: probabilities "
                    f"by the Bayesian signed-rank test of left better, both within {statistics.rope:g}, right better.",
                ),
                text_columns=frozenset({0, 1}),
            )


def _blocks(comparison: Comparison) -> str:
    left_out = f", {comparison.n_left_out} left out as incomplete" if comparison.n_left_out else ""
    return plural(comparison.n_blocks, "block") + left_out


def _pair_row(pair: Pair) -> tuple[str, ...]:
    posterior = pair.posterior
    return (
        column_name(pair.left),
        column_name(pair.right),
        number(pair.difference, "+.4f"),
        p_value(pair.nemenyi_p),
        p_value(pair.wilcoxon_p),
        *(number(p, ".2f") for p in (posterior.left_better, posterior.equivalent, posterior.right_better)),
    )


CSV_HEAD = (
    *("metric", *ARM_AXES, "n_blocks", "n_left_out", "friedman_chi2", "friedman_f", "friedman_p"),
    *("critical_difference", "left", "right", "rank_left", "rank_right", "difference", "nemenyi_p", "wilcoxon_holm_p"),
    *("p_left_better", "p_equivalent", "p_right_better", "warnings"),
)


def statistics_to_csv(statistics: Statistics) -> str:
    """Return one line a pair, unrounded and with the labels of the grid; a comparison without pairs has one line."""
    return to_csv_text(CSV_HEAD, (line for comparison in statistics.comparisons for line in _csv_lines(comparison)))


def _csv_lines(comparison: Comparison) -> Iterator[tuple[object, ...]]:
    test = comparison.friedman
    shared = (
        *(comparison.metric, *(comparison.arm or ("", "")), comparison.n_blocks, comparison.n_left_out),
        *(test.chi2, test.f, test.p, test.critical_difference),
    )
    warnings = "; ".join(comparison.warnings)
    ranks = dict(zip(comparison.columns, comparison.ranks, strict=True))
    for pair in comparison.pairs:
        yield (
            *(*shared, " ".join(pair.left), " ".join(pair.right), ranks[pair.left], ranks[pair.right]),
            *(pair.difference, pair.nemenyi_p, pair.wilcoxon_p),
            *(pair.posterior.left_better, pair.posterior.equivalent, pair.posterior.right_better, warnings),
        )
    if not comparison.pairs:
        yield (*shared, *[""] * 10, warnings)
