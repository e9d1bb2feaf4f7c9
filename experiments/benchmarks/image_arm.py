"""How fast the image arm trains, beside stock Keras and what else could be tried.

    python experiments/benchmarks/image_arm.py [VARIANT...] [--rounds 3]

Each variant trains the paper's network (MobileNet alpha 1, 64x64, batch 32, RMSprop) in processes of its own: one with
a thread for every CPU, or, *side by side*, as a grid does by default, one for every CPU with one thread. They take
turns. Printed are the medians of images a second, as a ratio to stock Keras' `fit` on TensorFlow, and of seconds of CPU
time an image, which say more where others use the machine. `ONEDNN_MAX_CPU_ISA=AVX2` stands for a processor without
AVX-512.

Predicted, before the first runs, as ratios: XLA 0.5, no oneDNN 0.7; with layers of one kernel
(`raygrid.networks.fused`) 1.4, and 1.9 on torch, which is what a bare loop of torch's own calls reached (1.9; 1.3 with
Keras' convolutions, 1.7 compiled by it). Later: without Keras' pipeline (`raygrid.networks.steps`) another 1.05; kept
images 1.0.
Measured (two cores without a GPU, 2 rounds, little other work), images a second as a ratio to stock, AVX-512 and then
AVX2: raygrid 1.98 and 1.68 (images sent 1.56 and 1.20); side by side (images sent) 2.99 and 1.56, where two of stock
are at 1.77 and 1.37. In CPU time 1.33 and 1.13, side by side 1.76 and 1.30 (stock 1.23 and 1.18). Without its own
layers, images sent, it is at 0.97 and 0.94 in CPU time: so much does determinism cost here.
On a busy machine: no oneDNN 0.5, XLA 0.2, stock on torch 0.93, raygrid on torch 1.26, bfloat16 0.7.
With AVX2 alone, the products of the 1 x 1 convolutions take 2.5 of the 4.5 ms that stock takes for an image on one
thread, at 106 of the 129 GFLOP/s that a large product reaches there. So 1.5 times stock is out of reach of one thread:
0.5 ms would be left for all else, of which the depthwise convolutions need 0.6.
"""

import argparse
import importlib.util
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

N_IMAGES, N_EPOCHS, BATCH_SIZE, IMAGE_SIZE = 640, 3, 32, 64

# Of MobileNet alpha 1 at 64x64: 46 million multiplications and additions, and twice as many for the gradients.
FLOP_AN_IMAGE = 3 * 2 * 46e6

TORCH, JAX = {"KERAS_BACKEND": "torch"}, {"KERAS_BACKEND": "jax"}


class Variant(NamedTuple):
    """What a variant trains with: Keras alone or raygrid, with which settings of the level, in how many processes."""

    env: dict[str, str] = {}  # noqa: RUF012
    is_stock: bool = False
    is_fused: bool = True
    are_sent: bool = False
    settings: dict[str, Any] = {}  # noqa: RUF012
    side_by_side: bool = False


VARIANTS = {
    "stock": Variant(is_stock=True),
    "raygrid": Variant(),
    "stock, side by side": Variant(is_stock=True, side_by_side=True),
    "raygrid, side by side": Variant(side_by_side=True),
    "own layers off": Variant(is_fused=False),
    "images sent": Variant(are_sent=True),
    "bfloat16": Variant(settings={"precision": "mixed_bfloat16"}),
    "no oneDNN": Variant({"TF_ENABLE_ONEDNN_OPTS": "0"}),
    "stock XLA": Variant(is_stock=True, settings={"jit_compile": True}),
    "stock torch": Variant(TORCH, is_stock=True),
    "raygrid torch": Variant(TORCH),
    "raygrid jax": Variant(JAX),
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


def ours(X: Any, y: Any, variant: Variant, runtime: Any = None) -> Callable[[], object]:
    """Return what trains for an epoch as raygrid does, but for what the variant changes; by default on CPUs."""
    from scipy.sparse import eye_array

    from raygrid.classifiers import cnn
    from raygrid.host import Runtime
    from raygrid.mixtures.samples import Samples
    from raygrid.networks.keras_backend import set_up

    set_up(runtime or Runtime(int(os.environ["OMP_NUM_THREADS"])))
    if not variant.is_fused:
        cnn.fused = lambda model: model
    if variant.are_sent:
        cnn.room_for_images = lambda: 0
    network, everything = cnn.Cnn(weights="none", batch_size=BATCH_SIZE, **variant.settings), np.arange(len(y))
    network.initialised(IMAGE_SIZE, 10, seed=0)
    return network.training(Samples(X, everything, everything, None), eye_array(len(y), format="csr"), y, seed=0)


def images_per_s(variant: Variant) -> tuple[float, float]:
    """Return images a second and CPU seconds an image of one variant, in this process."""
    X = np.random.default_rng(0).integers(0, 256, (N_IMAGES, IMAGE_SIZE, IMAGE_SIZE, 3)).astype(np.uint8)
    y = np.arange(N_IMAGES) % 10
    if variant.is_stock and "KERAS_BACKEND" not in variant.env:
        use_threads(int(os.environ["OMP_NUM_THREADS"]))
    epoch = stock(X, y, variant.settings) if variant.is_stock else ours(X, y, variant)
    epoch()
    print("ready", flush=True)
    sys.stdin.readline()
    start, start_cpu = time.perf_counter(), time.process_time()
    for _ in range(N_EPOCHS):
        epoch()
    n = N_EPOCHS * N_IMAGES
    return n / (time.perf_counter() - start), (time.process_time() - start_cpu) / n


def use_threads(n: int) -> None:
    """Let TensorFlow compute with n threads; torch does what OMP_NUM_THREADS says."""
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(n)
    tf.config.threading.set_inter_op_parallelism_threads(n)


def can_run(name: str) -> bool:
    """Whether a variant's backend is installed."""
    return importlib.util.find_spec(VARIANTS[name].env.get("KERAS_BACKEND", "tensorflow")) is not None


def in_processes(name: str) -> tuple[float, float]:
    """Return the same of processes that train at the same time: images a second of all, CPU seconds of each image."""
    n_cpus = len(os.sched_getaffinity(0))
    n, threads = (n_cpus, 1) if VARIANTS[name].side_by_side else (1, n_cpus)
    env = os.environ | {"OMP_NUM_THREADS": str(threads), "CUDA_VISIBLE_DEVICES": "-1", "TF_CPP_MIN_LOG_LEVEL": "3"}
    command, pipes = (
        [sys.executable, __file__, "--measure", name],
        {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE},
    )
    processes = [
        subprocess.Popen(command, env=env | VARIANTS[name].env, stderr=subprocess.DEVNULL, text=True, **pipes)  # noqa: S603
        for _ in range(n)
    ]
    for process in processes:
        while process.stdout.readline().strip() != "ready":
            pass
    for process in processes:
        process.stdin.write("go\n")
        process.stdin.flush()
    measured = [[float(number) for number in process.communicate()[0].split()[-2:]] for process in processes]
    return sum(speed for speed, _ in measured), statistics.mean(cpu_s for _, cpu_s in measured)


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
        print(*images_per_s(VARIANTS[arguments.measure]))
        return
    names = arguments.variants or [name for name in VARIANTS if can_run(name)]
    measured: dict[str, list[tuple[float, float]]] = {name: [] for name in dict.fromkeys(["stock", *names])}
    for _ in range(arguments.rounds):
        for name, found in measured.items():
            found.append(in_processes(name))
    stock_speed, stock_cpu_s = (statistics.median(column) for column in zip(*measured["stock"], strict=True))
    print(f"{'':23}{'images/s':>10}{'ratio':>8}{'CPU ms/image':>15}{'ratio':>8}")
    for name, found in measured.items():
        speed, cpu_s = (statistics.median(column) for column in zip(*found, strict=True))
        print(f"{name:23}{speed:10.1f}{speed / stock_speed:8.2f}{1000 * cpu_s:15.1f}{stock_cpu_s / cpu_s:8.2f}")
    best = max(statistics.median(speeds for speeds, _ in found) for found in measured.values())
    print(f"best: {best * FLOP_AN_IMAGE / 1e9:.0f} GFLOP/s, of {gemm_rate() / 1e9:.0f} in one large matrix product")


if __name__ == "__main__":
    main()
