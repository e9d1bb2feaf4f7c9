"""How the identity of levels becomes a key. Each level is looked at only once, however many cells have it."""

import hashlib
import json
from collections.abc import Hashable, Mapping
from functools import lru_cache
from typing import Any

from raygrid.gridfile.choices import Choosing
from raygrid.level import Level

_ENCODER = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=True, allow_nan=False)

# How many levels are remembered, of all axes.
_MANY = 2**16


@lru_cache(maxsize=_MANY)
def identity(level: Level) -> dict[str, Any]:
    """Return `level.identity()`, which may read files, once a level; with the source of a class of the user's own.

    Of a level that stands for several candidates, it is theirs.
    """
    if len(level.candidates) > 1:
        return {"name": level.name, "choose": [identity(candidate) for candidate in level.candidates]}
    return level.identity() | dict(level.code)


@lru_cache(maxsize=_MANY)
def n_candidates(level: Level) -> int:
    """Return how many levels this one stands for."""
    return len(level.candidates)


def plain(part: Hashable) -> Any:
    """Return a part of a cell's identity as plain JSON values."""
    if isinstance(part, Level):
        return identity(part)
    return part.identity() if isinstance(part, Choosing) else part


@lru_cache(maxsize=_MANY, typed=True)  # typed: 1 and 1.0 are written differently, as in levels
def canonical_json(part: Hashable) -> str:
    """Return a part of a cell's identity as `hash_of` writes it."""
    return canonical(plain(part))


def hash_of(identity: Mapping[str, Any]) -> str:
    """Return 16 hexadecimal digits that name this JSON value."""
    return digest(canonical(identity))


def digest(text: str) -> str:
    """Return 16 hexadecimal digits that name this text."""
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def canonical(value: object) -> str:
    """Return a JSON value as keys write it, always alike."""
    return _ENCODER.encode(value)
