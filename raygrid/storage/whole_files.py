"""Write a file completely or not at all: under a temporary name, synced, then renamed, and the folder synced.

A reader, or the next run after a crash, sees the complete file or no file.
"""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO
from uuid import uuid4

from raygrid.errors import StoreError

# What a killed process may leave behind.
LEFTOVERS = ".*.tmp"


def write_whole(path: Path, fill: Callable[[IO[bytes]], object], *, replaces: bool = True) -> None:
    """Make or replace the file `path` by what `fill` writes.

    Raises
    ------
    FileExistsError
        The file exists and `replaces` is False.
    """
    temporary = path.with_name(f".{path.name}.{uuid4().hex}.tmp")
    try:
        with temporary.open("xb") as file:
            fill(file)
            file.flush()
            os.fsync(file.fileno())
        (_move if replaces else _move_to_new)(temporary, path)
        _sync_folder(path.parent)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def _move(temporary: Path, path: Path) -> None:
    temporary.replace(path)


def _move_to_new(temporary: Path, path: Path) -> None:
    """Move a file unless there is one already, where the file system can link files, else in any case."""
    try:
        path.hardlink_to(temporary)
    except FileExistsError:
        raise
    except (OSError, NotImplementedError):
        temporary.replace(path)
    else:
        temporary.unlink()


def _sync_folder(folder: Path) -> None:
    """Make a rename survive a power failure, if the system supports it."""
    with suppress(OSError):  # some file systems, and Windows, do not sync folders
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


@contextmanager
def as_store_error(root: Path) -> Iterator[None]:
    """Turn an error of the file system into a StoreError of one line that names `root`."""
    try:
        yield
    except OSError as error:
        where = f" ({error.filename})" if error.filename else ""
        raise StoreError(f"{root}: {error.strerror or error}{where}; name another folder, or make room") from error
