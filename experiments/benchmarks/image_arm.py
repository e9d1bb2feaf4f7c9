"""How fast the image arm trains, beside stock Keras and what else could be tried.

    python experiments/benchmarks/image_arm.py [VARIANT...] [--rounds 3]

Each variant trains the paper's network (MobileNet alpha 1, 64x64, batch 32, RMSprop) in a process of its own with one
thread for every CPU; they take turns. Printed are the medians of images a second, as a ratio to stock Keras' `fit` on
TensorFlow, and of seconds of CPU time an image, which say more where others use the machine.

Predicted, before the first run, as ratios: XLA 0.5, no oneDNN 0.7, steps per execution 1.0; with layers of one kernel
(`raygrid.networks.fused`) 1.4, and 1.9 on torch, which is what a bare loop of torch's own calls reached (1.9; 1.3 with
Keras' convolutions, 1.7 compiled by it).
Measured (2 threads of one core without a GPU, at rest, 2 rounds), images a second and CPU time: raygrid 1.63 and 1.47;
without its layers 0.92 and 0.97; 8 steps per execution 1.66 and 1.48, which is not worth a setting; stock on torch 0.93
and 0.73; raygrid on torch 1.26 and 0.99, where Keras' own Python between two kernels costs more than on TensorFlow.
Before, on a busy machine: XLA 0.2, no oneDNN 0.5. The best was at 71 of 322 GFLOP/s: what is left is not arithmetic but
the passes over activations, of normalisation, ReLU and the convolutions by channel, each reading and writing all.
"""

import argparse
import importlib.util
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

N_IMAGES, BATCH_SIZE, IMAGE_SIZE = 320, 32, 64

# Of MobileNet alpha 1 at 64x64: 46 million multiplications and additions, and twice as many for the gradients.
FLOP_AN_IMAGE = 3 * 2 * 46e6

TORCH, JAX = {"KERAS_BACKEND": "torch"}, {"KERAS_BACKEND": "jax"}

# Name -> the environment, what `compile` is given, and who trains: Keras alone, or raygrid, perhaps on Keras' layers.
VARIANTS: dict[str, tuple[dict[str, str], dict[str, Any], str]] = {
    "stock": ({}, {}, "stock"),
    "raygrid": ({}, {}, "raygrid"),
    "own-layers-off": ({}, {}, "unfused"),
    "no-onednn": ({"TF_ENABLE_ONEDNN_OPTS": "0"}, {}, "raygrid"),
    "steps-8": ({}, {"steps_per_execution": 8}, "raygrid"),
    "xla": ({}, {"jit_compile": True}, "stock"),
    "stock-torch": (TORCH, {}, "stock"),
    "raygrid-torch": (TORCH, {}, "raygrid"),
    "raygrid-jax": (JAX, {}, "raygrid"),
}


def stock(X: Any, y: Any, settings: dict[str, Any]) -> Callable[[], object]:
    """Return what trains for an epoch as Keras does by itself: no determinism, the images in memory as float32."""
    import keras

    backbone = keras.applications.MobileNet(input_shape=X.shape[1:], include_top=False, weights=None)
    x = keras.layers.GlobalAveragePooling2D()(backbone.output)
    x = keras.layers.Dense(1024, activation="relu")(x)
    model = keras.Model(backbone.input, keras.layers.Dense(10, activation="softmax")(x))
    model.compile(keras.optimizers.RMSprop(1e-4), "sparse_categorical_crossentropy", **settings)
    scaled = X.astype(np.float32) / np.float32(127.5) - np.float32(1)
    return lambda: model.fit(scaled, y, batch_size=BATCH_SIZE, verbose=0)


def ours(X: Any, y: Any, settings: dict[str, Any], *, is_fused: bool, runtime: Any = None) -> Callable[[], object]:
    """Return what trains for an epoch as raygrid does, but for what the variant changes; by default on CPUs."""
    from scipy.sparse import eye_array

    from raygrid.classifiers import cnn
    from raygrid.host import Runtime
    from raygrid.mixtures.samples import Samples
    from raygrid.networks.keras_backend import set_up

    set_up(runtime or Runtime(int(os.environ["OMP_NUM_THREADS"])))
    if not is_fused:
        cnn.fused = lambda model: model
    network = cnn.Cnn(weights="none", batch_size=BATCH_SIZE)
    model = network.initialised(IMAGE_SIZE, 10, seed=0)
    if settings:
        model.compile(model.optimizer, model.loss, **settings)
    return network.training(
        Samples(X, np.arange(len(y)), np.arange(len(y)), None), eye_array(len(y), format="csr"), y, seed=0
    )


def images_per_s(name: str) -> tuple[float, float]:
    """Return images a second and CPU seconds an image of one variant, in this process."""
    _, settings, trainer = VARIANTS[name]
    X = np.random.default_rng(0).integers(0, 256, (N_IMAGES, IMAGE_SIZE, IMAGE_SIZE, 3)).astype(np.uint8)
    y = np.arange(N_IMAGES) % 10
    epoch = stock(X, y, settings) if trainer == "stock" else ours(X, y, settings, is_fused=trainer == "raygrid")
    epoch()
    start, start_cpu = time.perf_counter(), time.process_time()
    for _ in range(2):
        epoch()
    n = 2 * N_IMAGES
    return n / (time.perf_counter() - start), (time.process_time() - start_cpu) / n


def can_run(name: str) -> bool:
    """Whether a variant's backend is installed."""
    return importlib.util.find_spec(VARIANTS[name][0].get("KERAS_BACKEND", "tensorflow")) is not None


def in_a_process(name: str) -> tuple[float, float]:
    """Return the same, measured in a process of its own."""
    threads = str(len(os.sched_getaffinity(0)))
    env = os.environ | {"OMP_NUM_THREADS": threads, "CUDA_VISIBLE_DEVICES": "-1", "TF_CPP_MIN_LOG_LEVEL": "3"}
    command = [sys.executable, __file__, "--measure", name]
    printed = subprocess.check_output(command, env=env | VARIANTS[name][0], stderr=subprocess.DEVNULL)  # noqa: S603
    speed, cpu_s = (float(number) for number in printed.split()[-2:])
    return speed, cpu_s


def gemm_rate() -> float:
    """Return the arithmetic operations a second of the machine's best: a product of 4,096 x 4,096, all threads."""
    a, times = np.ones((4096, 4096), dtype=np.float32), []
    for _ in range(5):
        start = time.perf_counter()
        a @ a
        times.append(time.perf_counter() - start)
    return float(2 * 4096**3 / min(times))


def main() -> None:
    """Measure the variants in turn and print them side by side."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("variants", nargs="*", help=f"of {', '.join(VARIANTS)}; all of them by default")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--measure", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.measure:
        print(*images_per_s(arguments.measure))
        return
    names = arguments.variants or [name for name in VARIANTS if can_run(name)]
    measured: dict[str, list[tuple[float, float]]] = {name: [] for name in dict.fromkeys(["stock", *names])}
    for _ in range(arguments.rounds):
        for name, found in measured.items():
            found.append(in_a_process(name))
    stock_speed, stock_cpu_s = (statistics.median(column) for column in zip(*measured["stock"], strict=True))
    print(f"{'':16}{'images/s':>10}{'ratio':>8}{'CPU ms/image':>15}{'ratio':>8}")
    for name, found in measured.items():
        speed, cpu_s = (statistics.median(column) for column in zip(*found, strict=True))
        print(f"{name:16}{speed:10.1f}{speed / stock_speed:8.2f}{1000 * cpu_s:15.1f}{stock_cpu_s / cpu_s:8.2f}")
    best = max(statistics.median(speeds for speeds, _ in found) for found in measured.values())
    print(f"best: {best * FLOP_AN_IMAGE / 1e9:.0f} GFLOP/s, of {gemm_rate() / 1e9:.0f} in one large matrix product")


if __name__ == "__main__":
    main()
