"""How fast a frozen network gives features, beside the same network of Keras' own layers.

    python experiments/benchmarks/features.py

MobileNet alpha 1 on images of 64x64, in batches of 64, one thread for every CPU; the two take turns. Printed are the
best rates of each, their ratio, and how far the features differ.

Predicted, before the first run: 1.2 x as fast, for single pixels are convolved as a matrix product.
Measured (2 threads of one core, which did other things as well, TensorFlow): 1.15 to 1.25 x. Normalising in one kernel
here too, as in training, made it 0.9 x, and was taken out again.
"""

import os
import time
from typing import Any

import numpy as np

N_IMAGES, IMAGE_SIZE, ROUNDS = 640, 64, 5


def main() -> None:
    """Print the rates and their ratio."""
    os.environ.setdefault("OMP_NUM_THREADS", str(len(os.sched_getaffinity(0))))
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    from raygrid.host import Runtime
    from raygrid.networks.fused import fused
    from raygrid.networks.keras_backend import set_up
    from raygrid.representations import Features
    from raygrid.representations.activations import outputs

    set_up(Runtime(int(os.environ["OMP_NUM_THREADS"])))
    level = Features(weights="none")
    stock = level.reader(level.build_backbone(IMAGE_SIZE, seed=0))
    networks = {"Keras' layers": stock, "fused": fused(stock)}
    X = np.random.default_rng(0).integers(0, 256, (N_IMAGES, IMAGE_SIZE, IMAGE_SIZE, 3)).astype(np.uint8)
    one, other = (outputs(network, X) for network in networks.values())
    rates: dict[str, list[float]] = {name: [] for name in networks}
    for _ in range(ROUNDS):
        for name, network in networks.items():
            rates[name].append(rate(network, X, outputs))
    for name, found in rates.items():
        print(f"{name}: {max(found):.0f} images/s, {max(found) / max(rates[next(iter(rates))]):.2f} x")
    print(f"they differ by {np.abs(one - other).max() / np.abs(one).max():.0e} of the largest at most")


def rate(network: Any, X: Any, outputs: Any) -> float:
    """Return images a second."""
    start = time.perf_counter()
    outputs(network, X)
    return len(X) / (time.perf_counter() - start)


if __name__ == "__main__":
    main()
