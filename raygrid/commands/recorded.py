"""A store opened without its grid file: cells as their records name them; data and weights need not be here."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import ConfigDict, ValidationError

from raygrid.axes import METHOD_AXES
from raygrid.cells import Cell, select
from raygrid.classifiers import CLASSIFIERS
from raygrid.commands.job import Job
from raygrid.datasets import DATASETS
from raygrid.errors import StoreError
from raygrid.gridfile.schema import Arm, Grid
from raygrid.imbalance import PROFILES
from raygrid.level import STRICT, Level
from raygrid.metrics.confusion import METRICS
from raygrid.representations import REPRESENTATIONS
from raygrid.resampling import RESAMPLERS
from raygrid.splits import Official
from raygrid.storage.cache import Cache
from raygrid.storage.folders import Location
from raygrid.storage.merging import join
from raygrid.storage.record import Record
from raygrid.storage.store import Store

# In the order of these, because a store has no order of its own.
_KNOWN: Mapping[str, Sequence[str]] = {
    "dataset": tuple(DATASETS),
    "representation": tuple(REPRESENTATIONS),
    "classifier": tuple(CLASSIFIERS),
    "resampler": tuple(RESAMPLERS),
}
# What all cells of a report have in common.
_SHARED = ("image_size", "interpolation", "seed", "split", "validation")


class RecordedLevel(Level):
    """A level as a record names it: it has a name and parameters, but nothing that could be run."""

    model_config = ConfigDict(**(STRICT | {"extra": "allow"}))

    ratio: None = None

    def as_dict(self) -> dict[str, Any]:
        """Return what the record says of it."""
        return self.model_dump(exclude={"ratio"})


def open_recorded(root: str | Location, *, stores: Sequence[str | Location], only: Sequence[str], cache: str) -> Job:
    """Return the job of all cells that a store has records of, to be read and not to be run.

    Parameters
    ----------
    stores : sequence of str, Path or UPath
        Further stores.

    Raises
    ------
    StoreError
        There are no records of this protocol, or they are of cells that no table has side by side.
    """
    opened = [Store(one) for one in (root, *stores)]
    records = [record for record, _ in join(opened).values()]
    cells = sorted((cell for record in records if (cell := _cell(record))), key=_place)
    if not cells:
        raise StoreError(f"{opened[0].root}: got no records of this version of raygrid; expected a store that has some")
    _check_alike(opened[0], cells)
    text = opened[0].read_text("grid.yaml")
    grid = _grid(cells, name=_name(text) or opened[0].root.stem)
    return Job(Path(str(root)), grid, select(cells, only, grid), opened, Cache(cache), grid_text=text)


def _cell(record: Record) -> Cell | None:
    """Return the cell that a record is of; None if it is of another protocol, and so has other keys."""
    known = record.cell
    levels = {axis: RecordedLevel.model_validate(known[axis]) for axis in _KNOWN if axis in known}
    if levels.keys() != _KNOWN.keys() or "imbalance" not in known:
        return None
    split = RecordedLevel.model_validate(known["split"]) if "split" in known else Official()
    shared = {name: known.get(name) for name in _SHARED} | {"split": split}
    parts: dict[str, Any] = {**levels, **shared, "imbalance": _profile(known["imbalance"]), "fold": known["fold"]}
    cell = Cell(**parts)
    return cell if cell.key == record.key else None


def _profile(known: Mapping[str, Any]) -> Level:
    """Return the profile itself where raygrid has it, because it knows its ratio."""
    try:
        return PROFILES[known["name"]].model_validate(known)
    except (KeyError, ValidationError):
        return RecordedLevel.model_validate(known)


def _place(cell: Cell) -> tuple[Any, ...]:
    """Return what cells are sorted by: the order of raygrid's own lists, then the parameters, fewer first."""

    def rank(axis: str) -> tuple[int, int, str]:
        level, names = getattr(cell, axis), _KNOWN[axis]
        known = level.as_dict()
        place = names.index(level.name) if level.name in names else len(names)
        return place, len(known), json.dumps(known, sort_keys=True)

    imbalance = (cell.imbalance.ratio or 0.0, cell.imbalance.text)
    return (rank("dataset"), cell.fold, imbalance, *(rank(axis) for axis in METHOD_AXES))


def _check_alike(store: Store, cells: Iterable[Cell]) -> None:
    """Refuse records of several grids, whose numbers would be averaged."""
    settings: dict[str, set[str]] = {}
    for cell in cells:
        known = cell.identity()
        for name in _SHARED:
            settings.setdefault(name, set()).add(json.dumps(known.get(name)))
        settings.setdefault(f"dataset {cell.dataset.name}", set()).add(json.dumps(known["dataset"]))
    for name, values in settings.items():
        if len(values) > 1:
            raise StoreError(
                f"{store.root}: got records with {len(values)} values of {name} ({', '.join(sorted(values))}); "
                "expected those of one grid; name its grid file, and this as --store"
            )


def _grid(cells: Sequence[Cell], *, name: str) -> Grid:
    """Return a grid that names the levels of these cells, as tables and --only need it."""
    pairs = dict.fromkeys((cell.representation, cell.classifier) for cell in cells)
    resamplers = {
        pair: tuple(dict.fromkeys(one.resampler for one in cells if (one.representation, one.classifier) == pair))
        for pair in pairs
    }
    return Grid.model_construct(
        name=name,
        folds=max(cell.fold for cell in cells) + 1,
        datasets=tuple(dict.fromkeys(cell.dataset for cell in cells)),
        imbalance=tuple(dict.fromkeys(cell.imbalance for cell in cells)),
        arms=tuple(
            Arm.model_construct(representation=representation, classifier=classifier, resamplers=of_pair)
            for (representation, classifier), of_pair in resamplers.items()
        ),
        metrics=tuple(METRICS),
    )


def _name(grid_text: str) -> str:
    """Return the name of the grid. The rest of the text, which anybody may have written, is not interpreted."""
    found = re.search(r"^name: *([A-Za-z0-9][A-Za-z0-9._-]*) *$", grid_text, re.MULTILINE)
    return found[1] if found else ""
