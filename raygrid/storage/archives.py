"""What is checked of a zip or a tar, whoever wrote it, before its members are read; nothing is unpacked to disk."""

import lzma
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterable
from io import BytesIO
from pathlib import Path, PureWindowsPath
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from raygrid.errors import DataError, listed, printable
from raygrid.storage.checksum import is_left_behind

MAX_FILE_BYTES = 64 * 2**20  # of a member; the largest image of the known data sets has 11 kB
_MOST_PACKED = 200  # times; what is larger than a member may be, and packed tighter, was made to fill a memory

Member = TypeVar("Member")

# What the libraries raise that read archives.
BROKEN = (
    *(zipfile.BadZipFile, tarfile.TarError, EOFError, OSError, zlib.error, lzma.LZMAError, struct.error),
    *(
        ValueError,
        OverflowError,
        RuntimeError,
    ),  # sizes and names that cannot be; what is encrypted, or of later versions
)


def broken(path: Path, error: Exception, *, expected: str = "a zip or a tar") -> DataError:
    """Return the error of an archive that cannot be read."""
    return DataError(f"{path}: got a broken archive ({error}); expected {expected}; get it anew")


def inside(path: Path, members: Iterable[tuple[str, Member]]) -> dict[str, Member]:
    """Return members by their relative POSIX paths, whichever slashes they are written with.

    What operating systems leave behind is passed over.

    Raises
    ------
    DataError
        Members have a path outside the archive, or the same name; one line for each.
    """
    found, faults = dict[str, Member](), []
    for written, member in members:
        name = PureWindowsPath(written)  # knows drives and both slashes, so every way out on Windows and POSIX
        if name.anchor or ".." in name.parts:
            faults.append(f"{path}: {printable(written)}: got a name that leaves the archive; expected a relative path")
        elif name.as_posix() in found:
            faults.append(f"{path}: {printable(written)}: got it twice; expected each name once")
        found[name.as_posix()] = member
    if faults:
        raise DataError(listed(faults))
    return {name: member for name, member in found.items() if not is_left_behind(name)}


def check_packed(n_bytes: int, n_packed: int) -> None:
    """Raise DataError if members of so many bytes are packed so tight that they are no data."""
    if n_bytes > max(MAX_FILE_BYTES, _MOST_PACKED * n_packed):
        raise DataError(f"got {n_bytes} bytes packed into {n_packed}; expected at most {_MOST_PACKED} times as many")


def check_size(n_bytes: int, at_most: int = MAX_FILE_BYTES) -> None:
    """Raise DataError if a member is larger than it can reasonably be; decompressed, it might fill the memory."""
    if n_bytes > at_most:
        raise DataError(f"got {n_bytes} bytes; expected at most {at_most}")


def arrays_in(content: bytes, at_most: int) -> dict[str, NDArray[Any]]:
    """Return the arrays of an npz by name; pickled objects are refused.

    Raises
    ------
    Exception
        Whatever numpy and unzippers raise; DataError where there are more bytes than `at_most`.
    """
    with np.load(BytesIO(content), allow_pickle=False) as npz:
        members = npz.zip.infolist() if npz.zip else []
        n_bytes = sum(info.file_size for info in members)
        check_size(n_bytes, at_most)
        check_packed(n_bytes, sum(info.compress_size for info in members))
        return {name: np.asanyarray(npz[name]) for name in npz.files}
