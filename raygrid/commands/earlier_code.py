"""Results of an earlier state of a user's own code: the store keeps them, but today's cells have other keys."""

import json
import re
from collections.abc import Mapping, Sequence

from raygrid.axes import AXES
from raygrid.cells import Cell
from raygrid.level import Level
from raygrid.storage.record import Record
from raygrid.wording import listed

_SOURCE = re.compile(r'"source": "[^"]*"')


def sentence_on_earlier_code(cells: Sequence[Cell], records: Mapping[str, Record]) -> str:
    """Return how many cells without a record have one of the same levels, whose code was another; nothing if none has.

    Parameters
    ----------
    cells : sequence of Cell
        All of the study.
    records : mapping
        All of the store, by key.
    """
    keys = {cell.key for cell in cells}
    others = {_without_source(record.cell) for key, record in records.items() if key not in keys}
    if not others:
        return ""
    modules = {cell: _modules(cell) for cell in cells if cell.key not in records}
    changed = [cell for cell, names in modules.items() if names and _without_source(cell.identity()) in others]
    if not changed:
        return ""
    names = listed(sorted({name for cell in changed for name in modules[cell]}))
    kept = "these are kept: undo the change to have them again"
    return f"{names}: got other code than {len(changed)} of {len(cells)} cells have records of; {kept}, or run the grid"


def _modules(cell: Cell) -> set[str]:
    """Return the user's modules that a cell runs."""
    levels = (level for axis in AXES if isinstance(level := getattr(cell, axis), Level))
    return {level.code["class"].partition(":")[0] for level in levels if "source" in level.code}


def _without_source(identity: object) -> str:
    return _SOURCE.sub("", json.dumps(identity, sort_keys=True))
