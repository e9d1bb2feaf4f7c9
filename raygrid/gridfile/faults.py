"""From a grid file to a Grid, or to one line for each thing that is wrong with the file."""

from pathlib import Path

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from raygrid.errors import GridError
from raygrid.gridfile.schema import Grid
from raygrid.gridfile.validation import validated
from raygrid.gridfile.yaml_file import YamlFile


def load_grid(path: Path) -> Grid:
    """Read and check a grid file.

    Raises
    ------
    GridError
        One line for each fault: ``file:line:column: key: got X; expected Y``.
    """
    file = YamlFile(path)
    try:
        return validated(Grid, file.content, {"folder": path.resolve().parent})
    except ValidationError as error:
        # pydantic also calls a list too short that has items, all of them faulty.
        faults = [fault for fault in error.errors() if fault["type"] != "too_short" or not fault["input"]]
        # Where several types are allowed, one message is enough: for a word the one about words, else about numbers.
        faults.sort(key=lambda fault: fault["type"] == "literal_error" and isinstance(fault["input"], str))
        lines = {(file.place(fault["loc"]), _missing(fault)): fault["msg"] for fault in faults}
        raise GridError("\n".join(f"{place}: {lines[place, key]}" for place, key in sorted(lines))) from None


def _missing(fault: ErrorDetails) -> str:
    """Return the key that is missing, which has no place of its own."""
    return str(fault["loc"][-1]) if fault["type"] == "missing" else ""
