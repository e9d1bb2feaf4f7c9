"""report: the tables, the statistics, the figures and the page that are read from records."""

import gc
import time
import webbrowser
from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from raygrid.activity import doing
from raygrid.commands.compare import comparison
from raygrid.commands.pictures import pictures_of
from raygrid.commands.printing import Terminal, activity_shown, show_path
from raygrid.commands.study import Study
from raygrid.commands.tables import paper_tables, results_of, show_table, show_tables
from raygrid.errors import UsageError, choices
from raygrid.metrics.further import heading
from raygrid.report.choices import choices_sheet
from raygrid.report.class_content import class_content
from raygrid.report.figures import Figure, critical_difference_figures, figures_of
from raygrid.report.findings import findings
from raygrid.report.groups import THIRDS, Grouping
from raygrid.report.html import begins_as_ours, page
from raygrid.report.inference.design import Design, designs_of
from raygrid.report.kept_files import kept_files
from raygrid.report.latex import DOCUMENT, figures_to_latex
from raygrid.report.missing import Missing
from raygrid.report.numbers import refuse
from raygrid.report.ranking import rankings
from raygrid.report.results import Results
from raygrid.report.sheets import sheets_to_markdown
from raygrid.report.statistics import Statistics, statistics
from raygrid.report.statistics_sheets import statistics_sheets, statistics_to_csv
from raygrid.report.tables import Table, table
from raygrid.storage.folders import Location
from raygrid.storage.record import FINAL

_out, _err = Terminal(), Terminal(stderr=True)
_FEW = 5_000  # cells; the page of more is there in half the time without figures as PDF and PNG


def write_report(
    study: Study,
    *,
    missing: Missing,
    spread: bool,
    published: str | None,
    grouping: Grouping = THIRDS,
    watch_s: int | None = None,
    for_print: bool | None = None,
) -> None:
    """Write the statistics, the figures and the page, then print and write the tables; watching, again and again.

    Parameters
    ----------
    published : str or None
        What to compare with, as `raygrid.report.published.read_published` takes it.
    grouping : Grouping
        Which classes are head, medium and tail.
    watch_s : int or None
        Seconds after which to do it all again, until every cell has a final record.
    for_print : bool or None
        Whether figures are PDF and PNG as well, and LaTeX has a file that includes them; None: if cells are few.
    """
    while True:
        with activity_shown("reading the records"), _garbage_kept():
            results = results_of(study)
            is_finished = FINAL.issuperset(results.places["status"])
            again_s = None if is_finished else watch_s
            doing("computing the statistics, drawing the figures")
            tables = paper_tables(results, missing="mark" if missing == "refuse" else missing)
            path = _write_page(
                study,
                results,
                tables,
                published=published,
                refresh_s=again_s,
                grouping=grouping,
                for_print=for_print,
            )
        try:
            if missing == "refuse":
                refuse(results.frame)
            show_tables(study, tables, spread=spread)
        finally:  # the page is there, whatever the tables refuse
            show_path(_out, path)
        if again_s is None:
            return
        time.sleep(again_s)


@contextmanager
def _garbage_kept() -> Iterator[None]:
    """Do not search for garbage meanwhile: ten thousand records would be searched again and again."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def write_page(study: Study, *, published: str | None) -> Location:
    """Write the page and its files, and print nothing; return where the page is."""
    results = results_of(study)
    tables = paper_tables(results, missing="mark")
    return _write_page(study, results, tables, published=published, refresh_s=None)


def show_page(study: Study) -> None:
    """Open the page in a browser, and print where it is; write it first if it is not there.

    One that another version wrote, or that came with a store and could run anything, is written anew.
    """
    store, name = study.written_to, f"{study.report_folder}/index.html"
    page_of = store.root / name
    if not begins_as_ours((store.folder.read(name) or b"").decode(errors="replace")):
        _err.print("writing the report", soft_wrap=True)
        with activity_shown("computing the statistics, drawing the figures"):
            page_of = write_page(study, published=None)
    url = page_of.as_uri()
    _out.print(url, soft_wrap=True)
    if not webbrowser.open(url):
        _err.print("no browser was found; open this address in one", soft_wrap=True)


def show_pivot(
    study: Study, *, rows: Sequence[str], columns: Sequence[str], metrics: Sequence[str], missing: Missing, spread: bool
) -> None:
    """Print one table of any axes and metrics, and write it as report/pivot.csv, .md and .tex."""
    known = [heading(name) for name in study.metrics]
    for metric in metrics:
        if metric not in known:
            raise UsageError(f"--metric: {choices(metric, known)}")
    frame = results_of(study, metrics).frame
    show_table(study, "pivot", table(frame, rows=rows, columns=columns, missing=missing), spread=spread)
    show_path(_out, study.written_to.root / study.report_folder / "pivot.md")


def _write_page(
    study: Study,
    results: Results,
    tables: Sequence[Table],
    *,
    published: str | None,
    refresh_s: int | None,
    grouping: Grouping = THIRDS,
    for_print: bool | None = None,
) -> Location:
    """Write the page and its files; it never refuses as a paper's tables do, but says what is missing."""
    designs = designs_of(results)
    tested, figures = _tested_and_drawn(results, designs)
    classes, texts = class_content(results, results.predictions, grouping)
    sheets = statistics_sheets(tested)
    sheets += [chosen] if (chosen := choices_sheet(results)) else []
    target = study.written_to
    compared = comparison(results, published, missing="mark")[0] if published else []
    ranked = rankings(results.frame, designs)
    html = page(
        results,
        tables=tables,
        findings=findings(tested, ranked),
        rankings=ranked,
        designs=designs,
        content=[*classes, *figures, *sheets, *compared],
        files=kept_files(results.owners, target.root / study.report_folder),
        pictures=pictures_of(study, results),
        refresh_s=refresh_s,
    )
    path = target.write_text(f"{study.report_folder}/index.html", html)
    texts |= {"statistics.md": sheets_to_markdown(sheets), "statistics.csv": statistics_to_csv(tested)}
    drawn = [*figures, *(one for one in classes if isinstance(one, Figure))]
    if for_print is None:
        for_print = len(study.cells) <= _FEW
        if not for_print:
            what = f"figures: SVG only, because {len(study.cells)} cells are many; --print adds PDF, PNG and LaTeX"
            _err.print(what, soft_wrap=True, highlight=False)
    _write_files(study, texts, drawn, for_print=for_print)
    return path


def _tested_and_drawn(results: Results, designs: Mapping[str, Design]) -> tuple[Statistics, list[Figure]]:
    with ThreadPoolExecutor(1) as pool:  # the tests are mostly numpy's work, which can go on while figures are drawn
        testing = pool.submit(statistics, results.frame, designs)
        figures = figures_of(results)
        tested = testing.result()
    return tested, [*figures, *critical_difference_figures(tested)]


def _write_files(study: Study, texts: Mapping[str, str], figures: Sequence[Figure], *, for_print: bool) -> None:
    store, folder = study.written_to, study.report_folder
    for figure in figures:
        store.write_bytes(f"{folder}/figures/{figure.name}.svg", figure.svg)
    if for_print:
        texts = {**texts, "figures.tex": figures_to_latex(figures), "report.tex": DOCUMENT}
        for figure in figures:
            store.write_bytes(f"{folder}/figures/{figure.name}.pdf", figure.pdf())
            store.write_bytes(f"{folder}/figures/{figure.name}.png", figure.png())
    else:
        _delete_what_is_for_print(study, figures)
    for name, text in texts.items():
        store.write_text(f"{folder}/{name}", text)


def _delete_what_is_for_print(study: Study, figures: Sequence[Figure]) -> None:
    """Delete what an earlier report wrote for print, because it shows other records than this one."""
    folder, name = study.written_to.folder, study.report_folder
    ours = {f"{name}/figures/{figure.name}{suffix}" for figure in figures for suffix in (".pdf", ".png")}
    there = {file for suffix in (".pdf", ".png") for file in folder.stamps(f"{name}/figures", suffix)}
    for file in (*sorted(ours & there), f"{name}/figures.tex", f"{name}/report.tex"):
        folder.delete(file)
