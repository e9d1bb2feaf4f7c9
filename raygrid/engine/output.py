"""What a block of code writes to the process' stdout and stderr, below Python as well: TensorFlow's log, libsvm's."""

import ctypes
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

# How often the disk is given back what will not be kept, in seconds.
_GIVE_BACK_S = 1.0

_STDOUT, _STDERR = 1, 2
_PUNCH_HOLE = 3  # FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE


class Captured:
    """What was written."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file, self._text = file, ""

    @property
    def text(self) -> str:
        """So far, or to the end of the block; of more than `KEPT_BYTES` the end, after a line that says so."""
        return self._text if self._file.closed else _end_of(self._file.fileno())

    def end(self) -> None:
        """Keep the text, for the file is about to go."""
        self._text = self.text
        self._file.close()


@contextmanager
def captured() -> Iterator[Captured]:
    """Take what the block writes to file descriptors 1 and 2, of Python and of C libraries, instead of showing it.

    The descriptors belong to the whole process, so that other threads' output is taken as well. Both are what they
    were when the block has ended, however it ends.
    """
    with tempfile.TemporaryFile() as file:
        taken = Captured(file)
        try:
            with ExitStack() as stack:
                stack.enter_context(_given_back(file.fileno()))
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


@cache
def _stream(descriptor: int) -> IO[str]:
    """Return a stream to whatever the descriptor is at the time.

    One for the life of the process: who takes `sys.stderr` in a block, as a logging handler does, keeps it, and goes
    on writing to it in the next block and between blocks.
    """
    return os.fdopen(descriptor, "w", buffering=1, encoding="utf-8", closefd=False)


@contextmanager
def _given_back(descriptor: int) -> Iterator[None]:
    """Keep a block that prints without end from filling the disk: of a file only the end takes room, on Linux."""
    ended = threading.Event()
    giving = threading.Thread(target=_give_back, args=(descriptor, ended), daemon=True)
    giving.start()
    try:
        yield
    finally:
        ended.set()
        giving.join()


def _give_back(descriptor: int, ended: threading.Event) -> None:
    fallocate = getattr(ctypes.CDLL(None), "fallocate", None)
    while fallocate and not ended.wait(_GIVE_BACK_S):
        not_kept = os.fstat(descriptor).st_size - KEPT_BYTES
        if not_kept > KEPT_BYTES:  # its size, and where the next byte goes, stay as they are
            fallocate(descriptor, _PUNCH_HOLE, ctypes.c_int64(0), ctypes.c_int64(not_kept))


def _restore(descriptor: int, kept: int) -> None:
    os.dup2(kept, descriptor)
    os.close(kept)


def _flush() -> None:
    """Let what was written so far reach its descriptor: Python's buffers, then those of the C library."""
    for stream in (sys.stdout, sys.stderr, _stream(_STDOUT), _stream(_STDERR)):
        stream.flush()
    ctypes.CDLL(None).fflush(None)


def _end_of(descriptor: int) -> str:
    """Return the end of a file, whose position is left alone: who writes to it shares it."""
    size = os.fstat(descriptor).st_size
    text = os.pread(descriptor, KEPT_BYTES, max(0, size - KEPT_BYTES)).decode(errors="replace")
    return text if size <= KEPT_BYTES else f"[{size - KEPT_BYTES} bytes before these are left out]\n{text}"
