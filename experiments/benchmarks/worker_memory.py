"""Whether a worker that runs one trial of the image arm after the other grows, and what a new one a trial would cost.

    python experiments/benchmarks/worker_memory.py [--trials 200]

Trains and predicts with a tiny network (MobileNet alpha 0.25, two steps) in one process: the same network over and
over, and two networks in turn (10 classes, 7 classes). Printed are megabytes and seconds a trial over the second half
of the trials, seconds until the first result of a new process and what it then holds, and what a new process a trial
would cost.

Predicted, before the first run: with the code of that day (the network built anew for its initial weights, only the
last one kept) 3 MB a trial, and 10 MB where two networks alternate; with weights drawn anew and every network kept,
below 0.1 MB for both; a new process 8 s and 600 MB.
Measured with the code of that day (2 cores of a shared server, no GPU): 0.5 MB and 2.0 s a trial; in turn 25 to 40 MB
and 4.8 s, for TensorFlow gives back nothing of a network that is dropped, not on garbage collection nor on
`clear_session`. With weights drawn anew and every network kept: 0.03 MB a trial for both and, however busy the machine,
0.2 to 0.7 s; a new process 880 MB and 9 to 10 s, 12 to 50 x a trial in a reused one. So a worker need not be replaced
for its memory.
Since then the network is built anew for its initial weights again, by public means alone, and collected at once: 0.2 MB
a trial more (alpha 1, 40 networks), and 0.1 to 0.4 s on a busy machine; without collecting, 200 MB more after 40.
"""

import argparse
import os
import subprocess
import sys
import time
from pathlib import Path

os.environ |= {"OMP_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": "-1", "TF_CPP_MIN_LOG_LEVEL": "3"}


def resident_mb() -> float:
    """Return what this process holds in memory, in MB (10^6 bytes)."""
    line = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) * 1024 / 1e6


def measure(n_trials: int, n_classes: tuple[int, ...]) -> None:
    """Print the seconds until the first result, the MB held then, and seconds and MB a trial later."""
    start = time.perf_counter()
    import numpy as np
    from scipy.sparse import eye_array

    from raygrid.classifiers.cnn import Cnn
    from raygrid.storage.checkpoint import NO_CHECKPOINT

    X = np.random.default_rng(0).integers(0, 256, (40, 32, 32, 3)).astype(np.uint8)
    cnn, A = Cnn(alpha=0.25, weights="embedded", epochs=1), eye_array(40, format="csr")

    def run(trial: int) -> None:
        y = np.arange(40) % n_classes[trial % len(n_classes)]
        cnn.fit(X, A, y, seed=trial, checkpoint=NO_CHECKPOINT).predict(X)

    run(0)
    print(time.perf_counter() - start, resident_mb())
    half = n_trials // 2
    for trial in range(1, half):
        run(trial)
    start, held = time.perf_counter(), resident_mb()
    for trial in range(half, n_trials):
        run(trial)
    print((time.perf_counter() - start) / (n_trials - half), (resident_mb() - held) / (n_trials - half))


def in_a_process(n_trials: int, *n_classes: int) -> list[float]:
    """Return what `measure` prints in a process of its own."""
    command = [sys.executable, __file__, "--trials", str(n_trials), "--classes", *map(str, n_classes)]
    printed = subprocess.check_output(command, stderr=subprocess.DEVNULL)  # noqa: S603
    return [float(number) for number in printed.split()]


def main() -> None:
    """Measure each in a process of its own and print them side by side."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--trials", type=int, default=200)
    parser.add_argument("--classes", type=int, nargs="+", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.classes:
        measure(arguments.trials, tuple(arguments.classes))
        return
    one, two = in_a_process(arguments.trials, 10), in_a_process(arguments.trials, 10, 7)
    first_s, first_mb, trial_s, trial_mb = one
    print(f"one network in a reused process:          {trial_mb:8.3f} MB a trial, {trial_s:6.3f} s")
    print(f"two networks in turn in a reused process: {two[3]:8.3f} MB a trial, {two[2]:6.3f} s")
    print(f"a new process:                            {first_mb:8.0f} MB, {first_s:6.2f} s until its first result")
    print(f"a new process a trial costs {first_s / trial_s:.0f} x the seconds of a reused one")


if __name__ == "__main__":
    main()
