"""The files of a store, and the fields of a record."""

import inspect
from collections.abc import Callable
from typing import get_args

from pydantic import BaseModel

from raygrid.storage.record import FINAL, Candidate, Choice, Curves, Measured, Record, Status
from raygrid.storage.store import Store
from reference.docstrings import meanings, summary
from reference.tables import table

KINDS: dict[str, type[BaseModel]] = {
    "record": Record,
    "measured": Measured,
    "curves": Curves,
    "choice": Choice,
    "candidate": Candidate,
}


def files() -> str:
    """Return the files of a store, as the class says that decides their names."""
    block = (inspect.getdoc(Store) or "").partition("::\n\n")[2].partition("\n\n")[0]
    rows = [line.split(None, 1) for line in block.splitlines()]
    return table(["file", "what it is"], [[f"`{name}`", said] for name, said in rows])


def fields(kind: type[BaseModel]) -> str:
    """Return the table of the fields of a part of a record."""
    said = meanings(kind)
    rows = [[f"`{name}`", said.get(name, "")] for name in kind.model_fields]
    return f"{summary(kind)}\n\n{table(['field', 'meaning'], rows)}"


def statuses() -> str:
    """Return every status, and whether it is final."""
    rows = [
        [f"`{status}`", "yes" if status in FINAL else "no, the next run tries the cell again"]
        for status in get_args(Status)
    ]
    return table(["status", "final"], rows)


def undescribed() -> list[str]:
    """Return the fields of which no docstring says what they are."""
    return [
        f"{kind.__name__}.{name}" for kind in KINDS.values() for name in kind.model_fields if name not in meanings(kind)
    ]


GENERATED: dict[str, Callable[[], str]] = {
    "files": files,
    "statuses": statuses,
    **{f"fields of {name}": lambda kind=kind: fields(kind) for name, kind in KINDS.items()},
}
