"""What the folder is called that has the report of a part of a grid."""

import re
from collections.abc import Sequence

from raygrid.keys import digest

_LONGEST = 100  # bytes; file systems take 255


def folder_named(only: Sequence[str]) -> str:
    """Return these as a folder's name; one that is too long, or has other characters, ends in a hash of its own."""
    text = "+".join(only)
    name = re.sub(r"[^\w=,.+-]+", "_", text)
    if name == text and len(name.encode()) <= _LONGEST:
        return name
    ending = "-" + digest(text)[:8]
    return name.encode()[: _LONGEST - len(ending)].decode(errors="ignore") + ending
