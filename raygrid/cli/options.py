"""Options that several commands share, and the values that the commands get from them."""

import inspect
import os
from collections.abc import Callable, Sequence
from functools import wraps
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, NamedTuple, get_args

import typer

from raygrid.axes import METHOD_AXES
from raygrid.errors import UsageError, choices
from raygrid.report.missing import Missing

if TYPE_CHECKING:
    from raygrid.commands.job import Job
    from raygrid.commands.study import Study
    from raygrid.costs.schedule import Machines
    from raygrid.engine import Terms
    from raygrid.report.groups import Grouping

# What makes the values is imported where it is needed, so that --help answers at once.


def _known_engine(name: str) -> str:
    from raygrid.engine import ENGINES

    return _one_of(ENGINES, name)


def _known_policy(name: str) -> str:
    return _one_of(get_args(Missing), name)


def _one_of(names: Sequence[str], name: str) -> str:
    if name not in names:
        raise typer.BadParameter(choices(name, names))
    return name


def _engine(text: str) -> Any:
    return typer.Option("--engine", metavar="<ray|inline>", callback=_known_engine, help=text)


GridFile = Annotated[Path, typer.Argument(metavar="GRID", help="The grid file (YAML).")]
GridOrStore = Annotated[
    str, typer.Argument(metavar="GRID|STORE", help="The grid file (YAML), or a store, which needs no data to be read.")
]
AnyGridFile = Annotated[Path | None, typer.Argument(metavar="[GRID]", help="The grid file; none: this machine.")]
StoreFolder = Annotated[
    str | None, typer.Option("--store", metavar="DIR|URL|ZIP", help="Where records live.", show_default="runs/NAME")
]
StoreFolders = Annotated[
    list[str],
    typer.Option(
        "--store", metavar="DIR|URL|ZIP", help="Where records live; may be repeated.", show_default="runs/NAME"
    ),
]
CacheFolder = Annotated[
    str,
    typer.Option(
        "--cache",
        envvar="RAYGRID_CACHE",
        metavar="DIR|URL",
        help="Where decoded images and features are kept for every grid.",
    ),
]
Only = Annotated[
    list[str], typer.Option("--only", metavar="AXIS=LEVEL[,LEVEL]", help="Only these cells; may be repeated.")
]
EngineName = Annotated[str, _engine("Ray Tune, or one process for debugging.")]
PilotEngine = Annotated[str, _engine("Of the pilot.")]
Address = Annotated[str | None, typer.Option(help="Join this Ray cluster ('auto': the one of this machine).")]
GpusPerTrial = Annotated[float | None, typer.Option(help="For networks.", show_default="the grid file's resources")]
Cpus = Annotated[int, typer.Option(help="Machines to tell the time for: their CPUs.", show_default="this machine's")]
Gpus = Annotated[int, typer.Option(help="Their GPUs.")]
MemoryGb = Annotated[float, typer.Option(help="What trials may use of their memory.", show_default="what they ask for")]
Price = Annotated[float | None, typer.Option(help="Of a GPU for an hour; of a CPU where there is no GPU.")]
MaxHours = Annotated[float | None, typer.Option(help="Stop after so long.")]
MaxCost = Annotated[float | None, typer.Option(help="Stop when so much is spent; see --price.")]
ResourceFlags = Annotated[
    list[str],
    typer.Option("--resources", metavar="CLASSIFIER:NAME=NUMBER,...", help="Instead of the file's; may be repeated."),
]
MlFlow = Annotated[str | None, typer.Option(metavar="URI", help="Report trials to this MLflow server.")]
TensorBoard = Annotated[Path | None, typer.Option(metavar="DIR", help="Write TensorBoard's event files.")]
Verbose = Annotated[bool, typer.Option("--verbose", help="Show what Ray says as well.")]
Rows = Annotated[str, typer.Option(metavar="AXIS[,AXIS]", help="Instead of all: one table, by these axes.")]
Columns = Annotated[str, typer.Option(metavar="AXIS[,AXIS]")]
Metrics = Annotated[str, typer.Option(metavar="METRIC[,METRIC]", help="With --rows: only these.")]
Groups = Annotated[
    str, typer.Option(metavar="thirds|N,N", help="Head, medium, tail: thirds of the classes, or above and below N.")
]
ForPrint = Annotated[
    bool | None,
    typer.Option("--print/--no-print", help="Figures as PDF and PNG too.", show_default="up to 5,000 cells"),
]
Despite = Annotated[
    str, typer.Option(metavar="FACT[,FACT]|all", help="Compare although the protocols differ in these facts.")
]
Reference = Annotated[str, typer.Argument(metavar="MODULE:CLASS", help="A class of your own, e.g. my_module:MyClass.")]
Parameters = Annotated[list[str], typer.Argument(metavar="[NAME=VALUE]...", help="Its parameters, as in a grid file.")]
Published = Annotated[
    str, typer.Option(help="'paper', or a CSV: metric, dataset or imbalance_ratio, representation, ..., value.")
]
_POLICIES = "|".join(get_args(Missing))
Policy = Annotated[
    str,
    typer.Option(metavar=f"<{_POLICIES}>", callback=_known_policy, help="Where cells have no result."),
]
DEFAULT_CACHE = "~/.cache/raygrid"
DEFAULT_CPUS = os.cpu_count() or 1
METHODS = ",".join(METHOD_AXES)


def job(grid: GridFile, store: StoreFolder = None, only: Only = [], cache: CacheFolder = DEFAULT_CACHE) -> "Job":  # noqa: B006
    """Open a grid file against the store that holds its records."""
    from raygrid.commands.job import open_job

    return open_job(grid, stores=[store] if store else [], cache=cache, only=only)


def study(
    grid: GridOrStore,
    store: StoreFolder = None,
    only: Only = [],  # noqa: B006
    cache: CacheFolder = DEFAULT_CACHE,
) -> "Study":
    """Open a grid file against the store that holds its records, or a store alone."""
    return study_of_stores(grid, [store] if store else [], only, cache)


def study_of_stores(
    grid: GridOrStore,
    store: StoreFolders = [],  # noqa: B006
    only: Only = [],  # noqa: B006
    cache: CacheFolder = DEFAULT_CACHE,
) -> "Study":
    """Open a grid file against one or more stores, or stores alone."""
    from raygrid.commands.job import is_store, open_job, open_study

    if is_store(grid):
        return open_study([grid, *store], cache=cache, only=only)
    return open_job(Path(grid), stores=store, cache=cache, only=only)


def job_if_any(
    grid: AnyGridFile = None,
    store: StoreFolder = None,
    only: Only = [],  # noqa: B006
    cache: CacheFolder = DEFAULT_CACHE,
) -> "Job | None":
    """Open a grid file, if one is named."""
    return job(grid, store, only, cache) if grid else None


def machines(cpus: Cpus = DEFAULT_CPUS, gpus: Gpus = 0, memory_gb: MemoryGb = inf, price: Price = None) -> "Machines":
    """Return the machines whose time and cost are predicted."""
    from raygrid.costs.schedule import Machines

    return Machines(cpus, gpus, price, memory_gb)


def terms(
    address: Address = None,
    max_hours: MaxHours = None,
    max_cost: MaxCost = None,
    price: Price = None,
    mlflow: MlFlow = None,
    tensorboard: TensorBoard = None,
    verbose: Verbose = False,
) -> "Terms":
    """Return the settings of a run, but for its name and resources."""
    from raygrid.costs.budget import Budget
    from raygrid.engine import Terms

    spending = Budget(max_hours, max_cost, price)
    return Terms(budget=spending, address=address, mlflow=mlflow, tensorboard=tensorboard, verbose=verbose)


class Pivot(NamedTuple):
    """The axes and metrics of one table."""

    rows: Sequence[str]
    columns: Sequence[str]
    metrics: Sequence[str]


def pivot(rows: Rows = "", columns: Columns = METHODS, metric: Metrics = "") -> Pivot | None:
    """Return which table is asked for, if one is."""
    if metric and not rows:
        raise UsageError("--metric: got no --rows; expected both, for one table; leave it out for the whole report")
    return Pivot(split(rows), split(columns), split(metric)) if rows else None


def grouping(groups: Groups = "thirds") -> "Grouping":
    """Return which classes are head, medium and tail."""
    from raygrid.report.groups import grouping_named

    return grouping_named(groups)


def split(text: str) -> list[str]:
    """Return the parts of a list with commas."""
    return [part for part in text.split(",") if part]


def gathered(**makers: Callable[..., object]) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a verb one value in place of several options.

    Parameters
    ----------
    makers : callables
        What makes the value, by the name of the verb's parameter; its own parameters become options of the verb.
    """
    options = {name: inspect.signature(make).parameters for name, make in makers.items()}

    def gather(verb: Callable[..., None]) -> Callable[..., None]:
        @wraps(verb)
        def call(**given: Any) -> None:
            made = {name: make(**{one: given.pop(one) for one in options[name]}) for name, make in makers.items()}
            verb(**made, **given)

        signature = inspect.signature(verb)
        parameters = [
            parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY)
            for name, plain in signature.parameters.items()
            for parameter in (options[name].values() if name in options else [plain])
        ]
        call.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
        call.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
        return call

    return gather
