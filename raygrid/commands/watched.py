"""What `status --follow` reads repeatedly: the records of a store, and whether a run is writing to it."""

import math
import time
from collections.abc import Iterable

from raygrid.cells import Cell
from raygrid.storage.record import FINAL, Record
from raygrid.storage.store import Store

# For how long no run must be at work before a follower stops, in seconds. A run that was seen gets SURE_S, because its
# lock looks abandoned after the server was away, until it is renewed. A run that was not seen yet gets WAIT_S to begin.
SURE_S = 5.0
WAIT_S = 60.0


class Watched:
    """The records of some cells, as last seen."""

    def __init__(self, store: Store, cells: Iterable[Cell]) -> None:
        self.store, self.cells = store, {cell.key: cell for cell in cells}
        self.records: dict[str, Record] = {}

    def update(self) -> list[Record]:
        """Look again; return the records that are new or have changed, in the order in which they came."""
        records = self.store.records()  # opens only what is new
        changed = [record for key, record in records.items() if key in self.cells and record != self.records.get(key)]
        self.records |= {record.key: record for record in changed}
        return sorted(changed, key=lambda record: record.measured.finished_at)

    @property
    def rest(self) -> list[Cell]:
        """The cells that have no result: those that have failed, and those that have no record."""
        ended = {key for key, record in self.records.items() if record.status in FINAL}
        return [cell for key, cell in self.cells.items() if key not in ended]

    @property
    def failed(self) -> int:
        """How many cells have failed: they have a record, but no result."""
        return sum(record.status not in FINAL for record in self.records.values())

    @property
    def missing(self) -> int:
        """How many cells have no record."""
        return len(self.cells) - len(self.records)


class Presence:
    """Whether a run is at work on a store, look by look.

    Attributes
    ----------
    idle_s : float or None
        For how long no run has been at work, in seconds; None while one is.
    """

    def __init__(self, store: Store) -> None:
        self.store = store
        self.seen = False
        self.idle_s: float | None = None
        self._since = 0.0

    def update(self) -> None:
        """Look again."""
        if self.store.is_locked():
            self.seen, self.idle_s = True, None
            return
        if self.idle_s is None:
            self._since = time.monotonic()
        self.idle_s = time.monotonic() - self._since

    def left_s(self, watched: Watched) -> float:
        """Return for how much longer to wait before a follower stops; 0 or less where it stops now."""
        if self.idle_s is None:
            return math.inf
        if self.seen:
            return SURE_S - self.idle_s
        return WAIT_S - self.idle_s if watched.missing else 0

    def notice(self, *, ends: bool) -> str:
        """Return what to tell the reader where no run is at work; nothing while one is."""
        if self.idle_s is None:
            return ""
        return "no run is at work" + ("" if ends or self.seen else "; waiting for one")
