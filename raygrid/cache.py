"""The cache: arrays that many cells share, of every grid on this machine."""

import os
import shutil
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import IO, Any

import numpy as np
from filelock import FileLock, Timeout
from numpy.typing import DTypeLike, NDArray

from raygrid.whole import as_store_error

# What arrays made of parts may take, in bytes: room for all that the cells of one data set of MNIST's size share.
_ROOM = 24 * 10**9


class Cache:
    """Sets of arrays, each under a key of its own; safe to delete at any time."""

    def __init__(self, root: Path) -> None:
        self.root = root.absolute()  # a trial's process has a working folder of its own

    def arrays(self, key: str, compute: Callable[[], Mapping[str, NDArray[Any]]]) -> dict[str, NDArray[Any]]:
        """Return the arrays under `key`, computed once on this machine and then memory-mapped, read-only."""
        folder = self.root / key
        if not folder.exists():
            with self._lock(key):  # who comes second finds what the first has computed
                if not folder.exists():
                    fills = {name: partial(_save, array=array) for name, array in compute().items()}
                    self._keep(folder, fills)
        return {path.stem: _mapped(path) for path in sorted(folder.glob("*.npy"))}

    def parts(
        self, key: str, shape: tuple[int, ...], dtype: DTypeLike, compute: Callable[[], Iterable[NDArray[Any]]]
    ) -> NDArray[Any]:
        """Return the array under `key`, of parts along its first axis that are never held together.

        Such arrays are large, so that a new one takes the place of those that nobody has used for the longest time;
        who still has one of these mapped keeps it.
        """
        folder = self.root / key
        with self._lock(key):
            if not folder.exists():
                self._make_room(int(np.prod(shape)) * np.dtype(dtype).itemsize, like=key)
                fill = partial(_save_parts, shape=shape, dtype=dtype, parts=compute())
                self._keep(folder, {"parts": fill})
            os.utime(folder)
            return _mapped(folder / "parts.npy")

    def _lock(self, key: str) -> FileLock:
        with as_store_error(self.root):
            self.root.mkdir(parents=True, exist_ok=True)
        return FileLock(self.root / f".{key}.lock")

    def _make_room(self, needed: int, *, like: str) -> None:
        """Delete arrays made of parts until `needed` bytes more are within bounds, the least recently used first."""
        kept = self.root.glob(f"{like.partition('-')[0]}-*/parts.npy")
        by_age = sorted((path.parent.stat().st_mtime, path, path.stat().st_size) for path in kept)
        room = _ROOM - needed - sum(size for _, _, size in by_age)
        for _, path, size in by_age:
            if room >= 0:
                return
            try:
                with FileLock(self.root / f".{path.parent.name}.lock", timeout=0):
                    shutil.rmtree(path.parent)
            except Timeout:  # somebody is about to use it
                continue
            room += size

    def _keep(self, folder: Path, fills: Mapping[str, Callable[[IO[bytes]], object]]) -> None:
        """Write the arrays to `folder`: all of them, or no folder. The caller holds the key's lock."""
        temporary = self.root / f".{folder.name}.tmp"
        with as_store_error(self.root):
            shutil.rmtree(temporary, ignore_errors=True)  # of a killed process
            temporary.mkdir()
            try:
                for name, fill in fills.items():
                    with (temporary / f"{name}.npy").open("xb") as file:
                        fill(file)
                        file.flush()
                        os.fsync(file.fileno())
                temporary.rename(folder)
            finally:
                shutil.rmtree(temporary, ignore_errors=True)


def _save(file: IO[bytes], array: NDArray[Any]) -> None:
    np.save(file, array, allow_pickle=False)


def _save_parts(file: IO[bytes], shape: tuple[int, ...], dtype: DTypeLike, parts: Iterable[NDArray[Any]]) -> None:
    header = {"descr": np.lib.format.dtype_to_descr(np.dtype(dtype)), "fortran_order": False, "shape": shape}
    np.lib.format.write_array_header_1_0(file, header)
    for part in parts:
        file.write(np.ascontiguousarray(part).data)


def _mapped(path: Path) -> NDArray[Any]:
    """Return the array in a file, mapped into memory; as a plain array, for a memmap is pickled by copying it."""
    return np.asarray(np.load(path, mmap_mode="r", allow_pickle=False))
