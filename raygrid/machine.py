"""The machine a trial runs on: its memory, its libraries."""

import os
import platform
import resource
import sys
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Any

# The libraries whose version can change a result.
_LIBRARIES = ("raygrid", "imbalanced-learn", "keras", "numpy", "pillow", "scikit-learn", "scipy", "tensorflow")


@cache
def versions() -> dict[str, str]:
    """Return the versions of Python, the Keras backend and the libraries that compute results."""
    found = {name: version(name) for name in _LIBRARIES}
    return {
        "python": platform.python_version(),
        "keras_backend": os.environ.get("KERAS_BACKEND", "tensorflow"),
        **found,
    }


def environment() -> dict[str, Any]:
    """Return what is worth knowing about this machine, as plain JSON values."""
    return {
        "platform": platform.platform(),
        "processor": platform.processor() or platform.machine(),
        "cpus": os.cpu_count(),
        "command": sys.argv,
        "versions": {**versions(), "ray": version("ray")},
    }


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
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024 / 1e6


def is_out_of_memory(error: Exception) -> bool:
    """Whether this failure, of Python or of a Keras backend, means that memory ran out."""
    return isinstance(error, MemoryError) or type(error).__name__ in ("ResourceExhaustedError", "OutOfMemoryError")
