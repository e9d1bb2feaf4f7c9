"""The values that a parameter may have, from its JSON Schema, as a reader says it."""

from collections.abc import Mapping
from typing import Any

Schema = Mapping[str, Any]

_WORDS = {
    "integer": "whole number",
    "number": "number",
    "string": "text",
    "object": "mapping",
    "boolean": "true, false",
}


def values(schema: Schema, definitions: Mapping[str, Schema]) -> str:
    """Return, for example, *whole number ≥ 1* or *`same`, `balanced`*.

    Parameters
    ----------
    schema : mapping
        Of one parameter.
    definitions : mapping
        The `$defs` of the schema that has it.
    """
    if "$ref" in schema:
        return _referred(schema["$ref"].rpartition("/")[2], definitions)
    if "anyOf" in schema or "oneOf" in schema:
        given = schema.get("anyOf", schema.get("oneOf", ()))
        names = {one for each in given for one in each.get("enum", ())}  # a level by its name alone
        several = [values(one, definitions) for one in given]
        return " or ".join(dict.fromkeys(one for one in several if one and one.strip("`") not in names))
    if "const" in schema or "enum" in schema:
        return ", ".join(f"`{one}`" for one in schema.get("enum", [schema.get("const")]))
    if schema.get("type") == "array":
        items = values(schema.get("items", {}), definitions)
        return f"list of {items}" if items else "list"
    if schema.get("format") in ("path", "file-path"):
        return "path"
    if schema.get("type") == "null":
        return "`null`"
    return _bounded(_WORDS.get(str(schema.get("type")), ""), schema)


def _referred(name: str, definitions: Mapping[str, Schema]) -> str:
    """Return the name of a level within a level, or of a mapping with keys of its own."""
    properties = definitions[name].get("properties", {})
    named = properties.get("name", {})
    return f"`{named['const']}`" if "const" in named else f"mapping with {', '.join(f'`{key}`' for key in properties)}"


def _bounded(word: str, schema: Schema) -> str:
    low = {"minimum": "≥", "exclusiveMinimum": ">"}
    high = {"maximum": "≤", "exclusiveMaximum": "<"}
    bounds = [f"{sign} {schema[key]:g}" for key, sign in (low | high).items() if key in schema]
    return " ".join([word, " and ".join(bounds)]).strip()
