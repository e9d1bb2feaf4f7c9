"""Validation by pydantic, with every fault in the words of raygrid."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails, InitErrorDetails, PydanticCustomError

from raygrid.classifiers.training.part_of_level import OneOf
from raygrid.errors import choices

_M = TypeVar("_M", bound=BaseModel)

# What pydantic expects, by the type of its error.
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
    "finite_number": "a finite number",
    "too_short": "at least one level",
    "greater_than": "a number above {gt:g}",
    "greater_than_equal": "a number of at least {ge:g}",
    "string_pattern_mismatch": "letters, digits, '.', '_' and '-' only, a letter or digit first",
}


def validated(model: type[_M], given: object, context: Mapping[str, Any] | None) -> _M:
    """Return `given` as a value of `model`.

    Raises
    ------
    ValidationError
        The message of every fault is final, also where one validation is a part of another.
    """
    try:
        return model.model_validate(given, context=context)
    except ValidationError as error:
        faults = [_in_our_words(fault, model) for fault in error.errors()]
        raise ValidationError.from_exception_data(model.__name__, faults) from None


def _in_our_words(fault: ErrorDetails, model: type[BaseModel]) -> InitErrorDetails:
    said = fault.get("ctx", {}).get("words") or _words(fault, model)
    error = PydanticCustomError(fault["type"], "{words}", {"words": said})
    return InitErrorDetails(type=error, loc=fault["loc"], input=fault["input"])


def _words(fault: ErrorDetails, model: type[BaseModel]) -> str:
    kind, context, got, keys = fault["type"], fault.get("ctx", {}), fault["input"], fault["loc"]
    if kind == "value_error":
        return str(context["error"])
    if kind == "extra_forbidden":
        return f"unknown key: {choices(str(keys[-1]), _at(keys[:-1], model)[0].model_fields)}"
    if kind == "literal_error":
        return choices(str(got), (str(part) for part in _at(keys, model)[1] if isinstance(part, str | int)))
    if kind == "missing":
        return f"{keys[-1]}: got nothing; expected {_EXPECTED[kind]}"
    expected = _EXPECTED.get(kind)
    return f"got {got!r}; expected {expected.format(**context)}" if expected else f"got {got!r}; {fault['msg']}"


def _at(keys: Sequence[str | int], model: type[BaseModel]) -> tuple[type[BaseModel], list[object]]:
    """Return the innermost model that `keys` lead to, and all parts of the type of the last field among them."""
    parts: list[object] = []
    for key in keys:  # those of items of lists, values of mappings and alternatives of unions are no fields
        if field := model.model_fields.get(str(key)):
            parts = [part for each in (field.annotation, *field.metadata) for part in _parts(each)]
            model = next(_models(parts), model)
        else:  # of several levels, the one of this name
            named = (part for part in _models(parts) if "name" in part.model_fields)
            model = next((part for part in named if part.model_fields["name"].default == key), model)
    return model, parts


def _models(parts: Iterable[object]) -> Iterator[type[BaseModel]]:
    return (part for part in parts if isinstance(part, type) and issubclass(part, BaseModel))


def _parts(annotation: object) -> Iterator[object]:
    """Yield a type and all that it is made of, down to the values of a Literal and the levels of a registry."""
    yield annotation
    if isinstance(annotation, OneOf):
        yield from annotation.registry.values()
    for part in get_args(annotation):
        yield from _parts(part)
