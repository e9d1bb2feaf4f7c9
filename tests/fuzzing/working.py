"""A process that gives one input after the other to the command line, under limits and watched."""

import os
import resource
import shutil
import sys
import tempfile
import traceback
from collections.abc import Callable
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, NoReturn

from judging import Case, Verdict, verdict_of

_ROOM_BYTES = 4_000_000_000  # what may be asked for: more than may be used, so that the two can be told apart
_INPUTS = 100  # that one process takes, unless one ends it

# What Python tells its audit hooks (sys.addaudithook), and at which place of the arguments paths are.
_CHANGES = {
    **dict.fromkeys(("os.mkdir", "os.remove", "os.rmdir", "os.truncate", "os.chmod", "shutil.rmtree"), (0,)),
    **dict.fromkeys(("os.rename", "os.link", "shutil.move"), (0, 1)),
    "os.symlink": (1,),
}
_NEVER = ("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "socket.connect", "pickle.find_class")


class Judge:
    """Gives inputs to `main`, the command line, in a process that is replaced when an input has ended it."""

    def __init__(self, main: Callable[[], object]) -> None:
        self._main, self._pid, self._left = main, 0, 0
        self._pipe: Connection

    def __call__(self, case: Case) -> Verdict:
        """Return what came of an input."""
        top = Path(tempfile.mkdtemp(prefix="fuzz-"))
        try:
            (top / "victim.txt").write_text("not to be changed")
            (top / "work").mkdir()
            case.write(top / "work")
            (top / "work" / "tmp").mkdir(exist_ok=True)
            return self._judged(case, top)
        finally:
            shutil.rmtree(top, ignore_errors=True)

    def end(self) -> None:
        """End the process."""
        if self._pid:
            self._pipe.close()
            os.waitpid(self._pid, 0)
            self._pid = 0

    def _judged(self, case: Case, top: Path) -> Verdict:
        if not self._left:
            self.end()
            self._begin()
        self._left -= 1
        self._pipe.send((case, top))
        try:
            code, peak_bytes, broken = self._pipe.recv()
        except EOFError:
            _, status = os.waitpid(self._pid, 0)
            self._pid = self._left = 0
            code, peak_bytes, broken = (
                70,
                0,
                [f"ended by signal {-os.waitstatus_to_exitcode(status)}, 24 if by the time"],
            )
        said = (top / "said").read_bytes().decode(errors="surrogateescape") if (top / "said").exists() else ""
        return verdict_of(said, code, peak_bytes=peak_bytes, broken=broken)

    def _begin(self) -> None:
        self._pipe, other = Pipe()
        self._left, self._pid = _INPUTS, os.fork()
        if not self._pid:
            self._pipe.close()
            _work(self._main, other)
        other.close()


def _work(main: Callable[[], object], pipe: Connection) -> NoReturn:
    """Do what the command line does for each input that comes."""
    try:
        in_use = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (in_use + _ROOM_BYTES,) * 2)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        watcher = _Watcher()
        sys.addaudithook(watcher)
        while True:
            case, top = pipe.recv()
            pipe.send(_tried(main, case, top, watcher))
    except EOFError:
        os._exit(0)
    finally:
        os._exit(1)


def _tried(main: Callable[[], object], case: Case, top: Path, watcher: "_Watcher") -> tuple[int, int, list[str]]:
    """Return exit code, peak memory in bytes, and what was done that none may do."""
    os.chdir(top / "work")
    said = os.open(top / "said", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    for descriptor in (1, 2):
        os.dup2(said, descriptor)
    sys.stdout, sys.stderr = (os.fdopen(os.dup(said), "w", encoding="utf-8") for _ in range(2))
    os.close(said)
    tempfile.tempdir = str(top / "work" / "tmp")
    os.environ |= {"TMPDIR": tempfile.tempdir, "HOME": str(top / "work" / "home"), "COLUMNS": "100"}
    used = resource.getrusage(resource.RUSAGE_SELF)
    limit = int(used.ru_utime + used.ru_stime) + case.seconds + 1
    resource.setrlimit(resource.RLIMIT_CPU, (limit, resource.getrlimit(resource.RLIMIT_CPU)[1]))
    Path("/proc/self/clear_refs").write_text("5")  # the peak is that of this input
    known = set(sys.modules)
    sys.argv = ["raygrid", *case.arguments]
    watcher.begin(top / "work")
    code = _exit_code(main)
    broken = watcher.end()
    for name in set(sys.modules) - known:
        if _is_below(getattr(sys.modules[name], "__file__", None), top):
            broken.append(f"imported {name}")
            del sys.modules[name]
    for stream in (sys.stdout, sys.stderr):
        stream.close()
    return code, _peak_bytes(), broken


def _exit_code(main: Callable[[], object]) -> int:
    try:
        main()
    except SystemExit as end:
        return end.code if isinstance(end.code, int) else 0 if end.code is None else 70
    except BaseException:
        traceback.print_exc()
        return 70
    return 0


def _peak_bytes() -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))


class _Watcher:
    """An audit hook that notes what no input may lead to: other programs, and writing elsewhere."""

    def __init__(self) -> None:
        self.work: Path | None = None
        self.broken: list[str] = []

    def begin(self, work: Path) -> None:
        self.work, self.broken = work, []

    def end(self) -> list[str]:
        self.work = None
        return self.broken

    def __call__(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self.work:
            return
        places: list[Any] = []
        if event == "open" and isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR):
            places = [arguments[0]]
        elif event in _CHANGES:
            places = [arguments[at] for at in _CHANGES[event]]
        elif event in _NEVER:
            self.broken.append(f"did {event} {arguments[:2]!r}")
        for place in places:
            if isinstance(place, str | bytes | os.PathLike) and not _may_change(os.fsdecode(place), self.work):
                self.broken.append(f"did {event} {place!r}")


def _may_change(place: str, work: Path) -> bool:
    real = Path(os.path.realpath(place))
    return str(place) == os.devnull or (_is_below(real, work) and not _is_below(real, work / "data"))


def _is_below(place: str | Path | None, folder: Path) -> bool:
    return place is not None and Path(place).is_relative_to(os.path.realpath(folder))
