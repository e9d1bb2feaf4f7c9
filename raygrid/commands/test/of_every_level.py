"""The checks of `test` for levels of all axes."""

import json
import multiprocessing
import pickle
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any

from raygrid.commands.test.expect import Check, ContractError, expect
from raygrid.keys import identity
from raygrid.level import Level


def is_frozen(level: Level) -> None:
    """Its parameters cannot change, and a copy of it is equal to it, with the same hash."""
    expect(level.model_config.get("frozen"), "got a model_config that is not frozen; leave it as Level has it")
    copied = pickle.loads(pickle.dumps(level))  # noqa: S301  its own
    expect(copied == level and hash(copied) == hash(level), f"got {copied!r} from {level!r}")


def identity_is_json(level: Level) -> None:
    """Its identity, by which cells are known, is plain JSON."""
    got = identity(level)
    try:
        same = json.loads(json.dumps(got, allow_nan=False))
    except (TypeError, ValueError) as error:
        raise ContractError(f"got {got} ({error})") from None
    expect(got == same, f"got {got}, which JSON makes {same}")


def identity_names_no_path(level: Level) -> None:
    """Its identity has no path: of a file that a parameter names, it has the checksum."""
    for name, value in level:
        is_told = isinstance(value, Path) and str(value) in map(str, identity(level).values())
        expect(not is_told, f"got {name}: {value}; put the file's checksum there (raygrid.storage.checksum)")


def identity_is_the_same_elsewhere(level: Level) -> None:
    """Another process gets it pickled, and finds the same identity."""
    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as pool:
        elsewhere = pool.submit(_identity_of, pickle.dumps(level)).result()
    expect(elsewhere == identity(level), f"got {elsewhere}; here it is {identity(level)}")


def _identity_of(pickled: bytes) -> dict[str, Any]:
    return identity(pickle.loads(pickled))  # noqa: S301  its own


CHECKS: tuple[Check, ...] = (
    is_frozen,
    identity_is_the_same_elsewhere,  # first of these: a fingerprint that has been found goes along
    identity_is_json,
    identity_names_no_path,
)
