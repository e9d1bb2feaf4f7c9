"""From a grid file to a Grid, or to one line for each thing that is wrong with the file."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from raygrid.errors import GridError
from raygrid.gridfile.schema import Grid
from raygrid.gridfile.validation import validated
from raygrid.gridfile.yaml_file import YamlFile, read_yaml


def load_grid(path: Path) -> Grid:
    """Read and check a grid file.

    Raises
    ------
    GridError
        One line for each fault: ``file:line:column: key: got X; expected Y``.
    """
    file = read_yaml(path)
    return _checked(file.content, path.resolve().parent, file.place)


def grid_of(text: str, folder: Path) -> Grid:
    """Check a grid that has no file.

    Parameters
    ----------
    text : str
        What the file would have.
    folder : Path
        From which paths count.

    Raises
    ------
    GridError
        One line for each fault: ``key: got X; expected Y``.
    """
    file = YamlFile(text, "grid")
    return _checked(file.content, folder, lambda keys: file.place(keys).keys or "grid")


def _checked(content: object, folder: Path, place: Callable[[Sequence[str | int]], Any]) -> Grid:
    try:
        return validated(Grid, content, {"folder": folder})
    except ValidationError as error:
        # pydantic also calls a list too short that has items, all of them faulty.
        faults = [fault for fault in error.errors() if fault["type"] != "too_short" or not fault["input"]]
        # Where several types are allowed, one message is enough: for a word the one about words, else about numbers.
        faults.sort(key=lambda fault: fault["type"] == "literal_error" and isinstance(fault["input"], str))
        lines = {(place(fault["loc"]), _missing(fault)): fault["msg"] for fault in faults}
        raise GridError("\n".join(f"{where}: {lines[where, key]}" for where, key in sorted(lines))) from None


def _missing(fault: ErrorDetails) -> str:
    """Return the key that is missing, which has no place of its own."""
    return str(fault["loc"][-1]) if fault["type"] == "missing" else ""
