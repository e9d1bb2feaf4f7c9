"""The inner products of a data set, against the rate of one large matrix product of the same machine.

    python experiments/benchmarks/gram.py [FOLDER OF INPUTS]

Predicted: 85% of the rate, for the tiles' operands are large and only their gathering is lost. Measured: 99%, on two
cores that were busy with other things as well; on quiet ones a tile ran at 96%, its empty half not counted.
"""

import time
from collections.abc import Callable

import numpy as np
from inputs import inputs

SIZE, REPEATS = 4096, 5


def main() -> None:
    """Measure both in turns, for other programs disturb them, and compare the best of each."""
    given = inputs(2 * SIZE, 1000)
    order = np.argsort(given.y_train, kind="stable")
    X = np.ascontiguousarray(given.X_train[order])
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
    padded = given._train_tiles.tiles.size * X.shape[1] * 2 / (X.size * (len(X) + 1)) - 1
    print(f"of which lost in halves of diagonal tiles: {padded:.0%}")


def computed(given: object) -> None:
    """Compute all tiles, and drop them: what a disk does is another matter."""
    from raygrid.tiles import Plan

    order = np.argsort(given.y_train, kind="stable")
    for _ in Plan(given.X_train, order, given.X_train, order, is_symmetric=True).compute():
        pass


def seconds(work: Callable[[], object]) -> float:
    """Return the wall-clock time: this is about all cores."""
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


if __name__ == "__main__":
    main()
