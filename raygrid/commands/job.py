"""A job: a grid file, opened, which can be run; and studies, which can only be read."""

import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from raygrid.axes import AXES
from raygrid.cells import expand, labels_on
from raygrid.commands.declared import has_images, read_declared, write_declared
from raygrid.commands.selection import select
from raygrid.commands.study import Study
from raygrid.errors import UsageError
from raygrid.gridfile.faults import grid_of, load_grid
from raygrid.gridfile.levels import spelled
from raygrid.gridfile.schema import Grid
from raygrid.gridfile.yaml_file import to_yaml
from raygrid.storage.cache import Cache
from raygrid.storage.folders import Location, is_packed_store, is_zip
from raygrid.storage.store import Store


@dataclass(frozen=True, repr=False)
class Job(Study):
    """A grid file, opened: its cells, and where their records and inputs are kept.

    Attributes
    ----------
    grid : Grid
    folder : Path
        From which the paths in the grid file count.
    named : str
        What a command calls it: the grid file, the store where it is not the default one, and what chose the cells.
    """

    grid: Grid
    folder: Path
    named: str

    @property
    def written_to(self) -> Store:
        """The store that a report writes its files to: the first, or where that is one file, the grid's own."""
        return Store(default_store(self.folder, self.name)) if self.store.is_packed else self.store

    def declare(self) -> None:
        """Write into the store what is declared, all cells of the grid, so that it can be read without the data."""
        write_declared(self.store, self.name, self.metrics, expand(self.grid))


def _named(grid: Path, stores: Sequence[str | Location], only: Sequence[str]) -> str:
    options = [("--store", str(store)) for store in stores] + [("--only", chosen) for chosen in only]
    return shlex.join([str(grid), *(part for option in options for part in option)])


def default_store(folder: Path, name: str) -> Path:
    """Return a grid's own store: ``runs/<name>`` beside the grid file."""
    return folder.resolve() / "runs" / name


def open_job(
    grid: Path | Mapping[str, Any], *, stores: Sequence[str | Location], cache: str | Location, only: Sequence[str]
) -> Job:
    """Load a grid and expand it.

    Parameters
    ----------
    grid : Path or mapping
        The grid file, or its content; the paths in a mapping count from the working directory.
    stores : sequence of str, Path or UPath
        Folders, URLs or packed stores; none means `default_store`.
    cache : str, Path or UPath
    only : sequence of str
        Of `raygrid.commands.selection.select`.

    Raises
    ------
    UsageError
        Something in the grid, or in `only`, is wrong.
    """
    if isinstance(grid, Mapping):
        folder, text = Path.cwd(), to_yaml(grid)
        loaded = grid_of(text, folder)
    elif is_store(str(grid)):
        raise UsageError(f"{grid}: {_unlike_a_grid(grid)}")
    else:
        loaded, folder, text = load_grid(grid), grid.resolve().parent, grid.read_text(encoding="utf-8")
    return Job(
        name=loaded.name,
        metrics=loaded.metrics,
        text=text,
        cells=select(expand(loaded), only, loaded.levels()),
        stores=[Store(store) for store in stores or [default_store(folder, loaded.name)]],
        grid=loaded,
        folder=folder,
        named=_named(grid, stores, only) if isinstance(grid, Path) else loaded.name,
        cache=Cache(cache),
        only=only,
    )


def _unlike_a_grid(place: Path) -> str:
    """Return what a folder, a zip or a URL is that stands for a grid file, and what to do."""
    expected = "expected a grid file (YAML)"
    if place.is_dir() and not Store(place).is_there():
        if has_images(place):
            return f"got a folder of images; {expected}; write one: raygrid init {place}"
        return f"got a folder; {expected}"
    if is_zip(place) and not is_packed_store(place):
        return f"got a zip that is no store; {expected}; if it has images, write one: raygrid init {place}"
    return f"got a store; {expected}, because data and weights are needed"


def is_store(place: str) -> bool:
    """Tell whether this is not a grid file, but a folder, a packed store or a URL."""
    return "://" in place or Path(place).is_dir() or is_zip(Path(place))


def open_study(stores: Sequence[str | Location], *, cache: str | Location, only: Sequence[str]) -> Study:
    """Open stores without their grid file, data and code: only what they hold is read, and nothing is imported.

    A metric of the user's own is left out, because it is code.

    Parameters
    ----------
    stores : sequence of str, Path or UPath
        The first says what was declared.
    cache : str, Path or UPath
    only : sequence of str
        Of `raygrid.commands.selection.select`.

    Raises
    ------
    StoreError
        There is no store, or it is of a version that did not write what was declared.
    UsageError
        Something in `only` is wrong.
    """
    opened = [Store(store) for store in stores]
    declared = read_declared(opened[0])
    cells = declared.made_cells
    levels = {axis: list(dict.fromkeys(map(spelled, labels_on(axis, cells)))) for axis in AXES}
    return Study(
        name=declared.name,
        metrics=[metric for metric in declared.metrics if ":" not in metric],
        text=opened[0].read_text("grid.yaml"),
        cells=select(cells, only, levels),
        stores=opened,
        cache=Cache(cache),
        only=only,
    )
