"""Limit the disk space of large cached arrays: how much they may take, and which are deleted first."""

import fcntl
import os
import shutil
from contextlib import suppress
from functools import cache
from pathlib import Path

from raygrid.storage.folders import LocalFolder
from raygrid.storage.whole_files import as_store_error

# Without RAYGRID_CACHE_GB, such arrays may take this share of the space that is free or that they take already.
_SHARE_OF_DISK = 0.5

# Every process that uses arrays of the folder holds a shared lock on it; its time is when the first of them came.
_IN_USE = ".in-use.lock"


def make_room(here: LocalFolder, needed_bytes: int, *, kind: str) -> None:
    """Delete entries named ``<kind>-...`` until `needed_bytes` more are within bounds, the least recently used first.

    Arrays that a running process may have used are kept even beyond the limit, unless the disk itself is full.
    Otherwise a grid that visits three data sets in turn would compute each of them again and again.
    """
    with suppress(FileNotFoundError):  # another process makes room as well
        kept = here.root.glob(f"{kind}-*/parts.npy")
        by_age = sorted((path.parent.stat().st_mtime, path.parent, path.stat().st_size) for path in kept)
        free = shutil.disk_usage(here.root).free
        kept_bytes = sum(size for _, _, size in by_age)
        beyond = needed_bytes + kept_bytes - _bound_bytes(free + kept_bytes)
        in_use_since = used_since(here.root)
        for used_at, entry, size in by_age:
            is_needed = used_at >= in_use_since
            if (beyond > 0 and not is_needed) or free < needed_bytes:
                freed = size if _deleted(here, entry) else 0
                beyond, free = beyond - freed, free + freed


def _deleted(here: LocalFolder, entry: Path) -> bool:
    """Delete an entry and return whether it is gone; a process that has it memory-mapped can still read it."""
    lock = f".{entry.name}.lock"
    if here.is_held(lock):  # somebody is about to use it
        return False
    with here.held(lock, wait=True):
        shutil.rmtree(entry, ignore_errors=True)
    return True


def _bound_bytes(disk_bytes: int) -> float:
    gigabytes = os.environ.get("RAYGRID_CACHE_GB")  # read on every machine, because their disks differ
    return float(gigabytes) * 1e9 if gigabytes else _SHARE_OF_DISK * disk_bytes


@cache
def used_since(root: Path) -> float:
    """Return since when the folder's arrays have been in use without a gap; this process uses them until it ends.

    In seconds since the epoch. The system releases the lock of a process that dies, however that happens.
    """
    with as_store_error(root):
        root.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(root / _IN_USE, os.O_RDWR | os.O_CREAT, 0o666)  # open until the process ends
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:  # other processes use them
        fcntl.flock(descriptor, fcntl.LOCK_SH)
    else:
        os.utime(descriptor)  # sets the file system's time, as entries have it
        fcntl.flock(descriptor, fcntl.LOCK_SH)
    return os.fstat(descriptor).st_mtime
