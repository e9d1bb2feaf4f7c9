"""Capture what a block of code writes to stdout and stderr, also from C libraries such as TensorFlow and libsvm."""

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

# Of longer output only the end is kept, because errors come last.
KEPT_BYTES = 200_000

# How often a file that has grown larger is shortened, in seconds.
_SHORTEN_EVERY_S = 1.0

_STDOUT, _STDERR = 1, 2


class Captured:
    """The captured output: in a file, because a C library that writes to a full pipe would hold Python's lock."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file, self._text = file, ""
        self._n_removed, self._removed_end = 0, b""
        self._lock = threading.Lock()

    @property
    def text(self) -> str:
        """The output so far, or of the finished block; if it is longer than `KEPT_BYTES`, a note and its end."""
        with self._lock:
            return self._text if self._file.closed else self._kept()

    def end(self) -> None:
        """Keep the text, because the file is about to be deleted."""
        with self._lock:
            self._text = self._kept()
            self._file.close()

    def shorten(self) -> None:
        """Empty a file that has grown too large, after reading its end; bytes written at this moment may be lost."""
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
    """Capture what Python and C libraries write to file descriptors 1 and 2 in this block, instead of showing it.

    The descriptors belong to the whole process, so the output of other threads is captured as well. Both are restored
    when the block ends, also when it ends with an error.
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
    """Return a stream to the present target of `stream` that no capture redirects: other threads show text on it."""
    try:
        descriptor = stream.fileno()
    except OSError:  # it has no file descriptor, as a stream in memory
        return stream
    return os.fdopen(os.dup(descriptor), "w", buffering=1, encoding="utf-8")


@cache
def _stream(descriptor: int) -> IO[str]:
    """Return a stream that always writes to the present target of the descriptor.

    There is one for the life of the process, because code that stores `sys.stderr` in a block, as a logging handler
    does, writes to it after the block as well.
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
    """Write buffered output to the descriptors: Python's buffers first, then those of the C library."""
    for stream in (sys.stdout, sys.stderr, _stream(_STDOUT), _stream(_STDERR)):
        stream.flush()
    ctypes.CDLL(None).fflush(None)


@contextmanager
def quiet() -> Iterator[None]:
    """Show nothing of what libraries write while they start; if the block fails, all of it, because it may say why."""
    with ExitStack() as stack:
        taken = stack.enter_context(captured())
        try:
            yield
        except BaseException:
            stack.close()
            sys.stderr.write(taken.text)
            raise
