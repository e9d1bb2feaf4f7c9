"""What a folder of files can do, be it on this machine or at a URL."""

from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from pathlib import Path
from typing import IO, Protocol

from upath import UPath

# Where a folder lies: `Location / name` and `str` work alike for both.
Location = Path | UPath
Fill = Callable[[IO[bytes]], object]


class Claim(Protocol):
    """What the holder of a lock, and the processes that write for it, know it by; it can be pickled."""

    def check(self) -> None:
        """Raise a StoreError where another has taken the lock over."""


class Folder(Protocol):
    """Files under names such as ``records/KEY.json``; each is written whole, so that a reader sees all of it or none.

    What the file system or the server refuses is raised as a `StoreError`.
    """

    @property
    def root(self) -> Location:
        """Where it lies."""

    def prepare(self, names: Iterable[str]) -> None:
        """Make these folders within it, and drop what a killed process left half-written there."""

    def is_there(self, name: str) -> bool:
        """Tell whether there is a folder of this name."""

    def stamps(self, name: str, suffix: str) -> Mapping[str, Hashable]:
        """Return the names of the files of a folder within it; a file that is written again gets another stamp."""

    def read(self, name: str) -> bytes | None:
        """Return a file's content, or None where there is none."""

    def read_all(self, names: Sequence[str]) -> Mapping[str, bytes]:
        """Return the content of many files, but for those that are gone."""

    def write(self, name: str, fill: Fill, *, parents: bool = False) -> None:
        """Make the file hold what `fill` writes.

        Parameters
        ----------
        parents : bool
            Whether to make the folders in which it lies; else they must be there, for a store that is gone is not made
            again by the trials of a run.
        """

    def delete(self, name: str) -> None:
        """Delete the file, if it is there."""

    def held(self, name: str, *, wait: bool) -> AbstractContextManager[Claim | None]:
        """Hold the lock of this name, alone of all processes that use the folder; a killed one does not keep it.

        What comes of it is None where a lock cannot be lost.

        Parameters
        ----------
        wait : bool
            Whether to wait for another holder, or to raise a `StoreError`.
        """

    def is_held(self, name: str) -> bool:
        """Tell whether a process holds the lock of this name."""


def in_use(root: Location) -> str:
    """Return the line that refuses a second holder."""
    return f"{root}: another run is writing here; wait for it, or use another --store"
