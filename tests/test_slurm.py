"""deploy/slurm.sbatch as a real job of two nodes on a fake Slurm: one node dies, then the time limit comes.

The nodes are namespaces of this machine; what tests/slurm/ stands in for is Slurm's daemons alone.
"""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import yaml
from conftest import HANGS_S

from raygrid import host

ROOT = Path(__file__).parents[1]
SCRIPT = ROOT / "deploy" / "slurm.sbatch"
N_CELLS = 30

# A classifier of the user's own that says on which node it is, and waits for one on the other node, and for the test.
SLOW = """
import os, socket, time
from pathlib import Path
import numpy as np

class Slow:
    def fit(self, X, y):
        nodes = Path.home() / f"nodes-{os.environ['SLURM_RESTART_COUNT']}.txt"
        with nodes.open("a") as log:
            log.write(socket.gethostname() + "\\n")
        while len(set(nodes.read_text().split())) < 2 or (Path.home() / "hold").exists():
            time.sleep(0.1)
        time.sleep(0.2)
        self.first = y[0]
        return self

    def predict(self, X):
        return np.full(len(X), self.first)
"""
GRID = {
    "name": "slow",
    "folds": N_CELLS,
    "image_size": 32,
    "imbalance_ratios": [2],
    "datasets": ["digits"],
    "arms": [{"representation": "raw", "classifier": "slow:Slow", "resamplers": ["none"]}],
}


class Job:
    """A job on the fake cluster, in namespaces of its own, all of which end with its first process."""

    def __init__(self, script: Path, folder: Path) -> None:
        self.folder, self.log, self.state = folder, folder / "raygrid-4321.log", folder / "state"
        self.state.mkdir()
        self.tmp = Path(f"/tmp/ray-test{os.getpid()}")  # short, because the paths of sockets are
        self.tmp.mkdir()
        path = f"{ROOT / 'tests' / 'slurm'}:{Path(sys.executable).parent}:{os.environ['PATH']}"
        own = {"FAKE_SLURM": str(self.state), "HOME": str(folder), "USER": f"test{os.getpid()}", "PATH": path}
        apart = ["unshare", "--net", "--pid", "--mount", "--uts", "--fork", "--kill-child", "--mount-proc"]
        with (folder / "sbatch.txt").open("w") as out:
            self.process = subprocess.Popen(
                [*apart, "sbatch", script], env=os.environ | own, cwd=folder, stdout=out, stderr=subprocess.STDOUT
            )

    @property
    def first(self) -> int:
        """The id of the first process of node n0, as seen from here."""
        (pid,) = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        return int(pid)

    def words(self) -> str:
        """What Slurm and the job have said."""
        return "".join(path.read_text() for path in (self.folder / "sbatch.txt", *sorted(self.folder.glob("*.log"))))

    def wait_until(self, condition: Callable[[], object]) -> None:
        """Poll; fail if the job ends first or hangs."""
        deadline = time.monotonic() + HANGS_S
        while not condition():
            assert self.process.poll() is None, self.words()
            assert time.monotonic() < deadline, self.words()
            time.sleep(0.1)

    def kill_n1(self) -> None:
        """End all processes of node n1 and its network, as a power failure would."""
        n1 = (self.state / "n1").read_text()
        inside = ["nsenter", "--target", str(self.first), "--pid", "--mount"]
        subprocess.run([*inside, "kill", "-9", n1], check=True)

    def end(self) -> None:
        """End whatever is left."""
        self.process.kill()
        self.process.wait()
        self.tmp.rmdir()


def has_namespaces() -> bool:
    """Whether this process may make networks and process tables of its own."""
    tools = all(shutil.which(tool) for tool in ("unshare", "nsenter", "ip"))
    cable = [
        "unshare",
        "--net",
        "--pid",
        "--mount",
        "--uts",
        "--fork",
        "ip",
        "link",
        "add",
        "name",
        "n0",
        "type",
        "veth",
    ]
    return tools and subprocess.run(cable, capture_output=True).returncode == 0


def edited(folder: Path, study: str) -> Path:
    """Return the script after a user has edited its three places: what the job gets, where raygrid is, what is run."""
    text = SCRIPT.read_text()
    for given, own in {
        "#SBATCH --cpus-per-task=8": "#SBATCH --cpus-per-task=1",
        "#SBATCH --gpus-per-node=1\n": "",
        "#SBATCH --mem=32G": "#SBATCH --mem=1G",
        'source "$HOME/raygrid/.venv/bin/activate"\n': "",  # already on the PATH
        "raygrid run experiments/paper.yaml": f"raygrid run {study}",
    }.items():
        assert text.count(given) == 1
        text = text.replace(given, own)
    script = folder / "slurm.sbatch"
    script.write_text(text)
    return script


@pytest.mark.slow
@pytest.mark.skipif(not has_namespaces(), reason="needs unshare, nsenter and ip, and the right to make namespaces")
def test_a_job_goes_on_after_a_node_has_died_and_after_its_time_limit(tmp_path):
    (tmp_path / "slow.py").write_text(SLOW)
    (tmp_path / "grid.yaml").write_text(yaml.safe_dump(GRID))
    records, hold = tmp_path / "runs" / "paper" / "records", tmp_path / "hold"

    def done() -> dict[str, tuple[bytes, int]]:
        every = {path.name: (path.read_bytes(), path.stat().st_mtime_ns) for path in records.glob("*.json")}
        return {name: kept for name, kept in every.items() if json.loads(kept[0])["status"] == "done"}

    def nodes(restarts: int) -> list[str]:
        log = tmp_path / f"nodes-{restarts}.txt"
        return log.read_text().split() if log.exists() else []

    def interrupt(how: Callable[[], None], after: int) -> dict[str, tuple[bytes, int]]:
        """Do something to the job after so many cells, while both nodes compute; return what is done as it restarts."""
        hold.touch()
        job.wait_until(lambda: set(nodes(restarts)) == {"n0", "n1"})
        hold.unlink()
        job.wait_until(lambda: len(done()) >= after)
        how()
        job.wait_until(lambda: job.words().count(" to do") == restarts + 2)
        return done()

    hold.touch()
    job = Job(edited(tmp_path, f"{tmp_path}/grid.yaml"), tmp_path)
    try:
        restarts = 0
        at_failure = interrupt(job.kill_n1, after=3)
        restarts = 1
        at_limit = interrupt(lambda: os.kill(job.first, signal.SIGUSR1), after=len(at_failure) + 3)
        assert job.process.wait(timeout=HANGS_S) == 0, job.words()
    finally:
        job.end()

    assert job.words().count("interrupted; finished cells are kept") == 1
    assert 3 <= len(at_failure) < len(at_limit) < len(done()) == N_CELLS  # none lost
    assert at_failure.items() <= at_limit.items() <= done().items()  # none computed twice
    assert len(nodes(2)) == N_CELLS - len(at_limit) and set(nodes(2)) == {"n0", "n1"}


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="macOS has no such thing")
def test_a_run_in_a_job_that_has_a_part_of_its_node_takes_no_more():
    from raygrid.engine.ray.cluster import allowed_cpus

    before = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(before)})
        assert host.cpus() == 1
        assert allowed_cpus() == (1 if os.cpu_count() > 1 else None)
    finally:
        os.sched_setaffinity(0, before)
