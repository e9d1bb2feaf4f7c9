"""The contract of a folder of files, on this machine or at a URL."""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import IO, Protocol

from upath import UPath

# Path of a folder; `Location / name` and `str` work for both.
Location = Path | UPath
Fill = Callable[[IO[bytes]], object]


class Claim(Protocol):
    """Proves that a lock is held: for its holder and, pickled, for the processes that write for it."""

    def check(self) -> None:
        """Raise a StoreError if another process has taken over the lock."""


class Folder(Protocol):
    """Files under names such as ``records/KEY.json``; a reader sees a complete file or none.

    Errors of the file system or the server are raised as a `StoreError`.
    """

    @property
    def root(self) -> Location:
        """Path or URL of the folder."""

    def prepare(self, names: Iterable[str]) -> None:
        """Make these subfolders, and delete half-written files that a killed process left in them."""

    def is_there(self, name: str) -> bool:
        """Tell whether there is a folder of this name."""

    def stamps(self, name: str, suffix: str) -> Mapping[str, Hashable]:
        """Return file name -> stamp for the files of a subfolder; the stamp of a file changes when it is rewritten."""

    def read(self, name: str) -> bytes | None:
        """Return a file's content, or None where there is none."""

    def read_all(self, names: Sequence[str]) -> Mapping[str, bytes]:
        """Return the content of these files; files that do not exist are left out."""

    def write(self, name: str, fill: Fill, *, parents: bool = False) -> None:
        """Replace the file by what `fill` writes.

        Parameters
        ----------
        parents : bool
            Whether to make the folders above it. Otherwise they must exist, so that trials do not make a store again
            that was deleted during the run.
        """

    def create(self, name: str, fill: Fill) -> bool:
        """Write what `fill` writes, unless the file exists; return whether it was written.

        Some servers and file systems cannot tell, and replace an existing file.
        """

    def delete(self, name: str) -> None:
        """Delete the file, if it exists."""

    def held(self, name: str, *, wait: bool) -> AbstractContextManager[Claim | None]:
        """Hold the lock of this name, which one process at a time can hold; it is released if the process is killed.

        The value of the `with` block is a claim, or None if another process cannot take over the lock.

        Parameters
        ----------
        wait : bool
            Whether to wait for another holder, or to raise a `StoreError`.
        """

    def is_held(self, name: str) -> bool:
        """Tell whether a process holds the lock of this name."""


def in_use(root: Location) -> str:
    """Return the message for a process that wants a lock that is held."""
    return f"{root}: another run is writing here; wait for it, or use another --store"
