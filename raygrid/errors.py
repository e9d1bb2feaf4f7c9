"""The errors raygrid raises on purpose.

::

    RaygridError              everything below
    ├── UsageError            the user can mend it: printed as one line a fault, exit 2, no traceback
    │   ├── GridError         the grid file is wrong (every fault of the file at once)
    │   ├── DataError         a data set is not there or is broken
    │   ├── WeightsError      pretrained weights are not there or do not fit
    │   └── StoreError        the store cannot be read or written
    └── InfeasibleError       a cell that no repetition can compute: becomes a record, never a crash

A message has the form *where: got X; expected one of A, B; do Y*.
"""

import difflib
import os
from collections.abc import Iterable, Sequence
from pathlib import Path

_MAX_LINES = 20


class RaygridError(Exception):
    """Base of every error raygrid raises on purpose."""


class UsageError(RaygridError):
    """Something the user can mend."""


class GridError(UsageError):
    """A grid file that does not say what to run; one line a fault."""


class DataError(UsageError):
    """A data set that is not there, or is not what it should be."""


class WeightsError(UsageError):
    """Pretrained weights that are not there, or do not fit the network."""


class StoreError(UsageError):
    """A store that cannot be read or written."""


class InfeasibleError(RaygridError):
    """A cell that cannot be computed however often it is tried (a class smaller than SMOTE's k, say)."""


def choices(got: str, valid: Iterable[str]) -> str:
    """Return *got 'X'; expected one of A, B*, with the nearest valid name where one is close."""
    names = list(valid)
    longer = [name for name in names if len(got) > 1 and name.lower().startswith(got.lower())]
    nearest = difflib.get_close_matches(got, names, n=1) or longer
    hint = f"; did you mean {' or '.join(map(repr, nearest))}?" if 0 < len(nearest) < 4 else ""
    return f"got {got!r}; expected one of {', '.join(names)}{hint}"


def listed(faults: Sequence[str]) -> str:
    """Return faults, one a line; after the first 20, how many more there are."""
    more = len(faults) - _MAX_LINES
    return "\n".join([*faults[:_MAX_LINES], *([f"and {more} more"] if more > 0 else [])])


def printable(name: str | Path) -> str:
    """Return a file's name as one line of text that can be printed, whatever bytes it has."""
    try:
        text = os.fsencode(name).decode(errors="backslashreplace")
    except UnicodeEncodeError:  # it is no file's: it has half of a character
        text = str(name)
    return "".join(letter if letter.isprintable() else repr(letter)[1:-1] for letter in text)
