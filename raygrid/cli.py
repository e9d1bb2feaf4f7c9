"""The command line: translates flags and errors, and nothing else."""

import sys
from collections.abc import Sequence
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from raygrid import options
from raygrid.errors import UsageError

if TYPE_CHECKING:
    from raygrid.commands.job import Job

# What a verb needs is imported in the verb, so that --help answers at once.
app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Run a declared grid of experiments on imbalanced image recognition; resume it at any moment; get the tables.",
    epilog="Exit codes: 0 all cells done, 1 some failed, 2 usage, 130 interrupted.",
)

_INTERRUPTED = 130  # what Typer makes of a KeyboardInterrupt


@app.command()
def plan(
    grid: options.GridFile,
    store: options.StoreFolder = None,
    only: options.Only = [],  # noqa: B006
    cache: options.CacheFolder = options.DEFAULT_CACHE,
    cpus: options.Cpus = options.DEFAULT_CPUS,
    gpus: options.Gpus = 0,
    memory_gb: options.MemoryGb = inf,
    gpus_per_trial: options.GpusPerTrial = None,
    price: options.Price = None,
    pilot: Annotated[bool, typer.Option("--pilot", help="First run a cell of each kind that has no record.")] = False,
    engine: Annotated[options.EngineName, typer.Option(help="Of the pilot.")] = options.EngineName.RAY,
    address: options.Address = None,
    json: Annotated[bool, typer.Option("--json", help="For machines.")] = False,
) -> None:
    """Show how many cells are done, infeasible or left to do on every axis, and what those left will cost.

    Hours are predicted from recorded durations; they are those of the machines that recorded them.
    """
    from raygrid.commands import planning, workflow
    from raygrid.costs.bill import resources_of
    from raygrid.costs.schedule import Machines
    from raygrid.engine import Terms

    job, machines = _open(grid, [store], cache, only), Machines(cpus, gpus, price, memory_gb)
    resources = resources_of(job.grid, gpus_per_trial)
    if pilot:
        workflow.pilot(job, engine, Terms(resources, address=address))
    planning.show_plan(job, resources=resources, machines=machines, as_json=json)


@app.command()
def prepare(
    grid: options.GridFile,
    store: options.StoreFolder = None,
    only: options.Only = [],  # noqa: B006
    cache: options.CacheFolder = options.DEFAULT_CACHE,
) -> None:
    """Fetch data and weights, decode images and compute features ahead of time."""
    from raygrid.commands import workflow

    workflow.prepare(_open(grid, [store], cache, only))


@app.command()
def run(
    grid: options.GridFile,
    store: options.StoreFolder = None,
    only: options.Only = [],  # noqa: B006
    cache: options.CacheFolder = options.DEFAULT_CACHE,
    engine: Annotated[
        options.EngineName, typer.Option(help="Ray Tune, or one process for debugging.")
    ] = options.EngineName.RAY,
    address: options.Address = None,
    resources: options.ResourceFlags = [],  # noqa: B006
    max_hours: Annotated[float | None, typer.Option(help="Stop after so long.")] = None,
    max_cost: Annotated[float | None, typer.Option(help="Stop when so much is spent; see --price.")] = None,
    price: options.Price = None,
    mlflow: Annotated[str | None, typer.Option(metavar="URI", help="Report trials to this MLflow server.")] = None,
    tensorboard: Annotated[Path | None, typer.Option(metavar="DIR", help="Write TensorBoard's event files.")] = None,
    verbose: Annotated[bool, typer.Option("--verbose", help="Show what Ray says as well.")] = False,
) -> None:
    """Run every cell that has no final record yet, then print the tables."""
    from raygrid.commands import workflow
    from raygrid.costs.budget import Budget
    from raygrid.engine import Terms
    from raygrid.gridfile.resources import changed

    job = _open(grid, [store], cache, only)
    shares = changed(job.grid.resources, resources, classifiers=job.grid.classifiers())
    budget = Budget(max_hours, max_cost, price)
    terms = Terms(shares, budget, job.grid.name, address, mlflow, tensorboard, verbose)
    raise typer.Exit(workflow.run(job, engine, terms))


@app.command()
def status(
    grid: options.GridFile,
    store: options.StoreFolder = None,
    only: options.Only = [],  # noqa: B006
    cache: options.CacheFolder = options.DEFAULT_CACHE,
    json: Annotated[bool, typer.Option("--json", help="For machines.")] = False,
    follow: Annotated[bool, typer.Option("--follow", help="Until the run ends, or none begins for a minute.")] = False,
    every: Annotated[float, typer.Option(min=0.1, metavar="SECONDS", help="How often, with --follow.")] = 2.0,
) -> None:
    """Show how far the grid is, and what failed and why."""
    from raygrid.commands import following, workflow

    if json and follow:
        raise UsageError("--json: got --follow as well; expected one of them")
    job = _open(grid, [store], cache, only)
    if follow:
        raise typer.Exit(following.follow(job, every_s=every))
    workflow.show_status(job, as_json=json)


@app.command()
def logs(
    grid: options.GridFile,
    cell: Annotated[str, typer.Argument(metavar="[CELL]", help="A cell's key, or how it begins.")] = "",
    store: options.StoreFolder = None,
    only: options.Only = [],  # noqa: B006
    cache: options.CacheFolder = options.DEFAULT_CACHE,
) -> None:
    """Show everything known of one cell: its record, what failed and where, and what its trial wrote."""
    from raygrid.commands.logs import show_log

    show_log(_open(grid, [store], cache, only), cell)


@app.command()
def doctor(
    grid: Annotated[Path | None, typer.Argument(metavar="[GRID]", help="The grid file; none: this machine.")] = None,
    store: options.StoreFolder = None,
    only: options.Only = [],  # noqa: B006
    cache: options.CacheFolder = options.DEFAULT_CACHE,
    address: Annotated[str | None, typer.Option(help="Of the Ray cluster that the grid is to run on.")] = None,
) -> None:
    """Say what would keep the grid from running here, and what to do about it; exit 1 if anything would."""
    from raygrid.commands.doctor import examine

    raise typer.Exit(examine(_open(grid, [store], cache, only) if grid else None, address=address))


@app.command()
def report(
    grid: options.GridFile,
    store: options.StoreFolders = [],  # noqa: B006
    only: options.Only = [],  # noqa: B006
    cache: options.CacheFolder = options.DEFAULT_CACHE,
    missing: options.Missing = options.MissingPolicy.REFUSE,
    spread: Annotated[bool, typer.Option("--spread", help="Show the standard deviation over folds.")] = False,
    published: Annotated[str | None, typer.Option(help="Compare on the page with these results; see compare.")] = None,
    rows: Annotated[str, typer.Option(metavar="AXIS[,AXIS]", help="Instead of all: one table, by these axes.")] = "",
    columns: Annotated[str, typer.Option(metavar="AXIS[,AXIS]")] = "representation,classifier,resampler",
    metric: Annotated[str, typer.Option(metavar="METRIC[,METRIC]", help="With --rows: only these.")] = "",
    watch: Annotated[int | None, typer.Option(min=1, metavar="SECONDS", help="Again and again, while it runs.")] = None,
) -> None:
    """Write the tables, the statistics, the figures and one HTML page; print Table 1 and Table 2.

    Tables are CSV, Markdown and LaTeX, figures SVG and PNG; all lie in the (first) store's report/.
    """
    from raygrid.commands import reporting

    if metric and not rows:
        raise UsageError("--metric: got no --rows; expected both, for one table; leave it out for the whole report")
    if watch and missing is options.MissingPolicy.REFUSE:
        missing = options.MissingPolicy.MARK  # what is watched is unfinished
    job = _open(grid, store, cache, only)
    if rows:
        axes, heads, metrics = _split(rows), _split(columns), _split(metric)
        reporting.show_pivot(job, rows=axes, columns=heads, metrics=metrics, missing=missing.value, spread=spread)
    else:
        reporting.report(job, missing=missing.value, spread=spread, published=published, watch_s=watch)


@app.command()
def compare(
    grid: options.GridFile,
    store: options.StoreFolders = [],  # noqa: B006
    only: options.Only = [],  # noqa: B006
    cache: options.CacheFolder = options.DEFAULT_CACHE,
    missing: options.Missing = options.MissingPolicy.REFUSE,
    published: options.Published = "paper",
) -> None:
    """Show the differences from published tables, and which of the paper's claims hold."""
    from raygrid.commands import reporting

    reporting.show_comparison(_open(grid, store, cache, only), published, missing=missing.value)


@app.command()
def merge(
    target: Annotated[str, typer.Argument(help="The store to copy into; made if it is not there.")],
    sources: Annotated[list[str], typer.Argument(help="The stores to copy from.")],
) -> None:
    """Join the records of several stores; two different records of one cell are refused."""
    from raygrid.commands import reporting

    reporting.merge_stores(target, sources)


@app.command()
def test(reference: options.Reference, parameters: options.Parameters = []) -> None:  # noqa: B006
    """Check that a class of your own does what a level must, a line a check; exit 1 if it does not."""
    from raygrid.commands.test import put_to_test

    raise typer.Exit(put_to_test(reference, parameters))


@app.command()
def schema() -> None:
    """Print the JSON Schema of a grid file, for editors."""
    from raygrid.commands import workflow

    workflow.show_schema()


def _open(grid: Path, stores: Sequence[str | None], cache: str, only: list[str]) -> "Job":
    from raygrid.commands.job import open_job

    return open_job(grid, stores=[store for store in stores if store], cache=cache, only=only)


def _split(text: str) -> list[str]:
    return [part for part in text.split(",") if part]


def main() -> None:
    """Run the command line; a user's mistake is printed without a traceback and exits with 2."""
    try:
        app(standalone_mode=True)
    except UsageError as error:
        print(error, file=sys.stderr)
        sys.exit(2)
    except SystemExit as end:
        if end.code == _INTERRUPTED and "--follow" not in sys.argv:  # who follows a run has not interrupted it
            print("interrupted; finished cells are kept: run the same command again to go on", file=sys.stderr)
        raise
