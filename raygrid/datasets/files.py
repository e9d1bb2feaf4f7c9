"""The files in a zip or a tar.gz, by name; nothing is ever unpacked to a place the archive chooses."""

import tarfile
import zipfile
import zlib
from collections.abc import Collection
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import IO

from raygrid.checksum import is_hidden
from raygrid.errors import DataError

MAX_ZIP_MEMBER_BYTES = 64 * 2**20  # an image; the largest of the known data sets has 11 kB
MAX_TAR_MEMBER_BYTES = 2**30  # a batch; the largest of the known data sets has 221 MB


def in_zip(archive: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    """Return the files of a zip, by name, hidden ones left out.

    Raises
    ------
    DataError
        A member is named twice, would leave the archive, or is larger unpacked than any image.
    """
    found: dict[str, zipfile.ZipInfo] = {}
    for info in archive.infolist():
        _check_member(f"{archive.filename}: {info.filename}", info)
        if info.filename in found:
            raise DataError(f"{archive.filename}: got {info.filename!r} twice; expected each name once")
        found[info.filename] = info
    return {name: info for name, info in found.items() if not (info.is_dir() or is_hidden(name))}


def _check_member(where: str, info: zipfile.ZipInfo) -> None:
    path = PureWindowsPath(info.filename)  # knows drives and both slashes, so what Windows or POSIX would leave by
    if path.anchor or ".." in path.parts:
        raise DataError(f"{where}: got a name that leaves the archive; expected a relative path")
    if info.file_size > MAX_ZIP_MEMBER_BYTES:
        raise DataError(f"{where}: got {info.file_size} bytes unzipped; expected at most {MAX_ZIP_MEMBER_BYTES}")


def read_tar(path: Path, names: Collection[str]) -> dict[str, bytes]:
    """Return the contents of those of the named members that a tar.gz has, read into memory.

    Parameters
    ----------
    path : Path
        A tar.gz.
    names : collection of str
        Whole member names, ``folder/file``; other members are passed over.

    Raises
    ------
    DataError
        The archive is broken, or a member is larger than any batch of images.
    """
    found: dict[str, bytes] = {}
    try:
        with tarfile.open(path, "r:gz") as archive:
            for member in archive:
                name = PurePosixPath(member.name).as_posix()  # without a leading ./
                if name in names and (stream := _open_member(f"{path}: {name}", archive, member)):
                    found[name] = stream.read()
                if len(found) == len(names):
                    break  # the rest can be gigabytes
    except (tarfile.TarError, EOFError, OSError, zlib.error) as error:
        raise DataError(f"{path}: got a broken archive ({error}); expected a tar.gz; get it anew") from error
    return found


def _open_member(where: str, archive: tarfile.TarFile, member: tarfile.TarInfo) -> IO[bytes] | None:
    """Return the content of a regular file, None for a link or a device."""
    if member.size > MAX_TAR_MEMBER_BYTES:
        raise DataError(f"{where}: got {member.size} bytes; expected at most {MAX_TAR_MEMBER_BYTES}")
    return archive.extractfile(member) if member.isreg() else None
