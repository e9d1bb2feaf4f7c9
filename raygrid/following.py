"""A run watched from another terminal, or another machine: what its store has, again and again."""

import time
from collections import Counter, deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.text import Text

from raygrid.grid import Cell
from raygrid.job import Job
from raygrid.record import FINAL, Record
from raygrid.store import Store

# The rate is that of what ended lately: cells of another kind may have gone before.
_LATELY = timedelta(minutes=30)
_SHOWN = 8


class Watched:
    """The records of some cells, as last seen."""

    def __init__(self, store: Store, cells: Iterable[Cell]) -> None:
        self.store, self.cells = store, {cell.key: cell for cell in cells}
        self.records: dict[str, Record] = {}

    def update(self) -> list[Record]:
        """Look again; return the records that are new or others than before, in the order in which they came."""
        records = self.store.records()  # opens only what is new
        changed = [record for key, record in records.items() if key in self.cells and record != self.records.get(key)]
        self.records |= {record.key: record for record in changed}
        return sorted(changed, key=lambda record: record.measured.finished_at)

    @property
    def failed(self) -> int:
        """How many cells have a record that is no result."""
        return sum(record.status not in FINAL for record in self.records.values())

    @property
    def missing(self) -> int:
        """How many cells have no record."""
        return len(self.cells) - len(self.records)


def follow(job: Job, *, every_s: float) -> int:
    """Show how a run goes until nothing is left to run or it has ended; return its exit code.

    On a terminal one display is kept up to date, with what fails above it; elsewhere every record is a line.

    Parameters
    ----------
    every_s : float
        Time between two looks at the store, in seconds.
    """
    console, watched = Console(), Watched(job.store, job.cells)
    with _display(console) as display:
        seen = False  # whether a run has been at work here
        while True:
            running = job.store.is_locked()  # asked before the records are read, or its last ones would be missed
            seen = seen or running
            display.show(job.grid.name, watched, watched.update(), running=running)
            left = watched.failed + watched.missing
            if not left or (not running and (seen or not watched.missing)):
                break
            time.sleep(every_s)
    if left:
        console.print(f"{left} of {len(job.cells)} cells have no result; run the grid again to try them")
    return 1 if left else 0


def summary(name: str, watched: Watched, now: datetime, *, running: bool) -> str:
    """Return how far a grid is, and how fast it goes, in one line."""
    statuses = Counter(record.status for record in watched.records.values())
    counts = {"done": statuses["done"], "infeasible": statuses["infeasible"], "failed": watched.failed}
    text = f"{name}: {len(watched.cells)} cells: " + ", ".join(f"{n} {status}" for status, n in counts.items())
    text += f", {watched.missing} to come"
    if not running:
        return f"{text}; no run is at work"
    ended = [datetime.fromisoformat(record.measured.finished_at) for record in watched.records.values()]
    rate = rate_per_s(ended, now)
    if not rate or not watched.missing:
        return text
    left = timedelta(seconds=round(time_left_s(watched, rate)))
    return f"{text}; {rate * 60:.3g} a minute, {left} left"


def rate_per_s(ended: Sequence[datetime], now: datetime) -> float | None:
    """Return how many cells end in a second, counted from the first that ended lately; None where too few have."""
    lately = [when for when in ended if now - when < _LATELY]
    if len(lately) < 2 or now <= min(lately):
        return None
    return (len(lately) - 1) / (now - min(lately)).total_seconds()


def time_left_s(watched: Watched, rate: float) -> float:
    """Return how long the cells without a record will take, as if each took the same time."""
    return watched.missing / rate


def line(cell: Cell, record: Record) -> str:
    """Return what became of a cell, in one line."""
    if record.status == "done":
        return f"done: {cell} ({sum(record.measured.seconds.values()):.1f} s)"
    return f"{record.status}: {cell}: {record.message} ({cell.key})"


class _Lines:
    """For a file or a pipe: what is new, a line each; nothing is said twice."""

    def __init__(self, console: Console) -> None:
        self.console, self.said = console, ""

    def show(self, name: str, watched: Watched, changed: Sequence[Record], *, running: bool) -> None:
        begins = not self.said
        for record in changed:
            if not begins or record.status != "done":
                self._print(line(watched.cells[record.key], record))
        said = (len(watched.records), watched.failed, running)
        if changed or str(said) != self.said:
            self.said = str(said)
            self._print(summary(name, watched, datetime.now(UTC), running=running))

    def _print(self, text: str) -> None:
        self.console.print(text, markup=False, highlight=False, soft_wrap=True)


class _Screen:
    """For a terminal: how far it is and what ended last, in place; what failed stays above."""

    def __init__(self, live: Live) -> None:
        self.live = live
        self.last: deque[str] = deque(maxlen=_SHOWN)

    def show(self, name: str, watched: Watched, changed: Sequence[Record], *, running: bool) -> None:
        for record in changed:
            text = line(watched.cells[record.key], record)
            if record.status == "done":
                self.last.append(text)
            else:
                self.live.console.print(text, markup=False, highlight=False, soft_wrap=True)
        self.live.update(self._drawn(summary(name, watched, datetime.now(UTC), running=running)), refresh=True)

    def _drawn(self, text: str) -> RenderableType:
        return Group(Text(text, style="bold"), *(Text(f"  {last}", style="dim") for last in self.last))


@contextmanager
def _display(console: Console) -> Iterator[_Lines | _Screen]:
    if not console.is_terminal:
        yield _Lines(console)
        return
    with Live(console=console, auto_refresh=False) as live:
        yield _Screen(live)
