"""The tables that `run` and `report` print, and what they are read from."""

from collections.abc import Sequence

from raygrid.axes import ROW_AXES
from raygrid.commands.printing import Terminal, show
from raygrid.commands.study import Study
from raygrid.metrics.further import heading
from raygrid.report.further import with_further
from raygrid.report.latex import to_latex
from raygrid.report.missing import Missing
from raygrid.report.render import to_csv, to_markdown
from raygrid.report.results import Results
from raygrid.report.tables import Table, table
from raygrid.report.terminal import to_terminal
from raygrid.storage.merging import join

_out = Terminal()


def results_of(study: Study, metrics: Sequence[str] = ()) -> Results:
    """Return what tables, statistics and figures are read from.

    Parameters
    ----------
    metrics : sequence of str
        Those of the grid file that are asked for, by their headings; none: all.

    Raises
    ------
    UsageError
        A metric of the grid file fails.
    """
    joined = join(study.stores)
    records = {key: record for key, (record, _) in joined.items()}
    asked = [name for name in study.metrics if heading(name) in metrics or not metrics]
    return Results(
        name=study.name,
        cells=study.cells,
        records=with_further(study.cells, records, asked, lambda key: joined[key][1].predictions(key)),
        metrics=[heading(name) for name in asked],
        grid_text=study.text,
        environment=study.store.environment(),
        owners={key: store for key, (_, store) in joined.items()},
    )


def paper_tables(results: Results, *, missing: Missing) -> list[Table]:
    """Return Table 1 and Table 2 of the paper; of one data set at one level they are the same, and there is one."""
    is_one = len(results.places.drop_duplicates(list(ROW_AXES))) == 1
    return [table(results.frame, rows=axis, missing=missing) for axis in (ROW_AXES[:1] if is_one else ROW_AXES)]


def show_tables(study: Study, tables: Sequence[Table], *, spread: bool = False) -> None:
    """Print the paper's tables, and write them as CSV, Markdown and LaTeX."""
    for number, made in enumerate(tables, start=1):
        show_table(study, f"table{number}", made, spread=spread)


def show_table(study: Study, name: str, made: Table, *, spread: bool) -> None:
    """Print a table, and write it as ``<name>.csv``, ``.md`` and ``.tex`` where the study's reports are."""
    show(_out, to_terminal(made, spread, width=_out.width))
    _out.print()
    forms = {"csv": to_csv(made), "md": to_markdown(made, spread), "tex": to_latex(made, spread)}
    for suffix, text in forms.items():
        study.written_to.write_text(f"{study.report_folder}/{name}.{suffix}", text)
