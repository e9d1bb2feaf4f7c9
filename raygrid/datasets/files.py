"""Read the files of a folder, a zip or a tar; archives are read in memory and never unpacked to disk."""

import tarfile
import zipfile
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path, PurePosixPath
from typing import IO

from raygrid.errors import DataError
from raygrid.storage.archives import BROKEN, broken, check_size, inside
from raygrid.storage.checksum import in_folder, open_file

MAX_TAR_MEMBER_BYTES = 2**30  # a batch; the largest of the known data sets has 221 MB

Files = dict[str, Callable[[], bytes]]


@contextmanager
def opened(path: Path) -> Iterator[Files]:
    """Yield, for each file of a folder, zip or tar, a function that reads it; operating systems' files are left out.

    Keys are relative POSIX paths, in the order in the archive, in which reading is fast.

    Raises
    ------
    DataError
        The archive is broken, or members have a path outside it or the same name; one line for each.
    UsageError
        A folder below cannot be read.
    """
    if path.is_dir():
        yield {name: partial(_read_file, file) for name, file in in_folder(path).items()}
        return
    with _archive(path) as archive:
        try:
            files = _in_zip(path, archive) if isinstance(archive, zipfile.ZipFile) else _in_tar(path, archive)
        except BROKEN as error:
            raise broken(path, error) from error
        yield files


def _archive(path: Path) -> zipfile.ZipFile | tarfile.TarFile:
    try:
        return zipfile.ZipFile(path) if zipfile.is_zipfile(path) else tarfile.open(path)
    except BROKEN as error:
        raise broken(path, error) from error


def _in_zip(path: Path, archive: zipfile.ZipFile) -> Files:
    files = (info for info in archive.infolist() if not info.filename.endswith(("/", "\\")))
    members = inside(path, ((info.filename, info) for info in files))
    return {name: partial(_read_zipped, archive, info) for name, info in members.items()}


def _in_tar(path: Path, archive: tarfile.TarFile) -> Files:
    members = inside(path, ((info.name, info) for info in archive if not info.isdir()))
    return {name: partial(_read_tarred, archive, info) for name, info in members.items()}


def _read_file(path: Path) -> bytes:
    with open_file(path) as file:
        return file.read()


def _read_zipped(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    check_size(member.file_size)
    return archive.read(member)


def _read_tarred(archive: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    check_size(member.size)
    if not (member.isreg() and (stream := archive.extractfile(member))):
        raise DataError("got a link or a device; expected a file")
    return stream.read()


def read_tar(path: Path, names: Collection[str]) -> dict[str, bytes]:
    """Return the contents of those of the named members that a tar has, read into memory.

    Parameters
    ----------
    path : Path
        A tar, compressed or not.
    names : collection of str
        Full member names, ``folder/file``; other members are passed over.

    Raises
    ------
    DataError
        The archive is broken, or a member is larger than any batch of images.
    """
    found: dict[str, bytes] = {}
    try:
        with tarfile.open(path) as archive:
            for member in archive:
                name = PurePosixPath(member.name).as_posix()  # without a leading ./
                if name in names and (stream := _open_member(f"{path}: {name}", archive, member)):
                    found[name] = stream.read()
                if len(found) == len(names):
                    break  # the rest can be gigabytes
    except BROKEN as error:
        raise broken(path, error) from error
    return found


def _open_member(where: str, archive: tarfile.TarFile, member: tarfile.TarInfo) -> IO[bytes] | None:
    """Return the content of a regular file, None for a link or a device."""
    if member.size > MAX_TAR_MEMBER_BYTES:
        raise DataError(f"{where}: got {member.size} bytes; expected at most {MAX_TAR_MEMBER_BYTES}")
    return archive.extractfile(member) if member.isreg() else None
