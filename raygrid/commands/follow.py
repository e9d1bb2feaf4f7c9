"""status --follow: watch a run from another terminal or another machine, by reading its store."""

import time
from collections import Counter, deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.text import Text

from raygrid.cells import Cell
from raygrid.commands.printing import Terminal
from raygrid.commands.status import sentence_on_rest
from raygrid.commands.study import Study
from raygrid.commands.watched import Presence, Watched
from raygrid.storage.record import Record

# The rate counts only what ended lately, because the cells before may have been of another kind.
_LATELY = timedelta(minutes=30)
_SHOWN = 8


def follow_run(study: Study, *, every_s: float) -> int:
    """Show how a run goes until nothing is left to run or it has ended; return its exit code.

    Where cells are missing and no run is at work, it waits a minute for one. A terminal shows one display that is kept
    up to date, below the failures; a file or a pipe gets a line for every record.

    Parameters
    ----------
    every_s : float
        Time between two looks at the store, in seconds.
    """
    console, watched, presence = Terminal(), Watched(study.store, study.cells), Presence(study.store)
    with _display(console) as display:
        while True:
            presence.update()  # before the records are read, or a run's last ones would be missed
            changed = watched.update()
            left, left_s = watched.failed + watched.missing, presence.left_s(watched)
            ends = not left or left_s <= 0
            display.show(study.name, watched, changed, idle=presence.notice(ends=ends))
            if ends:
                break
            time.sleep(min(every_s, left_s))
    if left:
        console.print(sentence_on_rest(watched.rest, len(study.cells), watched.records), soft_wrap=True)
    return 1 if left else 0


def headline(name: str, watched: Watched, now: datetime, *, idle: str) -> str:
    """Return how far a grid is, and how fast it goes or, where no run is at work, `idle`, in one line."""
    statuses = Counter(record.status for record in watched.records.values())
    counts = {"done": statuses["done"], "infeasible": statuses["infeasible"], "failed": watched.failed}
    text = f"{name}: {len(watched.cells)} cells: " + ", ".join(f"{n} {status}" for status, n in counts.items())
    text += f", {watched.missing} to come"
    if idle:
        return f"{text}; {idle}"
    ended = [datetime.fromisoformat(record.measured.finished_at) for record in watched.records.values()]
    rate = rate_per_s(ended, now)
    if not rate or not watched.missing:
        return text
    left = timedelta(seconds=round(time_left_s(watched, rate)))
    return f"{text}; {rate * 60:.3g} a minute, {left} left"


def rate_per_s(ended: Sequence[datetime], now: datetime) -> float | None:
    """Return how many cells end in a second, counted from the first that ended lately; None where too few have.

    The clocks of the machines that wrote the records may be ahead of this one's: it is never earlier than they say.
    """
    now = max([now, *ended])
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
    """For a file or a pipe: a line for everything that is new."""

    def __init__(self, console: Console) -> None:
        self.console, self.last = console, ""

    def show(self, name: str, watched: Watched, changed: Sequence[Record], *, idle: str) -> None:
        begins = not self.last
        for record in changed:
            if not begins or record.status != "done":
                self._print(line(watched.cells[record.key], record))
        state = str((len(watched.records), watched.failed, idle))
        if changed or state != self.last:
            self.last = state
            self._print(headline(name, watched, datetime.now(UTC), idle=idle))

    def _print(self, text: str) -> None:
        self.console.print(text, markup=False, highlight=False, soft_wrap=True)


class _Screen:
    """For a terminal: how far the run is and what ended last, drawn in place; failures stay above."""

    def __init__(self, live: Live) -> None:
        self.live = live
        self.last: deque[str] = deque(maxlen=_SHOWN)

    def show(self, name: str, watched: Watched, changed: Sequence[Record], *, idle: str) -> None:
        for record in changed:
            text = line(watched.cells[record.key], record)
            if record.status == "done":
                self.last.append(text)
            else:
                self.live.console.print(text, markup=False, highlight=False, soft_wrap=True)
        self.live.update(self._drawn(headline(name, watched, datetime.now(UTC), idle=idle)), refresh=True)

    def _drawn(self, text: str) -> RenderableType:
        return Group(Text(text, style="bold"), *(Text(f"  {last}", style="dim") for last in self.last))


@contextmanager
def _display(console: Console) -> Iterator[_Lines | _Screen]:
    if not console.is_terminal:
        yield _Lines(console)
        return
    with Live(console=console, auto_refresh=False) as live:
        yield _Screen(live)
