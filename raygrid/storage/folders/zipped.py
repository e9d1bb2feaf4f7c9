"""A store that is one file: a zip that `raygrid pack` wrote, read in memory and never unpacked."""

import hashlib
import re
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from functools import cached_property
from pathlib import Path
from typing import IO, NoReturn
from zipfile import ZIP_DEFLATED, ZIP_STORED, ZipFile, ZipInfo

from raygrid.errors import DataError, StoreError, printable
from raygrid.storage.archives import BROKEN, broken, check_packed, check_size, inside
from raygrid.storage.checksum import open_file
from raygrid.storage.folders.folder import Claim, Fill

# The list of checksums, as `sha256sum --check` takes it.
SUMS = "SHA256SUMS"

_MAX_BYTES = 2**31  # of all files together
_NAMES = re.compile(
    rf"{SUMS}|cells\.json|environment\.json|grid\.yaml|(records/[0-9a-f]{{16}}\.json|predictions/[0-9a-f]{{16}}\.npz)"
)
_SUM = re.compile("([0-9a-f]{64})  (.+)")
_IS_ENCRYPTED = 0x1  # bit of the flags
_PACKED = "a store that `raygrid pack` wrote"


class ZipFolder:
    """A `raygrid.storage.folders.folder.Folder` in a zip, which is only read; every file is compared with its checksum.

    Checksums show damage; they do not show who wrote the file. Whatever it holds, nothing of it is run or written to
    disk, and every fault is a `StoreError` of one line.
    """

    def __init__(self, root: Path) -> None:
        self.root = root.absolute()

    def is_there(self, name: str) -> bool:
        """Tell whether there are files below this name."""
        return any(file.startswith(f"{name}/") for file in self._sums)

    def stamps(self, name: str, suffix: str) -> Mapping[str, Hashable]:
        """Return file name -> checksum for the files of a subfolder."""
        return {
            file: digest
            for file, digest in sorted(self._sums.items())
            if file.startswith(f"{name}/") and file.endswith(suffix)
        }

    def read(self, name: str) -> bytes | None:
        """Return a file's content, or None where there is none."""
        return self.read_all([name]).get(name)

    def read_all(self, names: Sequence[str]) -> Mapping[str, bytes]:
        """Return the content of these files; files that do not exist are left out."""
        return {name: self._checked(name) for name in names if name in self._sums}

    def is_held(self, name: str) -> bool:
        """Tell that no process holds a lock."""
        return False

    def prepare(self, names: Iterable[str]) -> None:
        """Raise a StoreError; so do all methods that write."""
        self._refuse()

    def write(self, name: str, fill: Fill, *, parents: bool = False) -> None:
        """Raise a StoreError."""
        self._refuse()

    def create(self, name: str, fill: Fill) -> bool:
        """Raise a StoreError."""
        self._refuse()

    def delete(self, name: str) -> None:
        """Raise a StoreError."""
        self._refuse()

    def held(self, name: str, *, wait: bool) -> AbstractContextManager[Claim | None]:
        """Raise a StoreError."""
        self._refuse()

    def _refuse(self) -> NoReturn:
        raise StoreError(
            f"{self.root}: got a packed store, which is only read; expected a folder or a URL; "
            f"do: raygrid merge DIR {self.root.name}, and go on in DIR"
        )

    @cached_property
    def _archive(self) -> ZipFile:
        with self._reading():
            return ZipFile(open_file(self.root))

    @cached_property
    def _members(self) -> dict[str, ZipInfo]:
        """The files by name, of which nothing but the list is read so far."""
        with self._reading():
            infos = (info for info in self._archive.infolist() if not info.filename.endswith("/"))
            members = inside(self.root, ((info.filename, info) for info in infos))
            n_bytes = sum(info.file_size for info in members.values())
            check_size(n_bytes, _MAX_BYTES)
        for name, info in members.items():
            with self._reading(name):
                _check_member(name, info)
        with self._reading():
            check_packed(n_bytes, sum(info.compress_size for info in members.values()))
        return members

    @cached_property
    def _sums(self) -> dict[str, str]:
        """Checksum of every file, by name."""
        if SUMS not in self._members:
            raise StoreError(f"{self.root}: got no {SUMS}; expected {_PACKED}")
        lines = self._content(SUMS).decode(errors="replace").splitlines()
        found = [match for match in map(_SUM.fullmatch, lines) if match]
        sums = {match[2]: match[1] for match in found}
        listed_wrong = sums.keys() ^ (self._members.keys() - {SUMS})
        if listed_wrong or len(sums) < len(lines):
            names = ", ".join(map(printable, sorted(listed_wrong)[:3])) or "a line that is no checksum"
            raise StoreError(f"{self.root}: {SUMS}: got a list that does not fit the files ({names}); get it anew")
        return sums

    def _checked(self, name: str) -> bytes:
        content = self._content(name)
        if hashlib.sha256(content).hexdigest() != self._sums[name]:
            raise StoreError(f"{self.root / name}: got a file that is not what its checksum says; get the zip anew")
        return content

    def _content(self, name: str) -> bytes:
        with self._reading():
            return self._archive.read(self._members[name])

    @contextmanager
    def _reading(self, name: str = "") -> Iterator[None]:
        """Turn whatever the library says of a broken zip into a StoreError."""
        try:
            yield
        except FileNotFoundError:
            raise StoreError(f"{self.root}: got no such file; expected {_PACKED}") from None
        except DataError as error:
            where = f"{self.root / name}: " if name else f"{self.root}: "
            raise StoreError(where + str(error).removeprefix(where)) from None
        except BROKEN as error:
            raise StoreError(str(broken(self.root, error, expected=_PACKED))) from None


def _check_member(name: str, info: ZipInfo) -> None:
    """Raise DataError for a file that `raygrid pack` would not write."""
    if not _NAMES.fullmatch(name):
        raise DataError(f"got a file that no packed store has; expected {_PACKED}")
    if info.flag_bits & _IS_ENCRYPTED or info.compress_type not in (ZIP_STORED, ZIP_DEFLATED):
        raise DataError(f"got a file that is encrypted, or compressed otherwise than by deflate; expected {_PACKED}")
    check_size(info.file_size)


def zip_of(contents: Mapping[str, bytes]) -> Callable[[IO[bytes]], None]:
    """Return what writes these files as a packed store: the same bytes for the same files, with their checksums.

    Parameters
    ----------
    contents : mapping
        By name, as a store has them.
    """
    sums = "".join(f"{hashlib.sha256(contents[name]).hexdigest()}  {name}\n" for name in sorted(contents))

    def fill(file: IO[bytes]) -> None:
        with ZipFile(file, "w") as archive:
            for name, content in [(SUMS, sums.encode()), *sorted(contents.items())]:
                member = ZipInfo(name)  # of 1980, whenever it is written
                member.create_system, member.external_attr = 3, 0o644 << 16  # as on Unix, wherever it is written
                archive.writestr(member, content, ZIP_DEFLATED, compresslevel=9)

    return fill
