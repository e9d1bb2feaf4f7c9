"""How a run goes, as a bar on a terminal."""

from types import TracebackType
from typing import Self

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, TextColumn, TimeElapsedColumn, TimeRemainingColumn
from rich.progress import Progress as Bar

from raygrid.record import FINAL


class Progress:
    """An engine's observer: done of total, running, failed, time left."""

    def __init__(self, *, total: int, console: Console) -> None:
        self._bar = Bar(
            BarColumn(),
            MofNCompleteColumn(),
            TextColumn("{task.fields[running]} running, {task.fields[failed]} failed"),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=console,
            # The mean over the whole run: cells differ far more than a few of them in a row show.
            speed_estimate_period=float("inf"),
        )
        self._task = self._bar.add_task("cells", total=total, running=0, failed=0)
        self._running = self._failed = 0

    def __enter__(self) -> Self:
        self._bar.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._bar.stop()

    def started(self) -> None:
        """Count a trial in."""
        self._running += 1
        self._bar.update(self._task, running=self._running)

    def finished(self, status: str) -> None:
        """Count a trial out."""
        self._running -= 1
        self._failed += status not in FINAL
        self._bar.update(self._task, advance=1, running=self._running, failed=self._failed)
