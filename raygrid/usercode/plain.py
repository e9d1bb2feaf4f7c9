"""Plain classes: of any package, or of a file beside the grid file, written without knowing raygrid."""

import importlib
import inspect
import sysconfig
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

from raygrid.errors import choices
from raygrid.usercode.references import reason
from raygrid.usercode.source import distributions, first_checksum, root_of

_SEED = "random_state"
_NAMED = (inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY)


def lacking(found: object, methods: Sequence[str]) -> list[str]:
    """Return those of `methods` that a class does not have; all of them where it is no class."""
    return [method for method in methods if not (isinstance(found, type) and callable(getattr(found, method, None)))]


def check(reference: str, found: type, parameters: Mapping[str, Any]) -> None:
    """Raise ValueError if the class that a reference names cannot be made with these parameters."""
    known = inspect.signature(found).parameters.values()
    takes_any = any(parameter.kind is inspect.Parameter.VAR_KEYWORD for parameter in known)
    names = [parameter.name for parameter in known if parameter.kind is not inspect.Parameter.VAR_KEYWORD]
    for name in parameters:
        if name == _SEED:
            raise ValueError(f"{reference}: got {_SEED}, which the trial sets from the cell's seed; leave it out")
        if name not in names and not takes_any:
            unknown = choices(name, [other for other in names if other != _SEED])
            raise ValueError(f"{reference}: unknown parameter: {unknown}")
    needed = [each.name for each in known if each.default is each.empty and each.kind in _NAMED]
    if missing := [name for name in needed if name not in (*parameters, _SEED)]:
        given = "".join(f", {name}: VALUE" for name in missing)
        example = f'{{name: "{reference}"{given}}}'
        raise ValueError(f"{reference}: got no {', '.join(missing)}, which its constructor needs; write {example}")
    try:
        made = found(**parameters)
        if hasattr(made, "_parameter_constraints"):  # of scikit-learn, which otherwise checks values only in training
            made._validate_params()
    except Exception as error:  # the class may raise anything
        raise ValueError(f"{reference}: got parameters that it does not take: {reason(error)}") from error


def made(reference: str, parameters: Mapping[str, Any], *, seed: int) -> Any:
    """Return a new object of the class at a reference; its `random_state`, if it takes one, is `seed`."""
    module, _, name = reference.partition(":")
    found = getattr(importlib.import_module(module), name)
    seeded = {_SEED: seed} if _SEED in inspect.signature(found).parameters else {}
    return found(**parameters, **seeded)


def origin(found: type) -> tuple[Path | None, dict[str, str]]:
    """Return where the source of a class is, if other processes need it, and what of it enters keys.

    That is the class, and the version of the installed package, or the checksum of the source of any other.
    """
    module = found.__module__
    known = {"class": f"{module}:{found.__qualname__}"}
    root = root_of(module)
    if _is_installed(root):
        names = distributions().get(module.partition(".")[0], ())
        if names:
            return None, known | {"package": " ".join(f"{name} {version(name)}" for name in sorted(set(names)))}
    return root, known | {"source": first_checksum(root)}


def _is_installed(root: Path) -> bool:
    places = {Path(sysconfig.get_path(kind)) for kind in ("purelib", "platlib")}
    return any(root.is_relative_to(place) for place in places)
