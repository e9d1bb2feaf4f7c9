"""The command line: translates flags and errors, and nothing else."""

import sys
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from raygrid.errors import UsageError

if TYPE_CHECKING:
    from raygrid.job import Job

# What a verb needs is imported in the verb, so that --help answers at once.
app = typer.Typer(
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    help="Run a declared grid of experiments on imbalanced image recognition; resume it at any moment; get the tables.",
    epilog="Exit codes: 0 all cells done, 1 some failed, 2 usage, 130 interrupted.",
)

GridFile = Annotated[Path, typer.Argument(metavar="GRID", help="The grid file (YAML).")]
StoreFolder = Annotated[Path | None, typer.Option("--store", help="Where records live.", show_default="runs/NAME")]
StoreFolders = Annotated[
    list[Path], typer.Option("--store", help="Where records live; may be repeated.", show_default="runs/NAME")
]
CacheFolder = Annotated[
    Path,
    typer.Option("--cache", envvar="RAYGRID_CACHE", help="Where decoded images and features are kept for every grid."),
]
Only = Annotated[
    list[str], typer.Option("--only", metavar="AXIS=LEVEL[,LEVEL]", help="Only these cells; may be repeated.")
]
DEFAULT_CACHE = Path("~/.cache/raygrid")
_INTERRUPTED = 130  # what Typer makes of a KeyboardInterrupt


class EngineName(StrEnum):
    """Where trials run."""

    RAY = "ray"
    INLINE = "inline"


class MissingPolicy(StrEnum):
    """What a table does about cells without a result."""

    REFUSE = "refuse"
    MARK = "mark"
    DROP = "drop"


Missing = Annotated[MissingPolicy, typer.Option(help="Where cells have no result.")]


@app.command()
def plan(grid: GridFile, store: StoreFolder = None, only: Only = [], cache: CacheFolder = DEFAULT_CACHE) -> None:  # noqa: B006
    """Show how many cells the grid has on every axis, and how many are done, infeasible or left to do."""
    from raygrid import workflow

    workflow.show_plan(_open(grid, [store], cache, only))


@app.command()
def prepare(grid: GridFile, store: StoreFolder = None, only: Only = [], cache: CacheFolder = DEFAULT_CACHE) -> None:  # noqa: B006
    """Fetch data and weights, decode images and compute features ahead of time."""
    from raygrid import workflow

    workflow.prepare(_open(grid, [store], cache, only))


@app.command()
def run(
    grid: GridFile,
    store: StoreFolder = None,
    only: Only = [],  # noqa: B006
    cache: CacheFolder = DEFAULT_CACHE,
    engine: Annotated[EngineName, typer.Option(help="Ray Tune, or one process for debugging.")] = EngineName.RAY,
) -> None:
    """Run every cell that has no final record yet, then print the tables."""
    from raygrid import workflow

    raise typer.Exit(workflow.run(_open(grid, [store], cache, only), engine))


@app.command()
def status(
    grid: GridFile,
    store: StoreFolder = None,
    only: Only = [],  # noqa: B006
    cache: CacheFolder = DEFAULT_CACHE,
    json: Annotated[bool, typer.Option("--json", help="For machines.")] = False,
) -> None:
    """Show how far the grid is, and what failed and why."""
    from raygrid import workflow

    workflow.show_status(_open(grid, [store], cache, only), as_json=json)


@app.command()
def report(
    grid: GridFile,
    store: StoreFolders = [],  # noqa: B006
    only: Only = [],  # noqa: B006
    cache: CacheFolder = DEFAULT_CACHE,
    missing: Missing = MissingPolicy.REFUSE,
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
    from raygrid import reporting

    if metric and not rows:
        raise UsageError("--metric: got no --rows; expected both, for one table; leave it out for the whole report")
    if watch and missing is MissingPolicy.REFUSE:
        missing = MissingPolicy.MARK  # what is watched is unfinished
    job = _open(grid, store, cache, only)
    if rows:
        axes, heads, metrics = _split(rows), _split(columns), _split(metric)
        reporting.show_pivot(job, rows=axes, columns=heads, metrics=metrics, missing=missing.value, spread=spread)
    else:
        reporting.report(job, missing=missing.value, spread=spread, published=published, watch_s=watch)


@app.command()
def compare(
    grid: GridFile,
    store: StoreFolders = [],  # noqa: B006
    only: Only = [],  # noqa: B006
    cache: CacheFolder = DEFAULT_CACHE,
    missing: Missing = MissingPolicy.REFUSE,
    published: Annotated[
        str, typer.Option(help="'paper', or a CSV: metric, dataset or imbalance_ratio, representation, ..., value.")
    ] = "paper",
) -> None:
    """Show the differences from published tables, and which of the paper's claims hold."""
    from raygrid import reporting

    reporting.show_comparison(_open(grid, store, cache, only), published, missing=missing.value)


@app.command()
def merge(
    target: Annotated[Path, typer.Argument(help="The store to copy into; made if it is not there.")],
    sources: Annotated[list[Path], typer.Argument(help="The stores to copy from.")],
) -> None:
    """Join the records of several stores; two different records of one cell are refused."""
    from raygrid import reporting

    reporting.merge_stores(target, sources)


@app.command()
def schema() -> None:
    """Print the JSON Schema of a grid file, for editors."""
    from raygrid import workflow

    workflow.show_schema()


def _open(grid: Path, stores: Sequence[Path | None], cache: Path, only: list[str]) -> "Job":
    from raygrid.job import open_job

    return open_job(grid, stores=[store for store in stores if store], cache=cache.expanduser(), only=only)


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
        if end.code == _INTERRUPTED:
            print("interrupted; finished cells are kept: run the same command again to go on", file=sys.stderr)
        raise
