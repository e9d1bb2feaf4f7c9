"""From a grid file to a Grid, or to one line for each thing that is wrong with the file."""

from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from raygrid.classifiers.cnn import Cnn
from raygrid.errors import GridError, choices
from raygrid.gridfile.levels import FROM_PATH, LEVELS, OWN
from raygrid.gridfile.schema import Arm, Exclusion, Grid, Resources
from raygrid.gridfile.yaml_file import YamlFile
from raygrid.resampling import REFUSED
from raygrid.usercode import classes

_SECTIONS: dict[str, type[BaseModel]] = {"arms": Arm, "exclude": Exclusion, "resources": Resources, "network": Cnn}

# What pydantic expects, in our words, by the type of its error.
_EXPECTED = {
    "missing": "a value; it has no default",
    "int_type": "a whole number",
    "float_type": "a number",
    "string_type": "a name",
    "path_type": "a path",
    "tuple_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "model_attributes_type": "a mapping",
    "union_tag_not_found": "a name, or a mapping with a name",
    "finite_number": "a finite number",
    "too_short": "at least one level",
    "greater_than": "a number above {gt:g}",
    "greater_than_equal": "a number of at least {ge:g}",
    "string_pattern_mismatch": "letters, digits, '.', '_' and '-' only, a letter or digit first",
}


def load_grid(path: Path) -> Grid:
    """Read and check a grid file.

    Raises
    ------
    GridError
        One line for each fault: ``file:line:column: key: got X; expected Y``.
    """
    file = YamlFile(path)
    try:
        return Grid.model_validate(file.content, context={"folder": path.resolve().parent})
    except ValidationError as error:
        # A list that lost its faulty items would also be called too short.
        faults = [fault for fault in error.errors() if fault["type"] != "too_short" or not fault["input"]]
        # Of the alternatives of a union, one that failed is enough: the names for a name, else the number.
        faults.sort(key=lambda fault: fault["type"] == "literal_error" and isinstance(fault["input"], str))
        lines = {(file.place(fault["loc"]), _missing(fault)): message(fault) for fault in faults}
        raise GridError("\n".join(f"{place}: {lines[place, key]}" for place, key in sorted(lines))) from None


def _missing(fault: Any) -> str:
    """Return the key that is not there: it has no place of its own."""
    return str(fault["loc"][-1]) if fault["type"] == "missing" else ""


def message(fault: Any) -> str:
    """Return what one of pydantic's faults says, in our words."""
    kind, context, got = fault["type"], fault.get("ctx", {}), fault["input"]
    if kind == "value_error":
        return str(context["error"])
    if context.get("tag") in REFUSED:
        return f"got {context['tag']!r}, which {REFUSED[context['tag']]}"
    if kind == "extra_forbidden":
        return f"unknown key: {choices(fault['loc'][-1], _model_at(fault['loc'][:-1]).model_fields)}"
    if kind == "union_tag_invalid":
        tags = context["expected_tags"][1:-1].split("', '")
        return choices(context["tag"], [tag for tag in tags if tag not in (FROM_PATH, OWN)])
    if kind == "literal_error":
        return choices(str(got), [name.strip("'") for name in context["expected"].replace(" or ", ", ").split(", ")])
    if kind == "missing":
        return f"{fault['loc'][-1]}: got nothing; expected {_EXPECTED[kind]}"
    expected = _EXPECTED.get(kind)
    return f"got {got!r}; expected {expected.format(**context)}" if expected else f"got {got!r}; {fault['msg']}"


def _model_at(keys: tuple[str | int, ...]) -> type[BaseModel]:
    """Return the part of the schema that the innermost of `keys` is checked by."""
    if keys and keys[0] == "resources":
        return Resources
    for key in reversed(keys):
        if isinstance(key, str) and (model := LEVELS.get(key) or _SECTIONS.get(key) or classes.known(key)):
            return model
    return Grid
