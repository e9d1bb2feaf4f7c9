"""Read the files of a folder, a zip or a tar; archives are read in memory and never unpacked to disk."""

import tarfile
import zipfile
import zlib
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import IO, TypeVar

from raygrid.errors import DataError, listed, printable
from raygrid.storage.checksum import in_folder, is_left_behind, open_file

MAX_FILE_BYTES = 64 * 2**20  # an image of an archive; the largest of the known data sets has 11 kB
MAX_TAR_MEMBER_BYTES = 2**30  # a batch; the largest of the known data sets has 221 MB

Member = TypeVar("Member")
Files = dict[str, Callable[[], bytes]]

_BROKEN = (zipfile.BadZipFile, tarfile.TarError, EOFError, OSError, zlib.error)


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
        except _BROKEN as error:
            raise _broken(path, error) from error
        yield files


def _archive(path: Path) -> zipfile.ZipFile | tarfile.TarFile:
    try:
        return zipfile.ZipFile(path) if zipfile.is_zipfile(path) else tarfile.open(path)
    except _BROKEN as error:
        raise _broken(path, error) from error


def _broken(path: Path, error: Exception) -> DataError:
    return DataError(f"{path}: got a broken archive ({error}); expected a zip or a tar; get it anew")


def _in_zip(path: Path, archive: zipfile.ZipFile) -> Files:
    files = (info for info in archive.infolist() if not info.filename.endswith(("/", "\\")))
    members = _inside(path, ((info.filename, info) for info in files))
    return {name: partial(_read_zipped, archive, info) for name, info in members.items()}


def _in_tar(path: Path, archive: tarfile.TarFile) -> Files:
    members = _inside(path, ((info.name, info) for info in archive if not info.isdir()))
    return {name: partial(_read_tarred, archive, info) for name, info in members.items()}


def _inside(path: Path, members: Iterable[tuple[str, Member]]) -> dict[str, Member]:
    """Return members by their relative POSIX paths, whichever slashes they are written with."""
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


def _read_file(path: Path) -> bytes:
    with open_file(path) as file:
        return file.read()


def _read_zipped(archive: zipfile.ZipFile, member: zipfile.ZipInfo) -> bytes:
    _check_size(member.file_size, MAX_FILE_BYTES)
    return archive.read(member)


def _read_tarred(archive: tarfile.TarFile, member: tarfile.TarInfo) -> bytes:
    _check_size(member.size, MAX_FILE_BYTES)
    if not (member.isreg() and (stream := archive.extractfile(member))):
        raise DataError("got a link or a device; expected a file")
    return stream.read()


def _check_size(n_bytes: int, at_most: int) -> None:
    if n_bytes > at_most:
        raise DataError(f"got {n_bytes} bytes; expected at most {at_most}")


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
    except _BROKEN as error:
        raise _broken(path, error) from error
    return found


def _open_member(where: str, archive: tarfile.TarFile, member: tarfile.TarInfo) -> IO[bytes] | None:
    """Return the content of a regular file, None for a link or a device."""
    if member.size > MAX_TAR_MEMBER_BYTES:
        raise DataError(f"{where}: got {member.size} bytes; expected at most {MAX_TAR_MEMBER_BYTES}")
    return archive.extractfile(member) if member.isreg() else None
