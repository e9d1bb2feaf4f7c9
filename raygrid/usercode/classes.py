"""Levels that are classes in a user's own modules, which a grid file names as ``module:Class``."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, TypeVar

from raygrid.errors import UsageError, choices
from raygrid.level import Level
from raygrid.usercode.plain import lacking
from raygrid.usercode.references import members
from raygrid.usercode.source import checksum, first_checksum, root_of

# The names that tables, --only and file names can show.
_NAME = r"[A-Za-z0-9][A-Za-z0-9._-]*"

_L = TypeVar("_L", bound=Level)


def find(
    reference: str, kind: type[_L], context: Mapping[str, Any] | None, *, suffices: Sequence[Sequence[str]] = ()
) -> tuple[type[_L], str]:
    """Return the class that a reference in a grid file names, and the name of its level.

    The name is the default of the class' field `name`, else the name of the class.

    Parameters
    ----------
    reference : str
        ``module:Class``.
    kind : type
        What the axis wants.
    context : mapping or None
        Of the validation: ``folder`` is the grid file's.
    suffices : sequence of sequences of str
        Methods of a class that would do as well, for messages.

    Raises
    ------
    ValueError
        The class cannot be imported or is no such level.
    """
    level_class = _class_named(reference, kind, members(reference, context), suffices)
    if "name" not in level_class.model_fields:
        raise ValueError(f"{reference}: got name as a ClassVar; expected a field; write `name: str = ...`")
    default = level_class.model_fields["name"].default
    name = default if isinstance(default, str) else level_class.__name__
    if not re.fullmatch(_NAME, name):
        raise ValueError(f"{reference}: got the name {name!r}; expected letters, digits, '.', '_' and '-' only")
    return level_class, name


def with_code(level: _L, reference: str) -> _L:
    """Return a level of a user's class, which now knows the code that enters the keys of its cells.

    Raises
    ------
    ValueError
        Its parameters cannot be hashed.
    """
    try:
        hash(level)
    except TypeError as error:
        raise ValueError(f"{reference}: got parameters that cannot be hashed ({error}); use tuples for lists") from None
    module, root = type(level).__module__, root_of(type(level).__module__)
    return level.with_code(root, **{"class": f"{module}:{type(level).__qualname__}", "source": first_checksum(root)})


def _class_named(
    reference: str, kind: type[_L], content: Mapping[str, Any], suffices: Sequence[Sequence[str]]
) -> type[_L]:
    """Return a class among the content of its module.

    Raises
    ------
    ValueError
        There is no such class, or it is no such level.
    """
    module_name, _, name = reference.partition(":")
    found = content.get(name)
    if not (isinstance(found, type) and issubclass(found, kind)):
        names = [each for each, value in content.items() if _would_do(value, kind, suffices, module_name)]
        plain = "".join(f"a class with {' and '.join(methods)}, or " for methods in suffices)
        expected = choices(name, names) if names else f"got {name!r}; expected {plain}a subclass; define it there"
        wanted = "class" if kind is Level else kind.__name__  # a user of `test` need not know of levels
        raise ValueError(f"{module_name}: no {wanted} of that name: {expected}")
    unset = {each for each in found.__class_vars__ if not hasattr(found, each)}
    if lacking := sorted(found.__abstractmethods__ | unset):
        raise ValueError(f"{reference}: got no {', '.join(lacking)}; define what its axis asks for")
    return found


def _would_do(value: object, kind: type[Level], suffices: Sequence[Sequence[str]], module: str) -> bool:
    """Whether this is a class that could have been meant; of plain ones, those that the module only imports are not."""
    if not isinstance(value, type) or value.__module__.startswith("raygrid."):
        return False
    is_plain = any(not lacking(value, methods) for methods in suffices) and not issubclass(value, Level)
    is_its_own = value.__module__.partition(".")[0] == module.partition(".")[0]
    return issubclass(value, kind) or (is_plain and is_its_own)


def code_of(levels: Iterable[Level]) -> list[str]:
    """Return the paths of the packages and modules that have these levels' code, which other processes need as well.

    Raises
    ------
    UsageError
        One has changed since this process imported it, so that results would be kept under the key of the old source.
    """
    sources = {each.root: each.code["source"] for level in levels for each in level.candidates if each.root}
    for root, source in sources.items():
        if checksum(root) != source:
            raise UsageError(f"{root}: got another source than when this command began; run the same command again")
    return sorted(map(str, sources))
