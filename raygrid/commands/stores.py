"""The stores below the working directory, and what every verb says of the one that it reads."""

import json
import os
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from rich.box import SIMPLE_HEAD
from rich.table import Table as Columns

from raygrid.commands.job import open_study
from raygrid.commands.printing import Terminal, show
from raygrid.commands.study import Study
from raygrid.errors import StoreError, UsageError
from raygrid.storage.folders import is_packed_store
from raygrid.storage.record import FINAL
from raygrid.storage.store import Store

# How many folders deep stores are looked for, because a folder of images may have millions of files.
_DEPTH = 4

_out, _err = Terminal(), Terminal(stderr=True)


def say_stores(study: Study) -> None:
    """Say on stderr where records are looked for."""
    for store in study.stores:
        note = "" if store.is_packed or store.is_there() else " (no run has written there)"
        _err.print(f"store: {place_of(store)}{note}", highlight=False, soft_wrap=True)


def place_of(store: Store) -> str:
    """Return where a store is, from the working directory where it is below it."""
    root, here = store.root, Path.cwd()
    return str(root.relative_to(here)) if isinstance(root, Path) and root.is_relative_to(here) else str(root)


@dataclass(frozen=True)
class Found:
    """How far the grid of a store is.

    Attributes
    ----------
    written : str
        When its last record was written, in ISO 8601; empty where there is none.
    """

    name: str
    cells: int
    done: int
    infeasible: int
    failed: int
    missing: int
    written: str
    store: str


def show_stores(*, as_json: bool) -> None:
    """Print a line for every store below the working directory."""
    found = [_counted(place) for place in stores_below(Path.cwd())]
    if as_json:
        print(json.dumps([vars(each) for each in found], indent=1))
        return
    if not found:
        _out.print(_none_below(), highlight=False, soft_wrap=True)
        return
    columns = Columns("grid", box=SIMPLE_HEAD, padding=0, pad_edge=False)
    for heading in ("cells", "done", "infeasible", "failed", "to do"):
        columns.add_column(heading, justify="right")
    columns.add_column("last written", no_wrap=True)
    columns.add_column("store", no_wrap=True)
    for each in found:
        numbers = (each.cells, each.done, each.infeasible, each.failed, each.missing)
        when = f"{datetime.fromisoformat(each.written).astimezone():%Y-%m-%d %H:%M}" if each.written else "never"
        columns.add_row(each.name, *map(str, numbers), when, each.store)
    show(_out, columns)


def only_store() -> Path:
    """Return the one store below the working directory.

    Raises
    ------
    UsageError
        There is none, or there are several.
    """
    places = stores_below(Path.cwd())
    if len(places) == 1:
        return places[0]
    if not places:
        raise UsageError(f"GRID|STORE: {_none_below()}")
    listed = "\n".join(f"  {place_of(Store(place))}" for place in places)
    raise UsageError(
        f"GRID|STORE: got none, and there are {len(places)} stores below this folder; expected one of them\n{listed}"
    )


def stores_below(folder: Path) -> list[Path]:
    """Return the folders that a run has written its records and its cells to, and the packed stores, sorted."""
    return sorted(_stores_below(folder, _DEPTH))


def _stores_below(folder: Path, depth: int) -> Iterator[Path]:
    if (folder / "records").is_dir() and (folder / "cells.json").is_file():
        yield folder
        return
    with suppress(OSError):  # a folder that may not be read
        for entry in os.scandir(folder):
            path = Path(entry)
            if entry.is_dir(follow_symlinks=False):
                if depth and not entry.name.startswith("."):
                    yield from _stores_below(path, depth - 1)
            elif path.suffix == ".zip" and is_packed_store(path):
                yield path


def _counted(place: Path) -> Found:
    shared: dict[str, Any] = {"store": place_of(Store(place))}
    try:
        study = open_study([place], cache=place, only=[])
        records = study.records()
    except StoreError as error:
        _err.print(str(error), highlight=False, soft_wrap=True)
        return Found(place.name, 0, 0, 0, 0, 0, "", **shared)
    mine = [records[cell.key] for cell in study.cells if cell.key in records]
    statuses = Counter(record.status for record in mine)
    written = max((record.measured.finished_at for record in mine), default="")
    failed = sum(n for status, n in statuses.items() if status not in FINAL)
    counts = (len(study.cells), statuses["done"], statuses["infeasible"], failed, len(study.cells) - len(mine))
    return Found(study.name, *counts, written, **shared)


def _none_below() -> str:
    where = f"{Path.cwd()} and {_DEPTH} levels of folders below it"
    return f"got no store in {where}; expected a grid file, or a store, as GRID|STORE"
