"""Notice that the head of a Ray cluster has died, before Ray ends this process without a word that a user can use.

Ray's C++ part ends a driver 60 s after its head has died, and at once when another head answers at its address.
"""

import os
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

from raygrid.errors import UsageError

# How often the head is called, and for how long it must not answer before it counts as dead, in seconds.
_CALL_EVERY_S = 2.0
DEAD_AFTER_S = 20.0
# After so many seconds this process ends itself, if its main thread waits for Ray and does not.
_ENDS_WITHIN_S = 15.0


class Head:
    """Calls the head of a cluster from time to time.

    Attributes
    ----------
    is_dead : bool
    """

    def __init__(self, address: str) -> None:
        self.address, self.is_dead = address, False
        self._ended = threading.Event()

    @property
    def message(self) -> str:
        """What the user must know when it is dead."""
        return (
            f"{self.address}: got no answer from the head of the Ray cluster for {DEAD_AFTER_S:g} s; finished cells "
            "are kept: start the cluster again, and run the same command to go on"
        )

    def call(self) -> None:
        """Call it until `end`; when it is dead, interrupt the main thread as Ctrl-C would."""
        answered_at = time.monotonic()
        while not self._ended.wait(_CALL_EVERY_S):
            if self._answers():
                answered_at = time.monotonic()
            elif time.monotonic() - answered_at > DEAD_AFTER_S:
                self._interrupt()
                return

    def end(self) -> None:
        """Call it no more."""
        self._ended.set()

    def _answers(self) -> bool:
        host, _, port = self.address.rpartition(":")
        with suppress(OSError):
            socket.create_connection((host.strip("[]"), int(port)), timeout=DEAD_AFTER_S / 2).close()
            return True
        return False

    def _interrupt(self) -> None:
        self.is_dead = True
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
        if not self._ended.wait(_ENDS_WITHIN_S):
            print(self.message, file=sys.stderr, flush=True)
            os._exit(2)


@contextmanager
def head_called(address: str) -> Iterator[Head]:
    """Call the head while the block runs; raise a UsageError out of the block when it is dead.

    A block of another thread than the main one cannot be interrupted, so there nobody calls.
    """
    head = Head(address)
    if threading.current_thread() is threading.main_thread():
        threading.Thread(target=head.call, daemon=True).start()
    try:
        yield head
    except BaseException:
        if head.is_dead:
            raise UsageError(head.message) from None
        raise
    finally:
        head.end()
