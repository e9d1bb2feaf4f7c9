"""Levels of the user's own: classes in modules of theirs, which a grid file names as ``module:Class``."""

import re
import sys
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

from pydantic import TypeAdapter

from raygrid.errors import UsageError, choices
from raygrid.level import Level
from raygrid.usercode.references import members
from raygrid.usercode.source import checksum, first_checksum, root_of

# What tables, --only and file names can show.
_NAME = r"[A-Za-z0-9][A-Za-z0-9._-]*"

_L = TypeVar("_L", bound=Level)


def load(given: Mapping[str, Any], kind: type[_L], context: Mapping[str, Any] | None) -> _L:
    """Return the level that a grid file describes, with what its cells' keys must know of its code.

    Its name is the default of the class' field `name`, else the class' own.

    Parameters
    ----------
    given : mapping
        ``name``, a reference, and parameters.
    kind : type
        What the axis wants.
    context : mapping or None
        Of the validation: ``folder`` is the grid file's.

    Raises
    ------
    ValueError
        The class cannot be had or is no such level. (A ValidationError: its parameters are not what they should be.)
    """
    reference = given["name"]
    level_class = _class_named(reference, kind, members(reference, context))
    default = level_class.model_fields["name"].default
    name = default if isinstance(default, str) else level_class.__name__
    if not re.fullmatch(_NAME, name):
        raise ValueError(f"{reference}: got the name {name!r}; expected letters, digits, '.', '_' and '-' only")
    # In a mapping, so that a fault's place begins with the reference.
    adapter: TypeAdapter[dict[str, _L]] = TypeAdapter(dict[str, level_class])  # type: ignore[valid-type]
    level = adapter.validate_python({reference: {**given, "name": name}}, context=context)[reference]
    try:
        hash(level)
    except TypeError as error:
        raise ValueError(f"{reference}: got parameters that cannot be hashed ({error}); use tuples for lists") from None
    level._root = root_of(level_class.__module__)
    source = first_checksum(level._root)
    level._code = {"class": f"{level_class.__module__}:{level_class.__qualname__}", "source": source}
    return level


def _class_named(reference: str, kind: type[_L], there: Mapping[str, Any]) -> type[_L]:
    """Return a class among what its module holds.

    Raises
    ------
    ValueError
        There is none, or it is no such level.
    """
    module_name, _, name = reference.partition(":")
    found = there.get(name)
    if not (isinstance(found, type) and issubclass(found, kind)):
        levels = [each for each, value in there.items() if _is_own(value, kind)]
        expected = choices(name, levels) if levels else f"got {name!r}; expected a subclass; define it there"
        raise ValueError(f"{module_name}: no {kind.__name__} of that name: {expected}")
    unset = {each for each in found.__class_vars__ if not hasattr(found, each)}
    if lacking := sorted(found.__abstractmethods__ | unset):
        raise ValueError(f"{reference}: got no {', '.join(lacking)}; define what its axis asks for")
    return found


def known(reference: str) -> type[Level] | None:
    """Return a class that has been imported already; nothing where this is no reference to one."""
    module_name, _, name = reference.partition(":")
    return getattr(sys.modules.get(module_name), name, None) if name else None


def _is_own(value: object, kind: type[Level]) -> bool:
    return isinstance(value, type) and issubclass(value, kind) and not value.__module__.startswith("raygrid.")


def code_of(levels: Iterable[Level]) -> list[str]:
    """Return the packages and modules of these levels' code, each a path, as other processes must have them.

    Raises
    ------
    UsageError
        One has changed since this process found it: its results would be kept under the key of what it was.
    """
    sources = {level.root: level.code["source"] for level in levels if level.root}
    for root, source in sources.items():
        if checksum(root) != source:
            raise UsageError(f"{root}: got another source than when this command began; run the same command again")
    return sorted(map(str, sources))
