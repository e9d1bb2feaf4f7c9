"""All records of a store as one file, because a server takes as long for a small object as for a large one."""

import gzip
import zlib
from collections.abc import Hashable, Mapping
from pathlib import Path
from typing import Any

from pydantic import TypeAdapter, ValidationError

from raygrid.storage.folders import Folder

FILE = "gathered.json.gz"

# A store of fewer records is read as fast one by one.
FEW = 100

# What is larger, unpacked, is not read: a record has some 4 kB, and its text is packed 10 to 20 times.
_MOST_BYTES_EACH, _MOST_PACKED = 2**14, 200

_FORM: TypeAdapter[Any] = TypeAdapter(dict[str, tuple[tuple[str, ...], str]])


def packed(records: Mapping[str, tuple[object, str]]) -> bytes:
    """Return the file of these records: name -> stamp of the record's own file, and its content."""
    return gzip.compress(_FORM.dump_json(dict(records)), compresslevel=6)


def unpacked(content: bytes | None, stamps: Mapping[str, object]) -> dict[str, bytes]:
    """Return the contents, by name, whose stamps are these; none of a file that is not there, or not readable.

    Every record has a file of its own, so nothing is lost then but time.
    """
    if not content:
        return {}
    try:
        unzipper = zlib.decompressobj(wbits=zlib.MAX_WBITS | 16)
        text = unzipper.decompress(content, min(_MOST_BYTES_EACH * len(stamps), _MOST_PACKED * len(content)))
        records = {} if unzipper.unconsumed_tail else _FORM.validate_json(text)
    except (zlib.error, ValidationError):
        return {}
    return {name: text.encode() for name, (stamp, text) in records.items() if stamps.get(name) == stamp}


def contents(folder: Folder, stamps: Mapping[str, Hashable]) -> dict[str, bytes]:
    """Return the contents of records with these stamps; what is not in the file of all is read one by one."""
    is_copied = not isinstance(folder.root, Path) and len(stamps) > FEW
    copied = unpacked(folder.read(FILE), stamps) if is_copied else {}
    return copied | dict(folder.read_all([name for name in stamps if name not in copied]))
