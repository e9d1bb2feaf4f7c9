"""test: check, one property after the other, whether a class that the user wrote works as a level."""

import os
import sys
import traceback
from collections.abc import Sequence
from pathlib import Path

from pydantic import ValidationError
from yaml import YAMLError

from raygrid.classifiers import Classifier
from raygrid.commands.test import of_every_level
from raygrid.commands.test.expect import Check, ContractError
from raygrid.commands.test.of_inputs import OF_DATASETS, OF_REPRESENTATIONS
from raygrid.commands.test.of_parts import OF_PROFILES, OF_SPLITS
from raygrid.commands.test.of_training import OF_CLASSIFIERS, OF_PLAIN_SAMPLERS, OF_RESAMPLERS, OF_TRAINED
from raygrid.datasets import DatasetLevel
from raygrid.errors import UsageError
from raygrid.gridfile.levels import level_of_user
from raygrid.gridfile.yaml_file import parsed
from raygrid.imbalance import Profile
from raygrid.level import Level
from raygrid.representations import Representation, TrainedRepresentation
from raygrid.resampling import Resampler
from raygrid.resampling.plain import PlainSampler
from raygrid.splits import Split

_PACKAGE = Path(__file__).parents[2]
_OF_KIND: dict[type[Level], tuple[Check, ...]] = {
    DatasetLevel: OF_DATASETS,
    TrainedRepresentation: OF_TRAINED,
    Representation: OF_REPRESENTATIONS,
    PlainSampler: OF_PLAIN_SAMPLERS,
    Resampler: OF_RESAMPLERS,
    Classifier: OF_CLASSIFIERS,
    Profile: OF_PROFILES,
    Split: OF_SPLITS,
}


def put_to_test(reference: str, parameters: Sequence[str]) -> int:
    """Print a line for every check, as it ends; return 1 if the class failed any, else 0.

    Parameters
    ----------
    reference : str
        ``module:Class``; modules are looked for, and paths count, from the working directory as from a grid file's.
    parameters : sequence of str
        ``name=value``, a value as the grid file would have it.

    Raises
    ------
    UsageError
        There is no such class, or it does not take these parameters.
    """
    level = _made({"name": reference} | dict(map(_parameter, parameters)))
    of_kind = [checks for kind, checks in _OF_KIND.items() if isinstance(level, kind)]
    if not of_kind:
        kinds = ", ".join(kind.__name__ for kind in _OF_KIND if kind is not PlainSampler)
        raise UsageError(f"{reference}: got a level of no axis; expected a subclass of one of {kinds}")
    told: set[str] = set()
    return 1 if sum(_is_broken(check, level, told) for check in (*of_every_level.CHECKS, *of_kind[0])) else 0


def _parameter(text: str) -> tuple[str, object]:
    name, separator, value = text.partition("=")
    try:
        if separator:
            return name, parsed(value)
    except YAMLError:
        pass
    raise UsageError(f"{text}: expected NAME=VALUE, the value as in a grid file")


def _made(given: dict[str, object]) -> Level:
    try:
        return level_of_user(given, Level, {"folder": Path.cwd()})
    except ValidationError as error:
        faults = (f"{'.'.join(map(str, (given['name'], *fault['loc'])))}: {fault['msg']}" for fault in error.errors())
        raise UsageError("\n".join(faults)) from None
    except ValueError as error:
        raise UsageError(str(error)) from None


def _is_broken(check: Check, level: Level, told: set[str]) -> bool:
    """Put a level to one check, and print what comes of it: what the check says of itself, and what is wrong.

    Tracebacks that are in `told` are not printed again; a new one is added.
    """
    says = (check.__doc__ or "").partition("\n")[0].rstrip(".")
    try:
        check(level)
    except ContractError as error:
        print(f"WRONG {says}: {error}", flush=True)
    except Exception as error:  # the user's code may raise anything
        users = _users_part(error)
        if users and users not in told:
            print(users, end="", file=sys.stderr, flush=True)
            told.add(users)
        is_refusal = not users and isinstance(error, ValueError)  # raygrid says itself what it refuses
        print(f"WRONG {says}: {error if is_refusal else f'{type(error).__name__}: {error}'}", flush=True)
    else:
        print(f"ok    {says}", flush=True)
        return False
    return True


def _users_part(error: Exception) -> str:
    """Return the traceback from the user's code on; empty where raygrid itself refuses what that code returns."""
    users = error.__traceback__
    while users and users.tb_frame.f_code.co_filename.startswith(f"{_PACKAGE}{os.sep}"):
        users = users.tb_next
    return "".join(traceback.format_exception(type(error), error, users)) if users else ""
