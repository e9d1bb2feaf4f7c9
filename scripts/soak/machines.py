"""What the soak starts and kills: an S3 server behind a faulty one, Ray's nodes, and the driver."""

import contextlib
import os
import random
import re
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

HERE = Path(__file__).parent
_BIN = Path(sys.executable).parent
_STARTS_WITHIN_S = 180
_RUNS_CELLS = re.compile("ray::(?!.*Agent)")  # a node does not outlive its agents
# The head asks every other second, instead of every third, whether a node is alive, and misses it after the fifth time.
_LOOKS_OFTEN = {"RAY_health_check_period_ms": "2000", "RAY_health_check_initial_delay_ms": "2000"}


def free_port(first: int = 9200) -> int:
    """Return a port below those that Ray's workers choose theirs from."""
    for port in range(first, 10_000):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)):
                return port
    raise OSError("no free port")


class Process:
    """A process in a session of its own, so that it can be killed with all that it starts."""

    def __init__(self, command: list[object], log: Path, environment: dict[str, str]) -> None:
        self.log = log
        with log.open("a") as out:
            self._process = subprocess.Popen(  # noqa: S603
                list(map(str, command)),
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                env=os.environ | environment,
                cwd=log.parent,
            )
        self.pid = self._process.pid

    def exit_code(self) -> int | None:
        """Return the exit code; None while it runs."""
        return self._process.poll()

    def kill(self) -> None:
        """Kill it with all that it started, as a power failure would."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self._process.wait()

    def below(self) -> dict[int, str]:
        """Return the other living processes of its session: id -> command."""
        found = {}
        for folder in Path("/proc").glob("[0-9]*"):
            try:
                state, _, _, session = (folder / "stat").read_text().rpartition(")")[2].split()[:4]
                command = (folder / "cmdline").read_bytes().replace(b"\0", b" ").decode().strip()
            except OSError:  # it has just ended
                continue
            if int(session) == self.pid != int(folder.name) and state != "Z":
                found[int(folder.name)] = command
        return found


class Server:
    """An S3 server that keeps what it has, and in front of it the faulty one, which is killed."""

    def __init__(self, folder: Path, faults: dict[str, float], seed: int) -> None:
        self.folder, self.faults, self.seed = folder, faults, seed
        self.log = folder / "requests.jsonl"
        self.target_port, self.port = free_port(9300), free_port(9400)
        self.behind = Process(
            [_BIN / "moto_server", "-H", "127.0.0.1", "-p", self.target_port], folder / "moto.log", {}
        )
        self.front = self._front()

    def environment(self, port: int) -> dict[str, str]:
        """Return how a client finds the server at a port."""
        return {
            "AWS_ACCESS_KEY_ID": "key",
            "AWS_SECRET_ACCESS_KEY": "secret",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
        }

    def kill(self) -> None:
        """Kill the server that clients see."""
        self.front.kill()

    def start(self) -> None:
        """Start it again, at the same port."""
        self.seed += 1
        self.front = self._front()

    def end(self) -> None:
        """End both."""
        self.front.kill()
        self.behind.kill()

    def _front(self) -> Process:
        options = [f"--{name.replace('_', '-')}={value}" for name, value in self.faults.items()]
        command = [sys.executable, HERE / "faulty_server.py", self.port, self.target_port, *options]
        front = Process([*command, "--log", self.log, "--seed", self.seed], self.folder / "front.log", {})
        _wait_for_port(self.target_port)
        _wait_for_port(self.port)
        return front


class Nodes:
    """A head that runs nothing, and two nodes of one CPU."""

    def __init__(self, folder: Path, environment: dict[str, str]) -> None:
        self.folder, self.environment, self.started = folder, environment | _LOOKS_OFTEN, 0
        self.port = free_port(9500)
        self.address = f"127.0.0.1:{self.port}"
        self.start()

    def start(self) -> None:
        """Start all."""
        where = ["--head", "--port", self.port, "--include-dashboard", "false", "--temp-dir", self.folder / "r"]
        self.head = self._node([*where, "--num-cpus", 0, "--ray-client-server-port", free_port(9600)])
        self.workers = [self._worker(), self._worker()]

    def kill_node(self, draw: random.Random) -> None:
        """Kill a node; start another in its place."""
        number = draw.randrange(len(self.workers))
        self.workers[number].kill()
        self.workers[number] = self._worker()

    def mend(self) -> int:
        """Start nodes in the place of those that have ended by themselves; return how many."""
        ended = [
            number
            for number, node in enumerate(self.workers)
            if node.exit_code() is not None or not any("/raylet " in command for command in node.below().values())
        ]
        for number in ended:
            self.workers[number].kill()
            self.workers[number] = self._worker()
        return len(ended)

    def kill_head(self) -> None:
        """Kill the head; its nodes are of no use without it."""
        for node in (self.head, *self.workers):
            node.kill()

    def kill_worker(self, draw: random.Random) -> bool:
        """Kill a process that runs trials or loads inputs; return whether there was one."""
        found = [pid for node in self.workers for pid, command in node.below().items() if _RUNS_CELLS.match(command)]
        if not found:
            return False
        with contextlib.suppress(ProcessLookupError):
            os.kill(draw.choice(sorted(found)), signal.SIGKILL)
        return True

    def _worker(self) -> Process:
        return self._node(["--address", self.address, "--num-cpus", 1])

    def _node(self, where: list[object]) -> Process:
        """Start a node, and wait until it is there: of two that join at the same moment Ray may give up one."""
        self.started += 1
        ports = ["--min-worker-port", 0, "--max-worker-port", 0]
        log = self.folder / f"node{self.started}.log"
        command: list[object] = [_BIN / "ray", "start", "--block", *where, *ports]
        node = Process([*command, "--object-store-memory", 200_000_000], log, self.environment)
        deadline = time.monotonic() + _STARTS_WITHIN_S
        while "Ray runtime started" not in log.read_text():
            if node.exit_code() is not None or time.monotonic() > deadline:
                node.kill()
                raise RuntimeError(f"no node: {log.read_text()[-2000:]}")
            time.sleep(0.1)
        return node


def _wait_for_port(port: int) -> None:
    deadline = time.monotonic() + _STARTS_WITHIN_S
    while True:
        with socket.socket() as probe:
            if not probe.connect_ex(("127.0.0.1", port)):
                return
        if time.monotonic() > deadline:
            raise RuntimeError(f"nothing listens at port {port}")
        time.sleep(0.1)
