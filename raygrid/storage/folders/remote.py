"""A folder at a URL, through fsspec; no temporary names, because servers write an object completely or not at all."""

import io
from collections import defaultdict
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, suppress
from pathlib import Path
from typing import Any

from upath import UPath

from raygrid.errors import StoreError
from raygrid.storage.folders.folder import Fill
from raygrid.storage.folders.lease import HeldLease, Watch, is_held, lease
from raygrid.storage.folders.patience import Result, passes, patiently

# Properties that change when an object is rewritten; every server has some of them.
_STAMPS = (
    "ETag",
    "etag",
    "generation",
    "LastModified",
    "mtime",
    "modify",
    "modificationTime",
    "updated",
    "created",
    "size",
)

# s3fs and gcsfs would try five times or more without a word, a minute each if the server takes requests and does not
# answer; `raygrid.storage.folders.patience` tries longer, and says so.
_QUICK_TRIES = 2


class RemoteFolder:
    """Objects whose names begin with the URL; a `raygrid.storage.folders.folder.Folder`.

    If the server cannot be reached, every method tries again, see `raygrid.storage.folders.patience`.

    Parameters
    ----------
    patience_s : float or None
        How long to try, in seconds; None means `raygrid.storage.folders.patience.PATIENCE_S`.
    """

    def __init__(self, root: UPath, *, patience_s: float | None = None) -> None:
        self.root = root
        self.patience_s = patience_s
        self._watches: defaultdict[str, Watch] = defaultdict(Watch)

    def __getstate__(self) -> dict[str, Any]:
        return vars(self) | {"_watches": defaultdict(Watch)}  # another machine has another clock

    def hasty(self) -> "RemoteFolder":
        """Return the same folder, whose methods fail at once if the server cannot be reached."""
        return RemoteFolder(self.root, patience_s=0)

    def prepare(self, names: Iterable[str]) -> None:
        """Do nothing, because a server has no folders and no half-written objects."""

    def is_there(self, name: str) -> bool:
        """Tell whether there is any object; a server has no empty folders."""
        return bool(self._ls(self._path("")))  # not the list of `name`, which may take many requests

    def stamps(self, name: str, suffix: str) -> Mapping[str, Hashable]:
        """Return object name -> stamp for the objects below `name`; a stamp changes when an object is rewritten."""
        found = {entry["name"].rpartition("/")[2]: entry for entry in self._ls(self._path(name))}
        return {
            f"{name}/{file}": tuple(str(entry.get(stamp)) for stamp in _STAMPS)
            for file, entry in sorted(found.items())
            if entry["type"] == "file" and file.endswith(suffix)
        }

    def read(self, name: str) -> bytes | None:
        """Return an object's content, or None where there is none."""
        try:
            content: bytes = self._patiently(lambda: self._fs.cat_file(self._path(name)))
        except FileNotFoundError:
            return None
        return content

    def read_all(self, names: Sequence[str]) -> Mapping[str, bytes]:
        """Return the content of these objects, read in parallel; objects that do not exist are left out."""
        left = {self._path(name): name for name in names}
        found: dict[str, bytes] = {}

        def fetch() -> None:
            contents = self._fs.cat(list(left), on_error="return") if left else {}
            found.update({left.pop(path): content for path, content in contents.items() if _is_bytes(content)})
            failed = [error for error in contents.values() if not _is_bytes(error)]
            for error in sorted(failed, key=passes):  # errors that do not pass by waiting are raised first
                if not isinstance(error, FileNotFoundError):
                    raise error

        self._patiently(fetch)
        return found

    def write(self, name: str, fill: Fill, *, parents: bool = False) -> None:
        """Replace the object by what `fill` writes."""
        content = _filled(fill)
        self._put(lambda: self._fs.pipe_file(self._path(name), content))

    def create(self, name: str, fill: Fill) -> bool:
        """Write what `fill` writes, unless the object exists; return whether it was written.

        Some servers replace an existing object. Where a first try was carried out and only its answer was lost, this
        returns False.
        """
        content = _filled(fill)
        with suppress(FileExistsError):
            self._put(lambda: self._fs.pipe_file(self._path(name), content, mode="create"))
            return True
        return False

    def delete(self, name: str) -> None:
        """Delete the object, if it exists."""
        with suppress(FileNotFoundError):
            self._patiently(lambda: self._fs.rm_file(self._path(name)))

    def upload(self, path: Path, name: str) -> None:
        """Upload a file of this machine, of any size."""
        self._put(lambda: self._fs.put_file(str(path), self._path(name)))

    def download(self, name: str, path: Path) -> bool:
        """Download an object to a file of this machine; return whether the object exists."""
        try:
            self._patiently(lambda: self._fs.get_file(self._path(name), str(path)))
        except FileNotFoundError:
            return False
        return True

    def held(self, name: str, *, wait: bool) -> AbstractContextManager[HeldLease]:
        """Hold the lock of this name, which one process at a time can hold, by `raygrid.storage.folders.lease`."""
        return lease(self, name, wait=wait)

    def is_held(self, name: str) -> bool:
        """Tell whether a process holds the lock of this name."""
        return is_held(self, name, self._watches[name])

    @property
    def _fs(self) -> Any:
        fs = self.root.fs
        fs.retries = _QUICK_TRIES
        return fs

    def _path(self, name: str) -> str:
        return f"{self.root.path.rstrip('/')}/{name}".rstrip("/")

    def _ls(self, path: str) -> Iterable[dict[str, Any]]:
        try:
            found: list[dict[str, Any]] = self._patiently(lambda: self._fs.ls(path, detail=True))
        except FileNotFoundError:
            return []
        return found

    def _put(self, act: Callable[[], object]) -> None:
        try:
            self._patiently(act)
        except FileNotFoundError as error:  # writing an object needs only its bucket
            raise StoreError(f"{self.root}: got no such bucket ({error}); make it, or name another") from error

    def _patiently(self, act: Callable[[], Result]) -> Result:
        return patiently(self.root, act, patience_s=self.patience_s)


def _filled(fill: Fill) -> bytes:
    buffer = io.BytesIO()
    fill(buffer)
    return buffer.getvalue()


def _is_bytes(content: object) -> bool:
    return isinstance(content, bytes)
