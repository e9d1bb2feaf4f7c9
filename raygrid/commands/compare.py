"""compare: the differences from published tables, and which of the paper's claims hold."""

from collections.abc import Sequence
from dataclasses import replace

from raygrid.axes import ROW_AXES
from raygrid.commands.printing import Terminal, show, show_path
from raygrid.commands.study import Study
from raygrid.commands.tables import results_of
from raygrid.errors import UsageError, choices
from raygrid.metrics.confusion import METRICS
from raygrid.report.claims import check_claims
from raygrid.report.compare import ALL, compare, values_of
from raygrid.report.compare_sheets import (
    agreement_sheet,
    claims_sheet,
    claims_to_csv,
    contrast_to_csv,
    difference_sheet,
)
from raygrid.report.compare_summary import summary_sheet
from raygrid.report.inequalities import Claim
from raygrid.report.inference.design import designs_of
from raygrid.report.missing import Missing
from raygrid.report.protocol import FACTS, facts_of_numbers, unknown_facts
from raygrid.report.published import PAPER, read_published
from raygrid.report.results import Results
from raygrid.report.sheets import Sheet, sheets_to_markdown, sheets_to_terminal
from raygrid.report.statistics import statistics
from raygrid.report.tables import table

_out = Terminal()


def show_comparison(
    study: Study, published: str, *, missing: Missing, despite: Sequence[str] = (), shows_all: bool = False
) -> None:
    """Print in short, and write in full, how the tables differ from published ones, and which claims hold.

    Parameters
    ----------
    published : str
        As `raygrid.report.published.read_published` takes it.
    despite : sequence of str
        Facts of the protocols that may differ, ``all`` of them.
    shows_all : bool
        Whether to print every number.

    Raises
    ------
    UsageError
        There is no such fact, or something is wrong with the published table.
    """
    for name in unknown_facts([name for name in despite if name != ALL]):
        raise UsageError(f"--despite: {choices(name, [*FACTS, ALL])}")
    sheets, files = comparison(results_of(study), published, missing=missing, despite=despite)
    summary, *others = sheets
    for line in (summary.title, *summary.notes, ""):
        _out.print(line, highlight=False, soft_wrap=True)
    if shows_all:
        show(_out, sheets_to_terminal(others))
    for name, text in files.items():
        study.written_to.write_text(f"{study.report_folder}/{name}", text)
    _out.print("Every number is in")
    show_path(_out, study.written_to.root / study.report_folder / "comparison.md")


def comparison(
    results: Results, published: str, *, missing: Missing, despite: Sequence[str] = ()
) -> tuple[list[Sheet], dict[str, str]]:
    """Return the comparison as sheets, the first of which is a summary, and as the texts of files, by name."""
    contrasts = [
        compare(
            table(results.frame, rows=source.row_axis, missing=missing),
            source,
            facts=facts_of_numbers(results, source.row_axis),
            despite=despite,
        )
        for source in read_published(published, dict.fromkeys([*METRICS, *results.metrics]))
    ]
    claims = _claims(results, missing) if published == PAPER else ()
    sheets = [summary_sheet(results.name, contrasts, claims)]
    sheets += [sheet(contrast) for contrast in contrasts for sheet in (difference_sheet, agreement_sheet)]
    sheets += [claims_sheet(claims, results.name)] if claims else []
    files = {"comparison.md": sheets_to_markdown(sheets)}
    files |= {"claims.csv": claims_to_csv(claims)} if claims else {}
    files |= {f"comparison_{contrast.published.row_axis}.csv": contrast_to_csv(contrast) for contrast in contrasts}
    return [replace(sheet, section="published", is_folded=i > 0) for i, sheet in enumerate(sheets)], files


def _claims(results: Results, missing: Missing) -> tuple[Claim, ...]:
    """Return which of the paper's claims hold; it claims nothing about other metrics than its own."""
    numbers = [values_of(table(results.frame, rows=axis, missing=missing)) for axis in ROW_AXES]
    by_dataset, by_ir = ({key: value for key, value in of.items() if key[0] in METRICS} for of in numbers)
    return check_claims(by_dataset, by_ir, statistics(results.frame, designs_of(results)).answers)
