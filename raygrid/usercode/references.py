"""References to the user's own code, ``module:name``; only the grid file given to a command may contain them.

A module is looked for where Python looks, then in the grid file's folder. To name a module is to run its code.
"""

import difflib
import importlib
import pkgutil
import re
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

from raygrid.usercode.source import file_of

# The form of a reference in the grid file.
REFERENCE = r"^[^\W\d]\w*(\.[^\W\d]\w*)*:[^\W\d]\w*$"

_T = TypeVar("_T")


def members(reference: str, context: Mapping[str, Any] | None) -> dict[str, Any]:
    """Import the module that a reference in a grid file names; return its content by name.

    Parameters
    ----------
    context : mapping or None
        Of the validation: ``folder`` is the grid file's.

    Raises
    ------
    ValueError
        It is no reference, it is not in the grid file of a command, or the module cannot be imported.
    """
    return _looked_up(reference, context, lambda module: vars(importlib.import_module(module)))


def names(reference: str, context: Mapping[str, Any] | None) -> Sequence[str]:
    """Return the names in the module of a reference; only the packages above it are imported.

    So a command that builds no network does not wait until the user's module has imported Keras.
    """
    return _looked_up(reference, context, _names)


def _names(module: str) -> Sequence[str]:
    file = file_of(module)
    return compile(file.read_bytes(), file.name, "exec").co_names  # those of functions among them


def _looked_up(reference: str, context: Mapping[str, Any] | None, look_up: Callable[[str], _T]) -> _T:
    if not re.fullmatch(REFERENCE, reference):
        told = f"got {reference!r}; expected MODULE:NAME, e.g. my_package.my_module:my_name"
        raise ValueError(told + _meant_by_path(reference))
    if not context or "folder" not in context:
        raise ValueError(f"got {reference!r}; modules are imported only for the grid file of a command")
    folder = str(context["folder"])
    if folder not in sys.path:
        sys.path.append(folder)  # last, because a file beside the grid file must not replace a library
    try:
        return look_up(reference.partition(":")[0])
    except Exception as error:  # a module may raise anything
        where = f"{folder} or where Python looks"
        told = f"got {reference!r}; no module can be imported from {where}: {reason(error)}"
        raise ValueError(told + _meant(reference, error, folder)) from error


def _meant_by_path(reference: str) -> str:
    """Return what to say where a file's path stands for the module."""
    path, _, name = reference.removeprefix("./").replace(":", "/").rpartition("/")
    meant = f"{path.removesuffix('.py').replace('/', '.')}:{name}"
    return f"; did you mean {meant}?" if re.fullmatch(REFERENCE, meant) else ""


def _meant(reference: str, error: Exception, folder: str) -> str:
    """Return what to say where the module itself is not there, and another has nearly its name."""
    module, _, name = reference.partition(":")
    if not isinstance(error, ModuleNotFoundError) or error.name != module:
        return ""
    parent, _, last = module.rpartition(".")
    if last == "py":
        return f"; did you mean {parent}:{name}?"
    places = getattr(sys.modules.get(parent), "__path__", []) if parent else [folder]
    nearest = difflib.get_close_matches(last, [other.name for other in pkgutil.iter_modules(places)], n=1)
    return f"; did you mean {'.'.join([*([parent] if parent else []), *nearest])}:{name}?" if nearest else ""


def reason(error: Exception) -> str:
    """Return in one line what went wrong, and the place if it is in the user's module or a library."""
    place = traceback.extract_tb(error.__traceback__)[-1]
    says_place = isinstance(error, SyntaxError) or place.filename.startswith((str(Path(__file__).parents[1]), "<"))
    where = "" if says_place else f" ({place.filename}, line {place.lineno})"
    return f"{type(error).__name__}: {' '.join(str(error).split())}{where}"
