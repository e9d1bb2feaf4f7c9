"""Measures the seconds that a process spends on arrays that cells share, which do not count as a cell's own time."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

_lock = threading.Lock()
_n_running = 0
_started_at = 0.0
_spent_s = 0.0


@contextmanager
def shared_work() -> Iterator[None]:
    """Count the block: computing what cells share, or waiting for a process that does. Blocks may overlap."""
    global _n_running, _started_at, _spent_s
    with _lock:
        if not _n_running:
            _started_at = time.perf_counter()
        _n_running += 1
    try:
        yield
    finally:
        with _lock:
            _n_running -= 1
            if not _n_running:
                _spent_s += time.perf_counter() - _started_at


def own_s() -> float:
    """Return the seconds of a clock that stands still while what cells share is computed; compare two readings."""
    return time.perf_counter() - shared_s()


def shared_s() -> float:
    """Return the seconds spent so far in this process; compare two readings to measure a trial."""
    with _lock:
        return _spent_s + (time.perf_counter() - _started_at if _n_running else 0.0)
