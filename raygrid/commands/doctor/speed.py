"""How fast the installed Keras backends train a network on this machine."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress

import numpy as np
from scipy.sparse import eye_array

from raygrid.activity import doing
from raygrid.classifiers.cnn import Cnn, Network
from raygrid.commands.doctor.finding import Finding
from raygrid.commands.doctor.software import BACKENDS, installed
from raygrid.commands.job import Job
from raygrid.host import Runtime
from raygrid.mixtures.samples import Samples
from raygrid.networks.keras_backend import card_memory_mb, set_up

_IMAGE_SIZE, _N_IMAGES, _SECONDS = 64, 64, 2.0
_PATIENCE_S = 300.0


def backends(job: Job | None = None) -> Iterator[Finding]:
    """Yield which installed backend trains fastest here, if there are several, and the grid, if any, has networks."""
    names = [name for name in BACKENDS if installed(name)]
    if len(names) < 2 or (job and not any(isinstance(cell.classifier, Network) for cell in job.cells)):
        return
    speeds = {}
    for name in names:
        doing(f"measuring how fast {name} trains")
        speeds[name] = _measured(name)
    for name in [name for name, speed in speeds.items() if not speed]:
        yield Finding(True, f"{name} is installed, and does not train here")
        del speeds[name]
    if len(speeds) < 2:
        return
    best = max(speeds, key=speeds.__getitem__)
    said = [f"{name} {speed:.0f}" for name, speed in sorted(speeds.items(), key=lambda item: -item[1])]
    others = [f"{speeds[best] / speed:.1f} times {name}" for name, speed in speeds.items() if name != best]
    what = f"images/s that a cnn trains with a trial's {_device()}: {', '.join(said)}; {best} is {', '.join(others)}"
    now = os.environ.get("KERAS_BACKEND", "tensorflow")
    is_near = speeds.get(now, 0) > 0.9 * speeds[best]
    yield Finding(True, what, "" if is_near else f"KERAS_BACKEND is {now}: set it to {best} for new stores")


def _device() -> str:
    return "card" if card_memory_mb(0) else "one thread"


def _measured(backend: str) -> float:
    """Return the images a second of a backend, in a process of its own; 0 if it does not start."""
    code = "from raygrid.commands.doctor.speed import images_per_s; print(images_per_s())"
    env = os.environ | {"KERAS_BACKEND": backend}
    with suppress(subprocess.TimeoutExpired):
        command = [sys.executable, "-c", code]
        probe = subprocess.run(command, capture_output=True, text=True, env=env, timeout=_PATIENCE_S)  # noqa: S603
        return 0.0 if probe.returncode else float(probe.stdout.splitlines()[-1])
    return 0.0


def images_per_s() -> float:
    """Return how many images a second this process trains, with one thread, or with a card if there is one.

    It is the paper's network: MobileNet alpha 1, images of 64 x 64, batches of 32.
    """
    set_up(Runtime(gpus=1.0 if card_memory_mb(0) else 0.0))
    cnn = Cnn(weights="none")
    X = np.zeros((_N_IMAGES, _IMAGE_SIZE, _IMAGE_SIZE, 3), dtype=np.uint8)
    y = np.arange(_N_IMAGES) % 10
    everything = np.arange(_N_IMAGES)
    train_epoch = cnn.training(Samples(X, everything, everything, None), eye_array(_N_IMAGES, format="csr"), y, seed=0)
    train_epoch()  # compiles
    start, n = time.perf_counter(), 0
    while (passed := time.perf_counter() - start) < _SECONDS:
        train_epoch()
        n += _N_IMAGES
    return n / passed
