"""One Ray cluster, one cache and one tiny grid for the whole suite; and processes that leave nothing behind."""

import os

# Read when Ray, BLAS and TensorFlow are first imported. One thread, as a trial of one CPU has.
os.environ |= {"RAY_AUTH_MODE": "disabled", "RAY_USAGE_STATS_ENABLED": "0", "OMP_NUM_THREADS": "1"}

import copy
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from s3_server import bucket, s3, s3_server  # noqa: F401  fixtures

from raygrid import cli
from raygrid.cells import Cell, expand
from raygrid.datasets import DATASETS
from raygrid.gridfile.schema import Grid
from raygrid.inputs import Inputs
from raygrid.storage.cache import Cache

# Where the suite runs in the background of a shell, Ctrl-C is ignored, and those it starts would ignore it as well.
signal.signal(signal.SIGINT, signal.default_int_handler)

TINY = {
    "name": "tiny",
    "seed": 1,
    "folds": 2,
    "image_size": 32,
    "imbalance_ratios": [2, 10],
    "datasets": ["digits"],
    "arms": [
        {
            "representation": {"name": "features", "alpha": 0.25, "weights": "embedded"},
            "classifier": "svm",
            "resamplers": ["none", "smote"],
        }
    ],
}
IMAGE_ARM = {
    "representation": "image",
    "classifier": {"name": "cnn", "alpha": 0.25, "weights": "embedded", "epochs": 1},
    "resamplers": ["none"],
}


@pytest.fixture
def tiny() -> dict[str, Any]:
    """Eight cells of an SVM on features, a second of work; change it at will."""
    return copy.deepcopy(TINY)


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Inputs:
    """Digits as 64 pixels, so that no network is needed."""
    images = DATASETS["digits"]().load(8, "nearest")
    X = images.X[..., 0].reshape(len(images.X), -1).astype(np.float32)
    cache = Cache(tmp_path_factory.mktemp("products"))
    return Inputs(X, images.y, images.class_names, images.parts, cache, "digits")


@pytest.fixture
def images_are_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    """Networks keep no images; each step gets its own."""
    monkeypatch.setattr("raygrid.classifiers.cnn.room_for_images", lambda: 0)


@pytest.fixture
def image_arm() -> dict[str, Any]:
    """A second arm for it, one epoch of a small network."""
    return copy.deepcopy(IMAGE_ARM)


@pytest.fixture
def grid_file(tiny: dict[str, Any], tmp_path: Path) -> Callable[..., Path]:
    """Write the tiny grid, with changes, and return its path."""

    def write(**changes: Any) -> Path:
        path = tmp_path / "tiny.yaml"
        path.write_text(yaml.safe_dump(tiny | changes, sort_keys=False))
        return path

    return write


@pytest.fixture
def cells_of(tiny: dict[str, Any]) -> Callable[..., list[Cell]]:
    """Expand the tiny grid, with changes."""
    return lambda **changes: expand(Grid.model_validate(tiny | changes))


@pytest.fixture(scope="session")
def cache(tmp_path_factory: pytest.TempPathFactory) -> Cache:
    """Inputs are computed once for the whole suite."""
    return Cache(tmp_path_factory.mktemp("cache"))


@pytest.fixture(scope="session")
def cluster() -> Iterator[None]:
    """A Ray cluster that the engine finds and uses instead of starting its own."""
    from raygrid.engine.ray.cluster import ray_folder  # isort: skip  # sets what Ray reads when imported
    import ray

    quiet = {"include_dashboard": False, "log_to_driver": False, "logging_level": "ERROR"}
    ray.init("local", num_cpus=2, _temp_dir=ray_folder(), **quiet)
    yield
    ray.shutdown()


# After so long without what is waited for, something hangs, however busy the machine is.
HANGS_S = 600


class Launched:
    """A `raygrid` process in a session of its own, by which its descendants are known even when it is dead."""

    def __init__(self, arguments: list[str], folder: Path) -> None:
        self.log = folder / "stderr.txt"
        script = Path(sys.executable).with_name("raygrid")
        with (folder / "stdout.txt").open("w") as out, self.log.open("w") as err:
            self.process = subprocess.Popen([script, *arguments], stdout=out, stderr=err, start_new_session=True)

    def wait_until(self, condition: Callable[[], object]) -> None:
        """Poll; fail if the process ends first or hangs."""
        deadline = time.monotonic() + HANGS_S
        while not condition():
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < deadline, self.log.read_text()
            time.sleep(0.02)

    def descendants(self) -> dict[int, str]:
        """Return the other living processes of the session: id -> command."""
        found = {}
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                state, _, _, session = (folder / "stat").read_text().rpartition(")")[2].split()[:4]
                command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode().strip()
            except OSError:  # it has just ended
                continue
            if int(session) == self.process.pid != int(folder.name) and state != "Z":
                found[int(folder.name)] = command
        return found

    def wait_for_descendants(self, but: str = "nothing") -> dict[int, str]:
        """Wait for them to end; return those that have not, without those whose command contains `but`."""
        deadline = time.monotonic() + HANGS_S
        while True:
            alive = {pid: command for pid, command in self.descendants().items() if but not in command}
            if not alive or time.monotonic() > deadline:
                return alive
            time.sleep(0.1)

    def wait(self) -> int:
        """Wait for the process to end; return its exit code."""
        return self.process.wait(timeout=HANGS_S)

    def end(self) -> None:
        """Kill whatever is left, each by its id."""
        for pid in [*([] if self.process.poll() is not None else [self.process.pid]), *self.descendants()]:
            try:
                os.kill(pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
        self.process.wait()


@pytest.fixture
def launch(tmp_path: Path) -> Iterator[Callable[..., Launched]]:
    """Start `raygrid` with these arguments as a process of its own."""
    if not Path("/proc/self/stat").exists():
        pytest.skip("needs /proc to find the processes that Ray starts")
    launched: list[Launched] = []

    def start(*arguments: object) -> Launched:
        launched.append(Launched([str(argument) for argument in arguments], tmp_path))
        return launched[-1]

    yield start
    for one in launched:
        one.end()


@pytest.fixture
def raygrid(cache, monkeypatch, capsys):
    """Run the command in this process; return its exit code, stdout, and stderr without the line that names the store.

    Every verb has that line; tests/test_stores.py reads it.
    """

    def run(*arguments):
        monkeypatch.setenv("RAYGRID_CACHE", str(cache.root))
        monkeypatch.setattr(sys, "argv", ["raygrid", *map(str, arguments)])
        capsys.readouterr()
        with pytest.raises(SystemExit) as end:
            cli.main()
        out, err = capsys.readouterr()
        return end.value.code, out, "".join(line for line in err.splitlines(True) if not line.startswith("store: "))

    return run
