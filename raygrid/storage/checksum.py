"""Checksums of the content of files and folders, as *algorithm:hex*, and the list of a folder's files."""

import hashlib
import os
import stat
from collections.abc import Iterator, Mapping
from io import BufferedReader
from pathlib import Path, PurePosixPath

from raygrid.errors import UsageError, listed, printable

# What operating systems and storage systems write into folders of their own accord, in lower case.
_LEFT_BEHIND = frozenset(
    {"__macosx", "icon\r", "thumbs.db", "ehthumbs.db", "desktop.ini", "$recycle.bin", "system volume information"}
    | {"@eadir", "#recycle", "lost+found"}
)


def file_checksum(path: Path, algorithm: str = "sha256") -> str:
    """Return *algorithm:hex* of a file's content."""
    with open_file(path) as file:
        return f"{algorithm}:{hashlib.file_digest(file, algorithm).hexdigest()}"


def files_checksum(files: Mapping[str, Path]) -> str:
    """Return *sha256:hex* of the contents of files under these names, whatever order they come in.

    Raises
    ------
    UsageError
        Files cannot be read; one line for each.
    """
    digest, faults = hashlib.sha256(), []
    for name, file in sorted(files.items()):
        try:
            digest.update(os.fsencode(name) + b"\0" + file_checksum(file).encode() + b"\n")
        except OSError as error:
            faults.append(_unreadable(file, error))
    if faults:
        raise UsageError(listed(faults))
    return f"sha256:{digest.hexdigest()}"


def path_checksum(path: Path) -> str:
    """Return *sha256:hex* of a file, or of a folder's file names and contents without what systems leave there.

    Raises
    ------
    UsageError
        Files or folders cannot be read; one line for each.
    """
    if path.is_dir():
        return files_checksum(in_folder(path))
    try:
        return file_checksum(path)
    except OSError as error:
        raise UsageError(_unreadable(path, error)) from error


def open_file(path: Path) -> BufferedReader:
    """Open a file to read its bytes; raise OSError for a pipe or a device, because reading one may never end."""
    mode = path.stat().st_mode
    if not (stat.S_ISREG(mode) or stat.S_ISDIR(mode)):  # of a folder, the system itself says what it is
        raise OSError("neither a file nor a folder, but a pipe, a socket or a device")
    return path.open("rb")


def content_of(path: Path, at_most: int) -> bytes:
    """Return the bytes of a file; raise OSError for a pipe or a device, and for more bytes than `at_most`."""
    with open_file(path) as file:
        content = file.read(at_most + 1)
    if len(content) > at_most:
        raise OSError(f"more than {at_most} bytes")
    return content


def in_folder(folder: Path) -> dict[str, Path]:
    """Return the files below a folder by their relative POSIX paths, without what systems leave there.

    Links are followed.

    Raises
    ------
    UsageError
        A folder cannot be read, or is a link to a folder that it lies in; one line for each.
    """
    faults: list[str] = []
    files = [file for top in _walk(folder, faults) for file in top]
    if faults:
        raise UsageError(listed(faults))
    return {file.relative_to(folder).as_posix(): file for file in files}


def is_left_behind(name: str) -> bool:
    """Whether a file is hidden or was written by a system (``.DS_Store``, ``Thumbs.db``), so that it is not data."""
    return any(part.startswith(".") or part.lower() in _LEFT_BEHIND for part in PurePosixPath(name).parts)


def _walk(folder: Path, faults: list[str]) -> Iterator[list[Path]]:
    """Yield the files of every folder below a folder; append what is wrong with folders to `faults`."""

    def note(error: OSError) -> None:
        faults.append(_unreadable(Path(error.filename), error))

    for top, folders, names in os.walk(folder, followlinks=True, onerror=note):
        here = Path(top)
        below = [here / name for name in folders if not is_left_behind(name)]
        loops = {path.name for path in below if path.is_symlink() and _contains(path, here)}
        faults += [f"{printable(here / name)}: got a link to a folder that it lies in; remove it" for name in loops]
        folders[:] = sorted(path.name for path in below if path.name not in loops)
        yield [here / name for name in sorted(names) if not is_left_behind(name)]


def _contains(link: Path, folder: Path) -> bool:
    return any(link.samefile(parent) for parent in (folder, *folder.parents))


def _unreadable(path: Path, error: OSError) -> str:
    got = f"a link to {printable(path.readlink())} that" if path.is_symlink() else "what"
    return f"{printable(path)}: got {got} cannot be read ({error.strerror or error}); mend it or take it out"
