"""The progress bar of a run on a terminal."""

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from types import TracebackType
from typing import Self

from rich.console import Console, RenderableType
from rich.progress import BarColumn, MofNCompleteColumn, ProgressColumn, Task, TextColumn, TimeElapsedColumn
from rich.progress import Progress as Bar
from rich.text import Text

from raygrid.cells import Cell
from raygrid.commands.forecast import Forecast
from raygrid.storage.record import FINAL

LINE_EVERY_S = 60.0  # where stderr is no terminal
_SHOWN = 4  # running trials of which the line below the bar says what they do
_FORECAST_EVERY_S = 1.0  # a grid of ten thousand cells is not predicted anew for each of them


class TimeLeft:
    """How long a run will still take: cells weigh what they are predicted to take, and the speed so far stays.

    A cell without a prediction weighs as much as the mean of the others; where there is no prediction at all, cells are
    counted. A running cell has done its seconds so far, but at most what it is predicted to take. The time before the
    first trial does not count.

    Parameters
    ----------
    cells : sequence of Cell
        To be run.
    forecast : Forecast or None
    clock : callable
        Seconds that only grow.
    """

    def __init__(
        self, cells: Sequence[Cell], forecast: Forecast | None = None, *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._cells, self._forecast, self._clock = cells, forecast, clock
        self._running: dict[str, float] = {}
        self._finished: set[str] = set()
        self._first: float | None = None
        self._lock = threading.Lock()  # another thread draws the bar
        self._weigh()

    def __len__(self) -> int:
        return len(self._cells)

    def started(self, cell: Cell) -> None:
        """Note that a trial of this cell has begun."""
        with self._lock:
            self._finished.discard(cell.key)  # it is tried again
            self._running[cell.key] = now = self._clock()
            self._first = now if self._first is None else self._first

    def finished(self, cell: Cell) -> None:
        """Note that it has ended."""
        if self._forecast:
            self._forecast.learn(cell)
        with self._lock:
            self._running.pop(cell.key, None)
            self._finished.add(cell.key)
            if self._clock() - self._weighed >= _FORECAST_EVERY_S:
                self._weigh()

    def seconds(self) -> float | None:
        """Return the seconds left; None while they cannot be predicted."""
        with self._lock:
            now, done = self._clock(), sum(self._weights[key] for key in self._finished)
            if self._is_predicted:
                done += sum(min(now - start, self._weights[key]) for key, start in self._running.items())
            if self._first is None or not done:
                return None
            return max(sum(self._weights.values()) - done, 0.0) * (now - self._first) / done

    def _weigh(self) -> None:
        """Predict every cell anew."""
        self._weighed = self._clock()
        predicted = {cell.key: self._forecast.seconds(cell) if self._forecast else None for cell in self._cells}
        known = [seconds for seconds in predicted.values() if seconds is not None]
        mean = sum(known) / len(known) if known else 1.0
        self._is_predicted = bool(known)
        self._weights = {key: mean if seconds is None else seconds for key, seconds in predicted.items()}


class Progress:
    """An engine's observer: done of total, running, failed, time left."""

    def __init__(self, cells: Sequence[Cell], *, console: Console, forecast: Forecast | None = None) -> None:
        self._left = TimeLeft(cells, forecast)
        self._bar = _Bar(
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[running]} running, {task.fields[failed]} failed"),
            TimeElapsedColumn(),
            TextColumn("left"),
            _LeftColumn(self._left),
            console=console,
        )
        self._task = self._bar.add_task("cells", total=len(cells), running=0, failed=0, waiting="")
        self._lines = None if console.is_terminal else _Lines(self._line)
        self._running: set[str] = set()
        self._doing: dict[str, str] = {}
        self._statuses: dict[str, str] = {}
        self._n_failed = 0

    def __enter__(self) -> Self:
        self._bar.start()
        if self._lines:
            self._lines.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        if self._lines:
            self._lines.stop()
        self._bar.stop()

    def started(self, cell: Cell) -> None:
        """Count a trial in; one of a cell that is tried again takes the place of the last."""
        self._running.add(cell.key)
        self._set(cell, None)
        self._left.started(cell)
        self.waiting("")
        self._draw()

    def finished(self, cell: Cell, status: str) -> None:
        """Count a trial out."""
        self._running.discard(cell.key)
        self.doing(cell, "")
        self._set(cell, status)
        self._left.finished(cell)
        self._draw()

    def notice(self, text: str) -> None:
        """Print one line above the bar."""
        self._bar.console.print(text, markup=False, highlight=False, soft_wrap=True)

    def waiting(self, what: str) -> None:
        """Show below the bar what the run waits for."""
        self._bar.update(self._task, waiting=f"waiting until {what}" if what else "")

    def fetching(self, what: str) -> None:
        """Show below the bar what is done before anything else."""
        self._bar.update(self._task, waiting=what)

    def doing(self, cell: Cell, what: str) -> None:
        """Show below the bar what a running trial is doing."""
        if what:
            self._doing[cell.key] = what
        else:
            self._doing.pop(cell.key, None)  # else every cell that ends would be one more to look at
        texts = list(self._doing.values())
        self._bar.update(self._task, waiting=", ".join(texts[:_SHOWN]) + (", ..." if len(texts) > _SHOWN else ""))

    def _line(self) -> None:
        """Print how far the run is, where nobody sees the bar."""
        task = self._bar.tasks[self._task]
        done = f"{int(task.completed)} of {len(self._left)} cells, {task.fields['running']} running"
        took = timedelta(seconds=round(task.elapsed or 0))
        waiting = f"; {task.fields['waiting']}" if task.fields["waiting"] else ""
        self.notice(f"{done}, {task.fields['failed']} failed; {took}, left {_time(self._left)}{waiting}")

    def _set(self, cell: Cell, status: str | None) -> None:
        """Note how a cell has ended, or that it has not; failures are counted on the way, because cells are many."""
        before = self._statuses.pop(cell.key, None)
        self._n_failed += _is_failure(status) - _is_failure(before)
        if status:
            self._statuses[cell.key] = status

    def _draw(self) -> None:
        completed, running = len(self._statuses), len(self._running)
        self._bar.update(self._task, completed=completed, running=running, failed=self._n_failed)


def _is_failure(status: str | None) -> bool:
    return status is not None and status not in FINAL


class _Bar(Bar):
    """The bar, and a line below it with what is waited for or being done."""

    def get_renderables(self) -> Iterable[RenderableType]:
        """Yield both."""
        yield self.make_tasks_table(self.tasks)
        yield from (
            Text(text, "dim", no_wrap=True, overflow="ellipsis")
            for task in self.tasks
            if (text := task.fields["waiting"])
        )


class _LeftColumn(ProgressColumn):
    """The time left, as hours, minutes and seconds."""

    max_refresh = 0.5

    def __init__(self, left: TimeLeft) -> None:
        super().__init__()
        self._left = left

    def render(self, task: Task) -> Text:
        return Text(_time(self._left), "progress.remaining")


def _time(left: TimeLeft) -> str:
    seconds = left.seconds()
    return "-:--:--" if seconds is None else str(timedelta(seconds=round(seconds)))


class _Lines:
    """Calls a function once a minute, in a thread of its own."""

    def __init__(self, call: Callable[[], None]) -> None:
        self._call, self._ended = call, threading.Event()
        self._thread = threading.Thread(target=self._repeat, daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End, and wait until a call that is being made has returned."""
        self._ended.set()
        self._thread.join()

    def _repeat(self) -> None:
        while not self._ended.wait(LINE_EVERY_S):
            self._call()
