"""Cells that fail in every way a cell can, and an observer that remembers. Workers get this module by value."""

import os
import signal
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
from scipy.sparse import eye_array

from raygrid.cells import Cell
from raygrid.resampling import Resampler


class Faulty(Resampler):
    """Does nothing to the training set; what subclasses do happens before.

    Attributes
    ----------
    log : str
        A file to which every try adds a line.
    tries : int
        How many of them fail.
    """

    name: str = "faulty"
    log: str = os.devnull
    tries: int = 10**6

    def _fit(self, X: Any, y: Any, seed: int) -> Any:
        with Path(self.log).open("a") as log:
            log.write(f"{os.getpid()} {self.noted()}\n")
        if self.log == os.devnull or len(Path(self.log).read_text().splitlines()) <= self.tries:
            self.fail()
        return eye_array(len(y), format="csr"), y

    def noted(self) -> str:
        """What else to write into the log."""
        return ""

    def fail(self) -> None:
        """Go wrong."""


class Raises(Faulty):
    def fail(self) -> None:
        raise ValueError("got 3; expected 4")


class Dies(Faulty):
    def fail(self) -> None:
        os.kill(os.getpid(), signal.SIGKILL)


class Hangs(Faulty):
    def fail(self) -> None:
        print("hanging", flush=True)
        time.sleep(3600)


class Sleeps(Faulty):
    seconds: float = 1.0

    def fail(self) -> None:
        time.sleep(self.seconds)


class Starves(Faulty):
    """Runs out of memory as Python says it."""

    def noted(self) -> str:
        return f"{os.environ['RAYGRID_GPU_SHARE']} {os.environ['OMP_NUM_THREADS']}"

    def fail(self) -> None:
        raise MemoryError("got no more")


class Gorges(Faulty):
    """Takes memory until somebody ends its process, or 10 GB."""

    def fail(self) -> None:
        taken = []
        for _ in range(100):
            taken.append(np.ones(100_000_000 // 8))
            time.sleep(0.1)


class Looks(Faulty):
    """Writes down which GPUs it sees."""

    def noted(self) -> str:
        return f"[{os.environ.get('CUDA_VISIBLE_DEVICES', 'unset')}]"


class Observer:
    """Remembers what it heard."""

    def __init__(self) -> None:
        self.heard: list[str] = []

    def started(self, cell: Cell) -> None:
        self.heard.append("started")

    def finished(self, cell: Cell, status: str) -> None:
        self.heard.append(status)

    def notice(self, text: str) -> None:
        self.heard.append(text)


def know_this_module() -> None:
    """Let Ray's workers, which do not have the tests, know these classes."""
    from ray import cloudpickle

    cloudpickle.register_pickle_by_value(sys.modules[__name__])
