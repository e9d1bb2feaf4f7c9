"""A lock for servers without locks: an object that its holder renews; if it is stale, another process may take it."""

import logging
import math
import os
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from pydantic import BaseModel, ValidationError

from raygrid.errors import StoreError
from raygrid.storage.folders.folder import in_use

if TYPE_CHECKING:
    from raygrid.storage.folders.remote import RemoteFolder

# A holder renews its lease every RENEW_S; after STALE_S without renewal another process may take it.
RENEW_S = 20.0
STALE_S = 90.0
# If several processes take a stale lease at once, or the server ignores "only if it does not exist", the last one to
# write gets it; each finds out by reading the lease again after so many seconds.
SETTLE_S = 1.0
_LOOK_AGAIN_S = 2.0
_FAILURES_SHOWN = 3  # in a row; one alone is soon over

_log = logging.getLogger(__name__)


class Lease(BaseModel):
    """The holder of a lock, and when it was last renewed."""

    id: str = ""
    machine: str = ""
    host: str = ""
    pid: int = 0
    renewed_at: datetime = datetime.min.replace(tzinfo=UTC)

    @property
    def age_s(self) -> float:
        """Return the seconds since it was renewed, if the clock of its holder is right."""
        return (datetime.now(UTC) - self.renewed_at).total_seconds()


class Watch:
    """Tells from one look at a lock to the next whether its holder is alive.

    A lease is compared with itself, by the time that has passed here, because the clocks of machines differ.
    """

    def __init__(self) -> None:
        self._seen = Lease()
        self._since = -math.inf  # by time.monotonic()
        self._was_renewed = False

    def held(self, found: Lease) -> bool | None:
        """Tell whether a living process holds the lock that is `found` now; None if it is not known yet."""
        if not found.id:
            return False
        if found.machine == _machine():
            if not _is_alive(found.pid):
                return False
            if found.age_s <= STALE_S:  # else the machine may have slept, and its holder with it
                return True
        now = time.monotonic()
        if found != self._seen:
            self._was_renewed = bool(self._seen.id)
            self._seen, self._since = found, now
        if now - self._since > STALE_S:
            return False
        return True if self._was_renewed else None


@dataclass
class HeldLease:
    """A lock that is held; a `raygrid.storage.folders.folder.Claim`."""

    folder: "RemoteFolder"
    name: str
    id: str
    seen_at: float = -math.inf  # by time.monotonic()

    def __getstate__(self) -> dict[str, Any]:
        return vars(self) | {"seen_at": -math.inf}  # another machine has another clock

    def check(self) -> None:
        """Raise a StoreError if another process has taken over the lock; read it at most once in `RENEW_S`."""
        now = time.monotonic()
        if now - self.seen_at < RENEW_S:
            return
        if _holder(self.folder.read(self.name)).id != self.id:
            raise StoreError(
                f"{self.folder.root}: another run has taken over, because this one was silent for {STALE_S:g} s; "
                "this one ends"
            )
        self.seen_at = now


@contextmanager
def lease(folder: "RemoteFolder", name: str, *, wait: bool) -> Iterator[HeldLease]:
    """Hold the lock `name`, and renew it in a thread during this block."""
    mine, watch = uuid4().hex, Watch()
    while not _take(folder, name, mine, watch):
        if not wait:
            raise StoreError(in_use(folder.root))
        time.sleep(_LOOK_AGAIN_S)
    ended = threading.Event()
    renewing = threading.Thread(target=_renew, args=(folder.hasty(), name, mine, ended), daemon=True)
    renewing.start()
    try:
        yield HeldLease(folder, name, mine)
    finally:
        ended.set()
        renewing.join()  # otherwise it could write the object again after it was deleted
        with suppress(StoreError):  # if it cannot be deleted, it becomes stale
            if _holder(folder.hasty().read(name)).id == mine:
                folder.hasty().delete(name)


def is_held(folder: "RemoteFolder", name: str, watch: Watch) -> bool:
    """Tell whether a living process holds the lock `name`; at the first look the holder's clock is trusted."""
    found = _holder(folder.read(name))
    held = watch.held(found)
    return found.age_s <= STALE_S if held is None else held


def _take(folder: "RemoteFolder", name: str, mine: str, watch: Watch) -> bool:
    """Try to become the holder; return whether it worked. It may take a while to see whether the holder is alive."""
    found = folder.read(name)
    if watch.held(_holder(found)) is None:
        of = _holder(found)
        _log.warning(
            "%s: a run on %s, process %d, may be writing here; waiting up to %.0f s for a sign of it",
            folder.root,
            of.host,
            of.pid,
            STALE_S,
        )
    while (held := watch.held(_holder(found))) is None:
        time.sleep(_LOOK_AGAIN_S)
        found = folder.read(name)
    if held:
        return False
    if found is None:
        folder.create(name, lambda file: file.write(_signed(mine)))
    else:
        folder.write(name, lambda file: file.write(_signed(mine)))
    time.sleep(SETTLE_S)
    return _holder(folder.read(name)).id == mine


def _renew(folder: "RemoteFolder", name: str, mine: str, ended: threading.Event) -> None:
    """Renew the lease until `ended`, or until another process has taken it over.

    Of a server that is away the user hears from here: only the processes of trials wait for it meanwhile.
    """
    pause_s, failures = RENEW_S, 0
    while not ended.wait(pause_s):
        try:
            if _holder(folder.read(name)).id != mine:
                return
            folder.write(name, lambda file: file.write(_signed(mine)))
        except StoreError:
            pause_s, failures = _LOOK_AGAIN_S, failures + 1  # soon, to renew it before another process takes it
            if failures == _FAILURES_SHOWN:
                _log.warning("%s: the server does not answer, or asks for fewer requests; waiting for it", folder.root)
        else:
            if failures >= _FAILURES_SHOWN:
                _log.warning("%s: the server answers again", folder.root)
            pause_s, failures = RENEW_S, 0


def _holder(content: bytes | None) -> Lease:
    """Return the lease in a file; if there is none or it is not readable, a stale lease of nobody."""
    try:
        return Lease.model_validate_json(content or b"{}")
    except ValidationError:
        return Lease()


def _signed(mine: str) -> bytes:
    signed = Lease(
        id=mine, machine=_machine(), host=socket.gethostname(), pid=os.getpid(), renewed_at=datetime.now(UTC)
    )
    return signed.model_dump_json().encode()


def _machine() -> str:
    """Return a name of this machine, or container: process ids are only comparable within one of them."""
    known = [socket.gethostname()]
    with suppress(OSError):
        known.append(Path("/proc/sys/kernel/random/boot_id").read_text().strip())
        known.append(str(Path("/proc/self/ns/pid").readlink()))
    return " ".join(known)


def _is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # somebody else's
        pass
    return True
