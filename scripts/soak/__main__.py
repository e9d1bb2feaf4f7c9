"""Kill the driver, workers, nodes and the store's server at random, again and again, and see that nothing is lost.

    python scripts/soak --kills 200 --seconds 3000 --seed 1

A grid of cells of 0.05 to 1 s runs over two Ray nodes on this machine, with store and cache at an S3 server that is
slow, answers some requests with *503 SlowDown* or *500*, drops connections before and after the work is done, and cuts
answers. When the grid is done, it runs again into an empty store, until all kills are spent. Every store must hold what
one undisturbed run leaves: records, predictions and tables, byte for byte. Exit code 1: it does not.
"""

import argparse
import os
import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import yaml
from judged import counted, differing, requests_of, written
from machines import Nodes, Process, Server

_RAYGRID = [sys.executable, "-m", "raygrid"]
_KILLS = {"worker": 45, "server": 25, "driver": 17, "node": 10, "head": 3}  # how often each, of 100
_FAULTS = {
    "latency_s": 0.02,
    "slow_down": 0.03,
    "internal_error": 0.01,
    "reset_before": 0.01,
    "reset_after": 0.01,
    "truncated": 0.01,
}
_GRID = {
    "name": "soak",
    "seed": 1,
    "folds": 10,
    "image_size": 32,
    "imbalance_ratios": [2, 10],
    "datasets": ["digits"],
    "arms": [
        {"representation": "raw", "classifier": "knn", "resamplers": ["none", "ros", "smote"]},
        {"representation": "raw", "classifier": "linear_probe", "resamplers": ["none"]},
    ],
}
_QUIET = {"RAY_AUTH_MODE": "disabled", "RAY_USAGE_STATS_ENABLED": "0"}
# A driver that says this has not ended in one clear line.
_UNCLEAR = ("Traceback (most recent call last)", "Fatal", "core dumped", "*** SIG")

_BAD = ("lost", "doubled", "blamed", "files that differ", "unclear ends", "drivers that hung")


class Soak:
    """One soak, and what it counts."""

    def __init__(self, folder: Path, seed: int, kinds: dict[str, int], folds: int) -> None:
        self.folder, self.draw, self.kinds = folder, random.Random(seed), kinds  # noqa: S311
        self.counts: Counter[str] = Counter()
        self.messages: Counter[str] = Counter()
        self.grid = folder / "soak.yaml"
        self.grid.write_text(yaml.safe_dump(_GRID | {"folds": folds}))
        self.server = Server(folder, _FAULTS, seed)
        self.direct = _QUIET | self.server.environment(self.server.target_port)
        self.environment = _QUIET | self.server.environment(self.server.port)
        for name, value in self.direct.items():
            os.environ[name] = value
        self.environment["RAYGRID_LOCAL_CACHE"] = str(folder / "copies")
        self.nodes: Nodes | None = None
        self.n_runs = 0

    def prepare(self) -> None:
        """Run the grid undisturbed, make a bucket, start the nodes."""
        import boto3

        self._call("run", self.grid, "--store", self.folder / "undisturbed", "--engine", "inline")
        boto3.client("s3").create_bucket(Bucket="soak")
        self.nodes = Nodes(self.folder, self.environment)

    def run(self, n_kills: int, until: float) -> None:
        """Run the grid once, under kills until there were so many, or it is so late; then let it come to its end."""
        assert self.nodes  # noqa: S101
        self.n_runs += 1
        driver = self._driver()
        while True:
            time.sleep(self.draw.uniform(0.3, 4.0))
            self.counts["nodes that ended"] += self.nodes.mend()
            code = driver.exit_code()
            if code is not None:
                self._ended(driver, code)
                if code == 0:
                    break
                driver = self._driver()
            elif self.spent() < n_kills and time.time() < until:
                driver = self._kill(driver)
        self._judge()

    def spent(self) -> int:
        """Return how many kills there were."""
        return sum(self.counts[f"killed {kind}"] for kind in _KILLS)

    def _kill(self, driver: Process) -> Process:
        """Kill something and start it again; return the driver there is then."""
        assert self.nodes  # noqa: S101
        kind = self.draw.choices(list(self.kinds), list(self.kinds.values()))[0]
        if kind == "worker" and not self._kill_worker(driver):
            return driver
        if kind == "head" and not self._is_in_the_middle(driver):
            return driver
        self.counts[f"killed {kind}"] += 1
        self._say(f"kill {self.spent()}: {kind}")
        if kind == "driver":
            driver.kill()
            return self._driver()
        if kind == "server":
            self.server.kill()
            time.sleep(self.draw.expovariate(1 / 3))
            self.server.start()
        if kind == "node":
            self.nodes.kill_node(self.draw)
        if kind == "head":
            self.nodes.kill_head()
            self._wait_for_end(driver)
            self.nodes.start()
            return self._driver()
        return driver

    def _kill_worker(self, driver: Process) -> bool:
        """Kill a worker as soon as there is one; return whether there was one before the driver ended."""
        assert self.nodes  # noqa: S101
        while driver.exit_code() is None:
            if self.nodes.kill_worker(self.draw):
                return True
            time.sleep(0.3)
        return False

    def _is_in_the_middle(self, driver: Process) -> bool:
        """Wait until the driver's trials write records; return whether it is still at work."""
        size = self.server.log.stat().st_size
        while driver.exit_code() is None:
            with self.server.log.open() as log:
                log.seek(size)
                if sum('"body"' in line for line in log) >= 4:
                    return driver.exit_code() is None
            time.sleep(0.5)
        return False

    def _wait_for_end(self, driver: Process) -> None:
        """Wait until a driver that has lost its cluster ends by itself."""
        start = time.monotonic()
        while (code := driver.exit_code()) is None:
            if time.monotonic() - start > 180:
                self.counts["drivers that hung"] += 1
                driver.kill()
                return
            time.sleep(0.2)
        self._say(f"without its head the driver ended after {time.monotonic() - start:.0f} s")
        self._ended(driver, code)

    def _driver(self) -> Process:
        assert self.nodes  # noqa: S101
        self.counts["drivers"] += 1
        where = ["--store", f"s3://soak/run{self.n_runs}", "--cache", f"s3://soak/cache{self.n_runs}"]
        command = [*_RAYGRID, "run", self.grid, *where, "--address", self.nodes.address]
        return Process(command, self.folder / f"driver{self.counts['drivers']}.log", self.environment)

    def _ended(self, driver: Process, code: int) -> None:
        """Note how a driver ended that was not killed."""
        text = driver.log.read_text()
        last = (text.strip().splitlines() or [""])[-1][:200]
        self._say(f"the driver ended with {code}: {last}")
        self.counts[f"exit code {code}"] += 1
        if any(words in text for words in _UNCLEAR) or code not in (0, 1, 2):
            self.counts["unclear ends"] += 1
            self._say(f"unclear: {driver.log}")

    def _judge(self) -> None:
        """Bring the store home and compare it with the undisturbed run."""
        name, home = f"run{self.n_runs}", self.folder / f"run{self.n_runs}"
        self._call("merge", home, f"s3://soak/{name}")
        self._fetch_report(name, home)
        lost, files = differing(home, self.folder / "undisturbed")
        counts = counted(written(requests_of(self.server.log), name))
        self.counts.update({"lost": lost, "files that differ": len(files), **counts})
        self.counts["cells"] += len(list((home / "records").iterdir()))
        self._say(f"run {self.n_runs} is whole: {dict(counts)}, lost {lost}, differing {files[:5]}")

    def _fetch_report(self, name: str, home: Path) -> None:
        import boto3

        (home / "report").mkdir(exist_ok=True)
        client = boto3.client("s3")
        for found in client.list_objects_v2(Bucket="soak", Prefix=f"{name}/report/").get("Contents", ()):
            file = home / found["Key"].removeprefix(f"{name}/")
            file.write_bytes(client.get_object(Bucket="soak", Key=found["Key"])["Body"].read())

    def _call(self, *arguments: object) -> None:
        one = Process([*_RAYGRID, *arguments], self.folder / "call.log", self.direct)
        while (code := one.exit_code()) is None:
            time.sleep(0.1)
        if code:
            raise RuntimeError(f"{arguments}: {(self.folder / 'call.log').read_text()[-2000:]}")

    def _say(self, text: str) -> None:
        print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)

    def end(self) -> None:
        """End all that was started."""
        self.server.end()
        if self.nodes:
            self.nodes.kill_head()


def main() -> None:
    """Soak, print what was counted as a table, and exit with 1 if anything was lost."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=3000, help="kill no more after so long")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kinds", default=",".join(_KILLS), help="what is killed")
    parser.add_argument("--folds", type=int, default=_GRID["folds"], help="of the grid, of eight cells each")
    parser.add_argument("--keep", type=Path, help="a short path of a folder for all files; by default a temporary one")
    args = parser.parse_args()
    kinds = {kind: _KILLS[kind] for kind in args.kinds.split(",")}
    start = time.time()
    with tempfile.TemporaryDirectory(prefix="soak-") as temporary:
        folder = args.keep or Path(temporary)
        folder.mkdir(exist_ok=True)
        soak = Soak(folder, args.seed, kinds, args.folds)
        try:
            soak.prepare()
            until = time.time() + args.seconds
            while not soak.n_runs or (soak.spent() < args.kills and time.time() < until):
                soak.run(args.kills, until)
        finally:
            soak.end()
        faults = [bool(request["fault"]) for request in requests_of(soak.server.log)]
    shown = {"seed": args.seed, **{kind: soak.counts[f"killed {kind}"] for kind in _KILLS}}
    shown |= {name: soak.counts[name] for name in ("drivers", "cells")}
    shown |= {"seconds": round(time.time() - start), "requests": len(faults), "of them with a fault": sum(faults)}
    shown |= {name: soak.counts[name] for name in _BAD}
    for line in (shown.keys(), ["---"] * len(shown), shown.values()):
        print("|", " | ".join(map(str, line)), "|")
    sys.exit(any(soak.counts[name] for name in _BAD))


if __name__ == "__main__":
    main()
