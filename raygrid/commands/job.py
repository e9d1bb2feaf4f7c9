"""A job: a grid file and the stores that hold its records."""

import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from raygrid.cells import Cell, Plan, expand, plan, select
from raygrid.errors import UsageError
from raygrid.gridfile.faults import load_grid
from raygrid.gridfile.schema import Grid
from raygrid.storage.cache import Cache
from raygrid.storage.folders import Location
from raygrid.storage.merging import join
from raygrid.storage.record import Record
from raygrid.storage.store import Store


@dataclass(frozen=True)
class Job:
    """A grid file, opened: its cells, and where their records and inputs are kept.

    Attributes
    ----------
    stores : sequence of Store
        The first is written to; a report reads them all.
    grid_text : str
        The content of the grid file.
    """

    path: Path
    grid: Grid
    cells: Sequence[Cell]
    stores: Sequence[Store]
    cache: Cache
    grid_text: str = ""

    @property
    def store(self) -> Store:
        """The store that a run writes its records to."""
        return self.stores[0]

    @property
    def written_to(self) -> Store:
        """The store that a report writes its files to: the first, or where that is one file, ``runs/<name>``."""
        return Store(Path("runs", self.grid.name)) if self.store.is_packed else self.store

    def records(self) -> Mapping[str, Record]:
        """Return the records of all stores, by key."""
        return {key: record for key, (record, _) in join(self.stores).items()}

    def plan(self) -> Plan:
        """Return the cells against what the stores have."""
        return plan(self.cells, {key: record.status for key, record in self.records().items()})


def is_store(path: Path) -> bool:
    """Tell whether a path names a store, not a grid file."""
    return (path / "records").is_dir() or zipfile.is_zipfile(path) or path.suffix.lower() == ".zip"


def open_job(path: Path, *, stores: Sequence[str | Location], cache: str | Location, only: Sequence[str]) -> Job:
    """Load a grid file and expand it.

    Parameters
    ----------
    stores : sequence of str, Path or UPath
        Folders, URLs or packed stores; none means ``runs/<name of the grid>``.
    cache : str, Path or UPath

    Raises
    ------
    UsageError
        Something in the file, or in `only`, is wrong.
    """
    if is_store(path):
        raise UsageError(
            f"{path}: got a store; expected a grid file (YAML), because this command needs data and weights"
        )
    grid = load_grid(path)
    cells = select(expand(grid), only, grid)
    opened = [Store(store) for store in stores or [Path("runs", grid.name)]]
    return Job(path, grid, cells, opened, Cache(cache), path.read_text(encoding="utf-8"))
