"""Levels that fail in every way a cell can, and an observer that remembers. Ray's workers get this module by value."""

import os
import signal
import sys
import threading
import time
from pathlib import Path
from typing import Any, ClassVar, Literal

import numpy as np
from scipy.sparse import eye_array

from raygrid.cells import Cell
from raygrid.classifiers import Classifier
from raygrid.classifiers.cnn import Cnn
from raygrid.errors import DataError
from raygrid.networks import keras_backend
from raygrid.representations import TrainedRepresentation
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


class DiesAt(Faulty):
    """Dies in some cells of many that have this level.

    Attributes
    ----------
    deaths : tuple of (int, int)
        The seed of a cell, and how many of its tries fail.
    """

    deaths: tuple[tuple[int, int], ...] = ()

    def _fit(self, X: Any, y: Any, seed: int) -> Any:
        with Path(self.log).open("a") as log:
            log.write(f"{seed}\n")
        if Path(self.log).read_text().split().count(str(seed)) <= dict(self.deaths).get(seed, 0):
            os.kill(os.getpid(), signal.SIGKILL)
        return eye_array(len(y), format="csr"), y


class Dies(Faulty):
    def fail(self) -> None:
        os.kill(os.getpid(), signal.SIGKILL)


class Hangs(Faulty):
    """Hangs until its time limit, which it lets come at once, however long that is."""

    def noted(self) -> str:
        """The time limit in seconds."""
        return f"{_time_limit().interval:g}"

    def fail(self) -> None:
        print("hanging", flush=True)
        threading.Thread(target=_time_limit().function).start()
        time.sleep(3600)


def _time_limit() -> threading.Timer:
    timers = [one for one in threading.enumerate() if isinstance(one, threading.Timer)]
    (limit,) = (one for one in timers if one.function.__module__ == "raygrid.engine.execution")
    return limit


class Prints(Faulty):
    """Says something in Python, and something below it."""

    def fail(self) -> None:
        print("from Python", flush=True)
        os.write(2, b"from C\n")


class OwnError(DataError):
    """An error that no other process knows how to make."""

    def __init__(self, place: str, mistake: str) -> None:
        super().__init__(f"{place}: {mistake}")


class Refuses(Faulty):
    def fail(self) -> None:
        raise OwnError("my table", "got no column y; expected one; add it")


class Interrupted(Faulty):
    """Ctrl-C in the middle."""

    def fail(self) -> None:
        signal.raise_signal(signal.SIGINT)


class Starves(Faulty):
    """Runs out of memory as Python says it."""

    def noted(self) -> str:
        return f"{keras_backend._asked_for.gpus} {os.environ['OMP_NUM_THREADS']}"

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


class Majority(Classifier):
    """Predicts one class, at once."""

    takes: ClassVar[Literal["images", "vectors"]] = "images"
    name: str = "majority"

    def fit(self, X: Any, A: Any, y: Any, *, seed: int, checkpoint: Any) -> Any:
        return _One(int(np.bincount(y).argmax()))


class Patient(Majority):
    """The same by another name, to be given other resources."""

    name: str = "patient"


class _One:
    def __init__(self, label: int) -> None:
        self.label = label

    def predict(self, X: Any) -> Any:
        return np.full(len(X), self.label)


class Mortal(Cnn):
    """A network whose process dies when it has saved its second epoch, in the first of its trials.

    Attributes
    ----------
    log : str
        A file to which every trial adds how many epochs it found.
    """

    log: str = os.devnull

    def fit(self, X: Any, A: Any, y: Any, *, seed: int, checkpoint: Any, validation: Any = None) -> Any:
        from raygrid.classifiers import resuming

        resuming._CHECKPOINT_EVERY_S = 0.0  # as RAYGRID_CHECKPOINT_EVERY_S would have it, read when it is imported
        is_first = not Path(self.log).exists()
        found = checkpoint.load()
        with Path(self.log).open("a") as log:
            log.write(f"{found['epochs'] if found else 0}\n")
        kept = _Fatal(checkpoint) if is_first else checkpoint
        return super().fit(X, A, y, seed=seed, checkpoint=kept, validation=validation)


class _Fatal:
    def __init__(self, checkpoint: Any) -> None:
        self.load, self.kept, self.n_saved = checkpoint.load, checkpoint, 0

    def save(self, arrays: Any) -> None:
        self.kept.save(arrays)
        self.n_saved += 1
        if self.n_saved == 2:
            os.kill(os.getpid(), signal.SIGKILL)


class Means(TrainedRepresentation):
    """The colours' means, and a line in a file for every training."""

    name: str = "means"
    log: str = os.devnull

    def train(self, X: Any, A: Any, y: Any, *, seed: int) -> Any:
        with Path(self.log).open("a") as log:
            log.write("trained\n")
        return lambda images: np.asarray(images[:].mean(axis=(1, 2)), dtype=np.float32)


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

    def waiting(self, what: str) -> None:
        pass

    def doing(self, cell: Cell, what: str) -> None:
        self.heard.append(what)


def know_this_module() -> None:
    """Let Ray's workers, which do not have the tests, know these classes."""
    from ray import cloudpickle

    cloudpickle.register_pickle_by_value(sys.modules[__name__])
