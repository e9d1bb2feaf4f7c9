"""10,000 cells of 0.1 s over two Ray nodes, and what a store at a server with 50 ms of latency costs.

    python experiments/benchmarks/two_nodes.py [--cells 10000] [--seconds 0.1] [--part folder]

Cells that sleep run on a head and two nodes of one CPU each, real Ray nodes on this machine: small ones with the store
in a folder, 100 of 0.7 s that share no trial (large), and some with the store at moto's S3 server behind one that
answers 50 ms later, give or take a half (server). Then `raygrid status` of as many records there (status). Printed are
the time from the first record to the last and its ratio to the ideal (cells x seconds / 2), how many cells each node
ran, what the driver took, and how many requests the server got, by method and folder.

Predicted, before the first run: 1.2 x ideal and both nodes at work with small cells; with cells of 0.7 s one node only,
as was seen before; 0.3 MB of the driver for each 1,000 cells; 5 requests a cell at the server, so 0.25 s more;
`status` 10 s, because it reads every record.
Measured (2 cores on which two other runs were at work the whole time, and tests for a part of it, a load of 5 to 20):
10,000 cells 841 s, 1.68 x ideal, 68 ms a cell more, by node 5,003 and 4,997; the driver 16.8 s of CPU, from 136 to 315
MB, 0.67 MB for each 1,000 cells. 100 cells of 0.7 s that share no trial: 1.03 x ideal, 50 on each node; before a
process that is starting was left to start, 40 cells took 2.07 x, all on one node. With the store at the server 377 ms a
cell more for 600 cells, 6 requests a cell (GET of the record 2, PUT of the record and of the predictions, DELETE of the
log and of the checkpoint; the last is gone since then), and one more when all records are read at the end. `status` of
10,000 records 5.3 to 5.7 s, and 4.9 to 5.0 with less at work, with 14 requests, 2.6 s of them CPU; 10 are pages of the
list, of which moto takes 0.12 s each. Before the records were gathered in one file it was not done after 140 s, with
4,500 HEAD and 4,500 GET.
"""

import argparse
import os
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

import engine_overhead
import many_cells
import numpy as np
import small_cells
import yaml
from engine_overhead import Guess, Watch, resident_kb, vars_of
from small_cells import ShortNap

from raygrid.cells import Cell, expand
from raygrid.commands.declared import write_declared
from raygrid.commands.job import open_job
from raygrid.engine import Terms, engine_named, queue
from raygrid.storage.cache import Cache
from raygrid.storage.store import Store

sys.path.insert(0, str(Path(__file__).parents[2] / "scripts" / "soak"))
from judged import requests_of
from machines import Nodes, Process, Server

_CPUS = 2  # of both nodes


class NapSomewhere(ShortNap):
    """A nap that notes on which node it is: a byte a cell in the file of the node."""

    folder: str

    def _fit(self, X, y, seed):  # type: ignore[no-untyped-def]
        import ray

        with Path(self.folder, ray.get_runtime_context().get_node_id()).open("a") as file:
            file.write(".")
        return super()._fit(X, y, seed)


def napping(n: int, seconds: float, folder: Path) -> list[Cell]:
    """Return cells that nap, and note in a new folder where."""
    folder.mkdir()
    levels = {"resampler": NapSomewhere(seconds=seconds, folder=str(folder)), "classifier": Guess()}
    return [Cell(**vars_of(cell) | levels) for cell in expand(engine_overhead.grid(n))]


def run(cells: list[Cell], place: str, cache: Cache) -> None:
    """Run the cells in a new store, and print what it took."""
    store, watch, folder = Store(place), Watch(), Path(cells[0].resampler.folder)  # type: ignore[attr-defined]
    store.prepare()
    size_kb, cpu, start = resident_kb(), time.process_time(), time.perf_counter()
    with store.locked():
        engine_named("ray")(cells, store, cache, terms=Terms(), observer=watch)
    seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
    ends = [datetime.fromisoformat(record.measured.finished_at) for record in store.records().values()]
    busy = (max(ends) - min(ends)).total_seconds()
    ideal = len(cells) * cells[0].resampler.seconds / _CPUS  # type: ignore[attr-defined]
    grown_kb = (watch.sizes_kb[-1] - watch.sizes_kb[len(cells) // 10]) / 0.9
    print(
        f"{len(cells)} cells: {seconds:.0f} s; from the first record to the last {busy:.0f} s, "
        f"{busy / ideal:.3f} x ideal, {(busy - ideal) * _CPUS / len(cells) * 1000:.0f} ms a cell more; "
        f"by node {[file.stat().st_size for file in folder.iterdir()]}\n"
        f"driver: {cpu:.1f} s of CPU; {size_kb / 1e3:.0f} MB before, {watch.sizes_kb[-1] / 1e3:.0f} MB at the end, "
        f"{grown_kb / len(cells):.2f} MB for each 1,000 cells",
        flush=True,
    )


@contextmanager
def nodes_at(folder: Path) -> Iterator[None]:
    """Connect to a head and two nodes of one CPU each, which are ended after the block."""
    from raygrid.engine.ray.cluster import connected

    nodes = Nodes(folder, {})
    try:
        with connected(nodes.address):
            yield
    finally:
        nodes.kill_head()


@contextmanager
def server_at(folder: Path, latency_s: float) -> Iterator[Server]:
    """Start an S3 server whose answers take so long, with a bucket, and tell libraries where it is."""
    import boto3

    server = Server(folder, {"latency_s": latency_s}, seed=0)
    os.environ |= server.environment(server.port)
    boto3.client("s3", endpoint_url=f"http://127.0.0.1:{server.target_port}").create_bucket(Bucket="nodes")
    try:
        yield server
    finally:
        server.end()


@contextmanager
def requests_counted(server: Server, n: int) -> Iterator[None]:
    """Print the requests of the block, by what they are, for each of n."""
    before = sum(1 for _ in requests_of(server.log))
    yield
    made = list(requests_of(server.log))[before:]
    counts = Counter(f"{each['method']} {kind_of(each['path'])}" for each in made)
    shown = ", ".join(f"{name} {count / n:.3g}" for name, count in counts.most_common())
    print(f"requests: {len(made) / n:.3g} ({shown})", flush=True)


def kind_of(path: str) -> str:
    """Return what a request is about: the folder in the store, or the file; nothing of a list."""
    return "".join(path.split("/")[3:4]) or "list"


def write_many(n: int, server: Server, folder: Path) -> Path:
    """Put a store of n records of a grid straight into the server, as a run leaves it; return the grid file."""
    import boto3

    grid, place = folder / "many.yaml", "s3://nodes/many"
    grid.write_text(yaml.safe_dump(many_cells.folds(n, folder)))
    job, rng = open_job(grid, stores=[place], cache=folder / "cache", only=[]), np.random.default_rng(0)
    write_declared(Store(place), job.name, job.metrics, job.cells)
    client = boto3.client("s3", endpoint_url=f"http://127.0.0.1:{server.target_port}")
    records = [many_cells.record(cell, rng) for cell in job.cells]

    def put(record: Any) -> None:
        client.put_object(Bucket="nodes", Key=f"many/records/{record.key}.json", Body=record.to_json().encode())

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(put, records))
    gather = "from raygrid.storage.store import Store; Store('s3://nodes/many').gather()"
    started = Process([sys.executable, "-c", gather], folder / "gather.log", server.environment(server.target_port))
    while started.exit_code() is None:
        time.sleep(0.1)
    return grid


def command(folder: Path, *arguments: object) -> None:
    """Run raygrid, and print how long it took."""
    start = time.perf_counter()
    one = Process(
        [sys.executable, "-m", "raygrid", *arguments, "--cache", folder / "cache"], folder / "command.log", {}
    )
    while (code := one.exit_code()) is None:
        time.sleep(0.02)
    if code:
        sys.exit((folder / "command.log").read_text())
    print(f"{arguments[0]}: {time.perf_counter() - start:.1f} s", end="; ")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--cells", type=int, default=10_000)
    parser.add_argument("--seconds", type=float, default=0.1)
    parser.add_argument("--cells-of-server", type=int, default=600)
    parser.add_argument("--latency-s", type=float, default=0.05)
    parser.add_argument("--part", choices=["folder", "large", "server", "status"], action="append")
    given = parser.parse_args()
    os.environ |= {"RAY_AUTH_MODE": "disabled", "RAY_USAGE_STATS_ENABLED": "0"}
    from ray import cloudpickle

    for module in (sys.modules["__main__"], small_cells, engine_overhead):  # workers cannot import them
        cloudpickle.register_pickle_by_value(module)
    parts = given.part or ["folder", "large", "server", "status"]
    with tempfile.TemporaryDirectory(prefix="nodes-") as temporary:
        folder = Path(temporary)
        if {"server", "status"} & set(parts):
            with server_at(folder, given.latency_s) as server:
                at_server(given, parts, server, folder)
        if {"folder", "large"} & set(parts):
            with nodes_at(folder):
                in_folder(given, parts, folder)


def in_folder(given: argparse.Namespace, parts: list[str], folder: Path) -> None:
    """Run small cells, and cells that are as if large, with the store in a folder."""
    if "folder" in parts:
        run(napping(given.cells, given.seconds, folder / "small"), str(folder / "a"), Cache(folder / "cache"))
    if "large" in parts:
        queue.SMALL_S = 0.0
        run(napping(100, 0.7, folder / "large"), str(folder / "b"), Cache(folder / "cache"))


def at_server(given: argparse.Namespace, parts: list[str], server: Server, folder: Path) -> None:
    """Run cells with the store at the server; ask for the status of a large store there."""
    if "server" in parts:
        n = given.cells_of_server
        with nodes_at(folder), requests_counted(server, n):
            run(napping(n, given.seconds, folder / "where"), "s3://nodes/run", Cache(folder / "cache"))
    if "status" in parts:
        grid = write_many(given.cells, server, folder)
        for place in (["s3://nodes/many"], [grid, "--store", "s3://nodes/many"]):
            for _ in range(2):
                with requests_counted(server, 1):
                    command(folder, "status", *place)


if __name__ == "__main__":
    main()
