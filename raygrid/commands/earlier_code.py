"""Results of an earlier state of a user's own code: the store keeps them, but today's cells have other keys."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

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
    other_keys = records.keys() - {cell.key for cell in cells}
    own = [cell for cell in cells if cell.key not in records and _own_code(cell)] if other_keys else []
    if not own:
        return ""
    others = {_without_source(records[key].cell): records[key].cell for key in other_keys}
    pairs = [(cell, others.get(_without_source(cell.identity()))) for cell in own]
    changed = [_changed_modules(cell, found) for cell, found in pairs if found]
    if not changed:
        return ""
    names = listed(sorted(set().union(*changed)))
    kept = "these are kept: undo the change to have them again"
    return f"{names}: got other code than {len(changed)} of {len(cells)} cells have records of; {kept}, or run the grid"


def _own_code(cell: Cell) -> dict[str, Mapping[str, str]]:
    """Return the code of a cell's levels that are the user's, by axis."""
    levels = {axis: level for axis in AXES if isinstance(level := getattr(cell, axis), Level)}
    return {axis: level.code for axis, level in levels.items() if "source" in level.code}


def _changed_modules(cell: Cell, found: Mapping[str, Any]) -> set[str]:
    """Return the user's modules whose code a record's cell does not have."""
    codes = {axis: code for axis, code in _own_code(cell).items() if found[axis]["source"] != code["source"]}
    return {code["class"].partition(":")[0] for code in codes.values()}


def _without_source(identity: object) -> str:
    return _SOURCE.sub("", json.dumps(identity, sort_keys=True))
