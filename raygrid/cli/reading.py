"""The verbs that read a store."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from raygrid.cli import options, values
from raygrid.cli.values import gathered
from raygrid.errors import UsageError

if TYPE_CHECKING:
    from raygrid.commands.study import Study
    from raygrid.report.groups import Grouping
    from raygrid.report.missing import Missing

# What a verb needs is imported in the verb, so that --help answers at once.


@gathered(study=values.study_if_any)
def status(
    study: "Study | None", json: options.Json = False, follow: options.Follow = False, every: options.Every = 2.0
) -> None:
    """Show how many cells are done, and which failed and why; without a grid, the stores below this folder."""
    from raygrid.commands.follow import follow_run
    from raygrid.commands.status import show_status
    from raygrid.commands.stores import show_stores

    if json and follow:
        raise UsageError("--json: got --follow as well; expected one of them")
    if not study:
        if follow:
            raise UsageError("--follow: got no grid; expected one: raygrid status GRID --follow")
        return show_stores(as_json=json)
    if follow:
        raise typer.Exit(follow_run(study, every_s=every))
    show_status(study, as_json=json)


@gathered(study=values.study)
def logs(
    study: "Study",
    cell: Annotated[str, typer.Argument(metavar="CELL", help="A cell's key, or its first characters.")] = "",
) -> None:
    """Show everything known of one cell: its record, what failed and where, and what its trial wrote.

    A cell is named by its key, which status shows, or by --only.
    """
    from raygrid.commands.logs import show_log

    show_log(study, cell)


@gathered(study=values.study_of_stores, pivot=values.pivot, grouping=values.grouping)
def report(
    study: "Study",
    pivot: "values.Pivot | None",
    grouping: "Grouping",
    *,
    missing: options.Policy = "refuse",
    spread: options.Spread = False,
    published: options.PagePublished = None,
    watch: options.Watch = None,
    for_print: options.ForPrint = None,
) -> None:
    """Write the tables, the statistics, the figures and one HTML page; print Table 1 and Table 2.

    Tables are CSV, Markdown and LaTeX, figures SVG, PDF and PNG; all lie in the (first) store's report/.
    """
    from raygrid.commands.report import show_pivot, write_report

    is_unfinished = watch and missing == "refuse"
    policy = cast("Missing", "mark" if is_unfinished else missing)
    if pivot:
        show_pivot(study, **pivot._asdict(), missing=policy, spread=spread)
    else:
        write_report(
            study,
            missing=policy,
            spread=spread,
            published=published,
            grouping=grouping,
            watch_s=watch,
            for_print=for_print,
        )


@gathered(study=values.study_below)
def open_page(study: "Study") -> None:
    """Open the report's page in a browser; write it first if it is not there."""
    from raygrid.commands.report import show_page

    show_page(study)


@gathered(study=values.study_of_stores)
def compare(
    study: "Study",
    missing: options.Policy = "refuse",
    published: options.Published = "paper",
    despite: options.Despite = "",
    shows_all: options.EveryNumber = False,
) -> None:
    """Show the differences from published tables of the same protocol, and which of the paper's claims hold."""
    from raygrid.commands.compare import show_comparison

    despite_of = values.split(despite)
    show_comparison(study, published, missing=cast("Missing", missing), despite=despite_of, shows_all=shows_all)


def merge(
    target: Annotated[str, typer.Argument(metavar="TARGET", help="The store to copy into; made if it is not there.")],
    sources: Annotated[list[str], typer.Argument(metavar="SOURCE", help="The stores to copy from.")],
) -> None:
    """Join the records of several stores; two different records of one cell are refused."""
    from raygrid.commands.merge import merge_stores

    merge_stores(target, sources)


def pack(
    store: Annotated[str, typer.Argument(metavar="STORE", help="The store: a folder, a URL or a packed one.")],
    target: Annotated[Path, typer.Argument(metavar="FILE.zip", help="The file to write.")],
    predictions: options.Predictions = False,
) -> None:
    """Write a store into one file, which report, status, logs, compare and merge read without the data."""
    from raygrid.commands.pack import pack_store

    pack_store(store, target, with_predictions=predictions)
