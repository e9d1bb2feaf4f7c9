"""The cache: arrays that cells of all grids share; computed once per machine, or once per cluster if it is at a URL."""

import json
import os
import shutil
import socket
import time
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import IO, Any
from uuid import uuid4

import numpy as np
from numpy.typing import DTypeLike, NDArray

from raygrid.storage.folders import LocalFolder, Location, RemoteFolder, folder_at
from raygrid.storage.room import make_room, used_since
from raygrid.storage.stopwatch import shared_work
from raygrid.storage.whole_files import as_store_error

Compute = Callable[[], Mapping[str, NDArray[Any]]]

# Lists the files of an entry and their sizes; at a URL it is uploaded last, so an entry that has it is complete.
_CONTENTS = "contents.json"


class Cache:
    """Named arrays under keys; may be deleted while nothing runs.

    A cache at a URL is shared by many machines. Each machine copies what it uses below ``$RAYGRID_LOCAL_CACHE`` or
    ``~/.cache/raygrid/copies``; copies may be deleted as well. ``computed/`` has a small file for every computation.

    Parameters
    ----------
    root : str, Path or UPath
        A folder, or a URL such as ``s3://bucket/cache``.

    Raises
    ------
    StoreError
        No installed package understands the URL.
    """

    def __init__(self, root: str | Location) -> None:
        self.folder = folder_at(root)
        self.root = self.folder.root

    def arrays(self, key: str, compute: Compute) -> dict[str, NDArray[Any]]:
        """Return the arrays under `key`, computed once and then memory-mapped, read-only.

        Raises
        ------
        StoreError
            They cannot be kept.
        """
        here = self._here()
        entry = here.root / key
        if not _is_whole(entry):
            with shared_work(), here.held(f".{key}.lock", wait=True):  # a second process waits for the first one
                if not _is_whole(entry):
                    self._obtain(entry, compute)
        return _arrays(entry)

    def has(self, key: str) -> bool:
        """Tell whether the arrays under `key` lie on this machine; nothing is downloaded."""
        return _is_whole(self._here().root / key)

    def known(self, key: str) -> dict[str, NDArray[Any]] | None:
        """Return the arrays under `key`, if they have been computed; else nothing is made here, not even the cache."""
        here = self._here()
        entry = here.root / key
        if not _is_whole(entry):
            if isinstance(self.folder, LocalFolder):
                return None
            with here.held(f".{key}.lock", wait=True):
                if not (_is_whole(entry) or _download(self.folder, entry)):
                    return None
        return _arrays(entry)

    def parts(
        self, key: str, shape: tuple[int, ...], dtype: DTypeLike, compute: Callable[[], Iterable[NDArray[Any]]]
    ) -> NDArray[Any]:
        """Return the array under `key`, written part by part along its first axis, so it need not fit into memory.

        Such arrays are large: every machine computes its own, and a new one replaces the least recently used ones
        (`raygrid.storage.room`).

        Raises
        ------
        StoreError
            It cannot be kept.
        """
        here = self._here()
        entry = here.root / key
        used_since(here.root)
        with shared_work(), here.held(f".{key}.lock", wait=True):
            if not _is_whole(entry):
                make_room(here, int(np.prod(shape)) * np.dtype(dtype).itemsize, kind=key.partition("-")[0])
                _make_whole(entry, lambda folder: _save_parts(folder, shape, dtype, compute()))
            os.utime(entry)
            return _mapped(entry / "parts.npy")

    def _here(self) -> LocalFolder:
        """Return the folder that arrays are memory-mapped from: the cache, or this machine's copies of one at a URL."""
        if isinstance(self.folder, LocalFolder):
            return self.folder
        copies = Path(os.environ.get("RAYGRID_LOCAL_CACHE") or "~/.cache/raygrid/copies").expanduser()
        return LocalFolder(copies / sha256(str(self.root).encode()).hexdigest()[:16])

    def _obtain(self, entry: Path, compute: Compute) -> None:
        """Compute or download `entry`. The caller holds the key's lock on this machine."""
        if isinstance(self.folder, LocalFolder):
            self._compute(entry, compute)
        elif not _download(self.folder, entry):
            with self.folder.held(f".{entry.name}.lock", wait=True):
                if not _download(self.folder, entry):
                    self._compute(entry, compute)

    def _compute(self, entry: Path, compute: Compute) -> None:
        start = time.perf_counter()
        arrays = compute()
        seconds = round(time.perf_counter() - start, 3)

        def fill(folder: Path) -> None:
            _save(folder, arrays)
            if isinstance(self.folder, RemoteFolder):
                _upload(self.folder, folder, entry.name)

        _make_whole(entry, fill)
        computation = {"key": entry.name, "host": socket.gethostname(), "seconds": seconds, "finished_at": _now()}
        text = json.dumps(computation, indent=1).encode()
        self.folder.write(f"computed/{entry.name}-{uuid4().hex}.json", lambda file: file.write(text), parents=True)


def _arrays(entry: Path) -> dict[str, NDArray[Any]]:
    return {path.stem: _mapped(path) for path in sorted(entry.glob("*.npy"))}


def _save(folder: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
    for name, array in arrays.items():
        _write(folder / f"{name}.npy", partial(np.save, arr=array, allow_pickle=False))
    _list_contents(folder)


def _save_parts(folder: Path, shape: tuple[int, ...], dtype: DTypeLike, parts: Iterable[NDArray[Any]]) -> None:
    header = {"descr": np.lib.format.dtype_to_descr(np.dtype(dtype)), "fortran_order": False, "shape": shape}

    def fill(file: IO[bytes]) -> None:
        np.lib.format.write_array_header_1_0(file, header)
        for part in parts:
            file.write(np.ascontiguousarray(part).data)

    _write(folder / "parts.npy", fill)
    _list_contents(folder)


def _write(path: Path, fill: Callable[[IO[bytes]], object]) -> None:
    with path.open("xb") as file:
        fill(file)
        file.flush()
        os.fsync(file.fileno())


def _list_contents(folder: Path) -> None:
    sizes = {path.name: path.stat().st_size for path in sorted(folder.iterdir())}
    (folder / _CONTENTS).write_text(json.dumps(sizes, indent=1))


def _upload(shared: RemoteFolder, folder: Path, key: str) -> None:
    for name in [*_sizes((folder / _CONTENTS).read_bytes()), _CONTENTS]:
        shared.upload(folder / name, f"{key}/{name}")


def _download(shared: RemoteFolder, entry: Path) -> bool:
    """Copy an entry to this machine; return whether it exists and is complete."""
    contents = shared.read(f"{entry.name}/{_CONTENTS}")
    if contents is None:
        return False

    def fill(folder: Path) -> None:
        for name in _sizes(contents):
            shared.download(f"{entry.name}/{name}", folder / name)
        (folder / _CONTENTS).write_bytes(contents)

    _make_whole(entry, fill)
    return _is_whole(entry)


def _make_whole(entry: Path, fill: Callable[[Path], None]) -> None:
    """Let `fill` write into a temporary folder, then rename it to `entry`. The caller holds the key's lock."""
    temporary = entry.parent / f".{entry.name}.tmp"
    with as_store_error(entry.parent):
        shutil.rmtree(temporary, ignore_errors=True)  # a killed process may have left it
        temporary.mkdir()
        try:
            fill(temporary)
            shutil.rmtree(entry, ignore_errors=True)  # if it exists, it is incomplete
            temporary.rename(entry)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)


def _is_whole(entry: Path) -> bool:
    """Tell whether every file of an entry exists and has its size."""
    try:
        sizes = _sizes((entry / _CONTENTS).read_bytes())
        return all((entry / name).stat().st_size == size for name, size in sizes.items())
    except (OSError, ValueError):
        return False


def _sizes(contents: bytes) -> dict[str, int]:
    sizes: dict[str, int] = json.loads(contents)
    return {Path(name).name: size for name, size in sizes.items()}  # the file must not name paths outside the entry


def _mapped(path: Path) -> NDArray[Any]:
    """Return the memory-mapped array of a file, as a plain array: Ray would copy a memmap into the pickle."""
    return np.asarray(np.load(path, mmap_mode="r", allow_pickle=False))


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")
