"""compare: the differences from published tables, and which of the paper's claims hold."""

from dataclasses import replace

from rich.console import Console

from raygrid.commands.study import Study
from raygrid.commands.tables import paper_tables, results_of
from raygrid.metrics.confusion import METRICS
from raygrid.report.claims import check_claims
from raygrid.report.compare import compare, values_of
from raygrid.report.compare_sheets import (
    agreement_sheet,
    claims_sheet,
    claims_to_csv,
    contrast_to_csv,
    difference_sheet,
)
from raygrid.report.missing import Missing
from raygrid.report.published import read_published
from raygrid.report.results import Results
from raygrid.report.sheets import Sheet, sheets_to_markdown, sheets_to_terminal
from raygrid.report.tables import table

_out = Console()


def show_comparison(study: Study, published: str, *, missing: Missing) -> None:
    """Print and write how the tables differ from published ones, and which of the paper's claims hold."""
    sheets, files = comparison(results_of(study), published, missing=missing)
    _out.print(sheets_to_terminal(sheets))
    for name, text in files.items():
        study.written_to.write_text(f"report/{name}", text)
    _out.print(f"report: {study.written_to.root / 'report'}", soft_wrap=True)


def comparison(results: Results, published: str, *, missing: Missing) -> tuple[list[Sheet], dict[str, str]]:
    """Return the comparison as sheets, and as the texts of files, by name."""
    contrasts = [
        compare(table(results.frame, rows=source.row_axis, missing=missing), source)
        for source in read_published(published, dict.fromkeys([*METRICS, *results.metrics]))
    ]
    numbers = [values_of(made) for made in paper_tables(results, missing=missing)]
    # The paper claims nothing about other metrics than its own.
    by_dataset, by_ir = ({key: value for key, value in of.items() if key[0] in METRICS} for of in numbers)
    claims = check_claims(by_dataset, by_ir)
    sheets = [sheet(contrast) for contrast in contrasts for sheet in (difference_sheet, agreement_sheet)]
    sheets.append(claims_sheet(claims, results.name))
    files = {"comparison.md": sheets_to_markdown(sheets), "claims.csv": claims_to_csv(claims)}
    files |= {f"comparison_{contrast.row_axis}.csv": contrast_to_csv(contrast) for contrast in contrasts}
    return [replace(sheet, section="published", is_folded=False) for sheet in sheets], files
