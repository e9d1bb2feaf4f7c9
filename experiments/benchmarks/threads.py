"""What it is worth that every trial's thread pools are as large as its share of the CPUs.

    python experiments/benchmarks/threads.py [--rounds 5]

As many processes as this machine has CPUs each do the work of a trial of one CPU at the same time: training steps of
MobileNet (TensorFlow), or matrix products (BLAS, as in an SVM's kernel). Their pools have one thread each, as raygrid
sets them, or one for every CPU of the machine, as the libraries choose by themselves. Printed are the medians of the
seconds until the last has ended, and their ratio; the two kinds take turns.

Predicted, before the first run (2 CPUs): matched pools 1.1 x faster for both.
Measured (2 cores without a GPU, five times overbooked by others, 3 rounds): 1.35 x for TensorFlow, 1.29 x for BLAS.
"""

import argparse
import os
import statistics
import subprocess
import sys
import time


def work(kind: str) -> None:
    """Get ready, say so, wait for the start, and do the work."""
    import numpy as np

    if kind == "network":
        from raygrid.classifiers.cnn import Cnn
        from raygrid.host import Runtime
        from raygrid.networks.keras_backend import set_up

        set_up(Runtime(int(os.environ["OMP_NUM_THREADS"])))

        model = Cnn(weights="none").build(64, 10, seed=0)
        model.compile("rmsprop", "sparse_categorical_crossentropy")
        X, y = np.zeros((32, 64, 64, 3), dtype=np.float32), np.arange(32) % 10

        def once() -> None:
            model.train_on_batch(X, y)
    else:
        A = np.ones((1500, 1500))

        def once() -> None:
            A @ A

    once()
    print("ready", flush=True)
    sys.stdin.readline()
    for _ in range(4):
        once()


def seconds(kind: str, *, n_threads: int, n_processes: int) -> float:
    """Return how long `n_processes` take that do the work at the same time."""
    env = os.environ | {"OMP_NUM_THREADS": str(n_threads), "CUDA_VISIBLE_DEVICES": "-1", "TF_CPP_MIN_LOG_LEVEL": "3"}
    processes = [
        subprocess.Popen(  # noqa: S603
            [sys.executable, __file__, "--work", kind],
            env=env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        for _ in range(n_processes)
    ]
    for process in processes:
        process.stdout.readline()  # type: ignore[union-attr]
    start = time.perf_counter()
    for process in processes:
        process.communicate("go\n")
    return time.perf_counter() - start


def main() -> None:
    """Measure both kinds of work with both kinds of pools, in turn."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--work", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.work:
        work(arguments.work)
        return
    n = len(os.sched_getaffinity(0))
    for kind in ("network", "blas"):
        taken: dict[int, list[float]] = {1: [], n: []}
        for _ in range(arguments.rounds):
            for n_threads, times in taken.items():
                times.append(seconds(kind, n_threads=n_threads, n_processes=n))
        matched, unmatched = (statistics.median(times) for times in taken.values())
        print(
            f"{kind}: {n} processes of 1 thread {matched:.2f} s, of {n} threads {unmatched:.2f} s: "
            f"matched pools {unmatched / matched:.2f} x as fast",
            flush=True,
        )


if __name__ == "__main__":
    main()
