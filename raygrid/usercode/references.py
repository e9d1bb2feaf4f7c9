"""References to code of the user's own, ``module:name``: only the grid file that a command is given may hold them.

A module is looked for where Python looks, then in the grid file's folder. To name one is to run its code.
"""

import importlib
import re
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from raygrid.usercode.source import file_of

# How the grid file spells one.
REFERENCE = r"^[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*$"

_T = TypeVar("_T")


def members(reference: str, context: Mapping[str, Any] | None) -> dict[str, Any]:
    """Import the module that a reference in a grid file names; return what it holds, by name.

    Parameters
    ----------
    context : mapping or None
        Of the grid file's validation: ``folder`` is the file's own.

    Raises
    ------
    ValueError
        It is no reference, no command was given the file, or the module cannot be imported.
    """
    return _looked_up(reference, context, lambda module: vars(importlib.import_module(module)))


def names(reference: str, context: Mapping[str, Any] | None) -> Sequence[str]:
    """Return the names in such a module, without importing more than the packages above it.

    So a command that builds no network need not wait for the user's module to import Keras.
    """
    return _looked_up(reference, context, _names)


def _names(module: str) -> Sequence[str]:
    file = file_of(module)
    return compile(file.read_bytes(), file.name, "exec").co_names  # those of functions among them


def _looked_up(reference: str, context: Mapping[str, Any] | None, look_up: Callable[[str], _T]) -> _T:
    if not re.fullmatch(REFERENCE, reference):
        raise ValueError(f"got {reference!r}; expected MODULE:NAME, e.g. my_package.my_module:my_name")
    if not context or "folder" not in context:
        raise ValueError(f"got {reference!r}; modules are imported for the grid file of a command alone")
    folder = str(context["folder"])
    if folder not in sys.path:
        sys.path.append(folder)  # last: a file beside the grid file must not stand in for a library
    try:
        return look_up(reference.partition(":")[0])
    except Exception as error:  # a module may raise anything
        where = f"{folder} or where Python looks"
        raise ValueError(f"got {reference!r}; no module can be imported from {where}: {reason(error)}") from error


def reason(error: Exception) -> str:
    """Return in one line what went wrong, and where, if that is in a module of the user's or a library."""
    place = traceback.extract_tb(error.__traceback__)[-1]
    is_told = isinstance(error, SyntaxError) or place.filename.startswith((str(Path(__file__).parents[1]), "<"))
    where = "" if is_told else f" ({place.filename}, line {place.lineno})"
    return f"{type(error).__name__}: {' '.join(str(error).split())}{where}"
