"""The cache: arrays that many cells share, of every grid on this machine."""

import os
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from filelock import FileLock
from numpy.typing import NDArray

from raygrid.whole import as_store_error


class Cache:
    """Sets of arrays, each under a key of its own; safe to delete at any time."""

    def __init__(self, root: Path) -> None:
        self.root = root.absolute()  # a trial's process has a working folder of its own

    def arrays(self, key: str, compute: Callable[[], Mapping[str, NDArray[Any]]]) -> dict[str, NDArray[Any]]:
        """Return the arrays under `key`, computed once on this machine and then memory-mapped, read-only."""
        folder = self.root / key
        if not folder.exists():
            with as_store_error(self.root):
                self.root.mkdir(parents=True, exist_ok=True)
            with FileLock(self.root / f".{key}.lock"):  # who comes second finds what the first has computed
                if not folder.exists():
                    self._keep(folder, compute())
        return {path.stem: _mapped(path) for path in sorted(folder.glob("*.npy"))}

    def _keep(self, folder: Path, arrays: Mapping[str, NDArray[Any]]) -> None:
        """Write the arrays to `folder`: all of them, or no folder. The caller holds the key's lock."""
        temporary = self.root / f".{folder.name}.tmp"
        with as_store_error(self.root):
            shutil.rmtree(temporary, ignore_errors=True)  # of a killed process
            temporary.mkdir()
            try:
                for name, array in arrays.items():
                    with (temporary / f"{name}.npy").open("xb") as file:
                        np.save(file, array, allow_pickle=False)
                        file.flush()
                        os.fsync(file.fileno())
                temporary.rename(folder)
            finally:
                shutil.rmtree(temporary, ignore_errors=True)


def _mapped(path: Path) -> NDArray[Any]:
    """Return the array in a file, mapped into memory; as a plain array, for a memmap is pickled by copying it."""
    return np.asarray(np.load(path, mmap_mode="r", allow_pickle=False))
