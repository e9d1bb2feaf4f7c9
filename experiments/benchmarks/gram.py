"""The inner products of a data set, against what the machine can do: one large matrix product, and a copy.

    python experiments/benchmarks/gram.py [FOLDER OF INPUTS]

Computing them is arithmetic, and is held against the rate of one product of 4,096 x 4,096. Reading a cell's kernel from
them, every second row and column as float64, is moving bytes, and is held against a copy of whole arrays.

Predicted: 85% of the rate, for the tiles' operands are large and only their gathering is lost; of reading, 30% of a
copy, for columns are picked one by one. Measured (2 threads of one core): 70% at rest, and 12% more in the empty halves
of diagonal tiles (a larger data set has few of them); 99% beside other work, which disturbs one large product more. Of
reading 21%, at rest.
"""

import time
from collections.abc import Callable

import numpy as np
from inputs import inputs

SIZE, REPEATS = 4096, 5


def main() -> None:
    """Measure both in turns, for other programs disturb them, and compare the best of each."""
    given = inputs(2 * SIZE, 0)
    X = np.ascontiguousarray(given.X)
    a, b = X[:SIZE], X[-SIZE:]
    rates: dict[str, list[float]] = {"one product of 4,096 x 4,096": [], "tiles of 8,192 samples": []}
    for _ in range(REPEATS):
        one, tiles = rates.values()
        one.append(2 * a.size * len(b) / seconds(lambda: a @ b.T))
        # Of the symmetric matrix only the lower triangle is computed: as many useful sums as one half and the diagonal.
        tiles.append(X.size * (len(X) + 1) / seconds(lambda: computed(given)))
    gemm, ours = (max(found) / 1e9 for found in rates.values())
    for name, found in rates.items():
        print(f"{name}: {max(found) / 1e9:.0f} GFLOP/s (best of {REPEATS})")
    print(f"useful work in tiles, of the rate of one product: {ours / gemm:.0%}")
    padded = given._tiles.tiles.size * X.shape[1] * 2 / (X.size * (len(X) + 1)) - 1
    print(f"of which lost in halves of diagonal tiles: {padded:.0%}")

    places = np.arange(0, len(X), 2)
    read, copied = given._tiles, np.ones((len(places), len(places)))
    target = np.empty_like(copied)
    # Of tiles float32 is read, and float64 written; of a copy both are float64.
    moved = {"kernel": 12 * copied.size, "copy": 16 * copied.size}
    kernel_s = min(seconds(lambda: read.gather(places, places)) for _ in range(REPEATS))
    copy_s = min(seconds(lambda: np.copyto(target, copied)) for _ in range(REPEATS))
    speeds = moved["kernel"] / kernel_s / 1e9, moved["copy"] / copy_s / 1e9
    print(f"a kernel from tiles: {speeds[0]:.1f} GB/s, a copy {speeds[1]:.1f} GB/s: {speeds[0] / speeds[1]:.0%}")


def computed(given: object) -> None:
    """Compute all tiles, and drop them: what a disk does is another matter."""
    from raygrid.mixtures.tiles import Gram

    for _ in Gram(given.X, np.arange(len(given.X))).compute(threads=given.threads):
        pass


def seconds(work: Callable[[], object]) -> float:
    """Return the wall-clock time: this is about all cores."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
