"""Inputs are loaded into the cache by a process of its own, while the engine starts, and what it does is told."""

import json
import os
import pickle
import signal
import subprocess
import sys
import tempfile
import threading
import traceback
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Self

from raygrid import host
from raygrid.activity import heard_by
from raygrid.cells import Cell
from raygrid.errors import UsageError
from raygrid.host import Runtime
from raygrid.inputs import load_inputs
from raygrid.networks.keras_backend import set_up
from raygrid.storage.cache import Cache

# How often the process says what it does, in seconds.
_EVERY_S = 0.5


class Loading:
    """A process that loads the inputs of cells; it ends with the block, or with this process.

    Parameters
    ----------
    cells : sequence of Cell
        One for each of the inputs.
    """

    def __init__(self, cells: Sequence[Cell], cache: Cache) -> None:
        self._errors = tempfile.TemporaryFile()
        places = os.pathsep.join(place or str(Path.cwd()) for place in sys.path)  # of the user's own modules, too
        self._process = subprocess.Popen(  # noqa: S603
            [sys.executable, "-P", "-c", f"from {__name__} import main; main()"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env=os.environ | {"PYTHONPATH": places},
        )
        assert self._process.stdin and self._process.stdout  # noqa: S101
        self._input, self._output = self._process.stdin, self._process.stdout
        with suppress(BrokenPipeError):  # it died; `wait` says why
            pickle.dump((list(cells), cache), self._input)
            self._input.flush()

    def wait(self, tell: Callable[[str], None]) -> None:
        """Wait until all is loaded; tell what is done meanwhile.

        Raises
        ------
        UsageError
            A data set or weights are not there, or are broken; or the process failed, with its traceback, or died.
        """
        from raygrid.engine.execution import Refusal  # takes a second, which passes while the process starts

        doing = "inputs"
        for line in self._output:
            kind, *rest = json.loads(line)
            if kind == "refusal":
                raise Refusal(*rest).error()
            doing = rest[0]
            tell(doing)
        if code := self._process.wait():
            raise UsageError(f"{doing}: {self._reason(code)}")

    def _reason(self, code: int) -> str:
        """Return why the process ended with this code, and what to do."""
        if code == -signal.SIGKILL:
            return (
                "got no inputs, because the process that loads them was killed, probably out of memory; "
                "free memory, or ask for a smaller image_size, and give the same command again"
            )
        self._errors.seek(0)
        said = self._errors.read().decode(errors="replace").rstrip()
        return f"got no inputs, because the process that loads them ended with {code}; it said:\n{said}"

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._process.kill()
        self._process.wait()
        for file in (self._output, self._errors, self._input):
            with suppress(BrokenPipeError):
                file.close()


def main() -> None:
    """Load what is asked for on stdin; write a line of JSON for everything that is worth telling."""
    lines = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # what libraries print is no line of ours

    def tell(*told: str) -> None:
        print(json.dumps(told), file=lines)

    runtime = Runtime(host.cpus())
    os.environ["OMP_NUM_THREADS"] = str(runtime.threads)
    set_up(runtime)
    cells, cache = pickle.load(sys.stdin.buffer)  # noqa: S301  of the process that started this one
    threading.Thread(target=_end_with_parent, daemon=True).start()
    try:
        for cell in cells:
            _load(cell, cache, runtime, tell)
    except UsageError as error:
        from raygrid.engine.execution import Refusal

        tell("refusal", *Refusal.of(error))
    except Exception as error:  # of a user's own class, say: the one traceback that is worth showing
        said = f"{cell.dataset.name}: got {type(error).__name__} while it was loaded; the traceback is above"
        tell("refusal", UsageError.__name__, f"{traceback.format_exc()}{said}")


def _load(cell: Cell, cache: Cache, runtime: Runtime, tell: Callable[[str, str], None]) -> None:
    name = cell.dataset.name
    tell("doing", name)
    with heard_by(lambda what: tell("doing", f"{name}, {what}"), every_s=_EVERY_S):
        load_inputs(cell, cache, runtime)


def _end_with_parent() -> None:
    """End this process when the one that started it has closed the pipe, or was killed."""
    while os.read(0, 1):  # below Python's buffer, whose lock a thread that waits would keep at the end
        pass
    os._exit(1)
