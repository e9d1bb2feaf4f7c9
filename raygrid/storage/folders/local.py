"""A folder on this machine, or on a file system that it mounts."""

import os
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

from filelock import FileLock, Timeout

from raygrid.errors import StoreError
from raygrid.storage.checksum import open_file
from raygrid.storage.folders.folder import Fill, in_use
from raygrid.storage.whole_files import LEFTOVERS, as_store_error, write_whole

# A process that checks whether a lock is held, holds it itself for a moment; so wait this long before giving up.
_LOOK_S = 0.5


class LocalFolder:
    """A `raygrid.storage.folders.folder.Folder` on disk; files are written under a temporary name, then renamed.

    Nothing in it is a link: a folder that somebody sent could lead what is read, or written, to any file of the reader.
    """

    def __init__(self, root: Path) -> None:
        self.root = root.absolute()  # because the working folder of a trial's process is another one

    def prepare(self, names: Iterable[str]) -> None:
        """Make these subfolders, and delete half-written files that a killed process left in them."""
        with as_store_error(self.root):
            for name in names:
                self._at(name).mkdir(parents=True, exist_ok=True)
                for leftover in (self.root / name).glob(LEFTOVERS):
                    leftover.unlink()

    def is_there(self, name: str) -> bool:
        """Tell whether there is a folder of this name."""
        return (self.root / name).is_dir()

    def stamps(self, name: str, suffix: str) -> Mapping[str, Hashable]:
        """Return file name -> stamp for the files of a subfolder; the stamp of a file changes when it is rewritten."""
        found = {}
        for path in sorted(self._at(name).glob(f"*{suffix}"), key=lambda path: path.name):
            try:
                status = path.stat()
            except FileNotFoundError:  # deleted meanwhile
                continue
            found[f"{name}/{path.name}"] = (status.st_ino, status.st_mtime_ns, status.st_size)
        return found

    def read(self, name: str) -> bytes | None:
        """Return a file's content, or None where there is none."""
        return self.read_all([name]).get(name)

    def read_all(self, names: Sequence[str]) -> Mapping[str, bytes]:
        """Return the content of these files; files that do not exist are left out."""
        found = {}
        with as_store_error(self.root):
            for name in names:
                with suppress(FileNotFoundError, NotADirectoryError), open_file(self._at(name)) as file:
                    found[name] = file.read()
        return found

    def write(self, name: str, fill: Fill, *, parents: bool = False) -> None:
        """Replace the file by what `fill` writes."""
        path = self._at(name)
        with as_store_error(self.root):
            if parents:
                path.parent.mkdir(parents=True, exist_ok=True)
            write_whole(path, fill)

    def create(self, name: str, fill: Fill) -> bool:
        """Write what `fill` writes, unless the file exists; return whether it was written."""
        with as_store_error(self.root), suppress(FileExistsError):
            write_whole(self._at(name), fill, replaces=False)
            return True
        return False

    def delete(self, name: str) -> None:
        """Delete the file, if it exists."""
        with as_store_error(self.root):
            self._at(name).unlink(missing_ok=True)

    @contextmanager
    def held(self, name: str, *, wait: bool) -> Iterator[None]:
        """Hold the lock of this name, which one process at a time can hold; it is released if the process is killed."""
        with as_store_error(self.root):
            self.root.mkdir(parents=True, exist_ok=True)
            lock = FileLock(self._at(name))
            try:
                lock.acquire(timeout=-1 if wait else _LOOK_S)
            except Timeout:
                raise StoreError(in_use(self.root)) from None
        try:
            yield
        finally:
            lock.release()

    def is_held(self, name: str) -> bool:
        """Tell whether a process holds the lock of this name."""
        if not self._at(name).exists():
            return False
        with as_store_error(self.root):
            try:
                with FileLock(self._at(name), timeout=0):
                    return False
            except Timeout:
                return True

    def _at(self, name: str) -> Path:
        """Return the path of a file or a folder of this one.

        Raises
        ------
        StoreError
            It is a link, or lies in one.
        """
        place = str(self.root)
        for part in name.split("/"):
            place = os.path.join(place, part)  # noqa: PTH118  of ten thousand records, with pathlib, half a second
            if os.path.islink(place):  # noqa: PTH114
                raise StoreError(f"{place}: got a link; expected a file or a folder; put what it leads to in its place")
        return Path(place)
