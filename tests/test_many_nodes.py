"""Several nodes, each a `ray start` of its own, and levels of the user's own, which must reach every one of them.

One node is killed, and a driver, and the run ends as if undisturbed.
"""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from conftest import HANGS_S

from raygrid.storage.store import Store

EXAMPLE = Path(__file__).parents[1] / "examples" / "own_levels.yaml"

# A network that is small, and trained for so long that two trainings meet.
NETWORK = """
import keras

def build(image_shape, n_classes):
    softmax = keras.layers.Dense(n_classes, activation="softmax")
    return keras.Sequential([keras.Input(image_shape), keras.layers.Flatten(), softmax])
"""
ARM = """
  - representation: image
    classifier: {name: keras, builder: nets_of_an_example:build, epochs: 1000}
    resamplers: [own_levels:Blend]
"""
SOME = ("--only", "dataset=Bars")
N_CELLS = 12

pytestmark = pytest.mark.slow

# The head asks every second, instead of every third, whether a node is alive, and misses it after the fifth time.
_LOOKS_OFTEN = {"RAY_health_check_period_ms": "1000", "RAY_health_check_initial_delay_ms": "1000"}


def free_port() -> int:
    """Return a port below those that Ray's workers choose theirs from."""
    for port in range(9100, 10_000):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)):
                return port
    raise OSError("no free port")


class Nodes:
    """Ray nodes on this machine, each in a session of its own, so that it can be killed with all its processes."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.address, self.processes = folder, f"127.0.0.1:{free_port()}", []

    def start(self, cpus: int) -> int:
        """Start a node, the first as the head, and wait until it is there; return its number.

        Of two that join a cluster at the same moment Ray may give up one.
        """
        port = self.address.partition(":")[2]
        where = ["--address", self.address]
        if not self.processes:
            where = ["--head", "--port", port, "--include-dashboard", "false"]
        options = ["--num-cpus", str(cpus), "--object-store-memory", "200000000"]
        command = [Path(sys.executable).with_name("ray"), "start", "--block", *where, *options]
        log = self.folder / f"node{len(self.processes)}.log"
        with log.open("w") as out:
            process = subprocess.Popen(
                command, stdout=out, stderr=subprocess.STDOUT, start_new_session=True, env=os.environ | _LOOKS_OFTEN
            )
        self.processes.append(process)
        deadline = time.monotonic() + HANGS_S
        while "Ray runtime started" not in log.read_text():
            assert process.poll() is None and time.monotonic() < deadline, log.read_text()
            time.sleep(0.1)
        return len(self.processes) - 1

    def kill(self, number: int) -> None:
        """Kill a node as a power failure would."""
        try:
            os.killpg(self.processes[number].pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.processes[number].wait()


@pytest.fixture
def nodes(tmp_path) -> Iterator[Nodes]:
    nodes = Nodes(tmp_path)
    nodes.start(cpus=0)
    yield nodes
    for number in range(len(nodes.processes)):
        nodes.kill(number)


def kept(store: Path) -> dict[str, Any]:
    """Return all that must not depend on what happened to the run."""
    records = {path.name: json.loads(path.read_text()) | {"measured": None} for path in (store / "records").iterdir()}
    files = [path for name in ("predictions", "report") for path in (store / name).rglob("*") if path.is_file()]
    others = {str(path.relative_to(store)): path.read_bytes() for path in files}
    return {name: json.dumps(record) for name, record in records.items()} | others


def n_records(store: Path) -> int:
    return len(list(store.glob("records/*.json")))


@pytest.fixture
def grid(tmp_path) -> Path:
    """The example, and a network of its own as well, in a folder that Ray does not know."""
    folder = Path(shutil.copytree(EXAMPLE.parent, tmp_path / "examples"))
    (folder / "nets_of_an_example.py").write_text(NETWORK)
    grid = folder / EXAMPLE.name
    grid.write_text(grid.read_text().replace("resources:", f"{ARM}resources:"))
    return grid


def test_a_lost_driver_and_a_lost_node_change_nothing(launch, nodes, grid, raygrid, cache, tmp_path, monkeypatch):
    monkeypatch.setenv("RAYGRID_CHECKPOINT_EVERY_S", "0")
    store, shared = tmp_path / "store", tmp_path / "shared cache"
    victim = [nodes.start(cpus=1), nodes.start(cpus=1)][1]
    arguments = ("run", grid, "--store", store, "--cache", shared, "--address", nodes.address, *SOME)

    first = launch(*arguments)
    first.wait_until(lambda: n_records(store) >= 2)
    os.kill(first.process.pid, signal.SIGKILL)
    first.process.wait()
    assert n_records(store) < N_CELLS

    second = launch(*arguments)
    # Two trainings on their way are one on each node.
    second.wait_until(lambda: len(list(store.glob("checkpoints/*.npz"))) == 2)
    nodes.kill(victim)
    assert n_records(store) < N_CELLS
    assert second.wait() == 0, second.log.read_text()
    assert second.log.read_text().count("its node was lost; it is tried again") == 1
    assert Counter(record.status for record in Store(store).records().values()) == {"done": N_CELLS}
    computed = [json.loads(path.read_text())["key"] for path in (shared / "computed").iterdir()]
    assert sorted(computed) == sorted(set(computed))  # the images once, their features once, for the whole cluster

    assert raygrid("run", grid, "--store", tmp_path / "undisturbed", "--engine", "inline", *SOME)[0] == 0
    assert kept(store) == kept(tmp_path / "undisturbed")
