"""The statistics as sheets of text and as CSV: an answer a sheet, the primary ones first."""

from collections.abc import Iterator
from math import isnan

from raygrid.report.inference.families import PairedDifference
from raygrid.report.inference.mean_ranks import MeanRanks
from raygrid.report.inference.questions import BASELINE, BEST, COST, GAIN, Question
from raygrid.report.inference.samples import Column
from raygrid.report.render import printed
from raygrid.report.sheets import Sheet, number, p_value, to_csv_text
from raygrid.report.statistics import Answer, Statistics
from raygrid.wording import plural, span

TESTS = {
    "folds": "the corrected resampled t test (Nadeau and Bengio, 2003), because folds share images",
    "data sets": "Wilcoxon's signed-rank test on the means of data sets (Demšar, 2006)",
}
_NOTHING: dict[Question, str] = {
    BEST: "There is nothing to compare: no two methods have results in the same folds.",
    GAIN: f"There is nothing to compare: no arm has results of {printed('resampler', BASELINE)} and of a resampler.",
    COST: "There is nothing to compare: no arm has results without resampling at more than one level of imbalance.",
}
_UNITS = {
    "folds": "Folds: how many a test has; each counts once, with the mean over levels of imbalance",
    "data sets": "Data sets: how many a test has; each counts once, with its mean over folds and levels",
}


def column_name(column: Column) -> str:
    """Return a column as the report prints it."""
    return " · ".join([*column[:-1], printed("resampler", column[-1])])


def statistics_sheets(statistics: Statistics) -> list[Sheet]:
    """Return the primary answers, then, marked as secondary, the others, the Bayesian tests and the average ranks."""
    primary = [_sheet(answer, statistics) for answer in statistics.answers if answer.is_primary]
    empty = {answer.question for answer in statistics.answers if answer.is_primary and not answer.differences}
    others = [
        _sheet(answer, statistics)
        for answer in statistics.answers
        if not answer.is_primary and (answer.differences or answer.question not in empty)
    ]
    bayesian = [_posterior_sheet(answer, statistics) for answer in statistics.answers if answer.differences]
    ranks = [_ranks_sheet(statistics)] if statistics.mean_ranks else []
    return [*primary, *others, *bayesian, *ranks]


def _title(answer: Answer) -> str:
    within = "within each data set" if answer.units == "folds" else "over data sets"
    return f"{answer.question} {answer.metric}, {within}"


def _sheet(answer: Answer, statistics: Statistics) -> Sheet:
    return Sheet(
        title=_title(answer),
        head=("Data set", "Left", "Right", "Difference", "Low", "High", "p", "Told apart", answer.units.capitalize()),
        rows=tuple(map(_row, answer.differences)),
        notes=(
            *(_explained(answer, statistics) if answer.differences else [_NOTHING[answer.question]]),
            *_sentences(answer),
        ),
        text_columns=frozenset({0, 1, 2, 7}),
        is_secondary=not answer.is_primary,
    )


def _explained(answer: Answer, statistics: Statistics) -> Iterator[str]:
    """Yield what the numbers of a sheet are, and for what they are corrected."""
    yield (
        f"Difference: left minus right, {_estimate(answer)}. Intervals ({1 - statistics.alpha:.0%}) and p values are "
        f"two-sided, of {TESTS[answer.units]}{_degrees(answer)}. They are corrected by Holm for the "
        f"{plural(len(answer.differences), 'difference')} of this sheet; an interval leaves out 0 just where p is "
        f"below {statistics.alpha:g}, and ends at the largest difference that the metric can have. "
        f"{_UNITS[answer.units]}. The CSV file also has the statistic and the p before correction."
    )
    if answer.is_primary:
        yield "The three questions (which method is best, gain, cost) are not corrected for one another."


def _degrees(answer: Answer) -> str:
    """Return the degrees of freedom of the t tests that were made."""
    degrees = sorted({int(one.degrees) for one in answer.differences if not isnan(one.degrees)})
    return f", with {span(degrees)} degrees of freedom" if degrees else ""


def _estimate(answer: Answer) -> str:
    return "the mean over folds" if answer.units == "folds" else "the median of the averages of every two data sets"


def _sentences(answer: Answer) -> list[str]:
    return [f"{note}." for note in answer.notes]


def _row(one: PairedDifference) -> tuple[str, ...]:
    return (
        *(one.dataset or "all", column_name(one.left), column_name(one.right)),
        *(number(value, "+.4f") for value in (one.difference, one.low, one.high)),
        *(p_value(one.p), "yes" if one.told_apart else "no", str(one.n_units)),
    )


def _posterior_sheet(answer: Answer, statistics: Statistics) -> Sheet:
    test = "correlated t test" if answer.units == "folds" else "signed-rank test"
    return Sheet(
        title=f"{_title(answer)}, Bayesian",
        head=("Data set", "Left", "Right", "P(left better)", "P(equal)", "P(right better)"),
        rows=tuple(
            (one.dataset or "all", column_name(one.left), column_name(one.right), *_posterior(one))
            for one in answer.differences
        ),
        notes=(
            f"Probabilities by the Bayesian {test} (Benavoli et al., 2017) that the left one is better, that both are "
            f"within {statistics.rope:g}, that the right one is; of each difference alone, not corrected for others.",
        ),
        text_columns=frozenset({0, 1, 2}),
        is_secondary=True,
    )


def _posterior(one: PairedDifference) -> list[str]:
    posterior = one.posterior
    return [number(p, ".2f") for p in (posterior.left_better, posterior.equivalent, posterior.right_better)]


def _ranks_sheet(statistics: Statistics) -> Sheet:
    return Sheet(
        title="Average ranks over data sets, and Friedman's test",
        head=("Metric", "Arm", "Data sets", "χ²", "F", "p", "CD", "Average ranks, best first"),
        rows=tuple(map(_ranks_row, statistics.mean_ranks)),
        notes=(
            "χ² and F are Friedman's statistic and Iman and Davenport's, p that of F. Columns whose average ranks "
            f"differ by less than CD cannot be told apart (Nemenyi, alpha = {statistics.alpha:g}).",
        ),
        text_columns=frozenset({0, 1, 7}),
        is_secondary=True,
    )


def arm_name(ranks: MeanRanks) -> str:
    """Return what is ranked: the name of the arm, or that it is all of them."""
    return " · ".join(ranks.arm) or "all columns"


def _ranks_row(ranks: MeanRanks) -> tuple[str, ...]:
    test = ranks.friedman
    ordered = sorted(zip(ranks.ranks, map(column_name, ranks.columns), strict=True))
    return (
        *(ranks.metric, arm_name(ranks), str(ranks.n_datasets)),
        *(number(test.chi2, ".2f"), number(test.f, ".2f"), p_value(test.p), number(test.critical_difference, ".2f")),
        ", ".join(f"{name} {number(rank, '.2f')}" for rank, name in ordered),
    )


CSV_HEAD = (
    *("question", "metric", "units", "standing", "dataset", "left", "right", "n_units"),
    *("difference", "standard_error", "statistic", "df", "p_raw", "low", "high", "p_holm", "told_apart"),
    *("p_left_better", "p_equivalent", "p_right_better", "notes"),
)


def statistics_to_csv(statistics: Statistics) -> str:
    """Return one line a difference, unrounded and with the labels of the grid; an answer without any has one line."""
    return to_csv_text(CSV_HEAD, (line for answer in statistics.answers for line in _csv_lines(answer)))


def _csv_lines(answer: Answer) -> Iterator[tuple[object, ...]]:
    standing = "primary" if answer.is_primary else "secondary"
    shared, notes = (answer.question, answer.metric, answer.units, standing), "; ".join(answer.notes)
    for one in answer.differences:
        yield (
            *(*shared, one.dataset, " ".join(one.left), " ".join(one.right), one.n_units),
            *(one.difference, one.standard_error, one.statistic, _whole(one.degrees), one.raw_p),
            *(one.low, one.high, one.p, one.told_apart),
            *(one.posterior.left_better, one.posterior.equivalent, one.posterior.right_better, notes),
        )
    if not answer.differences:
        yield (*shared, *[""] * (len(CSV_HEAD) - len(shared) - 1), notes)


def _whole(value: float) -> int | str:
    return "" if isnan(value) else int(value)
