"""What a notebook or a script needs: `run` a grid, `load` a store."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from raygrid.commands.study import Study

CACHE = "~/.cache/raygrid"  # of decoded images and features, for every grid; RAYGRID_CACHE names another


def run(
    grid: str | Path | Mapping[str, Any],
    *,
    store: str | Path | None = None,
    only: str | Sequence[str] = (),
    engine: str = "ray",
    cache: str | Path | None = None,
    address: str | None = None,
) -> "Study":
    """Run every cell of a grid that has no final record yet; return what there is then.

    It can be interrupted, and called again with the same arguments: finished cells are kept.

    Parameters
    ----------
    grid : str, Path or mapping
        The grid file, or what it would have; in a mapping paths count from the working directory.
    store : str or Path, optional
        Where records are kept, a folder or a URL; by default ``runs/<name of the grid>`` beside the grid file.
    only : str or sequence of str
        Which cells, e.g. ``"dataset=digits"`` or ``["fold=0,1", "resampler=none"]``; by default all.
    engine : {"ray", "inline"}
        Ray Tune, or one cell after the other in this process.
    cache : str or Path, optional
        Where decoded images and features are kept; by default $RAYGRID_CACHE, or ~/.cache/raygrid.
    address : str, optional
        Of the Ray cluster to use; by default one is started on this machine.

    Returns
    -------
    Study
        Cells that failed are in it with their reason; they raise nothing.

    Raises
    ------
    UsageError
        The grid, the data or the store is not what it should be.
    """
    from raygrid.commands.job import open_job
    from raygrid.commands.run import run_missing
    from raygrid.engine import Terms

    given = grid if isinstance(grid, Mapping) else Path(grid)
    job = open_job(given, stores=[store] if store else [], cache=_cache(cache), only=_listed(only))
    with job.store.locked():
        run_missing(job, engine, Terms(resources=job.grid.resources, name=job.name, address=address))
    return job


def load(
    *stores: str | Path, grid: str | Path | None = None, only: str | Sequence[str] = (), cache: str | Path | None = None
) -> "Study":
    """Open stores: folders, URLs, or files that `raygrid pack` made. Nothing is run, and nothing of theirs is imported.

    Parameters
    ----------
    stores : str or Path
        At least one; the first says what was declared.
    grid : str or Path, optional
        The grid file, if another than that of the last run is to say which cells there are; its data must be at hand.
    only : str or sequence of str
        Which cells; see `run`.
    cache : str or Path, optional
        See `run`.

    Returns
    -------
    Study

    Raises
    ------
    UsageError
        There is no such store, or a file in it is damaged.
    """
    from raygrid.commands.job import open_job, open_study

    if grid is not None:
        return open_job(Path(grid), stores=stores, cache=_cache(cache), only=_listed(only))
    return open_study(stores, cache=_cache(cache), only=_listed(only))


def _listed(only: str | Sequence[str]) -> Sequence[str]:
    return [only] if isinstance(only, str) else only


def _cache(given: str | Path | None) -> str | Path:
    import os

    return given or os.environ.get("RAYGRID_CACHE") or CACHE
