"""The values that verbs get in place of several options: a job, a study, machines, the settings of a run."""

import inspect
from collections.abc import Callable, Sequence
from functools import wraps
from math import inf
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

from raygrid.cli import options
from raygrid.errors import UsageError

if TYPE_CHECKING:
    from raygrid.commands.job import Job
    from raygrid.commands.study import Study
    from raygrid.costs.schedule import Machines
    from raygrid.engine import Terms
    from raygrid.report.groups import Grouping

_S = TypeVar("_S", bound="Study")

# What makes the values is imported where it is needed, so that --help answers at once.


def job(
    grid: options.GridFile,
    store: options.StoreFolder = None,
    only: options.Only = [],  # noqa: B006
    cache: options.CacheFolder = options.DEFAULT_CACHE,
) -> "Job":
    """Open a grid file against the store that holds its records, and say which one that is."""
    from raygrid.commands.job import open_job

    return _said(open_job(grid, stores=[store] if store else [], cache=cache, only=only), store)


def job_without_store(
    grid: options.GridFile,
    only: options.Only = [],  # noqa: B006
    cache: options.CacheFolder = options.DEFAULT_CACHE,
) -> "Job":
    """Open a grid file of which records are neither read nor written."""
    from raygrid.commands.job import open_job

    return open_job(grid, stores=[], cache=cache, only=only)


def job_if_any(
    grid: options.GridFileIfAny = None,
    store: options.StoreFolder = None,
    only: options.Only = [],  # noqa: B006
    cache: options.CacheFolder = options.DEFAULT_CACHE,
) -> "Job | None":
    """Open a grid file, if one is named."""
    return job(grid, store, only, cache) if grid else None


def study(
    grid: options.GridOrStore,
    store: options.StoreFolder = None,
    only: options.Only = [],  # noqa: B006
    cache: options.CacheFolder = options.DEFAULT_CACHE,
) -> "Study":
    """Open a grid file against the store that holds its records, or a store alone; say which store that is."""
    return study_of_stores(grid, [store] if store else [], only, cache)


def study_below(
    grid: options.GridOrOnlyStore = "",
    store: options.StoreFolder = None,
    only: options.Only = [],  # noqa: B006
    cache: options.CacheFolder = options.DEFAULT_CACHE,
) -> "Study":
    """Open what `study` opens; where nothing is named, the one store below the working directory."""
    return study_of_stores(grid, [store] if store else [], only, cache)


def study_if_any(
    grid: options.GridOrStoreIfAny = "",
    store: options.StoreFolder = None,
    only: options.Only = [],  # noqa: B006
    cache: options.CacheFolder = options.DEFAULT_CACHE,
) -> "Study | None":
    """Open what `study` opens, if a grid or a store is named."""
    return study_below(grid, store, only, cache) if grid or store else None


def study_of_stores(
    grid: options.GridOrOnlyStore = "",
    store: options.StoreFolders = [],  # noqa: B006
    only: options.Only = [],  # noqa: B006
    cache: options.CacheFolder = options.DEFAULT_CACHE,
) -> "Study":
    """Open a grid file against one or more stores, or stores alone; where nothing is named, the one below here."""
    from raygrid.commands.job import is_store, open_job, open_study
    from raygrid.commands.stores import only_store

    if grid and not is_store(grid):
        return _said(open_job(Path(grid), stores=store, cache=cache, only=only), store)
    named = [*([grid] if grid else []), *store]
    return _said(open_study(named or [only_store()], cache=cache, only=only), named)


def _said(opened: _S, stores: object) -> _S:
    """Say where records are looked for; return what was opened."""
    from raygrid.commands.stores import say_stores

    say_stores(opened)
    return opened


def machines(
    cpus: options.Cpus = options.DEFAULT_CPUS,
    gpus: options.Gpus = 0,
    memory_gb: options.MemoryGb = inf,
    price: options.Price = None,
) -> "Machines":
    """Return the machines whose time and cost are predicted."""
    from raygrid.costs.schedule import Machines

    return Machines(cpus, gpus, price, memory_gb)


def terms(
    address: options.Address = None,
    max_hours: options.MaxHours = None,
    max_cost: options.MaxCost = None,
    price: options.SpentPrice = None,
    mlflow: options.MlFlow = None,
    tensorboard: options.TensorBoard = None,
    verbose: options.Verbose = False,
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


def pivot(
    rows: options.Rows = "", columns: options.Columns = options.METHODS, metric: options.Metrics = ""
) -> Pivot | None:
    """Return which table is asked for, if one is."""
    if metric and not rows:
        raise UsageError("--metric: got no --rows; expected both, for one table; leave it out for the whole report")
    return Pivot(split(rows), split(columns), split(metric)) if rows else None


def grouping(groups: options.Groups = "thirds") -> "Grouping":
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
    options_of = {name: inspect.signature(make).parameters for name, make in makers.items()}

    def gather(verb: Callable[..., None]) -> Callable[..., None]:
        @wraps(verb)
        def call(**given: Any) -> None:
            made = {name: make(**{one: given.pop(one) for one in options_of[name]}) for name, make in makers.items()}
            verb(**made, **given)

        signature = inspect.signature(verb)
        parameters = [
            parameter.replace(kind=inspect.Parameter.KEYWORD_ONLY)
            for name, plain in signature.parameters.items()
            for parameter in (options_of[name].values() if name in options_of else [plain])
        ]
        call.__signature__ = signature.replace(parameters=parameters)  # type: ignore[attr-defined]
        call.__annotations__ = {parameter.name: parameter.annotation for parameter in parameters}
        return call

    return gather
