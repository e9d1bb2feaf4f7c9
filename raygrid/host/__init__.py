"""The machine of a trial: what it computes with (`Runtime`), its memory and the versions of its libraries."""

import os
import platform
import resource
import subprocess
import sys
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from raygrid.wording import without_passwords

# The libraries whose version can change a result, and those of each Keras backend.
_LIBRARIES = ("raygrid", "imbalanced-learn", "keras", "numpy", "pillow", "scikit-learn", "scipy")
_LIBRARIES_OF_BACKEND = {"tensorflow": ("tensorflow",), "torch": ("torch",), "jax": ("jax", "jaxlib")}

# What TensorFlow and torch raise when memory runs out, and what else is said then, in lower case.
_OUT_OF_MEMORY = ("ResourceExhaustedError", "OutOfMemoryError")
_SIGNS_OF_OUT_OF_MEMORY = (
    "resource_exhausted",
    "out of memory",
    "failed to allocate",
    "not enough memory",
    "can't allocate memory",
    "dst tensor is not initialized",  # TensorFlow, copying to a full GPU
    "status_alloc_failed",  # of cuBLAS and cuDNN
)


@dataclass(frozen=True)
class Runtime:
    """What a trial computes with, as far as it can change the last digits of a result. The engine makes it, once.

    Keys of what is trained know all of it. Nothing below the engine reads threads, cards or the backend elsewhere.

    Attributes
    ----------
    threads : int
        How many the libraries may use.
    gpus : float
        Cards, or a share of one and of its memory; 0 is a computation on CPUs.
    backend : str
        Keras': ``tensorflow``, ``torch`` or ``jax``.
    """

    threads: int = 1
    gpus: float = 0.0
    backend: str = field(default_factory=lambda: os.environ.get("KERAS_BACKEND", "tensorflow"))

    def versions(self) -> dict[str, str]:
        """Return the versions of Python, of the backend and of the libraries that compute results."""
        return _versions(self.backend)

    def version_of(self, name: str) -> str:
        """Return the version of any library, or which ``keras_backend`` computes."""
        return self.versions().get(name) or _version(name)

    def known(self) -> list[Any]:
        """Return all of it as plain JSON values, for a key."""
        return [self.versions(), self.threads, self.gpus > 0]


@cache
def _versions(backend: str) -> dict[str, str]:
    names = [*_LIBRARIES, *_LIBRARIES_OF_BACKEND.get(backend, ())]
    found = {name: _version(name) for name in names}
    return {"python": platform.python_version(), "keras_backend": backend, **found}


def cpus() -> int:
    """Return how many CPUs this process may use: a job of Slurm, say, may use 8 of the 64 that its node has."""
    if hasattr(os, "sched_getaffinity"):  # not on macOS
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def numpy_version() -> str:
    """Return numpy's version, which every product of matrices depends on."""
    return version("numpy")


@cache
def blas() -> str:
    """Return numpy's library of matrix products and the processor: both change last digits.

    As numpy was built, for what a process has loaded depends on what it has done: scipy and torch bring libraries too.
    """
    import numpy as np

    library = np.show_config(mode="dicts")["Build Dependencies"]["blas"]
    return f"{library.get('name')} {library.get('version')} on {processor()}"


def _version(name: str) -> str:
    """Return a distribution's version; other builds of a library (tensorflow-cpu, say) have other names."""
    try:
        return version(name)
    except PackageNotFoundError:
        return "unknown"


def environment(folder: Path) -> dict[str, Any]:
    """Return what is worth knowing about this machine, and the git commit of `folder`, as plain JSON values."""
    return {
        "platform": platform.platform(),
        "processor": processor(),
        "cpus": os.cpu_count(),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1),
        "command": [Path(sys.argv[0]).name, *map(without_passwords, sys.argv[1:])],
        "git_commit": _git_commit(folder),
        "versions": {**Runtime().versions(), "ray": _version("ray")},
    }


@cache
def processor() -> str:
    """Return the name of the processor."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        return next(line.partition(": ")[2] for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        return platform.processor() or platform.machine()


def _git_commit(folder: Path) -> str | None:
    """Return the commit checked out in `folder`, with ``-dirty`` where tracked files differ from it.

    What the folder's own settings would start, git does not start.
    """
    git = ["git", "-C", str(folder), "-c", "core.fsmonitor=false"]
    command = [*git, "describe", "--always", "--abbrev=40", "--exclude=*", "--dirty"]
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()  # noqa: S603
    except (OSError, subprocess.CalledProcessError):
        return None


def reset_peak_memory() -> None:
    """Start measuring the peak anew; where the system cannot (not Linux), it counts from the process' start."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        pass


def peak_memory_mb() -> float:
    """Return the largest resident size of this process since `reset_peak_memory`, in MB (10^6 bytes)."""
    try:
        line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
        return int(line.split()[1]) * 1024 / 1e6
    except (OSError, StopIteration):
        unit = 1 if sys.platform == "darwin" else 1024
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 1e6


def is_out_of_memory(error: BaseException | None) -> bool:
    """Whether this failure, of Python or of a Keras backend, or one that caused it, means that memory ran out."""
    while error is not None:
        if isinstance(error, MemoryError) or type(error).__name__ in _OUT_OF_MEMORY:
            return True
        # JAX, torch's CPU allocator and CUDA's libraries raise errors of every kind as these.
        is_general = isinstance(error, RuntimeError) or type(error).__name__ == "InternalError"
        if is_general and any(sign in str(error).lower() for sign in _SIGNS_OF_OUT_OF_MEMORY):
            return True
        error = error.__cause__
    return False
