"""The command line: translates flags and errors, and nothing else."""

import sys
from dataclasses import replace
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from raygrid import options
from raygrid.errors import UsageError
from raygrid.options import gathered

if TYPE_CHECKING:
    from raygrid.commands.job import Job
    from raygrid.commands.study import Study
    from raygrid.costs.schedule import Machines
    from raygrid.engine import Terms
    from raygrid.report.groups import Grouping
    from raygrid.report.missing import Missing

# What a verb needs is imported in the verb, so that --help answers at once.
app = typer.Typer(
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
    help="Run a declared grid of experiments on imbalanced image recognition; resume it at any moment; get the tables.",
    epilog="Exit codes: 0 all cells done, 1 some failed, 2 usage, 130 interrupted.",
)


def _show_version(is_asked: bool) -> None:
    if is_asked:
        print(f"raygrid {version('raygrid')}")
        raise typer.Exit


@app.callback()
def raygrid(
    shows_version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Show the version and exit.")
    ] = False,
) -> None:
    """Take the options that stand before a verb."""


@app.command()
def init(
    images: Annotated[Path, typer.Argument(metavar="IMAGES", help="A folder of class folders, a zip or tar, or .npz.")],
    grid: Annotated[Path | None, typer.Argument(metavar="[GRID]", help="The file to write.")] = None,
    cache: options.CacheFolder = options.DEFAULT_CACHE,
) -> None:
    """Count the images of each class, and write a grid file that fits them, with comments."""
    from raygrid.commands.init import write_grid_file

    write_grid_file(images, grid, cache)


@app.command()
@gathered(job=options.job, machines=options.machines)
def plan(
    job: "Job",
    machines: "Machines",
    *,
    gpus_per_trial: options.GpusPerTrial = None,
    pilot: Annotated[bool, typer.Option("--pilot", help="First run a cell of each kind that has no record.")] = False,
    engine: options.PilotEngine = "ray",
    address: options.Address = None,
    json: Annotated[bool, typer.Option("--json", help="For machines.")] = False,
) -> None:
    """Show how many cells are done, infeasible or left to do on every axis, and what those left will cost.

    Hours are predicted from recorded durations; they are those of the machines that recorded them.
    """
    from raygrid.commands.pilot import run_pilot
    from raygrid.commands.plan import show_plan
    from raygrid.costs.bill import resources_of
    from raygrid.engine import Terms

    resources = resources_of(job.grid, gpus_per_trial)
    if pilot:
        run_pilot(job, engine, Terms(resources, address=address))
    show_plan(job, resources=resources, machines=machines, as_json=json)


@app.command()
@gathered(job=options.job)
def prepare(job: "Job") -> None:
    """Fetch data and weights, decode images and compute features ahead of time."""
    from raygrid.commands.prepare import prepare_inputs

    prepare_inputs(job)


@app.command()
@gathered(job=options.job, terms=options.terms)
def run(
    job: "Job",
    *,
    engine: options.EngineName = "ray",
    resources: options.ResourceFlags = [],  # noqa: B006
    terms: "Terms",
) -> None:
    """Run every cell that has no final record yet, then print the tables."""
    from raygrid.commands.run import run_grid
    from raygrid.gridfile.resources import changed

    asked = changed(job.grid.resources, resources, classifiers=job.grid.classifiers())
    raise typer.Exit(run_grid(job, engine, replace(terms, name=job.name, resources=asked)))


@app.command()
@gathered(study=options.study)
def status(
    study: "Study",
    json: Annotated[bool, typer.Option("--json", help="For machines.")] = False,
    follow: Annotated[bool, typer.Option("--follow", help="Until the run ends, or none begins for a minute.")] = False,
    every: Annotated[float, typer.Option(min=0.1, metavar="SECONDS", help="How often, with --follow.")] = 2.0,
) -> None:
    """Show how far the grid is, and what failed and why."""
    from raygrid.commands.follow import follow_run
    from raygrid.commands.status import show_status

    if json and follow:
        raise UsageError("--json: got --follow as well; expected one of them")
    if follow:
        raise typer.Exit(follow_run(study, every_s=every))
    show_status(study, as_json=json)


@app.command()
@gathered(study=options.study)
def logs(
    study: "Study", cell: Annotated[str, typer.Argument(metavar="[CELL]", help="A cell's key, or how it begins.")] = ""
) -> None:
    """Show everything known of one cell: its record, what failed and where, and what its trial wrote."""
    from raygrid.commands.logs import show_log

    show_log(study, cell)


@app.command()
@gathered(job=options.job_if_any)
def doctor(
    job: "Job | None",
    address: Annotated[str | None, typer.Option(help="Of the Ray cluster that the grid is to run on.")] = None,
) -> None:
    """Say what would keep the grid from running here, and what to do about it; exit 1 if anything would."""
    from raygrid.commands.doctor import examine

    raise typer.Exit(examine(job, address=address))


@app.command()
@gathered(study=options.study_of_stores, pivot=options.pivot, grouping=options.grouping)
def report(
    study: "Study",
    pivot: "options.Pivot | None",
    grouping: "Grouping",
    *,
    missing: options.Policy = "refuse",
    spread: Annotated[bool, typer.Option("--spread", help="Show the standard deviation over folds.")] = False,
    published: Annotated[str | None, typer.Option(help="Compare on the page with these results; see compare.")] = None,
    watch: Annotated[int | None, typer.Option(min=1, metavar="SECONDS", help="Again and again, while it runs.")] = None,
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
        write_report(study, missing=policy, spread=spread, published=published, grouping=grouping, watch_s=watch)


@app.command("open")
@gathered(study=options.study)
def open_page(study: "Study") -> None:
    """Open the report's page in a browser; write it first if it is not there."""
    from raygrid.commands.report import show_page

    show_page(study)


@app.command()
@gathered(study=options.study_of_stores)
def compare(
    study: "Study",
    missing: options.Policy = "refuse",
    published: options.Published = "paper",
    despite: options.Despite = "",
    shows_all: Annotated[bool, typer.Option("--all", help="Print every number, not a summary only.")] = False,
) -> None:
    """Show the differences from published tables of the same protocol, and which of the paper's claims hold."""
    from raygrid.commands.compare import show_comparison

    despite_of = options.split(despite)
    show_comparison(study, published, missing=cast("Missing", missing), despite=despite_of, shows_all=shows_all)


@app.command()
def merge(
    target: Annotated[str, typer.Argument(help="The store to copy into; made if it is not there.")],
    sources: Annotated[list[str], typer.Argument(help="The stores to copy from.")],
) -> None:
    """Join the records of several stores; two different records of one cell are refused."""
    from raygrid.commands.merge import merge_stores

    merge_stores(target, sources)


@app.command()
def pack(
    store: Annotated[str, typer.Argument(metavar="STORE", help="The store: a folder, a URL or a packed one.")],
    target: Annotated[Path, typer.Argument(metavar="FILE.zip", help="The file to write.")],
    predictions: Annotated[bool, typer.Option("--predictions", help="Also those of every test sample.")] = False,
) -> None:
    """Write a store into one file, which report, status, logs, compare and merge read without the data."""
    from raygrid.commands.pack import pack_store

    pack_store(store, target, with_predictions=predictions)


@app.command()
def test(reference: options.Reference, parameters: options.Parameters = []) -> None:  # noqa: B006
    """Check that a class of your own does what a level must, a line a check; exit 1 if it does not."""
    from raygrid.commands.test import put_to_test

    raise typer.Exit(put_to_test(reference, parameters))


@app.command()
def schema() -> None:
    """Print the JSON Schema of a grid file, for editors."""
    from raygrid.commands.schema import show_schema

    show_schema()


def main() -> None:
    """Run the command line; a user's mistake is printed without a traceback and exits with 2."""
    try:
        app()
    except UsageError as error:
        print(error, file=sys.stderr)
        sys.exit(2)
