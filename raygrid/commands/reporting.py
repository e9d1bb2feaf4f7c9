"""The verbs that read records: report, compare, merge."""

import gc
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

from rich.console import Console

from raygrid.commands.job import Job
from raygrid.errors import UsageError, choices
from raygrid.metrics.confusion import METRICS
from raygrid.metrics.further import heading
from raygrid.report import Missing, Table, table, to_csv, to_latex, to_markdown, to_terminal
from raygrid.report.claims import check_claims
from raygrid.report.compare import compare, values_of
from raygrid.report.compare_sheets import (
    agreement_sheet,
    claims_sheet,
    claims_to_csv,
    contrast_to_csv,
    difference_sheet,
)
from raygrid.report.figures import critical_difference_figures, figures_of
from raygrid.report.html import Section, page
from raygrid.report.published import read_published
from raygrid.report.results import Results
from raygrid.report.sheets import sheets_to_markdown, sheets_to_terminal
from raygrid.report.statistics import statistics
from raygrid.report.statistics_sheets import overview_sheet, pair_sheets, statistics_to_csv
from raygrid.storage.folders import Location
from raygrid.storage.merging import merge
from raygrid.storage.record import FINAL
from raygrid.storage.store import Store

_out, _err = Console(), Console(stderr=True)

# File name -> the axes whose levels are the rows.
TABLES = {"table1": ("dataset",), "table2": ("ir",)}


def report(job: Job, *, missing: Missing, spread: bool, published: str | None, watch_s: int | None = None) -> None:
    """Write the statistics, the figures and the page, then print and write the tables; watching, again and again.

    Parameters
    ----------
    published : str or None
        What to compare with, as `raygrid.report.published.read_published` takes it.
    watch_s : int or None
        Seconds after which to do it all again, until every cell has a final record.
    """
    while True:
        results = job.results()
        finished = FINAL.issuperset(results.places["status"])
        gc.freeze()  # ten thousand records would be searched for garbage again and again while figures are drawn
        again_s = None if finished else watch_s
        path = _write_page(job.store, results, missing=missing, published=published, refresh_s=again_s)
        _out.print(f"page: {path}", soft_wrap=True)
        write_tables(job.store, results, missing=missing, spread=spread)
        if again_s is None:
            return
        time.sleep(again_s)


def write_tables(store: Store, results: Results, *, missing: Missing, spread: bool = False) -> None:
    """Print Table 1 and Table 2, and write them as CSV, Markdown and LaTeX."""
    tables = [table(results.frame, rows=rows, missing=missing) for rows in TABLES.values()]
    for name, made in zip(TABLES, tables, strict=True):
        _show(store, name, made, spread=spread)
    _out.print(f"report: {store.root / 'report'}", soft_wrap=True)


def show_pivot(
    job: Job, *, rows: Sequence[str], columns: Sequence[str], metrics: Sequence[str], missing: Missing, spread: bool
) -> None:
    """Print one table of any axes and metrics, and write it as report/pivot.csv, .md and .tex."""
    known = [heading(name) for name in job.grid.metrics]
    for metric in metrics:
        if metric not in known:
            raise UsageError(f"--metric: {choices(metric, known)}")
    frame = job.results(metrics).frame
    _show(job.store, "pivot", table(frame, rows=rows, columns=columns, missing=missing), spread=spread)


def show_comparison(job: Job, published: str, *, missing: Missing) -> None:
    """Print and write how the tables differ from published ones, and which of the paper's claims hold."""
    results = job.results()
    section, forms = _comparison(results, published, missing=missing)
    _out.print(sheets_to_terminal(section.sheets))
    for name, text in forms.items():
        job.store.write_text(f"report/{name}", text)
    _out.print(f"report: {job.store.root / 'report'}", soft_wrap=True)


def merge_stores(target: str, sources: Sequence[str]) -> None:
    """Copy the records of `sources` into `target`."""
    store = Store(target)
    with store.locked():
        copied = merge(store, [Store(source) for source in sources])
    _out.print(f"{copied} records copied into {store.root}", soft_wrap=True)


def _show(store: Store, name: str, made: Table, *, spread: bool) -> None:
    _out.print(to_terminal(made, spread))
    forms = {"csv": to_csv(made), "md": to_markdown(made, spread), "tex": to_latex(made, spread)}
    for suffix, text in forms.items():
        store.write_text(f"report/{name}.{suffix}", text)


def _write_page(
    store: Store, results: Results, *, missing: Missing, published: str | None, refresh_s: int | None
) -> Location:
    """Write the page and what it shows; unlike a paper's tables it never refuses, but says what is missing."""
    shown: Missing = "mark" if missing == "refuse" else missing
    tables = [table(results.frame, rows=rows, missing=shown) for rows in TABLES.values()]
    with ThreadPoolExecutor(1) as pool:  # the tests are mostly numpy's work, which can go on while figures are drawn
        testing = pool.submit(statistics, results.frame)
        figures = figures_of(results)
        tested = testing.result()
    figures += critical_difference_figures(tested)
    sheets = [overview_sheet(tested), *pair_sheets(tested)]
    store.write_text("report/statistics.md", sheets_to_markdown(sheets))
    store.write_text("report/statistics.csv", statistics_to_csv(tested))
    for figure in figures:
        store.write_bytes(f"report/figures/{figure.name}.svg", figure.svg)
        store.write_bytes(f"report/figures/{figure.name}.png", figure.png)
    sections = [Section("Statistics", (), sheets)]
    if published:
        sections.append(_comparison(results, published, missing="mark")[0])
    html = page(results, tables=tables, figures=figures, sections=sections, refresh_s=refresh_s)
    return store.write_text("report/index.html", html)


def _comparison(results: Results, published: str, *, missing: Missing) -> tuple[Section, dict[str, str]]:
    """Return the comparison as a section of the page and as the texts of files."""
    frame = results.frame
    contrasts = [
        compare(table(frame, rows=(source.row_axis,), missing=missing), source)
        for source in read_published(published, dict.fromkeys([*METRICS, *results.metrics]))
    ]
    tables = [values_of(table(frame, rows=rows, missing=missing)) for rows in TABLES.values()]
    # The paper claims nothing about other metrics than its own.
    by_dataset, by_ir = ({key: value for key, value in of.items() if key[0] in METRICS} for of in tables)
    claims = check_claims(by_dataset, by_ir)
    sheets = [sheet(contrast) for contrast in contrasts for sheet in (difference_sheet, agreement_sheet)]
    sheets.append(claims_sheet(claims, results.name))
    forms = {"comparison.md": sheets_to_markdown(sheets), "claims.csv": claims_to_csv(claims)}
    forms |= {f"comparison_{contrast.row_axis}.csv": contrast_to_csv(contrast) for contrast in contrasts}
    return Section("Against published results", (), sheets), forms
