"""The comparison with published results, and the paper's claims, as sheets of text and as CSV."""

from collections import Counter
from collections.abc import Sequence

from raygrid.axes import METHOD_AXES, axis_heading, axis_name, csv_column, level_name
from raygrid.report.compare import Contrast, Difference
from raygrid.report.inequalities import Claim
from raygrid.report.protocol import in_words
from raygrid.report.render import printed
from raygrid.report.sheets import Sheet, number, to_csv_text
from raygrid.wording import plural

_MEASURES = ("Value", "Published", "Difference", "Standard errors", "Folds")


def difference_sheet(contrast: Contrast) -> Sheet:
    """Return one row a number, and below what only one side has."""
    n, axis = len(contrast.differences), contrast.published.row_axis
    sizes = [abs(difference.difference) for difference in contrast.differences]
    sizes_note = f" Mean size of the difference {number(sum(sizes) / n)}, largest {number(max(sizes))}." if n else ""
    return Sheet(
        title=f"Against {contrast.published.name}, by {axis_name(axis)}",
        head=("Metric", axis_heading(axis), "Arm", "Resampler", *_MEASURES),
        rows=tuple(_row(difference, axis) for difference in contrast.differences),
        notes=(
            f"{plural(n, 'number')} compared.{sizes_note} Standard errors: the difference divided by the standard "
            "error of the value here; the published value is taken as exact. A tie is equal as printed.",
            *_refused(contrast.refused),
            *_only("Only here", contrast.only_here),
            *_only("Only published", contrast.only_published),
        ),
        text_columns=frozenset({0, 1, 2, 3}),
    )


def _row(difference: Difference, axis: str) -> tuple[str, ...]:
    return (
        *(difference.metric, printed(axis, difference.level)),
        *(" · ".join(difference.column[:-1]), printed("resampler", difference.column[-1])),
        *(number(difference.value), number(difference.published)),
        number(difference.difference, "+.4f") if difference.difference else "tie",
        *(number(difference.in_standard_errors, "+.1f"), str(difference.number.n_folds)),
    )


def _refused(refused: Sequence[Difference]) -> list[str]:
    """Say which numbers are not compared, because their protocols differ."""
    counts = Counter(in_words(difference.differing) for difference in refused)
    return [f"Not compared: {plural(count, 'number')}, because of {what}." for what, count in counts.items()]


def _only(where: str, names: Sequence[str]) -> list[str]:
    return [f"{where}: {'; '.join(names)}."] if names else []


def agreement_sheet(contrast: Contrast) -> Sheet:
    """Return one row for each row and arm of the table: whether the resamplers have the published order."""
    axis = contrast.published.row_axis
    return Sheet(
        title=f"Order of the resamplers against {contrast.published.name}, by {axis_name(axis)}",
        head=("Metric", axis_heading(axis), "Arm", "Resamplers", "Rank correlation"),
        rows=tuple(
            (a.metric, printed(axis, a.level), " · ".join(a.arm), str(a.n_resamplers), number(a.correlation, "+.2f"))
            for a in contrast.agreements
        ),
        notes=("Spearman's; 1 is the same order, -1 the reverse; a dash where fewer than 3 can be ordered.",),
        text_columns=frozenset({0, 1, 2}),
    )


def claims_sheet(claims: Sequence[Claim], source: str) -> Sheet:
    """Return one row a claim; `source` says whose numbers they were checked on."""
    return Sheet(
        title=f"The paper's claims, checked on {source}",
        head=("Claim", "Verdict", "More than chance", "Because"),
        rows=tuple((claim.statement, claim.verdict, claim.tested, claim.because) for claim in claims),
        notes=(
            "The numbers alone decide, on the data sets and levels that are here; what is equal as printed is a tie. "
            "More than chance: how many of the comparisons that have a test are told apart by it, for the claim and "
            "against it (within each data set, corrected for all pairs of methods).",
        ),
        text_columns=frozenset({0, 1, 2, 3}),
    )


def contrast_to_csv(contrast: Contrast) -> str:
    """Return one line a number that both have, unrounded, with the rank correlation of its row and arm."""
    correlations = {(a.metric, a.level, a.arm): a.correlation for a in contrast.agreements}
    axes = ("metric", csv_column(contrast.published.row_axis), *METHOD_AXES)
    counts = ("value", "published", "difference", "standard_error", "in_standard_errors", "n_folds")
    return to_csv_text(
        (*axes, *counts, "rank_correlation", "differing"),
        (
            (
                *(d.metric, level_name(d.level), *d.column, d.value, d.published, d.difference),
                *(d.number.standard_error, d.in_standard_errors, d.number.n_folds),
                *(correlations[d.metric, d.level, d.column[:-1]], in_words(d.differing)),
            )
            for d in contrast.differences
        ),
    )


def claims_to_csv(claims: Sequence[Claim]) -> str:
    """Return one line a claim."""
    return to_csv_text(
        ("claim", "verdict", "more_than_chance", "because"),
        ((c.statement, c.verdict, c.tested, c.because) for c in claims),
    )
