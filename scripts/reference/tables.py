"""Tables of parameters in Markdown."""

import re
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from itertools import chain, zip_longest
from types import MappingProxyType
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from raygrid.level import Level
from reference.docstrings import meanings
from reference.values import values

Properties = Mapping[str, Any]


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table in Markdown."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(_cell(text) for text in line) + " |" for line in lines) + "\n"


def parameters(
    described: type[BaseModel], names: Iterable[str] | None = None, *, places: Mapping[str, str] = MappingProxyType({})
) -> str:
    """Return the table of the parameters of a class: values, default, meaning; empty if there are none.

    Parameters
    ----------
    places : mapping
        Where more is said, by the name of a parameter.
    """
    schema = described.model_json_schema()
    said, definitions = meanings(described), schema.get("$defs", {})
    fields = {name: described.model_fields[name] for name in names or described.model_fields}
    rows = [
        [
            f"[`{name}`]({places[name]})" if name in places else f"`{name}`",
            values(_one_value(schema["properties"][name]), definitions),
            default(field),
            said.get(name, ""),
        ]
        for name, field in fields.items()
    ]
    return table(["key", "values", "default", "meaning"], rows) if rows else ""


def default(field: FieldInfo) -> str:
    """Return the default of a parameter as a grid file spells it; *required* if it has none."""
    if field.is_required():
        return "*required*"
    value = field.get_default(call_default_factory=True)
    return f"`{spelled(value)}`" if value not in ((), {}) else "none"


def spelled(value: object) -> str:
    """Return a value as YAML has it."""
    if isinstance(value, Level):
        return value.text
    if isinstance(value, BaseModel):
        return "{" + ", ".join(f"{key}: {spelled(one)}" for key, one in value) + "}"
    if isinstance(value, tuple | list):
        return f"[{', '.join(map(spelled, value))}]"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    return str(value)


def _one_value(schema: Properties) -> Properties:
    """Return the schema of one value, without the list to choose from that any parameter may have instead."""
    several = schema.get("anyOf", [])
    is_choice = [one.get("properties", {}).keys() == {"choose"} for one in several]
    kept = [one for one, skipped in zip(several, is_choice, strict=True) if not skipped]
    return kept[0] if any(is_choice) and len(kept) == 1 else schema


def _cell(text: str) -> str:
    """Return a text in which a bar ends no cell, wherever Markdown is read."""
    parts = re.split(r"(`[^`]*\|[^`]*`)", text)  # every second one is code with a bar
    code = [f"<code>{escape(part[1:-1])}</code>" for part in parts[1::2]]
    return "".join(chain(*zip_longest(parts[::2], code, fillvalue=""))).replace("|", "&#124;")
