"""Which cells the next trial runs: a large cell alone, small ones together, because every trial costs some time itself.

Pure: no Ray, no store. Nothing here changes a result, only where and when a cell is computed.
"""

from collections import defaultdict, deque
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from operator import attrgetter
from statistics import median
from typing import Any

from raygrid.axes import METHOD_AXES
from raygrid.cells import Cell
from raygrid.keys import hash_of
from raygrid.storage.record import Record

# A cell that takes longer runs alone: the 20 to 50 ms of a trial are little beside it.
SMALL_S = 1.0

# For how long a trial takes further cells.
TRIAL_S = 5.0

# How many seconds of a kind are remembered. The first cell of a process may take long, because it imports libraries.
_REMEMBERED = 9

# At least so many trials wait to be started, so that no CPU waits for the next one.
_LEAST_WAITING = 4

_KIND_AXES = ("dataset", *METHOD_AXES)
_KIND = attrgetter(*_KIND_AXES)


def _kind_of(identity: Mapping[str, Any]) -> str:
    return hash_of({axis: identity.get(axis) for axis in _KIND_AXES})


class Pace:
    """What cells have taken, by data set and method.

    Parameters
    ----------
    cells : iterable of Cell
        To be run.
    records : iterable of Record
        Of earlier runs.
    """

    def __init__(self, cells: Iterable[Cell] = (), records: Iterable[Record] = ()) -> None:
        self._seconds: defaultdict[Hashable, deque[float]] = defaultdict(lambda: deque(maxlen=_REMEMBERED))
        kinds = {_kind_of(cell.identity()): cell for cell in {_KIND(cell): cell for cell in cells}.values()}
        for record in records:
            if record.status == "done" and (cell := kinds.get(_kind_of(record.cell))):
                self.learn(cell, sum(record.measured.seconds.values()))

    def learn(self, cell: Cell, seconds: float) -> None:
        """Note what a cell took."""
        self._seconds[_KIND(cell)].append(seconds)

    def seconds(self, cell: Cell) -> float | None:
        """Return what a cell is expected to take; None where nothing like it has ended."""
        recent = self._seconds.get(_KIND(cell))
        return median(recent) if recent else None


class Queue:
    """Cells that wait to be run.

    Parameters
    ----------
    cells : sequence of Cell
        In the order of the run. Of one kind, some may go ahead of others in the same trial.
    pace : Pace
    resources : callable
        Returns what the trial of a cell asks for. Cells that ask for different things are never in one trial, and those
        that find no room do not keep others waiting.
    alone : callable
        Tells whether a cell must run alone.
    slots : callable
        Returns how many trials may run at the same time, roughly.
    """

    def __init__(
        self,
        cells: Sequence[Cell],
        pace: Pace,
        *,
        resources: Callable[[Cell], Hashable],
        alone: Callable[[Cell], bool],
        slots: Callable[[], float],
    ) -> None:
        self._pace, self._resources, self._alone, self._slots = pace, resources, alone, slots
        self._places = {cell.key: place for place, cell in enumerate(cells)}
        self._lines: dict[tuple[Hashable, Hashable], deque[Cell]] = defaultdict(deque)
        for cell in cells:
            self._lines[self._line_of(cell)].append(cell)
        self._waiting: dict[str, Hashable] = {}

    @property
    def is_waited_for(self) -> bool:
        """Whether trials wait to be started."""
        return bool(self._waiting)

    def take(self, trial: str) -> list[Cell]:
        """Return the cells of the next trial; none where enough trials wait to be started, or nothing is left."""
        most = max(_LEAST_WAITING, self._slots())
        n_waiting: defaultdict[Hashable, int] = defaultdict(int)
        for resources in self._waiting.values():
            n_waiting[resources] += 1
        open_lines = [line for (resources, _), line in self._lines.items() if line and n_waiting[resources] < most]
        if not open_lines:
            return []
        line = min(open_lines, key=lambda line: self._places[line[0].key])
        taken = self._first_of(line)
        self._waiting[trial] = self._resources(taken[0])
        return taken

    def started(self, trial: str) -> None:
        """Note that a trial waits no more."""
        self._waiting.pop(trial, None)

    def give_back(self, cells: Sequence[Cell]) -> None:
        """Take in cells again that a trial has not come to."""
        for cell in reversed(cells):
            self._lines[self._line_of(cell)].appendleft(cell)

    def _line_of(self, cell: Cell) -> tuple[Hashable, Hashable]:
        return self._resources(cell), _KIND(cell)

    def _first_of(self, line: deque[Cell]) -> list[Cell]:
        """Take the first cell of a line, and if it is small, more: at most half of what each slot has left to do."""
        seconds = self._pace.seconds(line[0])
        taken = [line.popleft()]
        if seconds is None or seconds > SMALL_S or self._alone(taken[0]):
            return taken
        seconds = max(seconds, TRIAL_S / 1000)  # what is recorded is rounded
        n_most = min(TRIAL_S / seconds, (len(line) + 1) / (2 * max(1.0, self._slots())))
        while line and len(taken) + 1 <= n_most and not self._alone(line[0]):
            taken.append(line.popleft())
        return taken
