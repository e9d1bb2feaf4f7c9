"""What a block of code writes to the process' stdout and stderr, below Python as well: TensorFlow's log, libsvm's."""

import ctypes
import fcntl
import os
import sys
import tempfile
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, redirect_stderr, redirect_stdout
from functools import cache
from typing import IO

# Of more than this only the end is kept: what went wrong comes last.
KEPT_BYTES = 200_000

# How often a file that has grown larger is shortened, in seconds.
_SHORTEN_EVERY_S = 1.0

_STDOUT, _STDERR = 1, 2


class Captured:
    """What was written: to a file, because a pipe would stop a C library that holds Python's lock while it writes."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file, self._text = file, ""
        self._n_removed, self._removed_end = 0, b""
        self._lock = threading.Lock()

    @property
    def text(self) -> str:
        """So far, or to the end of the block; of more than `KEPT_BYTES` the end, after a line that says so."""
        with self._lock:
            return self._text if self._file.closed else self._kept()

    def end(self) -> None:
        """Keep the text, because the file is about to go."""
        with self._lock:
            self._text = self._kept()
            self._file.close()

    def shorten(self) -> None:
        """Empty a file that has grown too large, but for its end; a byte written in this very moment may be lost."""
        with self._lock:
            n_bytes, end = self._written()
            if n_bytes > KEPT_BYTES:
                os.ftruncate(self._file.fileno(), 0)  # every write goes to the end, wherever that is
                self._n_removed, self._removed_end = self._n_removed + n_bytes, end

    def _kept(self) -> str:
        n_bytes, end = self._written()
        kept = (self._removed_end + end)[-KEPT_BYTES:]
        n_left_out = self._n_removed + n_bytes - len(kept)
        text = kept.decode(errors="replace")
        return f"[{n_left_out} bytes before these are left out]\n{text}" if n_left_out else text

    def _written(self) -> tuple[int, bytes]:
        """Return how many bytes the file has, and the last of them."""
        n_bytes = os.fstat(self._file.fileno()).st_size
        return n_bytes, os.pread(self._file.fileno(), KEPT_BYTES, max(0, n_bytes - KEPT_BYTES))


@contextmanager
def captured() -> Iterator[Captured]:
    """Take what the block writes to file descriptors 1 and 2, of Python and of C libraries, instead of showing it.

    The descriptors belong to the whole process, so that other threads' output is taken as well. Both are what they
    were when the block has ended, however it ends.
    """
    with tempfile.TemporaryFile() as file:
        fcntl.fcntl(file, fcntl.F_SETFL, fcntl.fcntl(file, fcntl.F_GETFL) | os.O_APPEND)
        taken = Captured(file)
        try:
            with ExitStack() as stack:
                stack.enter_context(_kept_short(taken))
                _flush()
                for descriptor in (_STDOUT, _STDERR):
                    stack.callback(_restore, descriptor, os.dup(descriptor))
                    os.dup2(file.fileno(), descriptor)
                stack.callback(_flush)
                # Python's own streams need not write to these descriptors: under pytest they do not.
                stack.enter_context(redirect_stdout(_stream(_STDOUT)))
                stack.enter_context(redirect_stderr(_stream(_STDERR)))
                yield taken
        finally:
            taken.end()


def not_captured(stream: IO[str]) -> IO[str]:
    """Return a stream to where `stream` leads now, which no capture takes: for what other threads show meanwhile."""
    try:
        descriptor = stream.fileno()
    except OSError:  # not one of the process' own
        return stream
    return os.fdopen(os.dup(descriptor), "w", buffering=1, encoding="utf-8")


@cache
def _stream(descriptor: int) -> IO[str]:
    """Return a stream to whatever the descriptor is at the time.

    One for the life of the process: who takes `sys.stderr` in a block, as a logging handler does, keeps it, and goes
    on writing to it in the next block and between blocks.
    """
    return os.fdopen(descriptor, "w", buffering=1, encoding="utf-8", closefd=False)


@contextmanager
def _kept_short(taken: Captured) -> Iterator[None]:
    """Keep a block that prints without end from filling the disk."""
    ended = threading.Event()

    def shorten() -> None:
        while not ended.wait(_SHORTEN_EVERY_S):
            taken.shorten()

    shortening = threading.Thread(target=shorten, daemon=True)
    shortening.start()
    try:
        yield
    finally:
        ended.set()
        shortening.join()


def _restore(descriptor: int, kept: int) -> None:
    os.dup2(kept, descriptor)
    os.close(kept)


def _flush() -> None:
    """Let what was written so far reach its descriptor: Python's buffers, then those of the C library."""
    for stream in (sys.stdout, sys.stderr, _stream(_STDOUT), _stream(_STDERR)):
        stream.flush()
    ctypes.CDLL(None).fflush(None)
